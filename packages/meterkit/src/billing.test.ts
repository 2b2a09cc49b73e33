import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settled, subscriber, world } from '../test/world.ts'

const HOUR_MS = 3_600_000

test('from recordEvent to a paid invoice: 12,345 tokens on Essential are 65 cents, everywhere', async (t) => {
  const w = await world(t)
  const { customer, subscription } = await subscriber(w)
  assert.equal(subscription.status, 'active')
  assert.equal(subscription.plan, 'essential')

  const events = [12_000, 300, 45].map((quantity) =>
    w.meterkit.recordEvent({ meter: 'ai_tokens', customerId: customer.id, subscriptionId: subscription.id, quantity }),
  )
  await Promise.all(events.map((event) => event.durable))
  await w.meterkit.events.drained()

  const upcoming = await w.meterkit.invoices.upcoming(subscription.id)
  assert.equal(upcoming!.amount, 65n)
  assert.deepEqual(
    upcoming!.lines.map((line) => line.formula),
    ['12,345 tokens → 13 packages of 1,000 × $0.05'],
  )
  assert.deepEqual((await w.meterkit.events.counts()).pending, 3)

  const result = await w.meterkit.reports.sync()
  assert.deepEqual([result.created, result.accepted, result.failed, result.postponed], [1, 1, 0, 0])
  await w.stripeLocal.idle()
  assert.equal(w.stripeLocal.usage(customer.stripeId!, 'ai_tokens'), '12345')
  assert.deepEqual((await w.meterkit.events.list({ status: 'processed' })).rows.length, 3)
  const preview = await w.meterkit.invoices.stripePreview(subscription.id)
  assert.deepEqual([preview!.amount, preview!.difference], [65n, 0n])

  await w.stripeLocal.advance(new Date(subscription.currentPeriod!.end.getTime() + 3 * HOUR_MS))
  await settled(w)
  const [invoice] = await w.meterkit.invoices.list(customer.id)
  assert.deepEqual([invoice!.status, invoice!.total], ['paid', 65n])
  const renewed = await w.meterkit.subscriptions.get(subscription.id)
  assert.deepEqual(renewed!.currentPeriod!.start, subscription.currentPeriod!.end)
})

test('what is too little for a card is carried to the next invoice, and shown until then', async (t) => {
  const w = await world(t)
  const { customer, subscription } = await subscriber(w, { organization: 'Łódź Café – 日本 🚀' })
  const record = (quantity: number) =>
    w.meterkit.recordEvent({ meter: 'ai_tokens', customerId: customer.id, subscriptionId: subscription.id, quantity })
  record(4_000) // four packages, 20 cents: no card is charged below 50
  await w.meterkit.reports.sync()
  await w.stripeLocal.advance(new Date(subscription.currentPeriod!.end.getTime() + 3 * HOUR_MS))
  await settled(w)

  const [first] = await w.meterkit.invoices.list(customer.id)
  assert.deepEqual([first!.status, first!.total, first!.amountDue], ['paid', 20n, 0n])
  const nothing = await w.meterkit.invoices.upcoming(subscription.id)
  assert.deepEqual([nothing!.amount, nothing!.carried, nothing!.belowMinimum], [0n, 20n, 50n])

  record(10_000) // ten packages, and the twenty cents
  await w.meterkit.reports.sync()
  const upcoming = await w.meterkit.invoices.upcoming(subscription.id)
  assert.deepEqual([upcoming!.amount, upcoming!.carried, upcoming!.belowMinimum], [50n, 20n, null])
  await w.stripeLocal.advance(new Date(upcoming!.period.end.getTime() + 3 * HOUR_MS))
  await settled(w)
  const [second] = await w.meterkit.invoices.list(customer.id)
  assert.deepEqual([second!.total, second!.amountDue], [50n, 70n])
  assert.equal((await w.meterkit.invoices.upcoming(subscription.id))!.carried, 0n)
})

test('a second sync sends nothing; a void sends the difference', async (t) => {
  const w = await world(t)
  const { customer, subscription } = await subscriber(w)
  const use = (quantity: number) =>
    w.meterkit.recordEvent({ meter: 'ai_tokens', customerId: customer.id, subscriptionId: subscription.id, quantity })
  const mistaken = use(5_000)
  use(700)
  await w.meterkit.reports.sync()
  assert.equal((await w.meterkit.reports.sync()).created, 0)

  await w.meterkit.events.void(mistaken.id, { by: 'omar', reason: 'a test run' })
  const { pending, processed } = await w.meterkit.events.counts()
  assert.deepEqual([pending, processed], [0, 1])
  assert.equal((await w.meterkit.reports.sync()).accepted, 1)

  assert.equal(w.stripeLocal.usage(customer.stripeId!, 'ai_tokens'), '700')
  assert.equal((await w.meterkit.events.counts()).processed, 1)
  assert.equal(await w.meterkit.events.get('no-uuid'), null)
  assert.equal((await w.meterkit.events.list({ cursor: 'bnonsense' })).rows.length, 2)
})

test('usage recorded after the last sync is flushed into the draft of its period', async (t) => {
  const w = await world(t)
  const { customer, subscription } = await subscriber(w)
  const end = subscription.currentPeriod!.end
  await w.stripeLocal.advance(new Date(end.getTime() - 10_000))
  await w.meterkit.housekeeping()
  const record = (quantity: number, timestamp: Date) =>
    w.meterkit.recordEvent({
      meter: 'ai_tokens',
      customerId: customer.id,
      subscriptionId: subscription.id,
      quantity,
      timestamp,
    })
  record(2_000, new Date(end.getTime() - 11_000))
  record(1, new Date(end.getTime() - 1)) // the last millisecond of the period
  record(500, end) // the first of the next
  await w.meterkit.events.drained()

  await w.stripeLocal.advance(new Date(end.getTime() + 3 * HOUR_MS))
  await settled(w)

  const [invoice] = await w.meterkit.invoices.list(customer.id)
  assert.deepEqual([invoice!.status, invoice!.total], ['paid', 15n]) // 2,001 tokens: three packages
  const upcoming = await w.meterkit.invoices.upcoming(subscription.id)
  assert.deepEqual([upcoming!.lines[0]!.quantity, upcoming!.amount], ['500', 5n])
})

test('usage that comes after its invoice is final is billed late, in the open period', async (t) => {
  const w = await world(t)
  const { customer, subscription } = await subscriber(w)
  const end = subscription.currentPeriod!.end
  await w.stripeLocal.advance(new Date(end.getTime() + 3 * HOUR_MS))
  await settled(w)

  w.meterkit.recordEvent({
    meter: 'ai_tokens',
    customerId: customer.id,
    subscriptionId: subscription.id,
    quantity: 1_500,
    timestamp: new Date(end.getTime() - HOUR_MS),
  })
  await w.meterkit.events.drained()
  const before = await w.meterkit.invoices.upcoming(subscription.id)
  assert.deepEqual([before!.lines[0]!.quantity, before!.lines[0]!.lateQuantity, before!.amount], ['1500', '1500', 10n])

  await w.meterkit.reports.sync()
  const after = await w.meterkit.invoices.upcoming(subscription.id)
  assert.deepEqual([after!.lines[0]!.lateQuantity, after!.amount], ['1500', 10n])
  const [event] = (await w.meterkit.events.list({ status: 'late' })).rows
  assert.deepEqual([event!.quantity, event!.status, event!.late], ['1500', 'processed', true])

  const secondEnd = (await w.meterkit.subscriptions.get(subscription.id))!.currentPeriod!.end
  await w.stripeLocal.advance(new Date(secondEnd.getTime() + 3 * HOUR_MS))
  await settled(w)
  const totals = (await w.meterkit.invoices.list(customer.id)).map((invoice) => invoice.total)
  assert.deepEqual(totals, [10n, 0n])
})

test('a plan switch prices each segment by itself, on both sides', async (t) => {
  const w = await world(t)
  const { customer, subscription } = await subscriber(w)
  const record = (quantity: number) =>
    w.meterkit.recordEvent({ meter: 'ai_tokens', customerId: customer.id, subscriptionId: subscription.id, quantity })
  await w.stripeLocal.advance(new Date(w.clock().getTime() + 2 * 24 * HOUR_MS + 17 * 60_000))
  record(12_345)
  await w.meterkit.events.drained()

  const preview = await w.meterkit.subscriptions.previewSwitch({ subscriptionId: subscription.id, plan: 'business' })
  assert.deepEqual([preview.soFar.amount, preview.unreported], [65n, '12345'])
  await w.stripeLocal.advance(new Date(w.clock().getTime() + 1_000))
  const switched = await w.meterkit.subscriptions.switchPlan({ subscriptionId: subscription.id, plan: 'business' })
  assert.equal(switched.plan, 'business')
  await w.stripeLocal.advance(new Date(w.clock().getTime() + 1_000))
  record(20_000)
  await w.meterkit.reports.sync()
  await w.stripeLocal.idle()
  await settled(w)

  // 13 packages of Essential, then 20,000 tokens on Business: two packages begun of 15,000
  const upcoming = await w.meterkit.invoices.upcoming(subscription.id)
  assert.deepEqual(
    upcoming!.lines.map((line) => [line.plan, line.quantity, line.amount]),
    [
      ['essential', '12345', 65n],
      ['business', '20000', 100n],
    ],
  )
  const stripePreview = await w.meterkit.invoices.stripePreview(subscription.id)
  assert.deepEqual([stripePreview!.amount, stripePreview!.reason], [165n, null])

  await w.stripeLocal.advance(new Date(subscription.currentPeriod!.end.getTime() + 3 * HOUR_MS))
  await settled(w)
  assert.equal((await w.meterkit.invoices.list(customer.id))[0]!.total, 165n)
})

test('cancelled at the period end, the last invoice carries its usage; cancelled now, at once', async (t) => {
  const w = await world(t)
  const later = await subscriber(w)
  const now = await subscriber(w, { organization: 'globex' })
  for (const { customer, subscription } of [later, now]) {
    w.meterkit.recordEvent({
      meter: 'ai_tokens',
      customerId: customer.id,
      subscriptionId: subscription.id,
      quantity: 20_000,
    })
  }
  await w.stripeLocal.advance(new Date(w.clock().getTime() + 60_000))

  const cancelled = await w.meterkit.subscriptions.cancel({ subscriptionId: now.subscription.id, when: 'now' })
  assert.equal(cancelled.status, 'canceled')
  await settled(w)
  assert.deepEqual(
    (await w.meterkit.invoices.list(now.customer.id)).map((invoice) => invoice.total),
    [100n],
  )

  const ending = await w.meterkit.subscriptions.cancel({ subscriptionId: later.subscription.id, when: 'period_end' })
  assert.equal(ending.cancelAtPeriodEnd, true)
  const resumed = await w.meterkit.subscriptions.resume(later.subscription.id)
  assert.equal(resumed.cancelAtPeriodEnd, false)
  await w.meterkit.subscriptions.cancel({ subscriptionId: later.subscription.id, when: 'period_end' })
  await w.stripeLocal.advance(new Date(later.subscription.currentPeriod!.end.getTime() + 3 * HOUR_MS))
  await settled(w)
  assert.equal((await w.meterkit.subscriptions.get(later.subscription.id))!.status, 'canceled')
  assert.deepEqual(
    (await w.meterkit.invoices.list(later.customer.id)).map((invoice) => invoice.total),
    [100n],
  )
})

test('a change is refused, and nothing changed, while Stripe cannot take the usage before it', async (t) => {
  const w = await world(t)
  const { customer, subscription } = await subscriber(w)
  w.meterkit.recordEvent({ meter: 'ai_tokens', customerId: customer.id, subscriptionId: subscription.id, quantity: 5 })
  w.stripeLocal.faults.answer(503, 20, '/v1/billing/meter_events')

  const switching = w.meterkit.subscriptions.switchPlan({ subscriptionId: subscription.id, plan: 'business' })
  await assert.rejects(switching, { code: 'usage_unreported' })
  const cancelling = w.meterkit.subscriptions.cancel({ subscriptionId: subscription.id, when: 'now' })
  await assert.rejects(cancelling, { code: 'usage_unreported' })

  w.stripeLocal.faults.clear()
  const unchanged = await w.meterkit.subscriptions.refresh(subscription.stripeId)
  assert.deepEqual([unchanged.plan, unchanged.status], ['essential', 'active'])
})

test('a draft whose usage cannot be flushed is held back, and let go once it can', async (t) => {
  const w = await world(t)
  const { customer, subscription } = await subscriber(w)
  const end = subscription.currentPeriod!.end
  await w.stripeLocal.advance(new Date(end.getTime() - HOUR_MS))
  w.meterkit.recordEvent({
    meter: 'ai_tokens',
    customerId: customer.id,
    subscriptionId: subscription.id,
    quantity: 20_000,
  })
  await w.meterkit.events.drained()
  w.stripeLocal.faults.answer(503, 1_000, '/v1/billing/meter_events')

  await w.stripeLocal.advance(new Date(end.getTime() + 5 * HOUR_MS))
  await w.stripeLocal.idle()
  const [held] = await w.meterkit.invoices.list(customer.id)
  assert.equal(held!.status, 'draft')
  assert.match(held!.heldReason!, /usage of its period is not with Stripe yet/)

  w.stripeLocal.faults.clear()
  await w.stripeLocal.advance(new Date(w.clock().getTime() + HOUR_MS))
  await w.meterkit.reports.sync()
  await w.stripeLocal.advance(new Date(w.clock().getTime() + 3 * HOUR_MS))
  await settled(w)
  const [paid] = await w.meterkit.invoices.list(customer.id)
  assert.deepEqual([paid!.status, paid!.total, paid!.heldReason], ['paid', 100n, null])
})

test('a refused report blocks a switch until it is mended, because its usage would be lost', async (t) => {
  const w = await world(t)
  const { customer, subscription } = await subscriber(w)
  const [meter] = (await w.stripe.billing.meters.list()).data
  await w.stripe.billing.meters.deactivate(meter!.id)
  w.meterkit.recordEvent({ meter: 'ai_tokens', customerId: customer.id, subscriptionId: subscription.id, quantity: 10 })
  const switching = w.meterkit.subscriptions.switchPlan({ subscriptionId: subscription.id, plan: 'business' })
  await assert.rejects(switching, {
    code: 'usage_unreported',
    message: /an operator has to mend the failed reports first/,
  })

  await w.stripe.billing.meters.reactivate(meter!.id)
  await w.meterkit.events.retry('all')
  await w.stripeLocal.advance(new Date(w.clock().getTime() + 1_000))
  const switched = await w.meterkit.subscriptions.switchPlan({ subscriptionId: subscription.id, plan: 'business' })
  assert.equal(switched.plan, 'business')
  assert.equal((await w.meterkit.invoices.upcoming(subscription.id))!.amount, 5n)
})

test('an event in the caller own transaction exists exactly if it commits', async (t) => {
  const w = await world(t)
  const { customer, subscription } = await subscriber(w)
  const use = { meter: 'ai_tokens' as const, customerId: customer.id, subscriptionId: subscription.id, quantity: 10 }
  const client = await w.pool.connect()
  for (const end of ['rollback', 'commit']) {
    await client.query('begin')
    await w.meterkit.recordEvent(use, { tx: client })
    await client.query(end)
  }
  client.release()
  await w.meterkit.events.drained()
  assert.equal((await w.meterkit.usage.current(subscription.id))!.meters[0]!.quantity, '10')
})

test('an answer that is lost is asked for again under the same identifier, and counted once', async (t) => {
  const w = await world(t)
  const { customer, subscription } = await subscriber(w)
  w.meterkit.recordEvent({
    meter: 'ai_tokens',
    customerId: customer.id,
    subscriptionId: subscription.id,
    quantity: 12_345,
  })
  w.stripeLocal.faults.loseAnswers(3, '/v1/billing/meter_events') // the first try and both of the SDK's own

  const first = await w.meterkit.reports.sync()
  assert.deepEqual([first.created, first.accepted, first.postponed], [1, 0, 1])
  await w.stripeLocal.advance(new Date(w.clock().getTime() + 60_000)) // past the back-off
  const second = await w.meterkit.reports.sync()

  assert.deepEqual([second.created, second.accepted], [0, 1])
  assert.equal(w.stripeLocal.usage(customer.stripeId!, 'ai_tokens'), '12345')
})

test('a report in doubt for more than a day is settled by the summaries, whichever way it went', async (t) => {
  for (const delivered of [true, false]) {
    const w = await world(t)
    const { customer, subscription } = await subscriber(w)
    w.meterkit.recordEvent({
      meter: 'ai_tokens',
      customerId: customer.id,
      subscriptionId: subscription.id,
      quantity: 777,
    })
    if (delivered) w.stripeLocal.faults.loseAnswers(3, '/v1/billing/meter_events')
    else w.stripeLocal.faults.dropRequests(3, '/v1/billing/meter_events')
    assert.equal((await w.meterkit.reports.sync()).postponed, 1)

    await w.stripeLocal.advance(new Date(w.clock().getTime() + 30 * HOUR_MS))
    await w.meterkit.reports.sync()

    assert.equal(w.stripeLocal.usage(customer.stripeId!, 'ai_tokens'), '777', delivered ? 'delivered' : 'not delivered')
    assert.equal((await w.meterkit.events.counts()).processed, 1)
  }
})

test('a permanent refusal shows Stripe own words; clearing the error by SQL alone sends the usage again', async (t) => {
  const w = await world(t)
  const { customer, subscription } = await subscriber(w)
  const [meter] = (await w.stripe.billing.meters.list()).data
  await w.stripe.billing.meters.deactivate(meter!.id)
  const { id } = w.meterkit.recordEvent({
    meter: 'ai_tokens',
    customerId: customer.id,
    subscriptionId: subscription.id,
    quantity: 10,
  })
  assert.equal((await w.meterkit.reports.sync()).failed, 1)

  const { rows } = await w.pool.query('select id, error_message, processed_at from billing.billing_meter_events')
  assert.equal(rows[0].id, id)
  assert.match(rows[0].error_message, /No active meter found for event name "ai_tokens"/)

  await w.stripe.billing.meters.reactivate(meter!.id)
  await w.pool.query(
    `update billing.billing_meter_events set error_message = null where error_message like 'No active meter%'`,
  )
  assert.equal((await w.meterkit.reports.sync()).accepted, 1)
  assert.equal(w.stripeLocal.usage(customer.stripeId!, 'ai_tokens'), '10')
  const again = await w.pool.query('select error_message, processed_at from billing.billing_meter_events')
  assert.equal(again.rows[0].error_message, null)
  assert.ok(again.rows[0].processed_at)
  await assert.rejects(
    w.pool.query('update billing.billing_meter_events set quantity = 1'),
    /only error_message can be changed/,
  )
})

test('a refusal that comes later, as a thin event, marks the report and its events', async (t) => {
  const w = await world(t)
  const { customer, subscription } = await subscriber(w)
  w.stripeLocal.faults.rejectAsynchronously(1, 'meter_event_customer_not_found')
  w.meterkit.recordEvent({ meter: 'ai_tokens', customerId: customer.id, subscriptionId: subscription.id, quantity: 10 })
  assert.equal((await w.meterkit.reports.sync()).accepted, 1)
  await w.stripeLocal.advance(new Date(w.clock().getTime() + 60_000))
  await w.stripeLocal.idle()
  await settled(w)

  const [event] = (await w.meterkit.events.list({ status: 'failed' })).rows
  assert.match(event!.errorMessage!, /meter_event_customer_not_found/)
  const reason = async () => (await w.meterkit.invoices.stripePreview(subscription.id))!.reason
  assert.equal(
    await reason(),
    '10 tokens are not with Stripe yet; some of their reports failed, which has to be settled.',
  )
  assert.equal(await w.meterkit.events.retry({ eventIds: [event!.id] }), 1)
  assert.equal(await reason(), '10 tokens are not with Stripe yet; the next sync brings them.')
  await w.meterkit.reports.sync()
  assert.equal(w.stripeLocal.usage(customer.stripeId!, 'ai_tokens'), '10')
})

test('ten workers at once send each report once', async (t) => {
  const w = await world(t)
  const subscribers = await Promise.all(
    ['a', 'b', 'c', 'd', 'e'].map((organization) => subscriber(w, { organization })),
  )
  for (const { customer, subscription } of subscribers) {
    w.meterkit.recordEvent({
      meter: 'ai_tokens',
      customerId: customer.id,
      subscriptionId: subscription.id,
      quantity: 10,
    })
  }
  await w.meterkit.events.drained()

  await Promise.all(Array.from({ length: 3 }, () => w.meterkit.reports.sync()))
  await w.meterkit.reports.sync()

  assert.equal(w.stripeLocal.receivedMeterEvents().length, 5)
})

test('a second subscription on the meter is refused at checkout', async (t) => {
  const w = await world(t)
  const { customer } = await subscriber(w)
  const again = w.meterkit.subscriptions.checkout({
    customerId: customer.id,
    plan: 'business',
    successUrl: 'http://app/ok',
    cancelUrl: 'http://app/no',
  })
  await assert.rejects(again, { code: 'meter_in_use' })
})

test('a delivery that Stripe did not sign so, or long ago, stores nothing', async (t) => {
  const w = await world(t)
  const body = JSON.stringify({
    id: 'evt_1',
    object: 'event',
    type: 'invoice.paid',
    created: 1,
    data: { object: { id: 'in_1' } },
  })
  const post = (payload: string, signature: string) =>
    w.meterkit.handler(
      new Request('http://app/webhooks/stripe', {
        method: 'POST',
        body: payload,
        headers: { 'stripe-signature': signature },
      }),
    )
  const seconds = Math.floor(w.clock().getTime() / 1000)
  const sign = (secret: string, timestamp: number) =>
    w.stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp })
  const before = (await w.meterkit.webhooks.counts()).received

  assert.equal((await post(body, sign('whsec_other', seconds))).status, 400)
  assert.equal((await post(`${body} `, sign('whsec_other', seconds))).status, 400)
  assert.equal((await post(body, '')).status, 400)

  assert.equal((await w.meterkit.webhooks.counts()).received, before)
})

test('provisioning a second time changes nothing; a changed price becomes a new one', async (t) => {
  const w = await world(t)
  const again = await w.meterkit.provision({ dryRun: true })
  assert.deepEqual(
    again.steps.filter((step) => step.action !== 'unchanged'),
    [],
  )
  assert.equal(again.changed, false)
})
