import type { Pool, PoolClient } from 'pg'
import { type Database, isTransient, rows, transaction } from '../database/database.ts'
import { createMonths } from '../database/migrate.ts'
import type { Logger } from '../logger.ts'
import { lockSegmentsShared } from '../subscriptions/segment-lock.ts'
import { jsonbArray, nullableTextArray, textArray, timestampArray, uuidArray } from './binary-array.ts'
import type { MeterEvent } from './event.ts'

const BATCH_COLUMNS = 'customer_id, id, subscription_id, meter, quantity, occurred_at, key, properties'

/** A list of `unnest` hands on each row as it is read; one `unnest` of them all, after `from`, first stores them eight times. */
const BATCH = /* sql */ `
    select unnest($1::uuid[]) as customer_id, unnest($2::uuid[]) as id, unnest($3::uuid[]) as subscription_id,
      unnest($4::int[]) as meter, unnest($5::numeric[]) as quantity, unnest($6::timestamptz[]) as occurred_at,
      unnest($7::text[]) as key, unnest($8::jsonb[]) as properties`

/** In UTC; `date_trunc` would look its time zone up for each event. */
const HOUR = `date_bin('1 hour', occurred_at, '2000-01-01 00:00Z')`

/**
 * Usage by hour ∩ segment: a row begins at its hour, or at the last segment start before the event. Segment starts are
 * looked up once for each hour, not for each event: where the last one before the hour's last event is not between its
 * first and its last, all of them have the same.
 */
const ROLL_UP_INSERTED = /* sql */ `
  hours as (
    select hour.*, (
      select max(starts_at) from billing.segments
      where segments.customer_id = hour.customer_id and segments.subscription_id = hour.subscription_id
        and starts_at <= hour.last_at
    ) as cut_at
    from (
      select customer_id, subscription_id, meter, ${HOUR} as starts_at,
        sum(quantity) as quantity, count(*) as events, min(occurred_at) as first_at, max(occurred_at) as last_at
      from inserted
      group by 1, 2, 3, 4
    ) as hour
  ),
  rolled as (
    insert into billing.rollups as rollup (customer_id, subscription_id, meter, since, quantity, events, last_event_at)
    select customer_id, subscription_id, meter, greatest(starts_at, cut_at), quantity, events, last_at
    from hours
    where cut_at is null or cut_at <= first_at
    union all
    select customer_id, subscription_id, meter, greatest(hours.starts_at, cut.starts_at),
      sum(inserted.quantity), count(*), max(occurred_at)
    from hours
    join inserted using (customer_id, subscription_id, meter)
    left join lateral (
      select max(starts_at) as starts_at from billing.segments
      where segments.customer_id = inserted.customer_id and segments.subscription_id = inserted.subscription_id
        and starts_at <= inserted.occurred_at
    ) as cut on true
    where cut_at > first_at and ${HOUR} = hours.starts_at
    group by 1, 2, 3, 4
    order by 1, 2, 3, 4               -- one order of locks for every writer: without it they deadlock
    on conflict (customer_id, subscription_id, meter, since) do update
    set quantity = rollup.quantity + excluded.quantity,
        events = rollup.events + excluded.events,
        last_event_at = greatest(rollup.last_event_at, excluded.last_event_at),
        due = true
    returning 1
  )
  select coalesce(sum(events), 0)::int as stored from hours`

/** Events with ids of our own only. */
function insertEventsSql(repeats: string): string {
  return /* sql */ `
  with inserted as (
    insert into billing.meter_events (${BATCH_COLUMNS})
    ${BATCH}
    ${repeats}
    returning customer_id, subscription_id, meter, quantity, occurred_at
  ),
  ${ROLL_UP_INSERTED}`
}

const INSERT_EVENTS = {
  /** Fails as a whole where one of them is there already. Looking first costs a third more, sorting a twentieth. */
  new: { name: 'meterkit_insert_new_events', text: insertEventsSql('') },
  /** Those that are there already are not counted again. Sorted, so that writers wait for each other in one order. */
  any: {
    name: 'meterkit_insert_events',
    text: insertEventsSql('order by id, customer_id on conflict (id, customer_id) do nothing'),
  },
}

const FINGERPRINT = `hashtextextended(concat_ws('|', subscription_id, meter, trim_scale(quantity), properties), 0)`

/** Events with a key of the caller's: whoever claims the key inserts the event, in one statement. */
const INSERT_KEYED_EVENTS = {
  name: 'meterkit_insert_keyed_events',
  text: /* sql */ `
  with batch as (${BATCH}
  ),
  claimed as (
    insert into billing.event_keys (customer_id, key, id, fingerprint)
    select customer_id, key, id, ${FINGERPRINT}
    from batch
    order by customer_id, key, id
    on conflict (customer_id, key) do nothing
    returning customer_id, id
  ),
  inserted as (
    insert into billing.meter_events (${BATCH_COLUMNS})
    select ${BATCH_COLUMNS.split(', ')
      .map((column) => `batch.${column}`)
      .join(', ')}
    from batch join claimed using (customer_id, id)
    order by id, customer_id
    on conflict (id, customer_id) do nothing
    returning customer_id, subscription_id, meter, quantity, occurred_at
  ),
  ${ROLL_UP_INSERTED}`,
}

const KNOWN_KEYS = /* sql */ `
  with batch as (${BATCH}
  )
  select batch.id, stored.id as "storedId", stored.fingerprint <> ${FINGERPRINT} as conflicts
  from batch join billing.event_keys as stored using (customer_id, key)`

/** Which of these events have a key that is taken, by which event, and whether that one has another content. */
export async function knownKeys(
  db: Database,
  keyed: readonly MeterEvent[],
): Promise<{ id: string; storedId: string; conflicts: boolean }[]> {
  return rows(db, KNOWN_KEYS, batchValues(keyed))
}

/**
 * Inserts events, their keys and their rollups: all of it or, where the transaction fails, nothing.
 * A repeated id or key is not counted again. @returns how many events were new
 */
export async function insertEvents(client: PoolClient, events: readonly MeterEvent[]): Promise<number> {
  return insertBatch(client, batchOf(events), 'any')
}

/** Events as the statements take them. */
interface Batch {
  plain: Values | null
  keyed: { events: MeterEvent[]; values: Values } | null
}

function batchOf(events: readonly MeterEvent[]): Batch {
  const plain = events.filter((event) => event.key === null)
  const keyed = events.filter((event) => event.key !== null)
  return {
    plain: plain.length > 0 ? batchValues(plain) : null,
    keyed: keyed.length > 0 ? { events: keyed, values: batchValues(keyed) } : null,
  }
}

/** @param ids  `new`: none is there yet, as far as is known. @throws 23505 where one is */
async function insertBatch(client: PoolClient, { plain, keyed }: Batch, ids: 'new' | 'any'): Promise<number> {
  await lockSegmentsShared(client)
  let stored = 0
  if (plain) stored += await insert(client, INSERT_EVENTS[ids], plain)
  if (keyed) {
    const inserted = await insert(client, INSERT_KEYED_EVENTS, keyed.values)
    stored += inserted
    if (inserted < keyed.events.length) await setAsideConflicts(client, keyed.events)
  }
  return stored
}

async function insert(client: PoolClient, statement: { name: string; text: string }, values: Values): Promise<number> {
  const { rows } = await client.query<{ stored: number }>({ ...statement, values })
  return rows[0]!.stored
}

/** The same key with another content is not counted, and shown. */
async function setAsideConflicts(client: PoolClient, events: MeterEvent[]): Promise<void> {
  const found = (await knownKeys(client, events)).filter((row) => row.conflicts)
  const storedIds = new Map(found.map((row) => [row.id, row.storedId]))
  for (const event of events) {
    const storedId = storedIds.get(event.id)
    if (storedId) await setAside(client, event, conflictSentence(event, storedId))
  }
}

function conflictSentence(event: MeterEvent, storedId: string): string {
  return `event_conflict: the id ${JSON.stringify(event.key)} was used before with another content, for event ${storedId}. Not counted.`
}

async function setAside(client: Pool | PoolClient, event: MeterEvent, error: string): Promise<void> {
  await client.query(
    /* sql */ `
    insert into billing.set_aside_events (customer_id, id, event, error) values ($1, $2, $3, $4)
    on conflict do nothing`,
    [event.customerId, event.id, JSON.stringify(event), error],
  )
}

/**
 * Stores a batch from the journal. Its events are taken for new, as they are but for the first batches after a crash.
 * What the database refuses for good (an impossible value, a customer that is gone) is searched out by halving, set aside
 * and logged, so that one bad event never blocks the others.
 * @throws the database's error where trying again may help
 */
export async function storeBatch(
  pool: Pool,
  events: readonly MeterEvent[],
  log: Logger,
  ids: 'new' | 'any' = 'new',
): Promise<{ stored: number; setAside: number }> {
  // Made while others use the connection.
  const batch = batchOf(events)
  try {
    return { stored: await transaction(pool, (client) => insertBatch(client, batch, ids)), setAside: 0 }
  } catch (error) {
    if (isRepeat(error) && ids === 'new') return storeBatch(pool, events, log, 'any')
    if (isMissingMonth(error)) {
      await createMonthsOf(pool, events)
      return storeBatch(pool, events, log, ids)
    }
    if (isTransient(error)) throw error
    if (events.length === 1) {
      await setAside(pool, events[0]!, (error as Error).message)
      log.error(
        { event: events[0]!.id, error: (error as Error).message },
        'an event was set aside: the database refuses it',
      )
      return { stored: 0, setAside: 1 }
    }
    const middle = events.length >> 1
    const first = await storeBatch(pool, events.slice(0, middle), log)
    const second = await storeBatch(pool, events.slice(middle), log)
    return { stored: first.stored + second.stored, setAside: first.setAside + second.setAside }
  }
}

/** 23505: "duplicate key value violates unique constraint". */
function isRepeat(error: unknown): boolean {
  return (error as { code?: string }).code === '23505'
}

/** 23514: "no partition of relation … found for row". */
function isMissingMonth(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string }
  return code === '23514' && (message ?? '').includes('no partition of relation')
}

async function createMonthsOf(pool: Pool, events: readonly MeterEvent[]): Promise<void> {
  const times = events.map((event) => Number.parseInt(event.id.replaceAll('-', '').slice(0, 12), 16))
  let first = times[0]!
  let last = first
  for (const time of times) {
    first = Math.min(first, time)
    last = Math.max(last, time)
  }
  await createMonths(pool, new Date(first), new Date(last))
}

export async function listSetAside(
  pool: Pool,
  limit: number,
): Promise<{ id: string; event: unknown; error: string; at: Date }[]> {
  const found = await rows<{ id: string; event: string; error: string; at: Date }>(
    pool,
    'select id, event, error, set_aside_at as at from billing.set_aside_events order by set_aside_at desc limit $1',
    [limit],
  )
  return found.map((row) => ({ ...row, event: JSON.parse(row.event) as unknown }))
}

type Values = (Buffer | string)[]

function batchValues(events: readonly MeterEvent[]): Values {
  return [
    uuidArray(events.map((event) => event.customerId)),
    uuidArray(events.map((event) => event.id)),
    uuidArray(events.map((event) => event.subscriptionId)),
    textArray(events.map((event) => String(event.meterId))),
    textArray(events.map((event) => event.quantity)),
    timestampArray(events.map((event) => event.occurredAt)),
    nullableTextArray(events.map((event) => event.key)),
    jsonbArray(events.map((event) => event.properties)),
  ]
}
