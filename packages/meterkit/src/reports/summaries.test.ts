import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pass, subscriber, use, type World, world } from '../../test/world.ts'
import { openReports } from './store.ts'
import { submitReport } from './submit.ts'

const HOUR_MS = 3_600_000

/** Usage whose report is left in doubt: counted by Stripe without our hearing of it, or never arrived. */
async function leaveInDoubt(w: World, acme: Parameters<typeof use>[1], quantity: number, delivered: boolean) {
  use(w, acme, quantity)
  // two: where a connection closes, the SDK tries once more in any case
  if (delivered) w.stripeLocal.faults.loseAnswers(2, '/v1/billing/meter_events')
  else w.stripeLocal.faults.dropRequests(2, '/v1/billing/meter_events')
  const { created, postponed } = await w.meterkit.reports.sync()
  assert.deepEqual([created, postponed], [1, 1])
}

test('two reports of one hour, in doubt for more than a day: the summaries settle both', async (t) => {
  for (const firstDelivered of [true, false]) {
    const w = await world(t, { sdkRetries: 0 })
    const acme = await subscriber(w)
    await leaveInDoubt(w, acme, 777, firstDelivered)
    await leaveInDoubt(w, acme, 55, !firstDelivered)
    const arrived = firstDelivered ? '777' : '55'
    assert.equal(w.stripeLocal.usage(acme.customer.stripeId!, 'ai_tokens'), arrived)

    await pass(w, 30 * HOUR_MS)
    await w.meterkit.reports.sync()

    assert.equal(w.stripeLocal.usage(acme.customer.stripeId!, 'ai_tokens'), '832', `${arrived} had arrived`)
    assert.equal((await w.meterkit.events.counts()).processed, 2)
    const statuses = (await w.meterkit.reports.list()).rows.map((report) => report.status).sort()
    assert.deepEqual(statuses, ['accepted', 'accepted', 'cleared']) // the one that never arrived was written anew
  }
})

test('where the summaries fit either of two reports, nothing is sent twice: an operator is asked', async (t) => {
  const w = await world(t, { sdkRetries: 0 })
  const acme = await subscriber(w)
  await leaveInDoubt(w, acme, 100, true)
  await leaveInDoubt(w, acme, 100, false)

  await pass(w, 30 * HOUR_MS)
  await w.meterkit.reports.sync()

  assert.equal(w.stripeLocal.usage(acme.customer.stripeId!, 'ai_tokens'), '100')
  const { rows } = await w.meterkit.reports.list()
  assert.deepEqual(
    rows.map((report) => report.status),
    ['unsure', 'unsure'],
  )
  for (const report of rows) assert.match(report.error!, /summaries do not tell .*they show 100 where 0 is confirmed/)
})

test('a process that sleeps right before it sends again: the summaries are asked, and not a memory that Stripe has lost', async (t) => {
  const w = await world(t, { sdkRetries: 0 })
  const acme = await subscriber(w)
  await leaveInDoubt(w, acme, 777, true)
  await pass(w, 22.5 * HOUR_MS)
  const [report] = await openReports(w.pool, acme.customer.id, null)
  const [meter] = (await w.stripe.billing.meters.list()).data
  const context = {
    pool: w.pool,
    stripe: w.stripe,
    clock: w.clock,
    random: () => 0,
    pace: () => pass(w, 2 * HOUR_MS),
    meterStripeId: async () => meter!.id,
  }

  await submitReport(context, report!, acme.customer.stripeId!)
  assert.equal(w.stripeLocal.usage(acme.customer.stripeId!, 'ai_tokens'), '777')
  assert.equal((await w.meterkit.events.counts()).processed, 1)
})
