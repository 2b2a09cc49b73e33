import type { Page } from 'playwright-core'

/** Pays on the hosted Checkout page the browser stands on; returns to the app's success page. */
export async function payOnCheckout(page: Page, cardNumber = '4242 4242 4242 4242'): Promise<void> {
  await page.getByLabel('Card number').fill(cardNumber)
  await page.getByLabel('Expiration').fill('12 / 34')
  await page.getByLabel('CVC').fill('123')
  await page.getByLabel('Cardholder name').fill('Jenny Rosen')
  await page.getByRole('button', { name: 'Subscribe', exact: true }).click()
}

/** From the plans to the success page. @param basePath `/app/org/acme`, or `/app` */
export async function subscribe(page: Page, basePath: string, planName: string): Promise<void> {
  await page.goto(`${basePath}/subscribe`)
  await page.getByRole('button', { name: `Choose ${planName}` }).click()
  await payOnCheckout(page)
  await page.getByRole('heading', { name: `You’re on ${planName}` }).waitFor()
}

/** Asks the chat the browser stands on. @returns the tokens of question and answer, as shown under the answer */
export async function ask(page: Page, question: string): Promise<number> {
  await page.getByRole('textbox', { name: /message|question|ask/i }).fill(question)
  await page.keyboard.press('Enter')
  const receipt = page.getByText(/[\d,]+ in · [\d,]+ out/).last()
  await receipt.waitFor()
  const counts = /([\d,]+) in · ([\d,]+) out/.exec((await receipt.textContent()) ?? '')
  return counts!.slice(1).reduce((total, count) => total + Number(count.replaceAll(',', '')), 0)
}

export function billingPage(slug: string): string {
  return `/app/org/${slug}/settings/billing`
}

/** Stripe's own preview, on the billing page the browser stands on. It comes after the page: for a moment beside it, hidden. */
export async function stripeAgrees(page: Page): Promise<void> {
  await page.getByRole('main').getByText('Agrees with ours').waitFor()
}

/** Moves the local Stripe's clock, and the app's with it, as its dashboard does. */
export async function moveClock(stripeUrl: string, by: 'hour' | 'day' | 'period'): Promise<void> {
  const response = await fetch(new URL('/dashboard/clock', stripeUrl), {
    method: 'POST',
    body: new URLSearchParams({ by }),
  })
  if (!response.ok) throw new Error(`The local Stripe's clock did not move: ${response.status}`)
}
