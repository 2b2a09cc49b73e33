import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pass, subscriber, use, world } from '../../test/world.ts'

test('a dry run tells what the sync then does, and changes nothing', async (t) => {
  const w = await world(t, { sdkRetries: 0 })
  const acme = await subscriber(w)
  const other = await subscriber(w, { organization: 'other' })
  use(w, acme, 100)
  w.stripeLocal.faults.dropRequests(2, '/v1/billing/meter_events')
  await w.meterkit.reports.sync()
  use(w, acme, 20)
  use(w, other, 3)
  await w.meterkit.events.drained()
  await pass(w, 60_000)

  const plan = await w.meterkit.reports.sync({ dryRun: true })
  assert.deepEqual([plan.customers, plan.writes, plan.sends], [2, 2, 1])
  assert.deepEqual(plan.toWrite.map(({ value, events, late }) => [value, events, late]).sort(), [
    ['20', 1, false],
    ['3', 1, false],
  ])
  assert.deepEqual(
    plan.toSend.map(({ value, status }) => [value, status]),
    [['100', 'pending']],
  )
  assert.deepEqual((await w.meterkit.reports.sync({ dryRun: true, customerId: other.customer.id })).writes, 1)
  assert.deepEqual(await w.meterkit.reports.sync({ dryRun: true }), plan)

  const { created, accepted } = await w.meterkit.reports.sync()
  assert.deepEqual([created, accepted], [plan.writes, plan.writes + plan.sends])
  assert.deepEqual((await w.meterkit.reports.sync({ dryRun: true })).customers, 0)
  const { due, pending, oldestUnreportedAt } = await w.meterkit.reports.backlog()
  assert.deepEqual([due, pending, oldestUnreportedAt], [0, 0, null])
  assert.equal(w.meterkit.reports.totals().accepted, 3)
})
