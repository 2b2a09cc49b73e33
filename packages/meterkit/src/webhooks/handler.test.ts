import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deliver, pass, settled, subscriber, use, within, world } from '../../test/world.ts'

const HOUR_MS = 3_600_000
const MEGABYTE = 1024 * 1024

test('a delivery that comes twice is stored and handled once', async (t) => {
  const w = await world(t)
  const { subscription } = await subscriber(w)
  w.webhooks.reach = false // by hand from here
  await w.stripe.subscriptions.update(subscription.stripeId, { cancel_at_period_end: true })
  const [event] = (await w.stripe.events.list({ type: 'customer.subscription.updated', limit: 1 })).data
  const handled: string[] = []
  w.meterkit.onWebhook(async (id) => {
    handled.push(id)
    await w.meterkit.webhooks.process(id)
  })
  const { processed } = await w.meterkit.webhooks.counts()

  const answers = [await deliver(w, event!), await deliver(w, event!)]

  assert.deepEqual(
    answers.map((answer) => answer.status),
    [200, 200],
  )
  assert.deepEqual(handled, [event!.id])
  assert.equal((await w.meterkit.webhooks.counts()).processed, processed + 1)
  assert.equal((await w.meterkit.webhooks.get(event!.id))!.attempts, 1)
  assert.equal((await w.meterkit.subscriptions.get(subscription.id))!.cancelAtPeriodEnd, true)
})

test('a delivery that could not be queued is taken up when Stripe sends it again', async (t) => {
  const w = await world(t)
  const { subscription } = await subscriber(w)
  let down = true
  w.meterkit.onWebhook(async (id) => {
    if (down) throw new Error('the queue is down')
    await w.meterkit.webhooks.process(id)
  })
  await w.stripe.subscriptions.update(subscription.stripeId, { cancel_at_period_end: true })
  await w.stripeLocal.idle()
  assert.equal((await w.meterkit.subscriptions.get(subscription.id))!.cancelAtPeriodEnd, false)

  down = false
  await pass(w, 2 * HOUR_MS) // Stripe tries again
  await w.stripeLocal.idle()

  assert.equal((await w.meterkit.subscriptions.get(subscription.id))!.cancelAtPeriodEnd, true)
  assert.deepEqual(await w.meterkit.webhooks.unprocessed(), [])
})

test('a body that is too large is refused before it is read to its end', async (t) => {
  const w = await world(t)
  let megabytes = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      megabytes += 1
      if (megabytes > 300) controller.close()
      else controller.enqueue(new Uint8Array(MEGABYTE).fill(97))
    },
  })

  const answer = await w.meterkit.handler(
    new Request('http://app/webhooks/stripe', { method: 'POST', body, duplex: 'half' }),
  )

  assert.equal(answer.status, 413)
  assert.ok(megabytes < 10, `${megabytes} MB of 300 were read; 2 are allowed`)
})

test('twenty invoices of one instant, delivered at once, are all flushed', { timeout: 60_000 }, async (t) => {
  const w = await world(t)
  const subscribers = []
  for (let i = 0; i < 20; i++) subscribers.push(await subscriber(w, { organization: `organization-${i}` }))
  for (const each of subscribers) use(w, each, 5_000)
  await w.meterkit.events.drained()
  w.webhooks.reach = false // by hand, so that they come at once
  await w.stripeLocal.advance(new Date(subscribers[0]!.subscription.currentPeriod!.end.getTime() + 1_000))
  const { data: events } = await w.stripe.events.list({ type: 'invoice.created', limit: 100 })
  const drafts = events.filter((event) => event.created * 1000 >= w.clock().getTime() - 1_000)
  assert.equal(drafts.length, 20)

  const answers = await within(25_000, Promise.all(drafts.map((event) => deliver(w, event))))

  assert.deepEqual(
    answers.map((answer) => answer.status),
    Array(20).fill(200),
  )
  const usages = subscribers.map(({ customer }) => w.stripeLocal.usage(customer.stripeId!, 'ai_tokens'))
  assert.deepEqual(usages, Array(20).fill('5000'))
})

test('the last draft of a subscription that ends is held while a report of its period is refused', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const end = acme.subscription.currentPeriod!.end
  await w.meterkit.subscriptions.cancel({ subscriptionId: acme.subscription.id, when: 'period_end' })
  await w.stripeLocal.advance(new Date(end.getTime() - HOUR_MS))
  use(w, acme, 20_000)
  await w.meterkit.events.drained()
  const [meter] = (await w.stripe.billing.meters.list()).data
  await w.stripe.billing.meters.deactivate(meter!.id)

  await w.stripeLocal.advance(new Date(end.getTime() + 3 * HOUR_MS))
  await w.stripeLocal.idle()
  const [held] = await w.meterkit.invoices.list(acme.customer.id)
  assert.equal(held!.status, 'draft')
  assert.match(held!.heldReason!, /Stripe refused 1 reports of its period/)

  await w.stripe.billing.meters.reactivate(meter!.id)
  await w.meterkit.events.retry('all')
  await w.meterkit.reports.sync()
  await pass(w, 3 * HOUR_MS)
  await settled(w)
  const invoices = await w.meterkit.invoices.list(acme.customer.id)
  assert.deepEqual(
    invoices.map(({ status, total, heldReason }) => [status, total, heldReason]),
    [['paid', 100n, null]], // twenty packages of $0.05
  )
})

test('a customer that cannot be reported does not keep the drafts of others held', async (t) => {
  const w = await world(t, { sdkRetries: 0 })
  const lost = await subscriber(w, { organization: 'lost' })
  const acme = await subscriber(w)
  const end = acme.subscription.currentPeriod!.end
  await w.stripeLocal.advance(new Date(end.getTime() - HOUR_MS))
  use(w, acme, 20_000)
  await w.meterkit.events.drained()
  w.stripeLocal.faults.answer(503, 1_000, '/v1/billing/meter_events')
  await w.stripeLocal.advance(new Date(end.getTime() + 5 * HOUR_MS))
  await w.stripeLocal.idle()
  assert.equal((await w.meterkit.invoices.list(acme.customer.id))[0]!.status, 'draft')

  w.stripeLocal.faults.clear()
  use(w, lost, 1, new Date(end.getTime() - 2 * HOUR_MS))
  await w.meterkit.events.drained()
  await w.pool.query(`update billing.subscriptions set stripe_id = 'sub_gone' where id = $1`, [lost.subscription.id])
  // open again, so that its invoice is looked up, which fails
  await w.pool.query('update billing.segments set closed_at = null where subscription_id = $1', [lost.subscription.id])
  for (let round = 0; round < 3; round++) {
    await pass(w, 3 * HOUR_MS)
    await w.meterkit.reports.sync()
  }
  await w.stripeLocal.idle()

  const [paid] = await w.meterkit.invoices.list(acme.customer.id)
  assert.deepEqual([paid!.status, paid!.total], ['paid', 100n]) // twenty packages of $0.05
})

test('what Stripe refused later is found by the key of the request as well', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  use(w, acme, 1_000)
  await w.meterkit.events.drained()
  w.webhooks.reach = false
  await w.meterkit.reports.sync()
  const { identifier } = (await w.meterkit.reports.list()).rows[0]!
  const sample_errors = [{ error_message: 'Invalid value.', request: { idempotency_key: `${identifier}-0` } }]
  const reason = { error_types: [{ code: 'meter_event_invalid_value', sample_errors }] }
  const { events } = w.stripe.v2.core
  events.retrieve = (() => Promise.resolve({ data: { reason } })) as unknown as typeof events.retrieve

  await deliver(w, {
    id: 'evt_test_thin',
    object: 'v2.core.event',
    type: 'v1.billing.meter.error_report_triggered',
    created: w.clock().toISOString(),
    related_object: { id: 'mtr_1', type: 'billing.meter', url: '/v1/billing/meters/mtr_1' },
  } as never)
  await settled(w)
  assert.equal((await w.meterkit.reports.list()).rows[0]!.status, 'failed')
})

test('webhooks of an invoice that was deleted at Stripe are processed', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  w.webhooks.reach = false
  const draft = await w.stripe.invoices.create({ customer: acme.customer.stripeId!, auto_advance: false })
  await w.stripe.invoices.del(draft.id!)
  w.webhooks.reach = true
  await pass(w, 6 * HOUR_MS)
  await settled(w)
  assert.deepEqual((await w.meterkit.webhooks.list({ status: 'failed' })).rows, [])
})
