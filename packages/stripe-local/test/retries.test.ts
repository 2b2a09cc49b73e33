import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { StripeLocalOptions } from '../src/index.ts'
import { essential, receiver, world } from './world.ts'

/** 12,345 tokens of January, billed on 10 February to a card that never pays. */
async function unpaid(t: TestContext, afterLastRetry?: NonNullable<StripeLocalOptions['afterLastRetry']>) {
  const { local, stripe } = await world(t, '2026-01-10T08:00:00Z', afterLastRetry ? { afterLastRetry } : {})
  const { price, customer, use } = await essential(stripe, local)
  const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: customer.id })
  const { id } = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    default_payment_method: failing.id,
  })
  await use('12345', new Date('2026-01-10T08:00:00Z'))
  await local.advance(new Date('2026-02-10T10:00:00Z'))
  assert.equal((await stripe.subscriptions.retrieve(id)).status, 'past_due')
  const status = async () => (await stripe.subscriptions.retrieve(id)).status
  return { local, stripe, customer, id, use, status }
}

test('the last retry ends the subscription, or leaves it as the account wants', async (t) => {
  for (const [setting, expected] of [
    [undefined, 'canceled'],
    ['cancel', 'canceled'],
    ['past_due', 'past_due'],
    ['unpaid', 'unpaid'],
  ] as const) {
    const { local, status } = await unpaid(t, setting)
    await local.advance(new Date('2026-03-09T00:00:00Z')) // all retries are over, the next period is not
    assert.equal(await status(), expected, setting)
  }
})

test('an unpaid subscription goes on making drafts, and is active again once its latest invoice is paid', async (t) => {
  const { local, stripe, customer, id, use, status } = await unpaid(t, 'unpaid')
  await local.advance(new Date('2026-03-09T00:00:00Z'))
  await use('12000', new Date('2026-03-08T00:00:00Z'))
  await local.advance(new Date('2026-03-11T08:00:00Z'))
  assert.equal(await status(), 'unpaid')
  const [draft] = (await stripe.invoices.list({ subscription: id })).data
  assert.deepEqual([draft!.status, draft!.auto_advance, draft!.total], ['draft', false, 60]) // 12 packages of 5 cents

  const good = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  await stripe.invoices.finalizeInvoice(draft!.id)
  await stripe.invoices.pay(draft!.id, { payment_method: good.id })
  assert.equal(await status(), 'active')
})

test('a subscription that ends for want of money aborts its schedule', async (t) => {
  const { local, stripe } = await world(t, '2026-01-10T08:00:00Z')
  const { price, customer, use } = await essential(stripe, local)
  const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: customer.id })
  const schedule = await stripe.subscriptionSchedules.create({
    customer: customer.id,
    start_date: 'now',
    default_settings: { default_payment_method: failing.id },
    phases: [{ items: [{ price: price.id }], duration: { interval: 'month', interval_count: 6 } }],
  })
  const hook = await receiver(t)
  await stripe.webhookEndpoints.create({ url: hook.url, enabled_events: ['subscription_schedule.aborted'] })
  await use('12345', new Date('2026-01-10T08:00:00Z'))
  await local.advance(new Date('2026-03-09T00:00:00Z'))

  assert.equal((await stripe.subscriptionSchedules.retrieve(schedule.id)).status, 'canceled')
  await local.idle()
  assert.deepEqual(hook.types(), ['subscription_schedule.aborted'])
})

test('a pause tells of itself after the update it is', async (t) => {
  const { local, stripe } = await world(t, '2026-01-10T08:00:00Z')
  const { price, customer } = await essential(stripe, local)
  const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  const hook = await receiver(t)
  await stripe.webhookEndpoints.create({ url: hook.url, enabled_events: ['*'] })
  await stripe.subscriptions.pause(id)
  await stripe.subscriptions.resume(id)
  await local.idle()

  assert.deepEqual(hook.types(), [
    'customer.subscription.updated',
    'customer.subscription.paused',
    'customer.subscription.updated',
    'customer.subscription.resumed',
  ])
  assert.equal(hook.received[0]!.event.data.previous_attributes!.status, 'active')
  assert.equal(hook.received[2]!.event.data.previous_attributes!.status, 'paused')
})
