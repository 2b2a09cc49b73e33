/** Opens a hosted page as a browser does, and sends its form with what a person fills in. @returns where it leads */
export async function submitAt(url: string, fields: { [name: string]: string } = {}): Promise<string> {
  const page = await fetch(url)
  if (!page.ok) throw new Error(`${page.url} answers ${page.status}: ${headingOf(await page.text())}`)
  const filled = new URLSearchParams({ ...hiddenFields(await page.text()), ...fields })
  const answer = await fetch(page.url, { method: 'POST', body: filled, redirect: 'manual' })
  if (answer.status !== 303) throw new Error(`${page.url} answers ${answer.status}: ${headingOf(await answer.text())}`)
  return new URL(answer.headers.get('location')!, page.url).href
}

function hiddenFields(html: string): { [name: string]: string } {
  const inputs = html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)
  return Object.fromEntries([...inputs].map(([, name, value]) => [name, value]))
}

function headingOf(html: string): string {
  return /<h1[^>]*>(.*?)<\/h1>/s.exec(html)?.[1] ?? html.slice(0, 200)
}
