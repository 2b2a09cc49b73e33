import { randomBytes, randomUUID } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { getConnInfo } from '@hono/node-server/conninfo'
import { serveStatic } from '@hono/node-server/serve-static'
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { DashboardHandler } from '@pg-boss/dashboard/handler'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { compress } from 'hono/compress'
import { RouterContextProvider } from 'react-router'
import { CLIENT_ADDRESS_HEADER } from './auth.ts'
import { createFigures } from './figures.ts'
import { embedded, FONTS_PATH } from './jobs-dashboard.ts'
import { createMetrics, mayRead, routeOf } from './metrics.ts'
import { readReadiness } from './readiness.ts'
import { type Services, servicesContext, type Visit, visitContext } from './services.ts'
import { requireAdmin } from './session.ts'

/** React Router's request handler, built or from Vite. */
export type Pages = (request: Request, context: RouterContextProvider) => Promise<Response>

export interface HttpParts {
  services: Services
  pages: Pages
  /** The jobs dashboard; null where a test needs none. */
  dashboard: DashboardHandler | null
  /** The folder of the built client, or null where Vite serves it. */
  clientDirectory: string | null
  /** False once a stop has begun: a load balancer then looks elsewhere. */
  isServing: () => boolean
}

/** What proxies write down where nobody waited for the answer; nobody ever receives it. */
const CLIENT_CLOSED_REQUEST = 499

/** The one page that takes JSON, and checks it itself. */
const JSON_PATH_END = '/ai-chat-stream'

type Env = { Variables: { visit: Visit } }

const BODY_BYTES_MAX = 2 * 1024 * 1024
const YEAR_SECONDS = 31_536_000

/** Everything the app answers: sign-in, webhooks, the jobs dashboard, files, and the pages last. */
export function createHttp(parts: HttpParts): Hono<Env> {
  const { services, pages, dashboard, clientDirectory, isServing } = parts
  const figures = createFigures(services)
  const metrics = createMetrics(services, figures)
  const app = new Hono<Env>()

  app.use(async (c, next) => {
    c.set('visit', newVisit(services, c))
    const startedAt = performance.now()
    await asSpan(c, next)
    setSecurityHeaders(services, c, clientDirectory === null)
    const milliseconds = performance.now() - startedAt
    logRequest(services, c, milliseconds)
    const { pathname } = new URL(c.req.url)
    metrics.observe({ method: c.req.method, pathname, status: c.res.status, seconds: milliseconds / 1000 })
  })
  app.use(bodyLimit({ maxSize: BODY_BYTES_MAX, onError: (c) => c.text('The request is too large.', 413) }))

  // The time is the engine's: with the local Stripe it may have been advanced.
  app.get('/healthz', (c) => c.json({ status: 'ok', time: services.clock().toISOString() }))
  app.get('/readyz', async (c) => {
    const readiness = await readReadiness(services, { figures, stopping: !isServing() })
    return c.json(readiness, readiness.status === 'not ready' ? 503 : 200, { 'Cache-Control': 'no-store' })
  })
  app.get('/metrics', async (c) => {
    if (mayRead(services.config, c.req.header('authorization')))
      return c.body(await metrics.text(), 200, { 'Content-Type': metrics.contentType, 'Cache-Control': 'no-store' })
    if (services.config.metricsToken === null) return c.text('Set METRICS_TOKEN to read metrics in production.', 404)
    return c.text('Authorization: Bearer with the METRICS_TOKEN is missing.', 401, { 'WWW-Authenticate': 'Bearer' })
  })
  app.on(['GET', 'POST'], '/api/auth/*', (c) => services.auth.handler(withAddress(c)))
  app.post('/webhooks/stripe', (c) => services.meterkit.handler(c.req.raw))
  app.all('/webhooks/stripe', (c) => c.text('Stripe posts here.', 405, { Allow: 'POST' }))
  if (dashboard) serveDashboard(app, services, dashboard)
  if (clientDirectory) serveFiles(app, clientDirectory)

  // A path that begins with two slashes would be taken for another host by whoever joins it to an address.
  app.use(async (c, next) => (new URL(c.req.url).pathname.startsWith('//') ? c.notFound() : next()))
  app.get('/favicon.ico', (c) => c.body(null, 204))
  app.use(async (c, next) => (await refusedBody(c)) ?? next())
  app.all('*', async (c) => {
    const response = await pages(c.req.raw, pageContext(services, c))
    if (hasLeft(c)) return abandoned(response)
    const { cookies } = c.var.visit
    if (cookies.length === 0) return response
    const answer = new Response(response.body, response)
    for (const cookie of cookies) answer.headers.append('set-cookie', cookie)
    return answer
  })

  app.onError((error, c) => {
    if (hasLeft(c)) return new Response(null, { status: CLIENT_CLOSED_REQUEST })
    services.log.error({ request: c.var.visit?.id, error: error.stack ?? String(error) }, 'a request failed')
    return c.text('Something went wrong on our side. Try again in a moment.', 500)
  })
  return app
}

function newVisit({ config }: Services, c: Context<Env>): Visit {
  return {
    id: randomUUID(),
    address: clientAddress(c, config.trustedProxies),
    nonce: randomBytes(16).toString('base64'),
    cookies: [],
  }
}

/** Each trusted proxy has appended the address it saw, so the visitor's is that many entries from the end. */
function clientAddress(c: Context, trustedProxies: number): string {
  const direct = c.env?.incoming ? getConnInfo(c).remote.address : undefined
  if (trustedProxies > 0) {
    const forwarded = (c.req.header('x-forwarded-for') ?? '').split(',').map((entry) => entry.trim())
    const seen = forwarded.filter(Boolean).at(-trustedProxies)
    if (seen) return seen
  }
  return direct ?? '127.0.0.1'
}

/** What a page could not read as a form, answered before it tries; null when it can. The chat's questions are JSON. */
async function refusedBody(c: Context): Promise<Response | null> {
  if (c.req.method === 'GET' || c.req.method === 'HEAD') return null
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  const { pathname } = new URL(c.req.url)
  if (type === 'application/x-www-form-urlencoded' || pathname.endsWith(JSON_PATH_END)) return null
  if (type !== 'multipart/form-data')
    return c.text(`Pages take forms (application/x-www-form-urlencoded), not ${type || 'a body without a type'}.`, 415)
  try {
    await c.req.raw.clone().formData()
    return null
  } catch {
    return c.text('The form is broken: its parts do not end as its Content-Type says. Send it again.', 400)
  }
}

/** The browser has gone: another page was opened, or a stream was no longer wanted. */
function hasLeft(c: Context): boolean {
  return c.req.raw.signal.aborted
}

/** React Router makes an error of a request that was given up; what it had begun to answer may end by itself. */
function abandoned(response: Response): Response {
  return response.status >= 500 ? new Response(null, { status: CLIENT_CLOSED_REQUEST }) : response
}

function withAddress(c: Context<Env>): Request {
  const headers = new Headers(c.req.raw.headers)
  headers.set(CLIENT_ADDRESS_HEADER, c.var.visit.address)
  return new Request(c.req.raw, { headers })
}

function pageContext(services: Services, c: Context<Env>): RouterContextProvider {
  const context = new RouterContextProvider()
  context.set(servicesContext, services)
  context.set(visitContext, c.var.visit)
  return context
}

const tracer = trace.getTracer('saas')

/** The engine's work for a request hangs below it. */
async function asSpan(c: Context<Env>, next: () => Promise<void>): Promise<void> {
  const { pathname } = new URL(c.req.url)
  if (isQuiet(pathname)) return next()
  const attributes = { 'http.request.method': c.req.method, 'http.route': routeOf(pathname) }
  await tracer.startActiveSpan(
    `${c.req.method} ${routeOf(pathname)}`,
    { kind: SpanKind.SERVER, attributes },
    async (span) => {
      try {
        await next()
      } finally {
        span.setAttributes({ 'http.response.status_code': c.res.status, 'meterkit.request': c.var.visit.id })
        if (c.res.status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
        span.end()
      }
    },
  )
}

/** Its own data requests (`/admin/jobs.data`) are outside its folder. */
function serveDashboard(app: Hono<Env>, services: Services, dashboard: DashboardHandler): void {
  app.get(`${FONTS_PATH}/*`, (c) => c.body('', 200, { 'Content-Type': 'text/css' }))
  for (const path of ['/admin/jobs', '/admin/jobs/*', '/admin/jobs.data'])
    app.all(path, async (c) => {
      const args = { request: c.req.raw, params: {}, context: pageContext(services, c), url: new URL(c.req.url) }
      try {
        await requireAdmin(args)
      } catch (refusal) {
        if (refusal instanceof Response) return refusal
        return c.text('There is no such page.', 404)
      }
      return embedded(await dashboard(c.req.raw))
    })
}

function serveFiles(app: Hono<Env>, directory: string): void {
  const cached = (value: string) => (_path: string, c: Context) => c.header('Cache-Control', value)
  // Names of assets hold a hash of their content. Pages are not compressed: that would hold back what streams.
  const immutable = `public, max-age=${YEAR_SECONDS}, immutable`
  app.use('/assets/*', compress(), serveStatic({ root: directory, onFound: cached(immutable) }))
  app.all('/assets/*', (c) => c.text('There is no such file.', 404))
  for (const file of readdirSync(directory, { withFileTypes: true }))
    if (file.isFile())
      app.get(`/${file.name}`, serveStatic({ root: directory, onFound: cached('public, max-age=3600') }))
}

function setSecurityHeaders(services: Services, c: Context<Env>, dev: boolean): void {
  const { headers } = c.res
  const set = (name: string, value: string) => {
    if (!headers.has(name)) headers.set(name, value)
  }
  set('X-Content-Type-Options', 'nosniff')
  set('Referrer-Policy', 'strict-origin-when-cross-origin')
  set('X-Frame-Options', 'DENY')
  set('Cross-Origin-Opener-Policy', 'same-origin')
  set('Permissions-Policy', 'camera=(), microphone=(), geolocation=()')
  set('X-Request-Id', c.var.visit.id)
  if (services.appUrl.startsWith('https:')) set('Strict-Transport-Security', `max-age=${YEAR_SECONDS}`)
  if (headers.get('content-type')?.startsWith('text/html'))
    set('Content-Security-Policy', isDashboard(c) ? DASHBOARD_POLICY : pagePolicy(services, c.var.visit.nonce, dev))
}

function isDashboard({ req }: Context): boolean {
  return /^\/admin\/jobs(\/|\.data$|$)/.test(new URL(req.url).pathname)
}

/** The dashboard brings inline scripts of its own. */
const DASHBOARD_POLICY =
  "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"

function pagePolicy({ stripeLocal, appUrl }: Services, nonce: string, dev: boolean): string {
  // A form that leads on to Checkout or the portal needs leave for that, too.
  const stripe = [
    'https://checkout.stripe.com',
    'https://billing.stripe.com',
    ...(stripeLocal ? [stripeLocal.url] : []),
  ]
  const directives = {
    'default-src': ["'self'"],
    'script-src': ["'self'", `'nonce-${nonce}'`],
    'style-src': ["'self'", "'unsafe-inline'"],
    'img-src': ["'self'", 'data:'],
    'font-src': ["'self'"],
    'connect-src': ["'self'", ...(dev ? [appUrl.replace(/^http/, 'ws')] : [])],
    'form-action': ["'self'", ...stripe],
    'frame-ancestors': ["'none'"],
    'base-uri': ["'self'"],
    'object-src': ["'none'"],
  }
  return Object.entries(directives)
    .map(([name, values]) => `${name} ${values.join(' ')}`)
    .join('; ')
}

function logRequest({ log }: Services, c: Context<Env>, milliseconds: number): void {
  const { pathname } = new URL(c.req.url) // without the query: it may hold a token
  const facts = { status: c.res.status, ms: Math.round(milliseconds), request: c.var.visit.id }
  const level = c.res.status >= 500 ? 'error' : isQuiet(pathname) ? 'debug' : 'info'
  log[level](facts, `${c.req.method} ${pathname}`)
}

function isQuiet(pathname: string): boolean {
  return /^\/(assets|node_modules|@|app\/.*\.(tsx?|css)$|healthz|readyz|metrics|favicon)/.test(pathname)
}
