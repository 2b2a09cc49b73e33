import type { Context, Next } from 'hono'
import { messagePage } from './layout.ts'

/**
 * Refuses a form that another site sends: whoever runs the local Stripe has it open in a browser beside the rest of the
 * web. Browsers always say where a POST comes from; a client that says nothing is not one.
 */
export async function refuseCrossSite(c: Context, next: Next): Promise<Response | undefined> {
  if (c.req.method === 'GET' || c.req.method === 'HEAD' || sameSite(c)) {
    await next()
    return undefined
  }
  const message = 'This form was sent from another site. Open the page here and send it again.'
  return c.html(messagePage('Request refused', message), 403)
}

function sameSite(c: Context): boolean {
  const site = c.req.header('sec-fetch-site')
  if (site !== undefined) return site === 'same-origin' || site === 'none'
  const origin = c.req.header('origin')
  if (origin === undefined) return true
  return URL.canParse(origin) && new URL(origin).host === (c.req.header('host') ?? new URL(c.req.url).host)
}
