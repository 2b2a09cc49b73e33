import type { Account, UsageCounter } from '../account.ts'
import { isCountable, type Meter, type MeterEventRow } from './usage.ts'

/** Why an accepted event does not count, and in whose words. */
interface Rejection {
  event: MeterEventRow
  code: string
  message: string
}

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
    const windowStart = this.#account.timeline.nowMs() - 10_000
    const rejections = pending.flatMap((event) => this.#settle(event) ?? [])
    for (const group of groupedByMeter(rejections)) this.#report(group, windowStart)
  }

  /** Resolves when nothing accepted is left unaggregated. */
  async idle(): Promise<void> {
    if (!this.#timer) return
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

  #settle(event: MeterEventRow): Rejection | null {
    const rejection = this.#rejectionOf(event)
    if (rejection) this.#account.usage.reject(event)
    else this.#account.usage.count(event, this.#account.timeline.realMs())
    return rejection
  }

  #rejectionOf(event: MeterEventRow): Rejection | null {
    const because = (code: string, message: string) => ({ event, code, message })
    if (event.rejection) return because(event.rejection, `The event was rejected on purpose (${event.rejection}).`)
    const meter = event.meter ? this.#account.objects.find<Meter>('billing.meter', event.meter) : undefined
    if (!meter) return because('no_meter', `No meter was found matching event_name ${event.event_name}.`)
    if (meter.status === 'inactive')
      return because('archived_meter', `The meter for event_name ${event.event_name} is inactive.`)
    if (!event.customer) {
      const key = meter.customer_mapping.event_payload_key
      return because('meter_event_no_customer_defined', `Customer mapping key ${key} not found in payload.`)
    }
    const customer = this.#account.objects.find('customer', event.customer) as { _deleted?: true } | undefined
    if (!customer || customer._deleted)
      return because('meter_event_customer_not_found', `Customer ${event.customer} not found.`)
    if (!isCountable(event.value)) {
      return because(
        'meter_event_invalid_value',
        `The value in the event payload must be a number. Received \`${event.value}\`.`,
      )
    }
    return null
  }

  #report(rejections: Rejection[], windowStartMs: number): void {
    const meter = rejections[0]!.event.meter
    const codes = [...new Set(rejections.map(({ code }) => code))]
    const data = {
      developer_message_summary: `There ${rejections.length === 1 ? 'is 1 invalid event' : `are ${rejections.length} invalid events`}`,
      reason: {
        error_count: rejections.length,
        error_types: codes.map((code) => {
          const those = rejections.filter((rejection) => rejection.code === code)
          return {
            code,
            error_count: those.length,
            sample_errors: those
              .slice(0, 5)
              .map(({ event, message }) => ({ error_message: message, request: { identifier: event.identifier } })),
          }
        }),
      },
      validation_start: new Date(windowStartMs).toISOString(),
      validation_end: new Date(windowStartMs + 10_000).toISOString(),
    }
    const related = meter === null ? null : { id: meter, type: 'billing.meter', url: `/v1/billing/meters/${meter}` }
    const type = related ? 'v1.billing.meter.error_report_triggered' : 'v1.billing.meter.no_meter_found'
    this.#account.events.emitThin(type, related, data)
  }
}

function groupedByMeter(rejections: Rejection[]): Rejection[][] {
  return [...Map.groupBy(rejections, ({ event }) => event.meter).values()]
}
