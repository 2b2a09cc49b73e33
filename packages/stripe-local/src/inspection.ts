import type { Database } from './database.ts'
import type { MeterEventRow } from './metering/usage.ts'
import type { Dashboard, DueThing, ReceivedEvent } from './pages/context.ts'
import type { DueKind } from './timeline.ts'

/** The states few events are in: each has an index that is found only by exactly this condition. */
const FEW: { [state: string]: { index: string; condition: string } } = {
  pending: { index: 'meter_events_waiting', condition: "state in ('pending', 'cancelling')" },
  rejected: { index: 'meter_events_out', condition: "state in ('rejected', 'cancelled')" },
  cancelled: { index: 'meter_events_out', condition: "state in ('rejected', 'cancelled')" },
}

/**
 * What the dashboard shows and no API of Stripe's lists. Every question walks an index and stops at its limit, so that a
 * page costs the same over a hundred customers as over a hundred thousand.
 */
export class Inspection {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  upcoming(limit: number, kind?: DueKind): DueThing[] {
    const sql = `select kind, id, at_ms from due where clock = ''${kind ? ' and kind = ?' : ''} order by at_ms, kind, id limit ?`
    const rows = this.#db.all<{ kind: DueKind; id: string; at_ms: number }>(sql, ...(kind ? [kind] : []), limit)
    return rows.map((row) => ({ kind: row.kind, id: row.id, at: new Date(row.at_ms) }))
  }

  findCustomers(words: string, limit: number): string[] {
    const from = words.trim().toLowerCase()
    if (from === '') return []
    // The last code point: whatever begins with `from` sorts before it.
    const to = `${from}\u{10FFFF}`
    // Without statistics SQLite would rather walk all customers by age: the indexes are named.
    const rows = this.#db.all<{ id: string }>(
      `select id from (
         select seq, id from objects where type = 'customer' and id = ?
         union
         select seq, id from (select seq, id from objects indexed by objects_by_folded_email where type = 'customer'
           and email is not null and lower(email) >= ? and lower(email) < ? limit ?)
         union
         select seq, id from (select seq, id from objects indexed by customers_by_name where type = 'customer'
           and lower(data ->> '$.name') >= ? and lower(data ->> '$.name') < ? limit ?)
       ) order by seq desc limit ?`,
      words.trim(),
      from,
      to,
      limit,
      from,
      to,
      limit,
      limit,
    )
    return rows.map(({ id }) => id)
  }

  meterEvents({ limit, before, state, meter }: Parameters<Dashboard['meterEvents']>[0]): ReceivedEvent[] {
    const conditions = ['seq < ?']
    const values: (string | number)[] = [before ?? Number.MAX_SAFE_INTEGER]
    const few = state && FEW[state]
    if (few) conditions.push(few.condition)
    if (state) {
      conditions.push('state = ?')
      values.push(state)
    }
    if (meter) {
      // By age and not by meter, whose index would have to be sorted whole; a meter without events asks for none.
      conditions.push('+meter = ?', 'exists (select 1 from meter_events any_of where any_of.meter = ?)')
      values.push(meter, meter)
    }
    const from = few ? `meter_events indexed by ${few.index}` : 'meter_events'
    const sql = `select * from ${from} where ${conditions.join(' and ')} order by seq desc limit ?`
    return this.#db.all<MeterEventRow>(sql, ...values, limit).map(receivedEvent)
  }

  meterUsers(meterId: string, { limit, after = '' }: { limit: number; after?: string }): string[] {
    // One step of the index per customer, over all of a customer's hours at once.
    const rows = this.#db.all<{ customer: string }>(
      `with recursive users (customer) as (
         select min(customer) from usage_hours where meter = ? and customer > ?
         union all
         select (select min(customer) from usage_hours where meter = ? and customer > users.customer)
         from users where users.customer is not null
       )
       select customer from users where customer is not null limit ?`,
      meterId,
      after,
      meterId,
      limit,
    )
    return rows.map(({ customer }) => customer)
  }
}

function receivedEvent(row: MeterEventRow): ReceivedEvent {
  return {
    seq: row.seq,
    identifier: row.identifier,
    eventName: row.event_name,
    meter: row.meter,
    customer: row.customer,
    value: row.value,
    timestamp: new Date(row.timestamp * 1000),
    receivedAt: new Date(row.received_ms),
    state: row.state === 'cancelling' ? 'cancelled' : row.state,
    rejection: row.rejection,
  }
}
