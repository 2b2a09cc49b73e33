import { isDeepStrictEqual } from 'node:util'
import type { Account, EventLog, LoggedEvent, RelatedObject, Wire } from '../account.ts'
import { refuse } from '../http/errors.ts'
import { newId } from '../identifier.ts'
import { finerTypes, relatedTo, twinOf } from './twins.ts'

export const API_VERSION = '2026-10-28.endive'

/** What a thin event carries when it is fetched; all but `data` is delivered, too. */
export interface ThinEvent {
  id: string
  object: 'v2.core.event'
  type: string
  created: string
  livemode: boolean
  related_object?: RelatedObject
  /** The request that set it off, of those that have a snapshot twin. */
  reason?: { type: 'request'; request: { id: string; idempotency_key: string } }
  /** The id of the snapshot event that tells the same. */
  snapshot_event?: string
  data?: Wire
}

type Thin = Pick<ThinEvent, 'data' | 'reason' | 'snapshot_event'> & { only?: { id: string; _url: string } }

/** Every event that happened; inside the transaction of what happened, so that one is never without the other. */
export class Events implements EventLog {
  readonly #account: Account
  /** What the last event showed, and which one keeps it: the next often shows the same. */
  #last: { object: Wire | null; json: string; seq: number; turn: number } = { object: null, json: '', seq: 0, turn: -1 }

  constructor(account: Account) {
    this.#account = account
  }

  emit(type: string, object: Wire, previous?: Wire): void {
    const account = this.#account
    if (account.rehearsing) return
    const id = newId('evt')
    const json = object === this.#last.object ? this.#last.json : account.written(object)
    account.wasWritten(object, json)
    const shown = json === this.#last.json && this.#last.turn === account.db.turn ? this.#last.seq : null
    const request = account.cause ?? NO_REQUEST
    // What most events end with is not written out: the view `events` puts it there.
    const isPlain = !previous && request === NO_REQUEST && !account.livemode
    const rest = isPlain
      ? ''
      : `${previous ? `,"previous_attributes":${account.written(previous)}` : ''}},"livemode":${account.livemode},"pending_webhooks":0,"request":${JSON.stringify(request)},"type":"${type}"}`
    const { rowid } = account.db.run(
      `insert into event_log (id, form, type, created, object_id, api_version, shown, object, rest)
       values (?, 'snapshot', ?, ?, ?, ?, ?, ?, ?)`,
      id,
      type,
      account.seconds(),
      typeof object.id === 'string' ? object.id : null,
      API_VERSION,
      shown,
      shown === null ? json : null,
      rest,
    )
    this.#last = { object, json, seq: shown ?? rowid, turn: account.db.turn }
    account.deliveries.address('snapshot', id, type)
    const twin = twinOf(type)
    if (twin !== null && this.#isWanted(twin))
      this.#write(twin, relatedTo(object), { snapshot_event: id, ...this.#reason() })
  }

  /** As `emit`, with `previous_attributes`; silent when nothing visible changed. */
  emitChange(type: string, after: Wire, before: Wire): void {
    if (this.#account.rehearsing) return
    const previous = previousAttributes(before, after)
    if (Object.keys(previous).length === 0) return
    this.emit(type, after, previous)
    if (!this.#account.deliveries.listeners.hasThin) return
    for (const finer of finerTypes(type, after, before)) {
      if (this.#isWanted(finer)) this.#write(finer, relatedTo(after), this.#reason())
    }
  }

  /** Tells every thin destination that wants the type, or only the one given. */
  emitThin(type: string, related: RelatedObject | null, data: Wire, only?: { id: string; _url: string }): Wire {
    const written = this.#write(type, related, {
      ...(Object.keys(data).length > 0 && { data }),
      ...(only && { only }),
    })
    return { ...written }
  }

  #write(type: string, related: RelatedObject | null, { only, ...more }: Thin): ThinEvent {
    const account = this.#account
    const event: ThinEvent = {
      id: newId(account.livemode ? 'evt' : 'evt_test'),
      object: 'v2.core.event',
      type,
      created: new Date(account.timeline.nowMs()).toISOString(),
      livemode: account.livemode,
      ...(related && { related_object: related }),
      ...more,
    }
    account.db.run(
      `insert into event_log (id, form, type, created, object_id, rest) values (?, 'thin', ?, ?, ?, ?)`,
      event.id,
      type,
      account.seconds(),
      related?.id ?? null,
      account.written(event),
    )
    account.deliveries.address('thin', event.id, type, only && { id: only.id, url: only._url })
    return event
  }

  /** Twins are written only for who asked for them: else each change would be told twice to nobody. */
  #isWanted(type: string): boolean {
    return this.#account.deliveries.listeners.of('thin', type).length > 0
  }

  #reason(): Pick<ThinEvent, 'reason'> {
    const { cause } = this.#account
    if (!cause) return {}
    return { reason: { type: 'request', request: { id: cause.id, idempotency_key: cause.idempotency_key ?? '' } } }
  }

  find(form: LoggedEvent['form'], id: string): LoggedEvent | undefined {
    return this.#account.db.get<LoggedEvent>('select * from events where form = ? and id = ?', form, id)
  }
}

const NO_REQUEST = { id: null, idempotency_key: null }

/** The old values of what differs; of a hash that changed, only the keys that did. */
function previousAttributes(before: Wire, after: Wire): Wire {
  const previous: Wire = {}
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before[key], after[key]]
    if (was === is || isDeepStrictEqual(was, is)) continue
    previous[key] = isHash(was) && isHash(is) ? previousAttributes(was, is) : (was ?? null)
  }
  return previous
}

function isHash(value: unknown): value is Wire {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Names of types, or `*` for all: Stripe knows no other wildcard.
 *
 * @param payload snapshot events have names such as invoice.paid, thin ones such as v1.invoice.paid
 * @throws ApiError
 */
export function checkEventTypes(types: string[], payload: 'snapshot' | 'thin' = 'snapshot'): void {
  if (types.length === 0) throw refuse('You must specify at least one event.', { param: 'enabled_events' })
  const [example, pattern] =
    payload === 'thin'
      ? ['v1.billing.meter.error_report_triggered', /^v[12](\.[a-z0-9_]+)+$/]
      : ['invoice.paid', /^(?!v[12]\.)[a-z0-9_]+(\.[a-z0-9_]+)+$/]
  const index = types.findIndex((type) => type !== '*' && !pattern.test(type))
  if (index < 0) return
  throw refuse(
    `Invalid enabled_events[${index}]: "${types[index]}" is not the name of a type of ${payload} event, such as ${example}.`,
    { param: `enabled_events[${index}]` },
  )
}
