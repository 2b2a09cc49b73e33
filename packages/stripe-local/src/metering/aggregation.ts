import type { Account, UsageCounter } from '../account.ts'
import { advanceAlerts } from './alert.ts'
import { type Rejection, rejectionOf, writeRejection } from './rejection.ts'
import type { MeterEventRow } from './usage.ts'

type Rejected = Rejection & { event: MeterEventRow }

/** Reports cover windows of this length (docs: recording-usage-api, example payloads). */
const WINDOW_MS = 10_000
const SAMPLES_MAX = 5

/**
 * The second, asynchronous half of taking a meter event: looks at customer and value, counts it, or reports it by a thin
 * event. Stripe promises no bound; here it happens `delayMs` of real time after acceptance.
 */
export class Aggregation implements UsageCounter {
  readonly #account: Account
  readonly #delayMs: number
  #timer: NodeJS.Timeout | undefined
  #waiting: (() => void)[] = []

  constructor(account: Account, delayMs: number) {
    this.#account = account
    this.#delayMs = delayMs
  }

  /** Call after an event was accepted (and once at start, for those a killed process left). */
  plan(): void {
    if (this.#timer) return
    this.#timer = setTimeout(() => this.#fire(), this.#delayMs)
    this.#timer.unref()
  }

  /** Aggregates everything accepted so far, inside the caller's transaction. */
  run(): void {
    const pending = this.#account.usage.pending()
    if (pending.length === 0) return
    const rejected = pending.flatMap((event) => this.#settle(event) ?? [])
    const out = new Set(rejected.map(({ event }) => event.seq))
    const isNew = ({ state, seq }: MeterEventRow) => state === 'pending' && !out.has(seq)
    advanceAlerts(this.#account, pending.filter(isNew), 1n)
    advanceAlerts(
      this.#account,
      pending.filter(({ state }) => state === 'cancelling'),
      -1n,
    )
    for (const group of groupedByMeter(rejected)) this.#report(group)
    this.#account.onUsage(this.#account, new Set(pending.flatMap(({ customer }) => customer ?? [])))
  }

  /** Resolves when nothing accepted is left unaggregated. */
  async idle(): Promise<void> {
    if (!this.#timer) return
    // Whoever waits keeps the process alive, which without a socket nothing else may do.
    this.#timer.ref()
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #fire(): void {
    this.#timer = undefined
    this.#account.db.transaction(() => this.run())
    this.#account.deliveries.kick()
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #settle(event: MeterEventRow): Rejected | null {
    const { usage, timeline } = this.#account
    if (event.state === 'cancelling') {
      usage.cancel(event)
      return null
    }
    const rejection = rejectionOf(this.#account, event)
    if (rejection) usage.reject(event, writeRejection(rejection))
    else usage.count(event, timeline.realMs())
    return rejection && { ...rejection, event }
  }

  /** One report of one meter, by code, with samples: not every rejected event is in it. */
  #report(rejected: [Rejected, ...Rejected[]]): void {
    const { meter } = rejected[0].event
    const times = rejected.map(({ event }) => event.received_ms)
    const start = Math.floor(Math.min(...times) / WINDOW_MS) * WINDOW_MS
    const end = (Math.floor(Math.max(...times) / WINDOW_MS) + 1) * WINDOW_MS
    const data = {
      developer_message_summary:
        rejected.length === 1 ? 'There is 1 invalid event' : `There are ${rejected.length} invalid events`,
      reason: {
        error_count: rejected.length,
        error_types: [...Map.groupBy(rejected, ({ code }) => code)].map(([code, those]) => ({
          code,
          error_count: those.length,
          sample_errors: those
            .slice(0, SAMPLES_MAX)
            .map(({ event, message }) => ({ error_message: message, request: { identifier: event.identifier } })),
        })),
      },
      validation_end: new Date(end).toISOString(),
      validation_start: new Date(start).toISOString(),
    }
    const related = meter === null ? null : { id: meter, type: 'billing.meter', url: `/v1/billing/meters/${meter}` }
    const type = related ? 'v1.billing.meter.error_report_triggered' : 'v1.billing.meter.no_meter_found'
    this.#account.events.emitThin(type, related, data)
  }
}

function groupedByMeter(rejected: Rejected[]): [Rejected, ...Rejected[]][] {
  return [...Map.groupBy(rejected, ({ event }) => event.meter).values()] as [Rejected, ...Rejected[]][]
}
