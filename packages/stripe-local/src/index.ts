import type { FaultSettings } from './pages/context.ts'

export type { FaultSettings } from './pages/context.ts'

export interface StripeLocalOptions {
  /** SQLite file that holds all state; default `:memory:`. The same file brings everything back. */
  file?: string
  /** Default 0: any free port. */
  port?: number
  /** Refuse to start when the port is taken (default), or take any free one instead (`false`). */
  strictPort?: boolean
  /** Default 127.0.0.1. */
  host?: string
  /** Default: `sk_test_local_` and random letters, kept in the state file. */
  secretKey?: string
  /** The source of real time; the local Stripe's time is this plus what was advanced by hand. */
  now?: () => Date
  /** How long a meter event stays unseen by summaries and previews, in real milliseconds; default 300, 0 = next tick. */
  aggregationDelayMs?: number
  /** Waits between the attempts of a webhook delivery, in milliseconds of the local Stripe's time. */
  webhookRetryDelaysMs?: number[]
  /** How much longer than summaries an invoice preview lags, in real milliseconds; default 0. */
  previewLagMs?: number
  /** Receives one line per thing worth telling an operator. */
  log?: (line: string) => void
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
export interface Faults {
  read(): FaultSettings
  write(settings: FaultSettings): void
  /** Does the work of the next `count` requests, then closes the connection without an answer. */
  loseAnswers(count: number, path?: string): void
  /** Answers the next `count` requests with `status`, without doing anything or (`afterWork`) having done it. */
  answer(status: 409 | 429 | 500 | 503, count: number, path?: string, afterWork?: boolean): void
  /** Closes the connection of the next `count` requests without doing anything. */
  dropRequests(count: number, path?: string): void
  delay(milliseconds: number, count: number, path?: string): void
  /** Accepts the next `count` meter events and rejects them later, by a thin event with this error code. */
  rejectAsynchronously(count: number, code: string): void
  clear(): void
}

export interface StripeLocal {
  /** Without a trailing slash, e.g. `http://127.0.0.1:12111`. */
  url: string
  host: string
  port: number
  secretKey: string
  /** `new Stripe(secretKey, clientConfig)`. */
  clientConfig: { host: string; port: number; protocol: 'http' }
  /** The local Stripe's time, what was advanced included. */
  now(): Date
  /** A request without a socket; faults that close the connection reject. */
  fetch(request: Request): Promise<Response>
  /**
   * Moves the time of everything that is not on a test clock. All that falls due on the way happens in order, and the
   * webhooks of each step are attempted before the next step. @throws RangeError when `to` is in the past
   */
  advance(to: Date): Promise<void>
  /** Resolves when no meter event waits for aggregation and no webhook waits for its first attempt. */
  idle(): Promise<void>
  /** The exact sum of a customer's accepted, uncancelled events as a decimal string, pending ones included. */
  usage(customerId: string, eventName: string, range?: { start: Date; end: Date }): string
  /** In the order of acceptance. */
  receivedMeterEvents(): ReceivedMeterEvent[]
  /** Requests to the API received so far, faulty ones included. */
  requestCount(pathPrefix?: string): number
  faults: Faults
  /** Stops listening, timers and deliveries, closes the state file. A second call does nothing. */
  close(): Promise<void>
}

/** Starts a Stripe on localhost. @throws Error when the port is taken and `strictPort` is not false */
export function startStripeLocal(_options: StripeLocalOptions = {}): Promise<StripeLocal> {
  return Promise.reject(new Error('stripe-local: the server is not part of this version yet.'))
}
