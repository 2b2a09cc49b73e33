import { isDeepStrictEqual } from 'node:util'
import type { Account, EventLog, LoggedEvent, RelatedObject, Wire } from '../account.ts'
import { refuse } from '../http/errors.ts'
import { newId } from '../identifier.ts'

export const API_VERSION = '2026-10-28.endive'

/** What a thin event carries when it is fetched, and what of it is delivered. */
export interface ThinEvent {
  id: string
  object: 'v2.core.event'
  type: string
  created: string
  livemode: boolean
  context: null
  reason: null
  related_object: RelatedObject | null
  data: Wire
}

/** Every event that happened; inside the transaction of what happened, so that one is never without the other. */
export class Events implements EventLog {
  readonly #account: Account
  /** What the last event of this transaction showed. */
  #last: { object: Wire | null; json: string; seq: number; turn: number } = { object: null, json: '', seq: 0, turn: -1 }

  constructor(account: Account) {
    this.#account = account
  }

  emit(type: string, object: Wire, previous?: Wire): void {
    const account = this.#account
    if (account.rehearsing) return
    const id = newId('evt')
    const shown = this.#show(object)
    const request = account.cause ?? NO_REQUEST
    const rest = `${previous ? `,"previous_attributes":${account.written(previous)}` : ''}},"livemode":${account.livemode},"pending_webhooks":0,"request":${JSON.stringify(request)},"type":"${type}"}`
    account.db.run(
      `insert into event_log (id, form, type, created, object_id, api_version, shown, rest)
       values (?, 'snapshot', ?, ?, ?, ?, ?, ?)`,
      id,
      type,
      account.seconds(),
      typeof object.id === 'string' ? object.id : null,
      API_VERSION,
      shown,
      rest,
    )
    account.deliveries.addressSnapshot(id, type)
  }

  /** As `emit`, with `previous_attributes`; silent when nothing visible changed. */
  emitChange(type: string, after: Wire, before: Wire): void {
    if (this.#account.rehearsing) return
    const previous = previousAttributes(before, after)
    if (Object.keys(previous).length > 0) this.emit(type, after, previous)
  }

  /** Tells every thin destination that wants the type, or only the one given. */
  emitThin(type: string, related: ThinEvent['related_object'], data: Wire, only?: { id: string; _url: string }): Wire {
    const account = this.#account
    const created = new Date(account.timeline.nowMs()).toISOString()
    const event: ThinEvent = {
      id: newId(account.livemode ? 'evt' : 'evt_test'),
      object: 'v2.core.event',
      type,
      created,
      livemode: account.livemode,
      context: null,
      reason: null,
      related_object: related,
      data,
    }
    account.db.run(
      `insert into event_log (id, form, type, created, object_id, rest) values (?, 'thin', ?, ?, ?, ?)`,
      event.id,
      type,
      account.seconds(),
      related?.id ?? null,
      account.written(event),
    )
    account.deliveries.addressThin(event.id, type, only)
    return { ...event }
  }

  find(form: LoggedEvent['form'], id: string): LoggedEvent | undefined {
    return this.#account.db.get<LoggedEvent>('select * from events where form = ? and id = ?', form, id)
  }

  /** Keeps what an event shows, unless the last one showed the same. @returns its number */
  #show(object: Wire): number {
    const { db } = this.#account
    const json = object === this.#last.object ? this.#last.json : this.#account.written(object)
    if (json === this.#last.json && this.#last.turn === db.turn) return this.#last.seq
    const { rowid: seq } = db.run('insert into event_objects (json) values (?)', json)
    this.#last = { object, json, seq, turn: db.turn }
    return seq
  }
}

const NO_REQUEST = { id: null, idempotency_key: null }

/** The old values of what differs; of a hash that changed, only the keys that did. */
function previousAttributes(before: Wire, after: Wire): Wire {
  const previous: Wire = {}
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[key], after[key]]
    if (isDeepStrictEqual(was, is)) continue
    previous[key] = isHash(was) && isHash(is) ? previousAttributes(was, is) : (was ?? null)
  }
  return previous
}

function isHash(value: unknown): value is Wire {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** @throws ApiError for what cannot name a type of event; Stripe knows no other wildcard than `*` alone */
export function checkEventTypes(types: string[]): void {
  if (types.length === 0) throw refuse('You must specify at least one event.', { param: 'enabled_events' })
  const index = types.findIndex((type) => type !== '*' && !/^[a-z0-9_]+(\.[a-z0-9_]+)+$/.test(type))
  if (index < 0) return
  throw refuse(
    `Invalid enabled_events[${index}]: "${types[index]}" is not the name of a type of event, such as invoice.paid.`,
    {
      param: `enabled_events[${index}]`,
    },
  )
}
