/** Where its pages ask for fonts from outside; here it gets none, and asks nobody. */
const FONT_HOSTS = /https:\/\/fonts\.(?:googleapis|gstatic)\.com/g
export const FONTS_PATH = '/admin/jobs/fonts'

const WAY_BACK = `<a href="/admin" style="position:fixed;right:16px;bottom:16px;z-index:50;padding:8px 14px;border-radius:8px;background:#111827;color:#fff;font:500 13px/20px system-ui,sans-serif;text-decoration:none;box-shadow:0 1px 4px rgb(0 0 0/.4)">← Back to Meterkit</a>`

/**
 * pg-boss's dashboard as part of the app: with a way back, and without requests to font servers, which would tell them
 * who looks and are refused by our policy anyway. Page and script name the fonts alike, or React would find them to
 * differ; so both are rewritten.
 */
export async function embedded(response: Response): Promise<Response> {
  const type = response.headers.get('content-type') ?? ''
  const isPage = type.startsWith('text/html')
  if (!response.body || !(isPage || /^(?:text|application)\/javascript/.test(type))) return response
  const text = (await response.text()).replace(FONT_HOSTS, FONTS_PATH)
  const headers = new Headers(response.headers)
  headers.delete('content-length')
  return new Response(isPage ? text.replace('</body>', `${WAY_BACK}</body>`) : text, {
    status: response.status,
    headers,
  })
}
