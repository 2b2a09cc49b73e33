import { isDeepStrictEqual } from 'node:util'
import type { Account, Wire } from '../account.ts'
import { newId } from '../identifier.ts'

export const API_VERSION = '2026-10-28.endive'

export interface LoggedEvent {
  seq: number
  id: string
  form: 'snapshot' | 'thin'
  type: string
  created: number
  data: string
}

/** What a thin event carries when it is fetched, and what of it is delivered. */
export interface ThinEvent {
  id: string
  object: 'v2.core.event'
  type: string
  created: string
  livemode: false
  context: null
  reason: null
  related_object: { id: string; type: string; url: string } | null
  data: Wire
}

/** Every event that happened; inside the transaction of what happened, so that one is never without the other. */
export class EventLog {
  readonly #account: Account

  constructor(account: Account) {
    this.#account = account
  }

  emit(type: string, object: Wire, previous?: Wire): void {
    const { account, id, created } = this.#next()
    const event = {
      id,
      object: 'event',
      api_version: API_VERSION,
      created,
      data: { object, ...(previous && { previous_attributes: previous }) },
      livemode: false,
      pending_webhooks: 0,
      request: account.cause ?? { id: null, idempotency_key: null },
      type,
    }
    this.#write('snapshot', event, typeof object.id === 'string' ? object.id : null)
    account.deliveries.addressSnapshot(id, type)
  }

  /** As `emit`, with `previous_attributes`; silent when nothing visible changed. */
  emitChange(type: string, after: Wire, before: Wire): void {
    const previous = previousAttributes(before, after)
    if (Object.keys(previous).length > 0) this.emit(type, after, previous)
  }

  /** Tells every thin destination that wants the type, or only the one given. */
  emitThin(type: string, related: ThinEvent['related_object'], data: Wire, only?: { id: string; _url: string }): Wire {
    const { account, id } = this.#next()
    const created = new Date(account.timeline.nowMs()).toISOString()
    const event: ThinEvent = {
      id: id.replace('evt_', 'evt_test_'),
      object: 'v2.core.event',
      type,
      created,
      livemode: false,
      context: null,
      reason: null,
      related_object: related,
      data,
    }
    this.#write('thin', event, related?.id ?? null)
    account.deliveries.addressThin(event.id, type, only)
    return { ...event }
  }

  find(form: LoggedEvent['form'], id: string): LoggedEvent | undefined {
    return this.#account.db.get<LoggedEvent>('select * from events where form = ? and id = ?', form, id)
  }

  #next() {
    const account = this.#account
    return { account, id: newId('evt'), created: account.seconds() }
  }

  #write(form: LoggedEvent['form'], event: { id: string; type: string }, objectId: string | null): void {
    const sql = 'insert into events (id, form, type, created, object_id, data) values (?, ?, ?, ?, ?, ?)'
    this.#account.db.run(sql, event.id, form, event.type, this.#account.seconds(), objectId, JSON.stringify(event))
  }
}

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

/** Whether an endpoint's `enabled_events` covers a type: exactly, by `*`, or by a prefix such as `invoice.*`. */
export function covers(enabledEvents: string[], type: string): boolean {
  return enabledEvents.some(
    (pattern) =>
      pattern === '*' || pattern === type || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1))),
  )
}
