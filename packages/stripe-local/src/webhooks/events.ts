import { isDeepStrictEqual } from 'node:util'
import type { Account, Wire } from '../account.ts'
import { refuse } from '../http/errors.ts'
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

/** Whether an endpoint's `enabled_events` cover a type: by its name, or by `*` for all. */
export function covers(enabledEvents: string[], type: string): boolean {
  return enabledEvents.includes('*') || enabledEvents.includes(type)
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
