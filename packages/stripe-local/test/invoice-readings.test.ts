import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Readings } from '../src/index.ts'
import { essential, world } from './world.ts'

/** Essential from 10 January on, under other readings. */
async function underReadings(t: TestContext, readings: Partial<Readings>) {
  const { local, stripe } = await world(t, '2026-01-10T08:00:00Z', { readings })
  const { price, customer, use } = await essential(stripe, local)
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  const latest = async () => (await stripe.invoices.list({ subscription: subscription.id })).data[0]!
  return { local, stripe, customer, use, latest }
}

test('lineRounding up: any fraction of a cent is a cent', async (t) => {
  const { stripe, customer } = await underReadings(t, { lineRounding: 'up' })
  const item = await stripe.invoiceItems.create({
    customer: customer.id,
    currency: 'usd',
    quantity: 3,
    unit_amount_decimal: '0.1' as never,
  })
  assert.equal(item.amount, 1) // 0.3 cents
})

test('packageDivisor grouped: per 1,000 units', async (t) => {
  const { local, use, latest } = await underReadings(t, { packageDivisor: 'grouped' })
  await use('1', new Date('2026-01-10T08:00:00Z'))
  await local.advance(new Date('2026-02-10T08:30:00Z'))
  assert.equal((await latest()).lines.data[0]!.description, '1 × Essential (at $0.05 per 1,000 units / month)')
})

test('zeroUsageLine suppressed: an unused meter has no line, but what arrives within the hour is billed', async (t) => {
  const { local, use, latest } = await underReadings(t, { zeroUsageLine: 'suppressed' })
  await local.advance(new Date('2026-02-10T08:30:00Z'))
  const draft = await latest()
  assert.deepEqual([draft.status, draft.lines.data.length], ['draft', 0])
  await use('20000', new Date('2026-02-10T07:00:00Z'))
  await local.advance(new Date('2026-02-10T10:00:00Z'))
  const paid = await latest()
  assert.deepEqual([paid.id, paid.status, paid.total], [draft.id, 'paid', 100])

  await local.advance(new Date('2026-03-10T10:00:00Z'))
  const empty = await latest()
  assert.deepEqual([empty.status, empty.total, empty.lines.data.length], ['paid', 0, 0])
})
