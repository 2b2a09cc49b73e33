import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { essential, world } from './world.ts'

const at = (iso: string) => Date.parse(iso) / 1000

test('a test clock moves its own customers only, and hides them from plain lists', async (t) => {
  const { local, stripe } = await world(t, '2026-06-01T00:00:00Z')
  const { price } = await essential(stripe, local)
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: at('2026-01-10T08:00:00Z'), name: 'january' })
  const customer = await stripe.customers.create({ test_clock: clock.id, email: 'clock@example.com' })
  const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: card.id } })
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  assert.equal(subscription.test_clock, clock.id)
  assert.equal((await stripe.customers.list({ email: 'clock@example.com' })).data.length, 0)
  assert.equal((await stripe.customers.list({ test_clock: clock.id })).data.length, 1)

  const advance = async (iso: string) => {
    const advancing = await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: at(iso) })
    assert.equal(advancing.status, 'advancing')
    while ((await stripe.testHelpers.testClocks.retrieve(clock.id)).status === 'advancing') await wait(5)
    assert.equal((await stripe.testHelpers.testClocks.retrieve(clock.id)).frozen_time, at(iso))
  }
  await stripe.billing.meterEvents.create({
    event_name: 'ai_tokens',
    timestamp: at('2026-01-10T08:00:00Z'),
    payload: { stripe_customer_id: customer.id, value: '12345' },
  })
  await advance('2026-02-10T08:00:00Z')
  const latest = async () => (await stripe.invoices.list({ customer: customer.id })).data[0]!
  assert.equal((await latest()).status, 'draft')
  await advance('2026-02-10T09:00:00Z')
  assert.deepEqual([(await latest()).status, (await latest()).total], ['paid', 65])
  assert.equal(local.now().toISOString(), '2026-06-01T00:00:00.000Z')
  await assert.rejects(
    stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: at('2026-06-01T00:00:00Z') }),
    /two intervals/,
  )

  await stripe.testHelpers.testClocks.del(clock.id)
  assert.equal((await stripe.customers.retrieve(customer.id)).deleted, true)
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, 'canceled')
})

test('a trial is free; its end becomes the anchor', async (t) => {
  const { local, stripe } = await world(t, '2026-01-10T08:00:00Z')
  const { price, customer, use } = await essential(stripe, local)
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    trial_period_days: 14,
  })
  assert.deepEqual([subscription.status, subscription.trial_end], ['trialing', at('2026-01-24T08:00:00Z')])
  await use('99999', new Date('2026-01-10T08:00:00Z'))
  await local.advance(new Date('2026-01-24T08:00:00Z'))
  await use('1', new Date('2026-01-24T08:00:00Z'))
  const running = await stripe.subscriptions.retrieve(subscription.id)
  assert.deepEqual([running.status, running.items.data[0]!.current_period_end], ['active', at('2026-02-24T08:00:00Z')])
  assert.equal((await stripe.invoices.createPreview({ subscription: subscription.id })).total, 5)
  const types = (await stripe.events.list({ limit: 100 })).data.map(({ type }) => type)
  assert.ok(types.includes('customer.subscription.trial_will_end'))
})

test('a clock deletes itself after 30 days', async (t) => {
  const { local, stripe } = await world(t, '2026-06-01T00:00:00Z')
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: at('2026-01-10T08:00:00Z') })
  const customer = await stripe.customers.create({ test_clock: clock.id })
  await local.advance(new Date('2026-06-30T23:59:59Z'))
  assert.equal((await stripe.testHelpers.testClocks.retrieve(clock.id)).status, 'ready')
  await local.advance(new Date('2026-07-01T00:00:00Z'))
  await assert.rejects(stripe.testHelpers.testClocks.retrieve(clock.id), { statusCode: 404 })
  assert.equal((await stripe.customers.retrieve(customer.id)).deleted, true)
})
