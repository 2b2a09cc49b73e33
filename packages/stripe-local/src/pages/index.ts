import { type Context, Hono, type Next } from 'hono'
import { html } from 'hono/html'
import { ApiError } from '../http/errors.ts'
import { browserScript } from './browser.ts'
import { checkoutPages } from './checkout.ts'
import type { PagesContext } from './context.ts'
import { dashboardPages } from './dashboard/index.ts'
import { invoicePages } from './invoice.ts'
import { messagePage } from './layout.ts'
import { portalPages } from './portal.ts'
import { refuseCrossSite } from './same-site.ts'
import { styles } from './styles.ts'
import { threeDSecurePages } from './three-d-secure.ts'

/** Where the pages live; the API beside them has rules of its own. */
const PATHS = ['/', '/assets/*', '/c/*', '/p/*', '/i/*', '/3d-secure/*', '/dashboard/*']

const SECURITY_POLICY =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"

/** Hosted Checkout, portal and invoices, and the dashboard, as one app to mount at the root. */
export function createPages(context: PagesContext): Hono {
  const app = new Hono()
  for (const path of PATHS) app.use(path, refuseCrossSite, secureHeaders)
  app.get('/assets/stripe-local.css', (c) => c.body(styles, 200, { 'Content-Type': 'text/css; charset=utf-8' }))
  app.get('/assets/stripe-local.js', (c) =>
    c.body(browserScript, 200, { 'Content-Type': 'text/javascript; charset=utf-8' }),
  )
  app.route('/', checkoutPages(context))
  app.route('/', portalPages(context))
  app.route('/', invoicePages(context))
  app.route('/', threeDSecurePages(context))
  app.route('/', dashboardPages(context))
  app.onError((error, c) => {
    if (!(error instanceof ApiError)) throw error
    const message = html`The local Stripe refused: ${error.message} Nothing was changed.`
    return c.html(
      messagePage('That did not work', message, { href: c.req.path, label: 'Try again' }),
      error.status === 404 ? 404 : 400,
    )
  })
  return app
}

async function secureHeaders(c: Context, next: Next): Promise<void> {
  await next()
  c.header('Cache-Control', 'no-cache')
  c.header('Referrer-Policy', 'same-origin')
  c.header('X-Content-Type-Options', 'nosniff')
  c.header('Content-Security-Policy', SECURITY_POLICY)
}
