import type { Database } from './database.ts'
import type { Faults } from './faults.ts'
import { type ApiError, missing, missingReference } from './http/errors.ts'
import type { InvoiceReactions } from './invoices/reactions.ts'
import type { Aggregation } from './metering/aggregation.ts'
import type { Usage } from './metering/usage.ts'
import type { Objects, Stored } from './objects.ts'
import { DEFAULT_READINGS, type Readings } from './readings.ts'
import type { Timeline } from './timeline.ts'
import type { Deliveries } from './webhooks/deliveries.ts'
import type { EventLog } from './webhooks/events.ts'

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

/** One Stripe account in test mode: its state, its time, and who is told of changes. */
export class Account {
  readonly db: Database
  readonly objects: Objects
  readonly timeline: Timeline
  readonly usage: Usage
  readonly kinds: Map<string, Kind>
  readonly faults: Faults
  aggregation!: Aggregation
  events!: EventLog
  deliveries!: Deliveries
  invoiceReactions!: InvoiceReactions
  /** The request that is being worked on; null while Stripe acts by itself. */
  cause: { id: string; idempotency_key: string | null } | null = null
  refusal: ApiError | null = null
  /** True while a preview tries out what will be undone. */
  rehearsing = false
  readings: Readings = DEFAULT_READINGS
  previewLagMs = 0
  businessName = 'Test business'
  baseUrl: () => string = () => ''

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

  present(stored: Stored): Wire {
    const kind = this.kinds.get(stored.object)
    return kind?.present ? kind.present(this, stored as never) : visible(stored)
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
    if (eventType) this.events.emit(eventType, this.present(value))
    return value
  }

  /** Changes a stored object; the event, if any, carries what was before and is left out when nothing changed. */
  change<T extends Stored>(before: T, changes: Partial<T>, eventType?: string): T {
    const shownBefore = eventType ? this.present(before) : undefined
    const after = this.objects.save({ ...before, ...changes })
    if (eventType && shownBefore) this.events.emitChange(eventType, this.present(after), shownBefore)
    return after
  }
}

/** The wire form of an object without computed fields. */
export function visible(stored: object): Wire {
  return Object.fromEntries(Object.entries(stored).filter(([key]) => !key.startsWith('_')))
}
