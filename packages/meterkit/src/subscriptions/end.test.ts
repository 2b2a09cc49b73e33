import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pass, settled, subscriber, until, use, world } from '../../test/world.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

test('cancelled at Stripe without an invoice: unreported usage shows as failed, never as billed', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  await pass(w, 2 * HOUR_MS)
  use(w, acme, 100_000)
  await w.meterkit.events.drained()
  await pass(w, MINUTE_MS)

  await w.stripe.subscriptions.cancel(acme.subscription.stripeId) // Stripe's default, and what its dunning does
  await settled(w)
  await pass(w, 3 * HOUR_MS)
  await w.meterkit.reports.sync()

  const { processed, failed } = await w.meterkit.events.counts()
  assert.deepEqual([processed, failed], [0, 1])
  const [event] = (await w.meterkit.events.list({ status: 'failed' })).rows
  assert.match(event!.errorMessage!, /cannot be billed by a meter any more/)
  assert.equal(w.stripeLocal.usage(acme.customer.stripeId!, 'ai_tokens'), '0')
})

test('usage of before a cancellation that comes after it shows as failed, never as billed', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  await pass(w, 2 * HOUR_MS)
  await w.meterkit.subscriptions.cancel({ subscriptionId: acme.subscription.id, when: 'now' }) // nothing used: no last invoice
  await settled(w)

  use(w, acme, 100_000, new Date(w.clock().getTime() - MINUTE_MS))
  await w.meterkit.reports.sync()

  const { processed, failed } = await w.meterkit.events.counts()
  assert.deepEqual([processed, failed], [0, 1])
  const [event] = (await w.meterkit.events.list({ status: 'failed' })).rows
  assert.match(event!.errorMessage!, /cannot be billed by a meter any more/)
})

test('cancelled now with webhooks late: the last invoice has what came before it, and what comes after shows as failed', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const billedEvent = use(w, acme, 20_000)
  await pass(w, 2 * HOUR_MS)
  w.webhooks.reach = false
  await w.meterkit.subscriptions.cancel({ subscriptionId: acme.subscription.id, when: 'now' })
  const lateEvent = use(w, acme, 100_000, new Date(w.clock().getTime() - MINUTE_MS))
  await w.meterkit.reports.sync()

  w.webhooks.reach = true
  await pass(w, 3 * HOUR_MS)
  await settled(w)
  await w.meterkit.reports.sync()

  const statuses = await Promise.all(
    [billedEvent, lateEvent].map(async ({ id }) => (await w.meterkit.events.get(id))!.status),
  )
  assert.deepEqual(statuses, ['processed', 'failed'])
  const totals = (await w.meterkit.invoices.list(acme.customer.id)).map((invoice) => invoice.total)
  assert.deepEqual(totals, [100n]) // 20,000 tokens on Essential: twenty packages of $0.05
})

test('usage in the very second of a cancellation is on the last invoice, and so is late usage reported in it', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  await pass(w, 2 * HOUR_MS)
  const switchedAt = w.clock()
  await w.meterkit.subscriptions.switchPlan({ subscriptionId: acme.subscription.id, plan: 'business' })
  await pass(w, HOUR_MS + 300)
  use(w, acme, 100_000)
  use(w, acme, 100_000, new Date(switchedAt.getTime() - MINUTE_MS))

  const cancelling = w.meterkit.subscriptions.cancel({ subscriptionId: acme.subscription.id, when: 'now' })
  await until(() => w.stripeLocal.receivedMeterEvents().length === 2)
  await Promise.race([cancelling, new Promise((resolve) => setTimeout(resolve, 300))])
  await pass(w, 700) // the clock goes on while the cancellation waits for the second to be over
  await cancelling
  await settled(w)
  await w.meterkit.reports.sync()

  const totals = (await w.meterkit.invoices.list(acme.customer.id)).map((invoice) => invoice.total)
  assert.deepEqual(totals, [700n]) // 200,000 tokens on Business, 13.3: fourteen packages of $0.50
  assert.equal((await w.meterkit.events.counts()).processed, 2)
})

test('cancelled and the answer lost: nothing is reported until it is known, and what came later shows as failed', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const billedEvent = use(w, acme, 20_000)
  await pass(w, 2 * HOUR_MS)
  w.webhooks.reach = false
  w.stripeLocal.faults.loseAnswers(3, '/v1/subscriptions') // the first try and both of the SDK's own
  await assert.rejects(w.meterkit.subscriptions.cancel({ subscriptionId: acme.subscription.id, when: 'now' }))

  const lateEvent = use(w, acme, 100_000, new Date(w.clock().getTime() - MINUTE_MS))
  const unknown = await w.meterkit.reports.sync()
  assert.equal(unknown.postponed, 1)
  assert.match(unknown.reason!, /has not answered a change/)
  await pass(w, 6 * MINUTE_MS)
  await w.meterkit.reports.sync()

  const statuses = await Promise.all(
    [billedEvent, lateEvent].map(async ({ id }) => (await w.meterkit.events.get(id))!.status),
  )
  assert.deepEqual(statuses, ['processed', 'failed'])
  assert.equal(w.stripeLocal.usage(acme.customer.stripeId!, 'ai_tokens'), '20000')
  const totals = (await w.meterkit.invoices.list(acme.customer.id)).map((invoice) => invoice.total)
  assert.deepEqual(totals, [100n]) // 20,000 tokens on Essential: twenty packages of $0.05
})

test('cancelled, and Stripe answered with an error after the work: it is known at once', async (t) => {
  const w = await world(t, { sdkRetries: 0 })
  const acme = await subscriber(w)
  await pass(w, 2 * HOUR_MS)
  w.webhooks.reach = false
  w.stripeLocal.faults.answer(500, 1, '/v1/subscriptions', true)
  await assert.rejects(w.meterkit.subscriptions.cancel({ subscriptionId: acme.subscription.id, when: 'now' }))
  assert.equal((await w.meterkit.subscriptions.get(acme.subscription.id))!.status, 'canceled')

  const lateEvent = use(w, acme, 100_000, new Date(w.clock().getTime() - MINUTE_MS))
  await w.meterkit.reports.sync()

  assert.equal((await w.meterkit.events.get(lateEvent.id))!.status, 'failed')
})
