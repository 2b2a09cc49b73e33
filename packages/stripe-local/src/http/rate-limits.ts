import { ApiError } from './errors.ts'

/** Requests a second. Meter events have a limit of their own in live mode; in test mode they count as any other request. */
const TEST_PER_SECOND = 25
const LIVE_PER_SECOND = 100
const LIVE_PER_ENDPOINT = 25
const LIVE_METER_EVENTS = 1000

const METER_EVENTS = /^\/v[12]\/billing\/meter_events$/
const ID = /\/[a-z]+_[0-9A-Za-z_]{8,}/g

type Reason = 'global-rate' | 'endpoint-rate' | 'endpoint-concurrency'

/** 429, as Stripe answers it; the header `Stripe-Rate-Limited-Reason` says which limit it was. */
export class RateLimited extends ApiError {
  readonly reason: Reason

  constructor(reason: Reason, path: string) {
    const type = path.startsWith('/v2/') ? 'rate_limit' : 'invalid_request_error'
    const message =
      reason === 'endpoint-concurrency'
        ? 'Request rate limit exceeded: one call at a time for each customer and meter. Learn more about rate limits here https://stripe.com/docs/rate-limits.'
        : 'Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.'
    super(429, { type, code: 'rate_limit', message }, false)
    this.reason = reason
  }
}

/**
 * Stripe's limits on one account: so many requests a second, bursts of a second's worth included, and one call at a time
 * for each customer and meter.
 *
 * @see https://docs.stripe.com/rate-limits
 */
export class RateLimits {
  readonly #livemode: boolean
  readonly #buckets = new Map<string, Bucket>()
  readonly #inProgress = new Set<string>()

  constructor({ livemode }: { livemode: boolean }) {
    this.#livemode = livemode
  }

  /** Counts a request that arrives at `nowMs`, on a clock that never goes back. @throws RateLimited */
  admit(method: string, path: string, nowMs: number): void {
    if (this.#livemode && METER_EVENTS.test(path)) {
      if (!this.#take('meter events', LIVE_METER_EVENTS, nowMs)) throw new RateLimited('endpoint-rate', path)
      return
    }
    const endpoint = `${method} ${path.replaceAll(ID, '/:id')}`
    if (this.#livemode && !this.#take(endpoint, LIVE_PER_ENDPOINT, nowMs)) throw new RateLimited('endpoint-rate', path)
    if (!this.#take('all', this.#livemode ? LIVE_PER_SECOND : TEST_PER_SECOND, nowMs))
      throw new RateLimited('global-rate', path)
  }

  /** Begins a meter event's call. @returns what ends it @throws RateLimited while another of this pair is in progress */
  enter(path: string, meter: string, customer: string): () => void {
    const pair = `${meter} ${customer}`
    if (this.#inProgress.has(pair)) throw new RateLimited('endpoint-concurrency', path)
    this.#inProgress.add(pair)
    return () => this.#inProgress.delete(pair)
  }

  #take(name: string, perSecond: number, nowMs: number): boolean {
    const before = this.#buckets.get(name) ?? { tokens: perSecond, atMs: nowMs }
    const tokens = Math.min(perSecond, before.tokens + ((nowMs - before.atMs) * perSecond) / 1000)
    this.#buckets.set(name, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: nowMs })
    return tokens >= 1
  }
}

interface Bucket {
  tokens: number
  atMs: number
}
