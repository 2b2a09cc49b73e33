export type Properties = Record<string, string | number | boolean | null>

export interface EventInput<Meter extends string = string> {
  /** The meter by name … */
  meter?: Meter
  /** … or by the number `getMeterByEventName` gives. Exactly one of the two. */
  meterId?: number
  customerId: string
  subscriptionId: string
  /** In the meter's unit: finite, 0 or more, at most 15 significant digits. Default 1. A string is taken exactly. */
  quantity?: number | string | bigint
  /** Your own idempotency key: the same id twice for a customer counts once, forever. At most 200 characters. */
  id?: string
  /** When it happened; default now. At most 5 minutes in the future. */
  timestamp?: Date
  /** Kept with the event and can be grouped by: model, member, feature … */
  properties?: Properties
}

/** What `recordEvent` returns at once. */
export interface RecordedEvent {
  id: string
  /** Resolves once the event would survive `kill -9`. */
  durable: Promise<void>
}

/** An event on its way into the database. */
export interface MeterEvent {
  id: string
  /** The caller's own id, if there was one. */
  key: string | null
  customerId: string
  subscriptionId: string
  meterId: number
  /** A plain decimal. */
  quantity: string
  /** Milliseconds since 1970, UTC. */
  occurredAt: number
  properties: Properties | null
}

/**
 * `pending`: not yet in a report, or in one that Stripe has not accepted. `free`: never billed (trial, before the
 * start, after the end). The others speak for themselves.
 */
export type EventStatus = 'pending' | 'processed' | 'failed' | 'void' | 'free'

export interface EventRow {
  id: string
  key: string | null
  meter: string
  customerId: string
  customerName: string
  subscriptionId: string
  quantity: string
  timestamp: Date
  recordedAt: Date
  status: EventStatus
  /** Billed in a later period than the one it happened in. */
  late: boolean
  processedAt: Date | null
  errorMessage: string | null
  properties: Properties | null
  reportId: string | null
}

export interface EventFilter {
  status?: EventStatus | 'late'
  customerId?: string
  subscriptionId?: string
  /** Part of an id, a key or a customer's name. */
  search?: string
  /** From the page before: its `next` or `previous`. */
  cursor?: string
  /** Default 50. */
  limit?: number
}

export interface Page<Row> {
  rows: Row[]
  next: string | null
  previous: string | null
}

/** One step of an event's life, oldest first. */
export interface EventStep {
  kind: 'occurred' | 'recorded' | 'reported' | 'accepted' | 'failed' | 'cleared' | 'invoiced' | 'voided' | 'credited'
  at: Date | null
  detail: string
}

export interface EventDetail extends EventRow {
  steps: EventStep[]
}
