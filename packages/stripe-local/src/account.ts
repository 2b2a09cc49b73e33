import type { Database } from './database.ts'
import type { Faults } from './faults.ts'
import { type ApiError, missing, missingReference } from './http/errors.ts'
import type { Usage } from './metering/usage.ts'
import type { Objects, Stored } from './objects.ts'
import { DEFAULT_READINGS, type Readings } from './readings.ts'
import type { Timeline } from './timeline.ts'
import type { Delivery } from './webhooks/delivery.ts'
import type { Listener, Listeners } from './webhooks/listeners.ts'

/** An object as it goes over the wire. */
export type Wire = { [key: string]: unknown }

/** What the API knows about one type of object. */
export interface Kind {
  type: string
  /** As in `No such customer: …`. */
  noun: string
  /** From the stored to the wire's form; by default all keys that do not begin with an underscore. */
  present?: (account: Account, stored: never) => Wire
  /** Fields that hold an id, by path, and the type it names. */
  references?: { [path: string]: string }
  /** Fields that appear only when expanded. */
  onExpand?: { [field: string]: (account: Account, stored: never) => unknown }
}

/** The second half of taking a meter event (`metering/aggregation.ts`). */
export interface UsageCounter {
  /** Counts a moment later; call after an event was accepted. */
  plan(): void
  /** Counts everything accepted so far, inside the caller's transaction. */
  run(): void
  /** Resolves when nothing accepted is left uncounted. */
  idle(): Promise<void>
  close(): void
}

/** Writes down what happened, inside the transaction it happens in (`webhooks/events.ts`). */
export interface EventLog {
  emit(type: string, object: Wire, previous?: Wire): void
  /** As `emit`, with `previous_attributes`; silent when nothing visible changed. */
  emitChange(type: string, after: Wire, before: Wire): void
  /** Tells every thin destination that wants the type, or only the one given. @returns the event */
  emitThin(type: string, related: RelatedObject | null, data: Wire, only?: { id: string; _url: string }): Wire
  find(form: LoggedEvent['form'], id: string): LoggedEvent | undefined
}

/** One event as it is kept: `data` is its JSON as it goes over the wire, but for `pending_webhooks`. */
export interface LoggedEvent {
  seq: number
  id: string
  form: 'snapshot' | 'thin'
  type: string
  created: number
  data: string
}
export type RelatedObject = { id: string; type: string; url: string }

/** Carries events to endpoints (`webhooks/deliveries.ts`). */
export interface Mail {
  /** Who wants to hear of what. */
  listeners: Listeners
  /** Writes down who is to be told of an event: who wants its type, or `only` one. */
  address(form: 'snapshot' | 'thin', eventId: string, type: string, only?: Listener): void
  /** How many deliveries of an event have not succeeded yet. */
  pending(eventId: string): number
  /** Begins what waits for its first attempt; call after every commit. */
  kick(): void
  /** Resolves when nothing is being sent and nothing waits for its first attempt. */
  settled(): Promise<void>
  /** Whether nothing is being sent and nothing waits for its first attempt, so that `settled` need not be awaited. */
  isSettled(): boolean
  retry(id: string): void
  resend(id: string): Promise<void>
  list(page: { limit: number; before?: string; event?: string; state?: Delivery['status'] }): Delivery[]
  close(): Promise<void>
}

/** What becomes of an invoice's subscription. Handed in, so that invoices need not know subscriptions. */
export interface InvoiceReactions {
  /** It was paid, or nothing was due. */
  settled(account: Account, paid: Stored): void
  /** A charge failed; after the last try no other follows by itself. */
  unpaid(account: Account, open: Stored, wasLastTry: boolean): void
  /** It was given up as uncollectible. */
  forgiven(account: Account, given: Stored): void
  voided(account: Account, voided: Stored): void
  /** It was sent to be paid and its due date has passed. */
  overdue(account: Account, open: Stored): void
}

/** One Stripe account in one of its modes: its state, its time, and who is told of changes. */
export class Account {
  readonly db: Database
  readonly objects: Objects
  readonly timeline: Timeline
  readonly usage: Usage
  readonly kinds: Map<string, Kind>
  readonly faults: Faults
  aggregation!: UsageCounter
  events!: EventLog
  deliveries!: Mail
  invoiceReactions!: InvoiceReactions
  /** Usage of these customers was just counted. Handed in, so that meters need not know subscriptions. */
  onUsage: (account: Account, customers: Set<string>) => void = () => {}
  /** The request that is being worked on; null while Stripe acts by itself. */
  cause: { id: string; idempotency_key: string | null } | null = null
  refusal: ApiError | null = null
  /** True while a preview tries out what will be undone. */
  rehearsing = false
  readings: Readings = DEFAULT_READINGS
  previewLagMs = 0
  testClockCustomersMax = 3
  /** What becomes of a subscription whose renewal the last retry could not collect: an account's setting at Stripe. */
  afterLastRetry: 'cancel' | 'past_due' | 'unpaid' = 'cancel'
  businessName = 'Test business'
  baseUrl: () => string = () => ''
  /** Whether the account answers to a live key. */
  livemode = false
  #lastVisible: { stored: Stored; shown: Wire } | undefined

  constructor(parts: {
    db: Database
    objects: Objects
    timeline: Timeline
    usage: Usage
    faults: Faults
    kinds: Kind[]
  }) {
    this.db = parts.db
    this.objects = parts.objects
    this.timeline = parts.timeline
    this.usage = parts.usage
    this.faults = parts.faults
    this.kinds = new Map(parts.kinds.map((kind) => [kind.type, kind]))
  }

  /** Now, in Unix seconds, on the main clock or the given test clock. */
  seconds(clock: string | null = null): number {
    return Math.floor(this.timeline.nowMs(clock) / 1000)
  }

  /** As the wire shows it. During a rehearsal nobody looks, so that only id and type are given. */
  present(stored: Stored): Wire {
    if (this.rehearsing) return { id: stored.id, object: stored.object }
    const kind = this.kinds.get(stored.object)
    if (kind?.present) return kind.present(this, stored as never)
    const shown = visible(stored)
    this.#lastVisible = { stored, shown }
    return shown
  }

  /** The wire form of an object was written as JSON: where it is all of the object, it need not be written again. */
  wasWritten(shown: Wire, json: string): void {
    if (this.#lastVisible?.shown === shown && !this.livemode) this.objects.hasText(this.#lastVisible.stored, json)
  }

  /** JSON as it leaves the house. Objects are kept without a mode; they show that of the account. */
  written(value: Wire | object, indent?: number): string {
    return this.livemode ? JSON.stringify(value, inLiveMode, indent) : JSON.stringify(value, null, indent)
  }

  /** The object a path names. @throws ApiError 404 */
  get<T extends Stored>(type: T['object'], id: string): T {
    const found = this.objects.find<T>(type, id)
    if (!found) throw missing(this.noun(type), id)
    return found
  }

  /** The object a parameter names. @throws ApiError 400 */
  reference<T extends Stored>(type: T['object'], id: string, param: string): T {
    const found = this.objects.find<T>(type, id)
    if (!found) throw missingReference(this.noun(type), id, param)
    return found
  }

  /** What would come of it, without doing it. */
  rehearse<T>(work: () => T): T {
    this.rehearsing = true
    try {
      return this.db.rehearse(work)
    } finally {
      this.rehearsing = false
    }
  }

  /** Answers the request with a refusal and yet keeps what was done, as a declined charge is kept. */
  answerWith(refusal: ApiError): void {
    this.refusal = refusal
  }

  noun(type: string): string {
    return this.kinds.get(type)?.noun ?? type
  }

  /** Stores a new object and tells of it. */
  create<T extends Stored>(value: T, eventType?: string): T {
    this.objects.insert(value)
    if (eventType && !this.rehearsing) this.events.emit(eventType, this.present(value))
    return value
  }

  /** Changes a stored object; the event, if any, carries what was before and is left out when nothing changed. */
  change<T extends Stored>(before: T, changes: Partial<T>, eventType?: string): T {
    const shownBefore = eventType && !this.rehearsing ? this.present(before) : undefined
    const after = this.objects.save({ ...before, ...changes })
    if (eventType && shownBefore) this.events.emitChange(eventType, this.present(after), shownBefore)
    return after
  }
}

const UNDERSCORE = 95

/** The wire form of an object without computed fields. What is left out stays as undefined: to delete it is slow. */
export function visible(stored: object): Wire {
  const shown: Wire = { ...stored }
  for (const key in shown) if (key.charCodeAt(0) === UNDERSCORE) shown[key] = undefined
  return shown
}

function inLiveMode(key: string, value: unknown): unknown {
  return key === 'livemode' && value === false ? true : value
}
