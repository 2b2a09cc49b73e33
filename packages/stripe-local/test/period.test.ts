import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { essential, receiver, world } from './world.ts'

test('a period ends: draft, an hour in which usage still counts, final invoice, paid by card', async (t) => {
  const { local, stripe } = await world(t, '2026-01-10T08:00:00Z')
  const { price, customer, send, use } = await essential(stripe, local)
  let flush: () => Promise<void> = async () => {}
  const hooks = await receiver(t, async ({ event }) => {
    if (event.type === 'invoice.created') await flush()
    return 200
  })
  await stripe.webhookEndpoints.create({ url: hooks.url, enabled_events: ['*'] })
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    billing_mode: { type: 'flexible' },
  })
  assert.equal(subscription.status, 'active')
  assert.equal(subscription.latest_invoice, null) // metered only and flexible: nothing to bill yet
  const item = subscription.items.data[0]!
  assert.equal('quantity' in item, false)
  assert.equal(new Date(item.current_period_end * 1000).toISOString(), '2026-02-10T08:00:00.000Z')

  await use('12000', new Date('2026-01-10T08:05:00Z'))
  const preview = await stripe.invoices.createPreview({ subscription: subscription.id })
  assert.equal(preview.amount_due, 60) // 12 packages of 5 cents
  assert.equal(preview.lines.data[0]!.quantity, 12000)

  await local.advance(new Date('2026-02-09T10:00:00Z'))
  flush = () => send('345', new Date('2026-02-10T07:59:59Z')) // while the invoice is a draft
  await local.advance(new Date('2026-02-10T08:00:00Z'))
  const [draft] = (await stripe.invoices.list({ customer: customer.id })).data
  assert.equal(draft!.status, 'draft')
  assert.equal(draft!.billing_reason, 'subscription_cycle')
  await use('1', new Date('2026-02-10T08:00:00Z')) // the first second of the next period

  await local.advance(new Date('2026-02-10T10:00:00Z'))
  const paid = await stripe.invoices.retrieve(draft!.id, { expand: ['payments'] })
  assert.equal(paid.status, 'paid')
  assert.equal(paid.total, 65) // 12,345 tokens open the thirteenth package
  assert.equal(paid.lines.data[0]!.description, '12345 × Essential (at $0.05 per 1000 units / month)')
  assert.equal(paid.payments!.data[0]!.status, 'paid')
  await local.idle()
  const order = ['invoice.created', 'invoice.updated', 'invoice.finalized', 'invoice.paid'].map((type) =>
    hooks.types().indexOf(type),
  )
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  )
  assert.ok(!order.includes(-1))
})

test('a period ends by itself when its time has come', async (t) => {
  const { local, stripe } = await world(t, '2026-01-10T08:00:00Z', { now: () => new Date() })
  const { price, customer } = await essential(stripe, local)
  const hooks = await receiver(t)
  await stripe.webhookEndpoints.create({ url: hooks.url, enabled_events: ['invoice.created'] })
  await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    billing_cycle_anchor: Math.floor(local.now().getTime() / 1000) + 1,
  })
  const until = Date.now() + 5000
  while (hooks.received.length === 0 && Date.now() < until) await wait(20)
  assert.deepEqual(hooks.types(), ['invoice.created'])
})
