import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { createDashboardHandler } from '@pg-boss/dashboard/handler'
import { createMeterkit, MeterkitError } from 'meterkit'
import type { Logger } from 'pino'
import { Stripe } from 'stripe'
import { type StripeLocal, startStripeLocal } from 'stripe-local'
import billing from '../billing.config.ts'
import { aiSettled } from './ai.ts'
import { createAuth } from './auth.ts'
import { type Config, StartupError } from './config.ts'
import { type Database, openDatabase } from './database.ts'
import { createHttp } from './http.ts'
import { claimInstance } from './instance.ts'
import { type DefaultJob, startBoss, startWorkers } from './jobs.ts'
import { JOURNAL_BYTES_MAX } from './journal.ts'
import { createLog } from './log.ts'
import { keepMail, type Mail, mailServer } from './mail.ts'
import { migrate } from './migrate.ts'
import { builtPages, pagesFromSource } from './pages.ts'
import { openSecrets } from './secrets.ts'
import { SEEDED_ADMIN, seed } from './seed.ts'
import type { Services } from './services.ts'

const PREFERRED_STRIPE_PORT = 12111

/** How long requests and jobs under way may take once a stop has begun. */
const GRACE_MS = 5000

/** After this long without having stopped, something is stuck, and the process ends all the same. */
const STOP_MS_MAX = 20_000

export interface App {
  url: string
  /** The same without whatever stands in front. */
  localUrl: string
  services: Services
  /** Where to go, how to sign in, what runs: for the terminal. */
  welcome: string
  /** Stops in the reverse order of starting and drains the journal; a second call waits for the first. */
  stop: () => Promise<void>
}

/**
 * Starts everything in order: the port (it answers 503 until all is ready), the database, its schemas, Stripe, the
 * engine, jobs, pages.
 *
 * @param dev serve the pages from their sources rather than from the build
 * @throws StartupError naming what is wrong and the way out; whatever had started is stopped again
 */
export async function startApp(config: Config, { dev = false }: { dev?: boolean } = {}): Promise<App> {
  const stops: [name: string, stop: () => unknown][] = []
  const onStop = (name: string, stop: () => unknown) => stops.push([name, stop])
  const log = createLog(config)
  let stopping: Promise<void> | undefined
  const stop = () => {
    stopping ??= stopAll(stops, log)
    return stopping
  }
  try {
    return await assemble(config, { dev, log, onStop, stop, isServing: () => stopping === undefined })
  } catch (error) {
    await stop()
    throw readableFailure(error)
  }
}

interface Assembly {
  dev: boolean
  log: Logger
  onStop: (name: string, stop: () => unknown) => void
  stop: () => Promise<void>
  isServing: () => boolean
}

async function assemble(config: Config, { dev, log, onStop, stop, isServing }: Assembly): Promise<App> {
  const took = stopwatch()
  const instance = await claimInstance(config.dataDirectory)
  onStop('instance', instance.release)
  const secrets = openSecrets(config.dataDirectory)
  if (config.traces) {
    const { startTracing } = await import('./tracing.ts') // for those who have a collector alone
    onStop('tracing', startTracing(config.traces))
  }

  const door = createDoor()
  const port = await listen(door.server, config)
  onStop('server', () => closeServer(door.server))
  const appUrl = config.appUrl ?? `http://localhost:${port}`
  const localUrl = `http://127.0.0.1:${port}`

  const database = await openDatabase(config, log)
  onStop('database', database.stop)
  took('database')

  const boss = await startBoss(database.url, log)
  const stopBoss = () => boss.stop({ graceful: true, timeout: GRACE_MS })
  onStop('job tables', stopBoss)
  took('jobs')

  const sendMail = mailServer(config)
  const mail = async (letter: Mail) => {
    if (!sendMail || !config.production) await keepMail(database.pool, letter)
    const job: DefaultJob = { task: 'mail', mail: letter }
    if (sendMail) await boss.send('default', job)
  }
  const auth = createAuth({
    pool: database.pool,
    databaseUrl: database.url,
    secret: config.authSecret ?? secrets.auth(),
    appUrl,
    trustedOrigins: config.production ? [] : [localUrl, `http://localhost:${port}`],
    mail,
    log,
  })
  onStop('accounts', auth.close)
  await migrate(database.pool, auth)
  if (!config.production) await seed({ pool: database.pool, auth })
  took('accounts')

  const stripeLocal = config.stripeSecret === null ? await startLocalStripe(config, log) : null
  if (stripeLocal) onStop('local Stripe', () => stripeLocal.close())
  const stripe = stripeLocal
    ? new Stripe(stripeLocal.secretKey, stripeLocal.clientConfig)
    : new Stripe(config.stripeSecret!, { appInfo: { name: 'Meterkit' } })
  took('Stripe')

  const meterkit = createMeterkit<string, string>({
    config: billing,
    pool: database.pool,
    stripe,
    log,
    journal: { directory: join(config.dataDirectory, 'journal'), maxBytes: JOURNAL_BYTES_MAX },
    webhookSecrets: () => [...config.stripeWebhookSecrets, ...secrets.webhooks()],
    productionMode: config.stripeProductionMode,
    collect: config.collect,
    // The local Stripe's time can be advanced, and the engine's must follow.
    ...(stripeLocal ? { clock: () => stripeLocal.now() } : {}),
  })
  await meterkit.start()
  onStop('meterkit', () => meterkit.stop())
  took('engine')

  onStop('jobs', stopBoss) // the last of its jobs may still need the engine
  await startWorkers({ boss, pool: database.pool, meterkit, log, sendMail, syncSchedule: config.syncSchedule })

  const services: Services = {
    config,
    appUrl,
    pool: database.pool,
    auth,
    boss,
    stripe,
    stripeLocal,
    meterkit,
    log,
    clock: stripeLocal ? () => stripeLocal.now() : () => new Date(),
    mail,
  }
  onStop('AI calls', () => aiSettled(services)) // answers cut off by the stop are billed for what was produced
  const source = dev ? await pagesFromSource(appUrl, door.server) : await builtPages(appUrl)
  onStop('pages', source.close)
  const dashboard = createDashboardHandler({
    databases: [{ url: database.url, schema: 'pgboss', name: 'Meterkit' }],
    basePath: '/admin/jobs',
    allowedActionOrigins: [new URL(appUrl).host],
  })
  onStop('dashboard', dashboard.close)
  const http = createHttp({
    services,
    pages: source.pages,
    dashboard,
    clientDirectory: source.clientDirectory,
    isServing,
  })
  const answer = getRequestListener(http.fetch)
  door.open((request, response) =>
    source.middleware
      ? source.middleware(request, response, () => void answer(request, response))
      : void answer(request, response),
  )
  onStop('requests', () => closeServer(door.server)) // first of all, so that nothing is asked of what has stopped
  took('pages')

  // Webhooks may arrive from here on.
  if (stripeLocal) {
    const webhookUrl = `${localUrl}/webhooks/stripe`
    const { webhookSecrets } = await meterkit.provision({ webhookUrl })
    secrets.addWebhooks(webhookSecrets)
    await forgetOtherAddresses(stripe, webhookUrl)
    took('provision')
  }
  instance.announce({
    url: appUrl,
    localUrl,
    databaseUrl: database.url,
    stripe: stripeLocal && { url: stripeLocal.url, secret: stripeLocal.secretKey },
  })
  const welcome = describe({ services, database, port, timing: took.summary() })
  return { url: appUrl, localUrl, services, welcome, stop }
}

/** A server that holds its port from the start and answers 503 until it is opened. */
function createDoor() {
  type Listener = Parameters<typeof createServer>[1]
  let listener: NonNullable<Listener> = (_request, response) => {
    response.writeHead(503, { 'content-type': 'text/plain', 'retry-after': '1' }).end('Meterkit is starting.\n')
  }
  const server = createServer((request, response) => listener(request, response))
  return {
    server,
    open: (next: NonNullable<Listener>) => {
      listener = next
    },
  }
}

/** @returns the port: the configured one, or the next free one when nobody asked for that very port */
async function listen(server: Server, { host, port, portIsExplicit }: Config): Promise<number> {
  for (let candidate = port; ; candidate += 1) {
    const error = await tryToListen(server, candidate, host)
    if (error === null) {
      return (server.address() as AddressInfo).port
    }
    if (error.code !== 'EADDRINUSE' || portIsExplicit || candidate - port > 50)
      throw cannotListen(error, candidate, host)
  }
}

function tryToListen(server: Server, port: number, host: string): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => {
      server.off('listening', listening)
      resolve(error)
    }
    const listening = () => {
      server.off('error', failed)
      resolve(null)
    }
    server.once('error', failed).once('listening', listening)
    server.listen(port, host)
  })
}

function cannotListen({ code }: NodeJS.ErrnoException, port: number, host: string): StartupError {
  const reasons: Record<string, string> = {
    EADDRINUSE: `PORT is ${port}, and another program listens there. End it, or set PORT to another number.`,
    EACCES: `PORT is ${port}, and this user may not listen there. Set PORT to a number above 1023.`,
    EADDRNOTAVAIL: `HOST is ${host}, which is no address of this machine. Correct it, or remove it.`,
    ENOTFOUND: `HOST is ${host}, which is no address of this machine. Correct it, or remove it.`,
  }
  return new StartupError([
    reasons[code ?? ''] ?? `it cannot listen on ${host}:${port} (${code}). Set HOST or PORT to another value.`,
  ])
}

async function startLocalStripe(config: Config, log: Logger): Promise<StripeLocal> {
  const file = join(config.dataDirectory, 'stripe.sqlite')
  return startStripeLocal({
    file,
    port: PREFERRED_STRIPE_PORT,
    strictPort: false,
    businessName: 'Meterkit demo',
    log: (line) => log.debug({}, `local Stripe: ${line}`),
  })
}

/**
 * The local Stripe is this app's alone. Where an earlier start listened on another port, nobody answers any more, and
 * drafts would wait for that answer for 72 hours.
 */
async function forgetOtherAddresses(stripe: Stripe, webhookUrl: string): Promise<void> {
  for await (const { id, url } of stripe.webhookEndpoints.list({ limit: 100 })) {
    if (url !== webhookUrl) await stripe.webhookEndpoints.del(id)
  }
  const include = ['webhook_endpoint.url' as const]
  for (const { id, webhook_endpoint } of (await stripe.v2.core.eventDestinations.list({ include, limit: 100 })).data) {
    if (webhook_endpoint?.url !== webhookUrl) await stripe.v2.core.eventDestinations.del(id)
  }
}

/** Answers under way are finished; connections that merely stay open are closed. */
async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const impatient = setTimeout(() => server.closeAllConnections(), 300)
  await closed
  clearTimeout(impatient)
}

/** In reverse, each whatever became of the others. */
async function stopAll(stops: [name: string, stop: () => unknown][], log: Logger): Promise<void> {
  const stuck = setTimeout(() => {
    process.stderr.write('Meterkit could not stop in time and ends now; recorded usage is in the journal.\n')
    process.exit(1)
  }, STOP_MS_MAX)
  for (const [name, stop] of stops.toReversed()) {
    const startedAt = performance.now()
    try {
      await stop()
      log.debug({ ms: Math.round(performance.now() - startedAt) }, `stopped: ${name}`)
    } catch (error) {
      log.error({ error: (error as Error).message }, `stopping: ${name} failed`)
    }
  }
  clearTimeout(stuck)
}

function readableFailure(error: unknown): unknown {
  if (error instanceof MeterkitError) return new StartupError([error.message], { cause: error })
  return error
}

function stopwatch() {
  const startedAt = performance.now()
  let last = startedAt
  const steps: string[] = []
  const took = (name: string) => {
    const now = performance.now()
    steps.push(`${name} ${seconds(now - last)}`)
    last = now
  }
  // The process began before this module did.
  took.summary = () => `Started in ${seconds(performance.now())} s (${steps.join(', ')})`
  return took
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(2)
}

function describe({
  services,
  database,
  port,
  timing,
}: {
  services: Services
  database: Database
  port: number
  timing: string
}): string {
  const { appUrl, config, stripeLocal } = services
  const isElsewhere = config.port !== 0 && port !== config.port
  return [
    '',
    ...(isElsewhere ? [`  Port ${config.port} is taken, so Meterkit uses ${port}. Name another with PORT.`, ''] : []),
    `  Meterkit is ready: ${appUrl}`,
    ...(config.production ? [] : [`  Sign in as ${SEEDED_ADMIN.email} / ${SEEDED_ADMIN.password}`]),
    '',
    `  Stripe      ${stripeLocal ? `local test mode, dashboard at ${stripeLocal.url}` : config.stripeProductionMode ? 'live' : 'test mode'}`,
    `  Database    ${database.embedded ? `PostgreSQL in ${join(config.dataDirectory, 'postgres')}` : 'DATABASE_URL'}`,
    `  Jobs        ${appUrl}/admin/jobs (usage is synced: ${config.syncSchedule})`,
    ...(config.collect ? [] : ['  Collecting  off (METERKIT_COLLECT=false): no usage is recorded']),
    ...(config.smtpUrl === null ? [`  Mails       ${appUrl}/admin/mailbox`] : []),
    '',
    `  ${timing}. Stop with Ctrl-C.`,
    '',
  ].join('\n')
}
