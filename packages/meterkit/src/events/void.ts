import type { Pool, PoolClient } from 'pg'
import { rows, transaction } from '../database/database.ts'
import { MeterkitError } from '../errors.ts'
import { lockSegmentsShared } from '../subscriptions/segment-lock.ts'

/** Who takes an event back, and why. */
export interface VoidTrace {
  by: string
  reason: string
}

/** Events of one transaction: their rollups are locked for as long as it lasts. */
const PIECE_EVENTS_MAX = 5_000

/**
 * Takes events back: each stays in the table with a trace of who and why, and leaves its rollup. In pieces, each of
 * which is one transaction; one that was void before is left as it is, so that doing it again does no harm.
 * @returns how many are void now and were not before
 * @throws MeterkitError `unknown_event` before anything is changed, `reason_required`
 */
export async function voidEvents(pool: Pool, ids: readonly string[], trace: VoidTrace, now: Date): Promise<number> {
  requireTrace('events.void', trace)
  await refuseUnknown('events.void', pool, ids)
  let voided = 0
  for (let at = 0; at < ids.length; at += PIECE_EVENTS_MAX) {
    const piece = ids.slice(at, at + PIECE_EVENTS_MAX)
    voided += await transaction(pool, (client) => voidPiece(client, piece, trace, now))
  }
  return voided
}

export function requireTrace(who: string, { by, reason }: VoidTrace): void {
  for (const [field, value] of [
    ['by', by],
    ['reason', reason],
  ] as const) {
    if (typeof value === 'string' && value.trim() !== '') continue
    const sentence = `${who}: ${field} is empty. A correction leaves a trace: say who takes the usage back, and why.`
    throw new MeterkitError('reason_required', sentence, { field, value })
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** @throws MeterkitError `unknown_event` where one of them is not there */
export async function refuseUnknown(who: string, pool: Pool, ids: readonly string[]): Promise<void> {
  const known = await rows<{ id: string }>(pool, 'select id from billing.meter_events where id = any ($1::uuid[])', [
    ids.filter((id) => UUID.test(id)),
  ])
  const there = new Set(known.map((row) => row.id))
  const unknown = ids.find((id) => !there.has(id.toLowerCase()))
  if (unknown === undefined) return
  throw new MeterkitError(
    'unknown_event',
    `${who}: there is no event ${unknown}. Take the id from the event's row, not its key.`,
    { field: 'id', value: unknown },
  )
}

interface TakenBack {
  customer_id: string
  subscription_id: string
  meter: number
  since: Date
  quantity: string
  events: string
}

/** Inside the caller's transaction. @returns how many of them are void now and were not before */
export async function voidPiece(
  client: PoolClient,
  ids: readonly string[],
  { by, reason }: VoidTrace,
  now: Date,
): Promise<number> {
  await lockSegmentsShared(client)
  const taken = await rows<TakenBack>(
    client,
    /* sql */ `
    with event as (
      select customer_id, id, subscription_id, meter, quantity, occurred_at
      from billing.meter_events where id = any ($1::uuid[])
    ),
    voided as (
      insert into billing.event_voids (customer_id, id, voided_by, reason, voided_at)
      select customer_id, id, $2, $3, $4 from event
      order by customer_id, id
      on conflict do nothing
      returning customer_id, id
    )
    select customer_id, subscription_id, meter,
      greatest(date_trunc('hour', occurred_at, 'UTC'), cut.starts_at) as since, sum(quantity) as quantity, count(*) as events
    from voided join event using (customer_id, id)
    left join lateral (
      select max(starts_at) as starts_at from billing.segments
      where segments.customer_id = event.customer_id and segments.subscription_id = event.subscription_id
        and starts_at <= event.occurred_at
    ) as cut on true
    group by 1, 2, 3, 4
    order by 1, 2, 3, 4`,
    [ids, by, reason, now],
  )
  if (taken.length > 0) await leaveRollups(client, taken)
  return taken.reduce((events, row) => events + Number(row.events), 0)
}

async function leaveRollups(client: PoolClient, taken: readonly TakenBack[]): Promise<void> {
  const values = [
    taken.map((row) => row.customer_id),
    taken.map((row) => row.subscription_id),
    taken.map((row) => row.meter),
    taken.map((row) => row.since),
    taken.map((row) => row.quantity),
    taken.map((row) => row.events),
  ]
  const TAKEN = /* sql */ `
    unnest($1::uuid[], $2::uuid[], $3::int[], $4::timestamptz[], $5::numeric[], $6::bigint[])
      as taken (customer_id, subscription_id, meter, since, quantity, events)`
  // first the locks, in the order of every writer: without it they deadlock
  await client.query(
    /* sql */ `
    select 1 from billing.rollups as rollup join ${TAKEN} using (customer_id, subscription_id, meter, since)
    order by rollup.customer_id, rollup.subscription_id, rollup.meter, rollup.since
    for update of rollup`,
    values,
  )
  await client.query(
    /* sql */ `
    update billing.rollups as rollup
    set quantity = rollup.quantity - taken.quantity, events = rollup.events - taken.events, due = true
    from ${TAKEN}
    where rollup.customer_id = taken.customer_id and rollup.subscription_id = taken.subscription_id
      and rollup.meter = taken.meter and rollup.since = taken.since`,
    values,
  )
}
