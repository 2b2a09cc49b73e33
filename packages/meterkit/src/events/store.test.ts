import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pool } from 'pg'
import { v7 as newUuid } from 'uuid'
import { businessItem, database, METER_ID, restate, subscribed } from '../../test/database.ts'
import { transaction } from '../database/database.ts'
import { segmentsOf } from '../subscriptions/store.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import type { MeterEvent } from './event.ts'
import { insertEvents, listSetAside, storeBatch } from './store.ts'
import { voidEvents } from './void.ts'

const silent = { info: () => {}, warn: () => {}, error: () => {} }

function use(
  { customerId, id }: Subscription,
  quantity: string,
  at: string,
  facts: Partial<MeterEvent> = {},
): MeterEvent {
  const occurredAt = new Date(at).getTime()
  return {
    id: newUuid(),
    key: null,
    customerId,
    subscriptionId: id,
    meterId: METER_ID,
    quantity,
    occurredAt,
    properties: null,
    ...facts,
  }
}

async function rollups(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query(
    `select to_char(since at time zone 'UTC', 'MM-DD HH24:MI:SS') as since, quantity, events from billing.rollups
     where events <> 0 or quantity <> 0 order by rollups.since`,
  )
  return rows.map((row) => `${row.since} ${row.quantity} (${row.events})`)
}

/** Rollups against events, computed apart from the engine's own statements. */
async function disagreements(pool: Pool): Promise<number> {
  const { rows } = await pool.query(`
    with cut as (
      select e.*, greatest(date_trunc('hour', e.occurred_at, 'UTC'),
        (select max(s.starts_at) from billing.segments s where s.subscription_id = e.subscription_id and s.starts_at <= e.occurred_at)) as since
      from billing.meter_events e where not exists (select 1 from billing.event_voids v where v.id = e.id))
    select count(*)::int as n from (select subscription_id, since, sum(quantity) q, count(*) c from cut group by 1, 2) e
    full join (select * from billing.rollups where events <> 0 or quantity <> 0) r using (subscription_id, since)
    where e.q is distinct from r.quantity or e.c is distinct from r.events`)
  return rows[0].n
}

const NOW = new Date('2026-11-24T12:00:00Z')

test('events of an hour make one rollup, an hour cut by a period start makes two', async (t) => {
  const pool = await database(t)
  const subscription = await subscribed(pool)

  await storeBatch(
    pool,
    [
      use(subscription, '5', '2026-11-10T08:29:59.999Z'), // before the subscription: kept, in a rollup of its own
      use(subscription, '10', '2026-11-10T08:30:00Z'),
      use(subscription, '0.5', '2026-11-10T08:59:59Z'),
      use(subscription, '7', '2026-11-10T09:00:00Z'),
    ],
    silent,
  )

  assert.deepEqual(await rollups(pool), ['11-10 08:00:00 5 (1)', '11-10 08:30:00 10.5 (2)', '11-10 09:00:00 7 (1)'])
})

test('the same event counts once, in one batch, in two, and with another timestamp', async (t) => {
  const pool = await database(t)
  const subscription = await subscribed(pool)
  const event = use(subscription, '3', '2026-11-24T10:00:00Z')

  assert.deepEqual(await storeBatch(pool, [event, event], silent), { stored: 1, setAside: 0 })
  assert.deepEqual(await storeBatch(pool, [{ ...event, occurredAt: event.occurredAt + 7_200_000 }], silent), {
    stored: 0,
    setAside: 0,
  })

  assert.deepEqual(await rollups(pool), ['11-24 10:00:00 3 (1)'])
})

test('a caller key counts once for a customer, also from two processes at once; another content is shown', async (t) => {
  const pool = await database(t)
  const subscription = await subscribed(pool)
  const other = await subscribed(pool, { organization: 'globex' })
  const copies = Array.from({ length: 8 }, () => use(subscription, '3', '2026-11-24T10:00:00Z', { key: 'answer-1' }))

  const results = await Promise.all(copies.map((copy) => storeBatch(pool, [copy], silent)))
  await storeBatch(pool, [use(other, '9', '2026-11-24T10:00:00Z', { key: 'answer-1' })], silent)
  await storeBatch(pool, [use(subscription, '4', '2026-11-24T10:00:00Z', { key: 'answer-1' })], silent)

  assert.equal(
    results.reduce((stored, result) => stored + result.stored, 0),
    1,
  )
  assert.deepEqual((await rollups(pool)).sort(), ['11-24 10:00:00 3 (1)', '11-24 10:00:00 9 (1)'])
  const [conflict, ...rest] = await listSetAside(pool, 10)
  assert.match(conflict!.error, /event_conflict: the id "answer-1" was used before with another content/)
  assert.deepEqual(rest, [])
})

test('a caller key counts once for good, also when the month has changed and its events lie in another partition', async (t) => {
  const pool = await database(t)
  const subscription = await subscribed(pool)
  const months = ['2026-11-30T23:59:59Z', '2026-12-01T00:00:01Z', '2027-02-01T00:00:00Z']

  const stored = []
  for (const month of months) {
    const id = newUuid({ msecs: Date.parse(month) })
    const batch = [use(subscription, '5', '2026-11-24T10:00:00Z', { id, key: 'order-1' })]
    stored.push((await storeBatch(pool, batch, silent)).stored)
  }

  assert.deepEqual(stored, [1, 0, 0])
  assert.deepEqual(await rollups(pool), ['11-24 10:00:00 5 (1)'])
})

test('one poisoned event is set aside, the others pass', async (t) => {
  const pool = await database(t)
  const subscription = await subscribed(pool)
  const good = Array.from({ length: 20 }, (_, hour) =>
    use(subscription, '1', `2026-11-24T${String(hour).padStart(2, '0')}:00:00Z`),
  )
  const poison = use(subscription, '1', '2026-11-24T10:00:00Z', { properties: { note: 'a\0b' } })

  const result = await storeBatch(pool, [...good.slice(0, 13), poison, ...good.slice(13)], silent)

  assert.deepEqual(result, { stored: 20, setAside: 1 })
  assert.equal((await listSetAside(pool, 10))[0]!.id, poison.id)
})

test('in a caller transaction the event exists exactly if it commits', async (t) => {
  const pool = await database(t)
  const subscription = await subscribed(pool)
  const event = use(subscription, '3', '2026-11-24T10:00:00Z')

  const rolledBack = transaction(pool, async (client) => {
    await insertEvents(client, [event])
    throw new Error('the caller changed its mind')
  })
  await assert.rejects(rolledBack, /changed its mind/)
  assert.deepEqual(await rollups(pool), [])

  await transaction(pool, (client) => insertEvents(client, [event]))
  assert.deepEqual(await rollups(pool), ['11-24 10:00:00 3 (1)'])
})

test('a void leaves its rollup and a trace; a second void changes nothing', async (t) => {
  const pool = await database(t)
  const subscription = await subscribed(pool)
  const event = use(subscription, '3', '2026-11-24T10:00:00Z')
  await storeBatch(pool, [event, use(subscription, '4', '2026-11-24T10:01:00Z')], silent)

  const trace = { by: 'omar', reason: 'a test run' }
  assert.equal(await voidEvents(pool, [event.id], trace, NOW), 1)
  assert.equal(await voidEvents(pool, [event.id], trace, NOW), 0)

  assert.deepEqual(await rollups(pool), ['11-24 10:00:00 4 (1)'])
  const { rows } = await pool.query('select status from billing.billing_meter_events where id = $1', [event.id])
  assert.equal(rows[0].status, 'void')
  await assert.rejects(voidEvents(pool, [newUuid()], trace, NOW), { code: 'unknown_event' })
  await assert.rejects(voidEvents(pool, ['7'], trace, NOW), { code: 'unknown_event' })
  await assert.rejects(voidEvents(pool, [event.id], { by: 'omar', reason: ' ' }, NOW), { code: 'reason_required' })
})

test('a plan switch heard of late cuts the rollup of its hour, and usage after it stays on its side', async (t) => {
  const pool = await database(t)
  const subscription = await subscribed(pool)
  await storeBatch(
    pool,
    [use(subscription, '10', '2026-11-24T10:16:59.999Z'), use(subscription, '20', '2026-11-24T10:17:00Z')],
    silent,
  )
  assert.deepEqual(await rollups(pool), ['11-24 10:00:00 30 (2)'])

  const known = (await segmentsOf(pool, subscription.customerId, [subscription.id])).get(subscription.id)!
  const changedAt = new Date('2026-11-24T10:17:00Z')
  await restate(pool, { ...subscription, plan: 'business', items: [businessItem] }, known, {
    now: new Date('2026-11-24T10:17:05Z'),
    changedAt,
  })
  await storeBatch(
    pool,
    [use(subscription, '1', '2026-11-24T10:30:00Z'), use(subscription, '2', '2026-11-24T10:01:00Z')],
    silent,
  )

  assert.deepEqual(await rollups(pool), ['11-24 10:00:00 12 (2)', '11-24 10:17:00 21 (2)'])
  assert.equal(await disagreements(pool), 0)
})

test('writers at once, with repeats and a cut among them, end in rollups that equal their events', async (t) => {
  const pool = await database(t)
  const subscriptions = await Promise.all(['a', 'b', 'c'].map((organization) => subscribed(pool, { organization })))
  const events = Array.from({ length: 1_200 }, (_, index) =>
    use(subscriptions[index % 3]!, '1', new Date(Date.parse('2026-11-24T10:00:00Z') + index * 5_000).toISOString()),
  )
  const batches = Array.from({ length: 24 }, (_, index) => events.slice(index * 45, index * 45 + 165))

  const known = (await segmentsOf(pool, subscriptions[0]!.customerId, [subscriptions[0]!.id])).get(
    subscriptions[0]!.id,
  )!
  const changedAt = new Date('2026-11-24T10:33:21Z')
  await Promise.all([
    ...batches.map((batch) => storeBatch(pool, batch, silent)),
    restate(pool, { ...subscriptions[0]!, items: [businessItem] }, known, {
      now: new Date('2026-11-24T11:40:00Z'),
      changedAt,
    }),
  ])

  assert.equal(await disagreements(pool), 0)
  const { rows } = await pool.query('select sum(events)::int as events from billing.rollups')
  assert.equal(rows[0].events, 1_200)
})
