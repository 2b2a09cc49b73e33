import { formatPico, pico } from '../billing/decimal.ts'
import type { Database } from '../database.ts'
import type { Stored } from '../objects.ts'
import { isCountable } from './value.ts'

export interface Meter extends Stored {
  object: 'billing.meter'
  customer_mapping: { event_payload_key: string; type: 'by_id' }
  default_aggregation: { formula: 'sum' | 'count' | 'last' }
  display_name: string
  event_name: string
  event_time_window: 'day' | 'hour' | null
  livemode: false
  status: 'active' | 'inactive'
  status_transitions: { deactivated_at: number | null }
  updated: number
  value_settings: { event_payload_key: string }
}

export interface MeterEventRow {
  seq: number
  identifier: string
  event_name: string
  meter: string | null
  customer: string | null
  value: string
  timestamp: number
  received_ms: number
  /** cancelling: counted, and to be taken out again. */
  state: 'pending' | 'counted' | 'cancelling' | 'rejected' | 'cancelled'
  rejection: string | null
  counted_ms: number | null
}

/** Seconds since 1970, start inclusive, end exclusive. */
export interface Span {
  start: number
  end: number
}

const HOUR = 3600

/**
 * Who used how much. Counted events are also summed by hour; a span reads whole hours from there and only its two ragged
 * ends from the events, so that a month costs some hundred rows whatever the number of events.
 */
export class Usage {
  readonly #db: Database
  /** The turn of the database in which nothing waited; -1 once something may. */
  #idleIn = -1

  constructor(db: Database) {
    this.#db = db
  }

  accept(event: Omit<MeterEventRow, 'seq' | 'state' | 'counted_ms'>): void {
    this.#idleIn = -1
    this.#db.run(
      `insert into meter_events (identifier, event_name, meter, customer, value, timestamp, received_ms, state, rejection)
       values (?, ?, ?, ?, ?, ?, ?, 'pending', ?)`,
      event.identifier,
      event.event_name,
      event.meter,
      event.customer,
      event.value,
      event.timestamp,
      event.received_ms,
      event.rejection,
    )
  }

  /** The latest event of that identifier, if any; of one meter or customer when given. */
  byIdentifier(identifier: string, of: { meter?: string; customer?: string } = {}): MeterEventRow | undefined {
    return this.#db.get<MeterEventRow>(
      `select * from meter_events where identifier = ? and coalesce(?, meter, '') = coalesce(meter, '')
         and coalesce(?, customer, '') = coalesce(customer, '') order by seq desc limit 1`,
      identifier,
      of.meter ?? null,
      of.customer ?? null,
    )
  }

  /** What waits for the aggregation: events to be counted or rejected, and counted ones to be taken out. */
  pending(): MeterEventRow[] {
    // Every step of the timeline asks, and mostly in vain.
    if (this.#db.isInTransaction && this.#idleIn === this.#db.turn) return []
    const waiting = this.#db.all<MeterEventRow>(
      `select * from meter_events where state in ('pending', 'cancelling') order by seq`,
    )
    this.#idleIn = waiting.length === 0 ? this.#db.turn : -1
    return waiting
  }

  count(event: MeterEventRow, realMs: number): void {
    this.#db.run(`update meter_events set state = 'counted', counted_ms = ? where seq = ?`, realMs, event.seq)
    this.#addToHour(event, pico(event.value), 1)
  }

  reject(event: MeterEventRow, why: string): void {
    this.#db.run(`update meter_events set state = 'rejected', rejection = ? where seq = ?`, why, event.seq)
  }

  /** Takes an event back: at once when it was not counted yet, else with the next aggregation. */
  cancelLater(event: MeterEventRow): void {
    this.#idleIn = -1
    const state = event.state === 'counted' ? 'cancelling' : 'cancelled'
    this.#db.run('update meter_events set state = ? where seq = ?', state, event.seq)
  }

  cancel(event: MeterEventRow): void {
    this.#db.run(`update meter_events set state = 'cancelled' where seq = ?`, event.seq)
    this.#addToHour(event, -pico(event.value), -1)
  }

  /** The meter's aggregate for a customer, in units of 10^-12; negative sums stay negative here. */
  aggregate(meter: Meter, customer: string, span: Span, options: { countedBeforeMs?: number } = {}): bigint {
    const formula = meter.default_aggregation.formula
    if (formula === 'last' || meter.event_time_window !== null || options.countedBeforeMs !== undefined) {
      return this.#aggregateEvents(meter, customer, span, options.countedBeforeMs)
    }
    const firstHour = Math.ceil(span.start / HOUR) * HOUR
    const endHour = Math.floor(span.end / HOUR) * HOUR
    if (firstHour >= endHour) return this.#aggregateEvents(meter, customer, span)
    const hours = this.#db.all<{ sum: string; count: number }>(
      'select sum, count from usage_hours where meter = ? and customer = ? and hour >= ? and hour < ?',
      meter.id,
      customer,
      firstHour,
      endHour,
    )
    const whole = hours.reduce(
      (sum, hour) => sum + (formula === 'count' ? pico(String(hour.count)) : BigInt(hour.sum)),
      0n,
    )
    const ends = [
      { start: span.start, end: firstHour },
      { start: endHour, end: span.end },
    ]
    return ends.reduce(
      (sum, end) => sum + (end.start < end.end ? this.#aggregateEvents(meter, customer, end) : 0n),
      whole,
    )
  }

  /** Whether a customer has any counted event in the span. */
  hasAny(meter: Meter, customer: string, span: Span): boolean {
    const sql = `select 1 from meter_events where meter = ? and customer = ? and timestamp >= ? and timestamp < ?
                 and state in ('counted', 'cancelling') limit 1`
    return this.#db.get(sql, meter.id, customer, span.start, span.end) !== undefined
  }

  /** Hours (starts) that have counted usage. */
  hours(meter: Meter, customer: string, span: Span): number[] {
    const sql =
      'select hour from usage_hours where meter = ? and customer = ? and hour >= ? and hour < ? and count > 0 order by hour'
    return this.#db.all<{ hour: number }>(sql, meter.id, customer, span.start, span.end).map((row) => row.hour)
  }

  /** The exact sum of what was accepted and not rejected or cancelled, whatever the meter aggregates. */
  acceptedSum(customer: string, eventName: string, span: Span): string {
    const sql = `select value from meter_events where event_name = ? and customer = ? and timestamp >= ? and timestamp < ?
                 and state in ('pending', 'counted') and rejection is null`
    const rows = this.#db.all<{ value: string }>(sql, eventName, customer, span.start, span.end)
    return formatPico(rows.reduce((sum, row) => sum + (isCountable(row.value) ? pico(row.value) : 0n), 0n))
  }

  received(): MeterEventRow[] {
    return this.#db.all<MeterEventRow>('select * from meter_events order by seq')
  }

  #aggregateEvents(meter: Meter, customer: string, span: Span, countedBeforeMs?: number): bigint {
    const { formula } = meter.default_aggregation
    const values = this.#values(meter, customer, span, countedBeforeMs)
    if (formula === 'count') return pico(String(values.length))
    if (formula === 'last') return pico(values.at(-1) ?? '0')
    return values.reduce((sum, value) => sum + pico(value), 0n)
  }

  /** The values that count, by time. */
  #values(meter: Meter, customer: string, span: Span, countedBeforeMs = Number.MAX_SAFE_INTEGER): string[] {
    const window = meter.event_time_window
    const counted = `from meter_events where meter = ? and customer = ? and timestamp >= ? and timestamp < ?
       and state in ('counted', 'cancelling') and counted_ms <= ?`
    const rows =
      window === null
        ? meter.default_aggregation.formula === 'last'
          ? `select value ${counted} order by timestamp desc, seq desc limit 1`
          : `select value ${counted} order by timestamp, seq`
        : // A pre-aggregated meter: in each UTC hour or day only the event that was received last counts.
          `select value, max(seq) ${counted} group by timestamp / ${window === 'hour' ? HOUR : 24 * HOUR} order by timestamp`
    return this.#db
      .all<{ value: string }>(rows, meter.id, customer, span.start, span.end, countedBeforeMs)
      .map(({ value }) => value)
  }

  #addToHour(event: MeterEventRow, amount: bigint, count: number): void {
    const hour = Math.floor(event.timestamp / HOUR) * HOUR
    const before = this.#db.get<{ sum: string }>(
      'select sum from usage_hours where meter = ? and customer = ? and hour = ?',
      event.meter,
      event.customer,
      hour,
    )
    this.#db.run(
      `insert into usage_hours (meter, customer, hour, sum, count) values (?, ?, ?, ?, ?)
       on conflict (meter, customer, hour) do update set sum = excluded.sum, count = count + excluded.count`,
      event.meter,
      event.customer,
      hour,
      String(BigInt(before?.sum ?? '0') + amount),
      count,
    )
  }
}
