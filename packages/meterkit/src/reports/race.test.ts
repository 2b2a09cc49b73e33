import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pass, type Subscriber, settled, subscriber, use, type World, world } from '../../test/world.ts'
import { rejectAccepted } from './store.ts'

const SECOND_MS = 1_000
const BY = { by: 'omar', reason: 'a mistake' }

/** Usage whose report Stripe has refused after it had accepted it. */
async function refused(w: World, acme: Subscriber, quantity: number) {
  use(w, acme, quantity)
  await w.meterkit.events.drained()
  w.stripeLocal.faults.rejectAsynchronously(1, 'meter_event_invalid_value')
  await w.meterkit.reports.sync()
  await settled(w)
  await pass(w, SECOND_MS)
  return (await w.meterkit.reports.list({ status: 'failed' })).rows[0]!
}

/** A sync that waits for somebody who holds the rollups, and goes on with what he leaves. */
async function syncAfter(w: World, statement: string, values: unknown[], meanwhile: () => Promise<unknown> | null) {
  const other = await w.pool.connect()
  await other.query('begin')
  await other.query(statement, values)
  const syncing = w.meterkit.reports.sync()
  await new Promise((resolve) => setTimeout(resolve, 300))
  const done = meanwhile()
  await new Promise((resolve) => setTimeout(resolve, 50))
  await other.query('commit')
  other.release()
  await Promise.all([syncing, done])
}

async function accepted(w: World): Promise<number> {
  for await (const { agrees, disagreements } of w.meterkit.verify()) assert.ok(agrees, JSON.stringify(disagreements))
  const { rows } = await w.meterkit.reports.list({ status: 'accepted' })
  return rows.reduce((sum, { value }) => sum + Number(value), 0)
}

test('an error cleared while a sync is about to write reports of its hour: nothing is sent twice', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const mistake = use(w, acme, 120_000)
  await w.meterkit.events.drained()
  await w.meterkit.reports.sync()
  const failed = await refused(w, acme, 50_000)
  await w.meterkit.events.void(mistake.id, BY)

  const clear = 'select billing.clear_report($1, $2)'
  await syncAfter(w, clear, [failed.customerId, failed.id], () => null)
  await w.meterkit.reports.sync()

  assert.equal(await accepted(w), 50_000)
  assert.equal(w.stripeLocal.usage(acme.customer.stripeId!, 'ai_tokens'), '50000')
})

test('a report refused while a sync is about to write others of its hour: nothing is dropped', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  use(w, acme, 80_000)
  const mistake = use(w, acme, 20_000)
  await w.meterkit.events.drained()
  await w.meterkit.reports.sync()
  const [first] = (await w.meterkit.reports.list()).rows
  await refused(w, acme, 50_000)
  await w.meterkit.events.void(mistake.id, BY)

  await syncAfter(w, 'select 1 from billing.rollups for update', [], () =>
    rejectAccepted(w.pool, first!.identifier, 'refused later'),
  )
  await w.meterkit.events.retry('all')
  await w.meterkit.reports.sync()

  assert.equal(await accepted(w), 130_000)
})

test('one of two refused events of an hour is voided: the other is sent as the one event it is', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const mistake = use(w, acme, 10)
  await w.meterkit.events.drained()
  w.stripeLocal.faults.rejectAsynchronously(1, 'meter_event_invalid_value')
  await w.meterkit.reports.sync()
  await settled(w)
  await refused(w, acme, 20)
  await w.meterkit.events.void(mistake.id, BY)
  assert.deepEqual(
    (await w.meterkit.reports.sync({ dryRun: true })).toWrite.map(({ value, events }) => [value, events]),
    [['20', 1]],
  )

  await w.meterkit.reports.sync()

  const { rows } = await w.meterkit.reports.list({ status: 'accepted' })
  assert.deepEqual(
    rows.map(({ value, events }) => [value, events]),
    [['20', 1]],
  )
  const counts = await w.meterkit.events.counts()
  assert.deepEqual([counts.processed, counts.failed, counts.void], [1, 0, 1])
})
