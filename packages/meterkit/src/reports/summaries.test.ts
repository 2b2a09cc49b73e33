import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Stripe } from 'stripe'
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

test('a first attempt is as old as the database says, whatever the clock it was noted by', async (t) => {
  const w = await world(t, { sdkRetries: 0 })
  const acme = await subscriber(w)
  await leaveInDoubt(w, acme, 777, true)
  await w.pool.query(`update billing.reports set first_sent_at = first_sent_at - interval '25 hours'`)
  await pass(w, 0.5 * HOUR_MS)
  const calls = w.stripeLocal.requestCount('/v1/billing/meter_events')

  await w.meterkit.reports.sync()
  assert.equal(w.stripeLocal.requestCount('/v1/billing/meter_events'), calls)
  assert.equal((await w.meterkit.events.counts()).processed, 1)
})

test('a report in doubt is not judged by a summary that may lack another of its minute, accepted a moment ago', async (t) => {
  const w = await world(t, { sdkRetries: 0 })
  const acme = await subscriber(w)
  const hour = w.clock()
  await leaveInDoubt(w, acme, 1_000, true)
  await pass(w, 24 * HOUR_MS)
  const before = await w.stripe.billing.meters.listEventSummaries((await w.stripe.billing.meters.list()).data[0]!.id, {
    customer: acme.customer.stripeId!,
    start_time: hour.getTime() / 1000,
    end_time: hour.getTime() / 1000 + 60,
  })
  const { meters } = w.stripe.billing
  const list = meters.listEventSummaries.bind(meters)
  meters.listEventSummaries = (() => Promise.resolve(before)) as unknown as typeof list // Stripe adds up later
  use(w, acme, 1_000, hour)
  await w.meterkit.events.drained()
  await w.pool.query(`update billing.reports set next_attempt_at = next_attempt_at + interval '1 minute'`)
  await w.meterkit.reports.sync() // the new one
  await pass(w, HOUR_MS / 20)
  await w.meterkit.reports.sync({ urgent: true }) // the one in doubt
  meters.listEventSummaries = list
  await pass(w, HOUR_MS / 2)
  await w.meterkit.reports.sync()

  assert.equal(w.stripeLocal.usage(acme.customer.stripeId!, 'ai_tokens'), '2000')
  assert.equal((await w.meterkit.events.counts()).processed, 2)
})

test('a report whose answer was lost, and whose repetition is refused for good, is asked for before it is sent anew', async (t) => {
  const w = await world(t, { sdkRetries: 0 })
  const acme = await subscriber(w)
  await leaveInDoubt(w, acme, 20_000, true)
  const { meterEvents } = w.stripe.billing
  const create = meterEvents.create.bind(meterEvents)
  // Stripe may look at the meter before it looks at the identifier; the local one does not.
  const refusal = { type: 'invalid_request_error', message: 'No active meter found.', statusCode: 400 } as never
  meterEvents.create = () => Promise.reject(new Stripe.errors.StripeInvalidRequestError(refusal))
  await pass(w, HOUR_MS / 60)
  await w.meterkit.reports.sync()
  const [report] = (await w.meterkit.reports.list()).rows
  assert.deepEqual(
    [report!.status, report!.error],
    ['unsure', 'No active meter found. An earlier attempt may have arrived; Stripe is asked.'],
  )

  meterEvents.create = create
  await w.meterkit.events.retry('all')
  await w.meterkit.reports.sync()
  await pass(w, HOUR_MS / 2)
  await w.meterkit.reports.sync()

  assert.equal(w.stripeLocal.usage(acme.customer.stripeId!, 'ai_tokens'), '20000')
  assert.equal((await w.meterkit.events.counts()).processed, 1)
})
