import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Stripe } from 'stripe'
import { essential, packagePrice, world } from './world.ts'

/** Subscribed to Essential on 10 January; 12,345 tokens used by the 20th, when a Business price is at hand. */
async function midPeriod(t: TestContext) {
  const { local, stripe } = await world(t, '2026-01-10T08:00:00Z')
  const { meter, price, customer, use } = await essential(stripe, local)
  const business = await packagePrice(stripe, meter.id, { name: 'Business', unitAmount: 50, perUnits: 15_000 })
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  await local.advance(new Date('2026-01-20T08:00:00Z'))
  await use('12345', new Date('2026-01-20T07:00:00Z'))
  const items = [{ id: subscription.items.data[0]!.id, price: business.id }]
  const linesOf = (invoice: Stripe.Invoice) => invoice.lines.data.map((line) => `${line.amount} ${line.description}`)
  return { local, stripe, customer, use, business, subscription, items, linesOf }
}

test('the old part becomes an invoice item at its old price, the new one starts its packages afresh', async (t) => {
  const { local, stripe, use, subscription, items, linesOf, customer } = await midPeriod(t)
  const proration_date = Math.floor(local.now().getTime() / 1000)
  const preview = await stripe.invoices.createPreview({
    subscription: subscription.id,
    subscription_details: { items, proration_date, proration_behavior: 'create_prorations' },
  })
  assert.deepEqual(linesOf(preview), [
    '65 12345 × Essential (at $0.05 per 1000 units / month)',
    '0 0 × Business (at $0.50 per 15000 units / month)',
  ])
  assert.equal((await stripe.invoiceItems.list({ customer: customer.id })).data.length, 0) // a preview leaves nothing behind

  const updated = await stripe.subscriptions.update(subscription.id, {
    items,
    proration_date,
    proration_behavior: 'create_prorations',
  })
  assert.equal(updated.latest_invoice, null)
  const [pending] = (await stripe.invoiceItems.list({ customer: customer.id, pending: true })).data
  assert.equal(pending!.amount, 65)
  assert.equal(pending!.period.start, subscription.items.data[0]!.current_period_start)
  assert.equal(pending!.period.end, proration_date)

  await use('1', new Date('2026-01-20T08:00:00Z'))
  await local.advance(new Date('2026-02-10T10:00:00Z'))
  const [invoice] = (await stripe.invoices.list({ subscription: subscription.id })).data
  assert.equal(invoice!.status, 'paid')
  assert.deepEqual(linesOf(invoice!), [
    '65 12345 × Essential (at $0.05 per 1000 units / month)',
    '50 1 × Business (at $0.50 per 15000 units / month)',
  ])
  assert.equal(invoice!.lines.data[0]!.parent!.invoice_item_details!.invoice_item, pending!.id)
})

test('always_invoice sends the old part out at once', async (t) => {
  const { stripe, subscription, items, linesOf } = await midPeriod(t)
  const proration_behavior = 'always_invoice'
  const preview = await stripe.invoices.createPreview({
    subscription: subscription.id,
    subscription_details: { items, proration_behavior },
  })
  assert.equal(preview.total, 65)
  const updated = await stripe.subscriptions.update(subscription.id, {
    items,
    proration_behavior,
    expand: ['latest_invoice'],
  })
  const invoice = updated.latest_invoice as Stripe.Invoice
  assert.equal(invoice.billing_reason, 'subscription_update')
  assert.equal(invoice.status, 'paid')
  assert.deepEqual(linesOf(invoice), ['65 12345 × Essential (at $0.05 per 1000 units / month)'])
})

test('proration_behavior=none never bills what was used before the switch', async (t) => {
  const { local, stripe, use, subscription, items } = await midPeriod(t)
  await stripe.subscriptions.update(subscription.id, { items, proration_behavior: 'none' })
  await use('15001', new Date('2026-01-20T08:00:01Z'))
  await local.advance(new Date('2026-02-10T10:00:00Z'))
  const [invoice] = (await stripe.invoices.list({ subscription: subscription.id })).data
  assert.equal(invoice!.total, 100) // two packages of Business and nothing of Essential
})

test('usage accepted just before the switch is in the old part, counted or not', async (t) => {
  const { local, stripe } = await world(t, '2026-01-10T08:00:00Z', { aggregationDelayMs: 60_000 })
  const { meter, price, customer } = await essential(stripe, local)
  const business = await packagePrice(stripe, meter.id, { name: 'Business', unitAmount: 50, perUnits: 15_000 })
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  await local.advance(new Date('2026-01-11T08:00:00Z'))
  await stripe.billing.meterEvents.create({
    event_name: 'ai_tokens',
    timestamp: Date.parse('2026-01-11T07:59:59Z') / 1000,
    payload: { stripe_customer_id: customer.id, value: '1' },
  })
  await stripe.subscriptions.update(subscription.id, {
    items: [{ id: subscription.items.data[0]!.id, price: business.id }],
  })
  assert.deepEqual(
    (await stripe.invoiceItems.list({ customer: customer.id })).data.map((item) => item.amount),
    [5],
  )
})

test('the end of the period ends the subscription, bills its usage, and can be called off until then', async (t) => {
  const { local, stripe, subscription } = await midPeriod(t)
  const planned = await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true })
  assert.equal(planned.cancel_at, planned.items.data[0]!.current_period_end)
  const kept = await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: false })
  assert.deepEqual([kept.cancel_at, kept.canceled_at], [null, null])
  await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true })
  await local.advance(new Date('2026-02-10T10:00:00Z'))
  const ended = await stripe.subscriptions.retrieve(subscription.id)
  assert.equal(ended.status, 'canceled')
  assert.equal(new Date(ended.ended_at! * 1000).toISOString(), '2026-02-10T08:00:00.000Z')
  const [invoice] = (await stripe.invoices.list({ subscription: subscription.id })).data
  assert.deepEqual([invoice!.status, invoice!.total], ['paid', 65])
  await assert.rejects(stripe.invoices.createPreview({ subscription: subscription.id }), {
    code: 'invoice_upcoming_none',
  })
  assert.equal((await stripe.subscriptions.list({ customer: String(subscription.customer) })).data.length, 0)
  assert.equal(
    (await stripe.subscriptions.list({ customer: String(subscription.customer), status: 'all' })).data.length,
    1,
  )
})

test('cancel now: invoice_now bills the last usage, without it the usage is discarded', async (t) => {
  const billed = await midPeriod(t)
  const preview = await billed.stripe.invoices.createPreview({
    subscription: billed.subscription.id,
    subscription_details: { cancel_now: true },
  })
  assert.equal(preview.total, 65)
  const ended = await billed.stripe.subscriptions.cancel(billed.subscription.id, { invoice_now: true })
  assert.equal(ended.status, 'canceled')
  const [invoice] = (await billed.stripe.invoices.list({ subscription: billed.subscription.id })).data
  assert.deepEqual([invoice!.status, invoice!.total, invoice!.id], ['paid', 65, ended.latest_invoice])

  const discarded = await midPeriod(t)
  await discarded.stripe.subscriptions.cancel(discarded.subscription.id)
  assert.equal((await discarded.stripe.invoices.list({ subscription: discarded.subscription.id })).data.length, 0)
  await assert.rejects(discarded.stripe.subscriptions.cancel(discarded.subscription.id), { statusCode: 404 })
})

test('less than the minimum charge waits in the balance and is charged with what follows', async (t) => {
  const { local, stripe } = await world(t, '2026-01-10T08:00:00Z')
  const { price, customer, use } = await essential(stripe, local)
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  await use('1', new Date('2026-01-10T08:00:00Z'))
  await local.advance(new Date('2026-02-10T10:00:00Z'))
  const [first] = (await stripe.invoices.list({ subscription: subscription.id, expand: ['data.payments'] })).data
  assert.deepEqual([first!.status, first!.total, first!.amount_due, first!.ending_balance], ['paid', 5, 0, 5])
  assert.equal(first!.payments!.data.length, 0)
  assert.equal(((await stripe.customers.retrieve(customer.id)) as Stripe.Customer).balance, 5)

  await use('10000', new Date('2026-02-10T10:00:00Z'))
  await local.advance(new Date('2026-03-10T10:00:00Z'))
  const [second] = (await stripe.invoices.list({ subscription: subscription.id })).data
  assert.deepEqual(
    [second!.total, second!.starting_balance, second!.amount_due, second!.amount_paid, second!.ending_balance],
    [50, 5, 55, 55, 0],
  )
})

test('a credit note on a paid invoice pays for the next one', async (t) => {
  const { local, stripe } = await world(t, '2026-01-10T08:00:00Z')
  const { price, customer, use } = await essential(stripe, local)
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  await use('20000', new Date('2026-01-10T08:00:00Z'))
  await local.advance(new Date('2026-02-10T10:00:00Z'))
  const [first] = (await stripe.invoices.list({ subscription: subscription.id })).data
  const note = await stripe.creditNotes.create({
    invoice: first!.id,
    amount: 30,
    credit_amount: 30,
    reason: 'order_change',
  })
  assert.deepEqual([note.type, note.post_payment_amount, note.number], ['post_payment', 30, `${first!.number}-CN-01`])
  await assert.rejects(
    stripe.creditNotes.create({ invoice: first!.id, amount: 71, credit_amount: 71 }),
    /greater than what is left to credit on the invoice \(\$0\.70\)/,
  )
  await use('20000', new Date('2026-02-10T10:00:00Z'))
  await local.advance(new Date('2026-03-10T10:00:00Z'))
  const [second] = (await stripe.invoices.list({ subscription: subscription.id })).data
  assert.deepEqual([second!.total, second!.starting_balance, second!.amount_paid], [100, -30, 70])
})

test('a card that fails on charge: past due, retried, and canceled when the last retry failed', async (t) => {
  const { local, stripe } = await world(t, '2026-01-10T08:00:00Z')
  const { price, customer, use } = await essential(stripe, local)
  const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: customer.id })
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    default_payment_method: failing.id,
  })
  await use('12345', new Date('2026-01-10T08:00:00Z'))
  await local.advance(new Date('2026-02-10T09:00:00Z'))
  const [open] = (await stripe.invoices.list({ subscription: subscription.id })).data
  assert.deepEqual([open!.status, open!.attempt_count], ['open', 1])
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, 'past_due')
  await assert.rejects(stripe.invoices.pay(open!.id), { code: 'card_declined', statusCode: 402 })
  assert.equal((await stripe.invoices.retrieve(open!.id)).attempt_count, 1) // after the first, only Stripe's own retries count
  await stripe.invoices.pay(open!.id, {
    payment_method: (await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })).id,
  })
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, 'active')
})

test('an anchor on the 31st ends February on its last day and March on the 31st', async (t) => {
  const { local, stripe } = await world(t, '2026-01-31T23:59:59Z')
  const { price, customer } = await essential(stripe, local)
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  const end = async () =>
    new Date(
      (await stripe.subscriptions.retrieve(subscription.id)).items.data[0]!.current_period_end * 1000,
    ).toISOString()
  assert.equal(await end(), '2026-02-28T23:59:59.000Z')
  await local.advance(new Date('2026-03-01T00:00:00Z'))
  assert.equal(await end(), '2026-03-31T23:59:59.000Z')
})
