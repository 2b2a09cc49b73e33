import { Stripe } from 'stripe'
import { Account } from './account.ts'
import { accountPages } from './account-pages.ts'
import { rememberAddress } from './address.ts'
import { sessionDue } from './checkout/lapse.ts'
import { Database } from './database.ts'
import { type FaultSettings, Faults } from './faults.ts'
import { Api } from './http/api.ts'
import { atHome } from './http/host.ts'
import { forgetOldKeys } from './http/idempotency.ts'
import { RateLimits } from './http/rate-limits.ts'
import { RequestLog } from './http/request-log.ts'
import { listen } from './http/server.ts'
import { randomLetters } from './identifier.ts'
import { markDelivered } from './invoices/draft.ts'
import { invoiceDue } from './invoices/finalize.ts'
import { Aggregation } from './metering/aggregation.ts'
import { Usage } from './metering/usage.ts'
import { Objects } from './objects.ts'
import { createPages } from './pages/index.ts'
import { authorizationDue } from './payments/pay.ts'
import { DEFAULT_READINGS, type Readings } from './readings.ts'
import { grantDue } from './resources/credit-grants.ts'
import { kinds, routes } from './resources/index.ts'
import { clockDue, resumeClocks, type TestClock } from './resources/test-clocks.ts'
import { subscriptionDue } from './subscriptions/renewal.ts'
import { scheduleDue } from './subscriptions/scheduling.ts'
import {
  subscriptionForgiven,
  subscriptionOverdue,
  subscriptionSettled,
  subscriptionUnpaid,
  subscriptionVoided,
} from './subscriptions/standing.ts'
import { checkThresholds } from './subscriptions/threshold.ts'
import { Timeline } from './timeline.ts'
import { Deliveries } from './webhooks/deliveries.ts'
import { rollSecret } from './webhooks/endpoint.ts'
import { Events } from './webhooks/events.ts'
import { type ForwardTo, forward } from './webhooks/forwarding.ts'

export type { FaultSettings } from './faults.ts'
export type { Readings } from './readings.ts'
export type { ForwardTo } from './webhooks/forwarding.ts'

/** Soon at first, for an app that is being restarted; then for three days, as Stripe does. */
const WEBHOOK_RETRY_DELAYS_MS = [10, 60, 600, 3600, 6 * 3600, 12 * 3600, 24 * 3600, 24 * 3600].map(
  (seconds) => seconds * 1000,
)

/** What both ways to run it have in common. */
export interface EmbeddedOptions {
  /** SQLite file that holds all state; default `:memory:`. The same file brings everything back. */
  file?: string
  /**
   * The key to accept; default `sk_test_local_` and random letters, kept in the state file. One that begins with
   * `sk_live_` makes it an account in live mode, which its state file stays.
   */
  secretKey?: string
  /** What becomes of a subscription whose renewal the last retry could not collect; default `cancel`. */
  afterLastRetry?: 'cancel' | 'past_due' | 'unpaid'
  /** Be an account in live mode: the key that is made is a live one. */
  live?: boolean
  /** How the hosted pages call the business they belong to; default `Test business`. */
  businessName?: string
  /** The source of real time; the local Stripe's time is this plus what was advanced by hand. */
  now?: () => Date
  /** How long a meter event stays unseen by summaries and previews, in real milliseconds; default 300, 0 = next tick. */
  aggregationDelayMs?: number
  /** Waits between the attempts of a webhook delivery, in milliseconds of the local Stripe's time. */
  webhookRetryDelaysMs?: number[]
  /** How much longer than summaries an invoice preview lags, in real milliseconds; default 0. */
  previewLagMs?: number
  /** How many customers a test clock holds; default 3, as at Stripe. `Infinity` lifts the limit. */
  testClockCustomersMax?: number
  /** Which reading to take where Stripe is silent. */
  readings?: Partial<Readings>
  /** Where all snapshot events (`snapshot`) and all thin events (`thin`) are sent, besides the endpoints made by the API. */
  forwardTo?: ForwardTo
  /** Refuse requests beyond Stripe's rate limits with 429; default false. */
  rateLimits?: boolean
  /** Receives one line per thing worth telling an operator. */
  log?: (line: string) => void
}

export interface CreateOptions extends EmbeddedOptions {
  /** Where links to hosted pages point, without a trailing slash; default `http://stripe.local`. Any host is answered. */
  baseUrl?: string
}

export interface StripeLocalOptions extends EmbeddedOptions {
  /** Default 0: any free port. */
  port?: number
  /** Refuse to start when the port is taken (default), or take any free one instead (`false`). */
  strictPort?: boolean
  /** Default 127.0.0.1. */
  host?: string
}

/** A meter event that was accepted (answered 200), whether or not it later counts. */
export interface ReceivedMeterEvent {
  identifier: string
  eventName: string
  customerId: string
  /** Exactly as sent, a decimal string. */
  value: string
  /** Unix seconds. */
  timestamp: number
}

/** Makes the local Stripe misbehave on purpose. Paths are prefixes such as `/v1/billing/meter_events`. */
export interface FaultControls {
  read(): FaultSettings
  write(settings: FaultSettings): void
  /** Does the work of the next `count` requests, then closes the connection without an answer. */
  loseAnswers(count: number, path?: string): void
  /** Answers the next `count` requests with `status`, without doing anything or (`afterWork`) having done it. */
  answer(status: 409 | 429 | 500 | 503, count: number, path?: string, afterWork?: boolean): void
  /** Closes the connection of the next `count` requests without doing anything. */
  dropRequests(count: number, path?: string): void
  /** Leaves the next `count` requests without an answer until their clients give up. */
  hang(count: number, path?: string): void
  delay(milliseconds: number, count: number, path?: string): void
  /** Accepts the next `count` meter events and rejects them later, by a thin event with this error code. */
  rejectAsynchronously(count: number, code: string): void
  /** Declines the next `count` charges, whatever the card, with a decline code of Stripe's: `insufficient_funds` … */
  declineCharges(count: number, code: string): void
  clear(): void
}

/** A Stripe in this process, without a socket. */
export interface EmbeddedStripe {
  secretKey: string
  /** The official SDK, talking to it without a socket. */
  stripe: Stripe
  /** What `forwardTo` signs with; the same for every start of one state file. */
  webhookSecrets: { snapshot: string; thin: string }
  /** The local Stripe's time, what was advanced included. */
  now(): Date
  /** One request to the API or the hosted pages, whatever its host; faults that close the connection reject. */
  fetch(request: Request): Promise<Response>
  /**
   * Moves the time of everything that is not on a test clock. All that falls due on the way happens in order, and the
   * webhooks of each instant are attempted before the next. @throws RangeError when `to` is in the past
   */
  advance(to: Date): Promise<void>
  /** Resolves when no meter event waits for aggregation and no webhook waits for its first attempt. */
  idle(): Promise<void>
  /**
   * Gives a webhook endpoint or event destination a new secret, which on the real Stripe its page in the Dashboard does.
   * The old one signs, too, for `oldInForceMs` of the local Stripe's time, at most a day. @returns the new secret
   */
  rollWebhookSecret(endpointId: string, oldInForceMs: number): string
  /** The exact sum of a customer's accepted, uncancelled events as a decimal string, pending ones included. */
  usage(customerId: string, eventName: string, range?: { start: Date; end: Date }): string
  /** In the order of acceptance. */
  receivedMeterEvents(): ReceivedMeterEvent[]
  /** Requests to the API received so far, faulty ones included. */
  requestCount(pathPrefix?: string): number
  faults: FaultControls
  /** Stops listening, timers and deliveries, closes the state file. A second call does nothing. */
  close(): Promise<void>
}

/** A Stripe on localhost. */
export interface StripeLocal extends EmbeddedStripe {
  /** Without a trailing slash, e.g. `http://127.0.0.1:12111`. */
  url: string
  host: string
  port: number
  /** `new Stripe(secretKey, clientConfig)`. */
  clientConfig: { host: string; port: number; protocol: 'http' }
}

/**
 * Makes a Stripe that needs no socket: give it requests by `fetch`, or use its `stripe`. Webhooks leave by HTTP.
 *
 * @throws Error when the state file is in use, or belongs to the other mode or to another version
 */
export function createStripeLocal(options: CreateOptions = {}): EmbeddedStripe {
  const { baseUrl = 'http://stripe.local' } = options
  const opened = open(options)
  begin(opened, baseUrl)
  return embedded(opened, async () => {})
}

/** Starts a Stripe on localhost. @throws Error as above, or when the port is taken and `strictPort` is not false */
export async function startStripeLocal(options: StripeLocalOptions = {}): Promise<StripeLocal> {
  const opened = open(options)
  const { url, host, port, close } = await listen(atHome(opened.fetch, options.host ?? ''), options).catch((error) => {
    opened.account.db.close()
    throw error
  })
  begin(opened, url)
  return { ...embedded(opened, close), url, host, port, clientConfig: { host, port, protocol: 'http' } }
}

interface Opened {
  account: Account
  api: Api
  secretKey: string
  faults: Faults
  webhookSecrets: EmbeddedStripe['webhookSecrets']
  fetch: (request: Request) => Promise<Response>
}

function open(options: EmbeddedOptions): Opened {
  const log = options.log ?? (() => {})
  const faults = new Faults()
  const account = openAccount(options, faults, log)
  try {
    const secretKey = keyOf(account.db, options)
    account.livemode = isLive(secretKey)
    const limits = options.rateLimits ? new RateLimits({ livemode: account.livemode }) : null
    const requests = new RequestLog()
    const api = new Api({ account, secretKey, faults, routes, requests, limits, log })
    const pages = createPages(accountPages(account, api, requests, secretKey))
    const fetch = async (request: Request): Promise<Response> => {
      const { pathname } = new URL(request.url)
      return pathname.startsWith('/v1/') || pathname.startsWith('/v2/')
        ? await api.fetch(request)
        : await pages.fetch(request)
    }
    return { account, api, secretKey, faults, webhookSecrets: forward(account, options.forwardTo ?? {}), fetch }
  } catch (error) {
    account.db.close()
    throw error
  }
}

/** From here on it acts by itself. */
function begin({ account, secretKey }: Opened, url: string): void {
  account.baseUrl = () => url
  rememberAddress(account.db, { url, secretKey })
  resume(account)
}

function embedded(opened: Opened, stopListening: () => Promise<void>): EmbeddedStripe {
  const { account, api, secretKey, faults, webhookSecrets, fetch } = opened
  let closing: Promise<void> | undefined
  return {
    secretKey,
    stripe: clientOf(secretKey, fetch),
    webhookSecrets,
    now: () => new Date(account.timeline.nowMs()),
    fetch,
    advance: (to) => account.timeline.advance(to.getTime()),
    idle: () => settle(account),
    rollWebhookSecret: (endpointId, oldInForceMs) => rollSecret(account, endpointId, oldInForceMs),
    usage: (customerId, eventName, range) => {
      const end = range ? Math.floor(range.end.getTime() / 1000) : Number.MAX_SAFE_INTEGER
      return account.usage.acceptedSum(customerId, eventName, {
        start: Math.floor((range?.start.getTime() ?? 0) / 1000),
        end,
      })
    },
    receivedMeterEvents: () =>
      account.usage.received().map((event) => ({
        identifier: event.identifier,
        eventName: event.event_name,
        customerId: event.customer ?? '',
        value: event.value,
        timestamp: event.timestamp,
      })),
    requestCount: (pathPrefix) => api.requestCount(pathPrefix),
    faults,
    close: () => {
      closing ??= shutDown(account, stopListening)
      return closing
    },
  }
}

function clientOf(secretKey: string, fetch: Opened['fetch']): Stripe {
  const httpClient = Stripe.createFetchHttpClient((url: string | URL | Request, init?: RequestInit) =>
    fetch(new Request(url, init)),
  )
  return new Stripe(secretKey, { httpClient, telemetry: false })
}

function openAccount(options: EmbeddedOptions, faults: Faults, log: (line: string) => void): Account {
  const db = new Database(options.file ?? ':memory:')
  const objects = new Objects(db)
  const frozenMs = (clock: string) => {
    const found = objects.find<TestClock>('test_helpers.test_clock', clock)
    return found && found.frozen_time * 1000
  }
  const timeline = new Timeline(db, options.now ?? (() => new Date()), frozenMs)
  const account = new Account({ db, objects, timeline, usage: new Usage(db), faults, kinds })
  account.previewLagMs = options.previewLagMs ?? 0
  account.testClockCustomersMax = options.testClockCustomersMax ?? account.testClockCustomersMax
  account.readings = { ...DEFAULT_READINGS, ...options.readings }
  account.businessName = options.businessName ?? account.businessName
  account.afterLastRetry = options.afterLastRetry ?? account.afterLastRetry
  account.events = new Events(account)
  account.aggregation = new Aggregation(account, options.aggregationDelayMs ?? 300)
  const deliveries = new Deliveries(account, faults, options.webhookRetryDelaysMs ?? WEBHOOK_RETRY_DELAYS_MS, log)
  account.deliveries = deliveries
  deliveries.onDelivered = (eventId, type) => {
    if (type === 'invoice.created') markDelivered(account, objectIdOf(account, eventId))
  }
  account.onUsage = checkThresholds
  account.invoiceReactions = {
    settled: subscriptionSettled,
    unpaid: subscriptionUnpaid,
    overdue: subscriptionOverdue,
    forgiven: subscriptionForgiven,
    voided: subscriptionVoided,
  }
  timeline.onError = log
  timeline.afterStep = () => account.aggregation.run()
  timeline.mustSettle = () => !account.deliveries.isSettled()
  timeline.settle = () => settleStep(account)
  timeline.handlers.set('subscription', (id, atMs) => subscriptionDue(account, id, atMs))
  timeline.handlers.set('schedule', (id, atMs) => scheduleDue(account, id, atMs))
  timeline.handlers.set('invoice', (id) => invoiceDue(account, id))
  timeline.handlers.set('credit_grant', (id) => grantDue(account, id))
  timeline.handlers.set('test_clock', (id) => clockDue(account, id))
  timeline.handlers.set('checkout', (id) => sessionDue(account, id))
  timeline.handlers.set('authorization', (id) => authorizationDue(account, id))
  timeline.handlers.set('delivery', (id) => account.deliveries.retry(id))
  return account
}

function objectIdOf(account: Account, eventId: string): string {
  return account.db.get<{ object_id: string }>('select object_id from events where id = ?', eventId)?.object_id ?? ''
}

function keyOf(db: Database, { secretKey: given, live = false }: EmbeddedOptions): string {
  const kept = db.setting('secret_key')
  const key = given ?? kept ?? `sk_${live ? 'live' : 'test'}_local_${randomLetters(32)}`
  if (kept !== undefined && isLive(kept) !== isLive(key)) {
    const [is, asked] = isLive(kept) ? ['live', 'test'] : ['test', 'live']
    throw new Error(
      `stripe-local: the state file is of ${is} mode, but the key is a ${asked} key. Give it a key of its mode, or another file.`,
    )
  }
  if (live && !isLive(key)) {
    const culprit = given === undefined ? 'the state file' : 'the key'
    throw new Error(
      `stripe-local: live mode was asked for, but ${culprit} is of test mode. Give it a live key and a file of its own.`,
    )
  }
  db.writeSetting('secret_key', key)
  return key
}

function isLive(key: string): boolean {
  return key.startsWith('sk_live_')
}

/** Takes up what an earlier process left: events to count, webhooks to send, things that fell due meanwhile. */
function resume(account: Account): void {
  forgetOldKeys(account.db, account.timeline.nowMs())
  if (account.usage.pending().length > 0) account.aggregation.plan()
  resumeClocks(account)
  account.deliveries.kick()
  account.timeline.arm()
}

async function settle(account: Account): Promise<void> {
  await account.aggregation.idle()
  await account.deliveries.settled()
}

/** Between two steps of an advance more time passes than an aggregation takes. */
async function settleStep(account: Account): Promise<void> {
  await account.deliveries.settled()
  account.db.transaction(() => account.aggregation.run())
  await account.deliveries.settled()
}

async function shutDown(account: Account, stopListening: () => Promise<void>): Promise<void> {
  const stepDone = account.timeline.close()
  account.aggregation.close()
  await stopListening()
  await account.deliveries.close()
  await stepDone
  account.db.close()
}
