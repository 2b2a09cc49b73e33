import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { Stripe } from 'stripe'
import { createMeterkit, type EventInput, type Meterkit } from '../../src/index.ts'
import { billing } from '../database.ts'

/*
 * An app as its authors write it: the engine with a journal of its own, a server for webhooks, and nothing else. What it
 * does is asked for by the process that started it, which may kill it at any moment; what callers of `recordEvent` are
 * told is passed on at once.
 */

export interface AppSettings {
  databaseUrl: string
  journalDirectory: string
  stripe: { secretKey: string; host: string; port: number }
  webhookSecrets: string[]
  /** What everybody's clock is ahead of the machine's. */
  clockOffsetMs: number
  /** How long Stripe's SDK waits for an answer. */
  stripeTimeoutMs: number
}

/** An event to be recorded, as it crosses between processes. `ref` is kept in its properties and found again in the table. */
export interface Use {
  ref: string
  customerId: string
  subscriptionId: string
  quantity: string
  /** Milliseconds since 1970; null is now. */
  at: number | null
  key: string | null
  /** The database refuses it: see the harness's own constraint. */
  poisoned?: boolean
}

export type TransactionEnd = 'commit' | 'rollback' | 'open'

/** What can be asked of the process; the answers cross as JSON. */
const VERBS = {
  record: async (uses: Use[]) => uses.map(record),
  recordInTransaction,
  flood,
  sync: (scope: { customerId?: string; urgent?: boolean }) => meterkit.reports.sync(scope),
  drained: () => meterkit.events.drained(),
  void: (id: string) => meterkit.events.void(id, { by: 'omar', reason: 'a mistake' }),
  retry: (which: Parameters<Meterkit['events']['retry']>[0]) => meterkit.events.retry(which),
  switchPlan: (subscriptionId: string, plan: Plan) => meterkit.subscriptions.switchPlan({ subscriptionId, plan }),
  cancel: (subscriptionId: string, when: 'period_end' | 'now') =>
    meterkit.subscriptions.cancel({ subscriptionId, when }),
  provision: (webhookUrl: string) => meterkit.provision({ webhookUrl }),
  ensureCustomer: (name: string) =>
    meterkit.customers.ensure({ source: 'organization', sourceId: name, name, email: null }),
  checkout: (customerId: string, plan: Plan) =>
    meterkit.subscriptions.checkout({ customerId, plan, successUrl: 'http://app/ok', cancelUrl: 'http://app/no' }),
  completeCheckout: (customerId: string, sessionId: string) =>
    meterkit.subscriptions.completeCheckout({ customerId, sessionId }),
  /** As every request of an app begins: makes the process know the subscription, whoever stored it. */
  gate: (customerId: string) => meterkit.subscriptions.ofCustomer(customerId),
  housekeeping: () => meterkit.housekeeping(),
  pipeline: async () => meterkit.events.pipeline(),
  drain,
  unprocessedWebhooks: () => meterkit.webhooks.unprocessed(),
  secrets: async (added: string[]) => void secrets.push(...added),
}

type Plan = 'essential' | 'business' | 'enterprise'
export type Verbs = typeof VERBS
export type Request = { call: number; verb: keyof Verbs; given: unknown[] } | { clockOffsetMs: number }
export type Report =
  | { ready: number }
  | { answer: number; value: unknown }
  | { answer: number; error: { message: string; code?: string } }
  | { durable: string[] }
  | { undurable: string[]; message: string }

const settings = JSON.parse(process.argv[2]!) as AppSettings
const secrets = [...settings.webhookSecrets]
let clockOffsetMs = settings.clockOffsetMs
const pool = new pg.Pool({ connectionString: settings.databaseUrl, max: 8 })
pool.on('error', () => {})
/** For transactions of the app's own. */
const appPool = new pg.Pool({ connectionString: settings.databaseUrl, max: 4 })
appPool.on('error', () => {})
appPool.on('connect', (client) => client.on('error', () => {}))
const log = (level: string) => (facts: object, message: string) => {
  if (process.env.FAULTS_LOG) process.stderr.write(`${process.pid} ${level} ${message} ${JSON.stringify(facts)}\n`)
}
const meterkit = createMeterkit({
  config: billing,
  pool,
  stripe: new Stripe(settings.stripe.secretKey, {
    host: settings.stripe.host,
    port: settings.stripe.port,
    protocol: 'http',
    telemetry: false,
    timeout: settings.stripeTimeoutMs,
    maxNetworkRetries: 0,
  }),
  clock: () => new Date(Date.now() + clockOffsetMs),
  log: { info: log('info'), warn: log('warn'), error: log('error') },
  journal: { directory: settings.journalDirectory },
  webhookSecrets: () => secrets,
  reportsPerSecond: 10_000,
})

process.on('disconnect', () => process.exit())
process.on('message', (request: Request) => {
  if ('clockOffsetMs' in request) clockOffsetMs = request.clockOffsetMs
  else void answer(request)
})
await start()

async function start(): Promise<void> {
  await meterkit.start()
  const server = createServer(async (request, response) => {
    clockOffsetMs = Number(request.headers['x-clock-offset'] ?? clockOffsetMs)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const answered = await meterkit.handler(
      new Request(`http://127.0.0.1${request.url}`, {
        method: 'POST',
        headers: { 'stripe-signature': String(request.headers['stripe-signature']) },
        body: Buffer.concat(chunks),
      }),
    )
    response.writeHead(answered.status).end(await answered.text())
  })
  server.listen(0, '127.0.0.1', () => tell({ ready: (server.address() as AddressInfo).port }))
}

async function answer({ call, verb, given }: Extract<Request, { call: number }>): Promise<void> {
  try {
    const value = await (VERBS[verb] as (...given: unknown[]) => Promise<unknown>)(...given)
    tell({ answer: call, value: value ?? null })
  } catch (error) {
    const { message, code } = error as { message: string; code?: unknown }
    tell({ answer: call, error: { message: message || String(code), ...(code ? { code: String(code) } : {}) } })
  }
}

function inputOf({ ref, customerId, subscriptionId, quantity, at, key, poisoned }: Use): EventInput<'ai_tokens'> {
  const properties = { ref, ...(poisoned ? { poisoned: true } : {}) }
  const input = { meter: 'ai_tokens' as const, customerId, subscriptionId, quantity, properties }
  return { ...input, ...(at === null ? {} : { timestamp: new Date(at) }), ...(key === null ? {} : { id: key }) }
}

/** @returns the event's id, or why it was refused */
function record(use: Use): { id: string } | { error: string } {
  try {
    const { id, durable } = meterkit.recordEvent(inputOf(use))
    durable.then(
      () => soon(use.ref),
      (error: Error) => tell({ undurable: [use.ref], message: error.message }),
    )
    return { id }
  } catch (error) {
    return { error: (error as Error).message }
  }
}

let told: string[] = []
/** All that become durable at once are told at once. */
function soon(ref: string): void {
  if (told.push(ref) > 1) return
  process.nextTick(() => {
    tell({ durable: told })
    told = []
  })
}

/** `open` leaves the transaction to whoever kills the process; after a while it gives up by itself. */
async function recordInTransaction(use: Use, end: TransactionEnd): Promise<{ id: string }> {
  const client = await appPool.connect()
  try {
    await client.query('begin')
    const recorded = await meterkit.recordEvent(inputOf(use), { tx: client })
    if (end === 'open') {
      setTimeout(() => client.release(true), 2_000)
      return recorded
    }
    await client.query(end)
    client.release()
    return recorded
  } catch (error) {
    client.release(true)
    throw error
  }
}

export interface Flood {
  customerId: string
  subscriptionId: string
  events: number
  /** Null: as fast as it can. */
  perSecond: number | null
  /** Which of them the database refuses. */
  poisonedAt?: number
}
export interface Flooded {
  recorded: number
  /** Of one call of `recordEvent`. */
  medianMicroseconds: number
  p99Microseconds: number
  slowestMilliseconds: number
  /** Resident, after a quarter of the time and at the end. */
  memoryBytes: [early: number, last: number]
}

const TICK_MS = 10

/** Many events of one token each. Their ids are told once they are durable, as `record` tells refs. */
async function flood({ customerId, subscriptionId, events, perSecond, poisonedAt }: Flood): Promise<Flooded> {
  const micros = new Float64Array(events)
  const perTick = perSecond === null ? 2_000 : (perSecond * TICK_MS) / 1_000
  const began = performance.now()
  let recorded = 0
  let early = 0
  for (let tick = 1; recorded < events; tick++) {
    for (const upTo = Math.min(events, Math.floor(tick * perTick)); recorded < upTo; recorded++) {
      const input = { meter: 'ai_tokens' as const, customerId, subscriptionId, quantity: 1 }
      const properties = recorded === poisonedAt ? { poisoned: true } : null
      const at = performance.now()
      const { id, durable } = meterkit.recordEvent(properties ? { ...input, properties } : input)
      micros[recorded] = (performance.now() - at) * 1_000
      void durable.then(() => soon(id))
    }
    if (early === 0 && recorded >= events / 4) early = process.memoryUsage().rss
    const waitMs = perSecond === null ? 0 : Math.max(began + tick * TICK_MS - performance.now(), 0)
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
  micros.sort()
  return {
    recorded,
    medianMicroseconds: micros[events >> 1]!,
    p99Microseconds: micros[Math.floor(events * 0.99)]!,
    slowestMilliseconds: micros.at(-1)! / 1_000,
    memoryBytes: [early, process.memoryUsage().rss],
  }
}

/** Waits until all is stored. @returns how fast it went once it had begun; a back-off before is not counted */
async function drain(): Promise<{ perSecond: number }> {
  const before = meterkit.events.pipeline().stored
  let beganAt = performance.now()
  while (meterkit.events.pipeline().stored === before) {
    beganAt = performance.now()
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await meterkit.events.drained()
  const seconds = (performance.now() - beganAt) / 1_000
  return { perSecond: (meterkit.events.pipeline().stored - before) / seconds }
}

function tell(report: Report): void {
  process.send?.(report)
}
