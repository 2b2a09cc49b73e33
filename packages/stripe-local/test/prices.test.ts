import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Stripe } from 'stripe'
import { essential, receiver, world } from './world.ts'

const NOW = '2026-01-10T08:00:00Z'

test('a lookup key has one holder, inactive ones included, and moves only by transfer', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const hooks = await receiver(t)
  await stripe.webhookEndpoints.create({ url: hooks.url, enabled_events: ['price.created', 'price.updated'] })
  const create = (unit_amount: number, transfer_lookup_key?: boolean) =>
    stripe.prices.create({
      currency: 'usd',
      unit_amount,
      recurring: { interval: 'month' },
      product_data: { name: 'Flat' },
      lookup_key: 'flat',
      ...(transfer_lookup_key !== undefined && { transfer_lookup_key }),
    })
  const first = await create(100)
  await stripe.prices.update(first.id, { active: false })
  await assert.rejects(create(200), {
    message: `A price (\`${first.id}\`) already uses that lookup key.`,
    param: 'lookup_key',
  })
  const second = await create(200, true)
  assert.equal((await stripe.prices.list({ lookup_keys: ['flat'] })).data[0]!.id, second.id)
  assert.deepEqual(
    [(await stripe.prices.retrieve(first.id)).lookup_key, (await stripe.prices.retrieve(first.id)).active],
    [null, false],
  )
  await local.idle()
  assert.deepEqual(hooks.types(), ['price.created', 'price.updated', 'price.updated', 'price.created'])
})

test('refusals of a price, in the words seen on Stripe', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const { meter, price } = await essential(stripe, local)
  const product = String(price.product)
  type Params = Stripe.PriceCreateParams
  const cases: [params: Partial<Params>, message: string | RegExp][] = [
    [{ unit_amount: 1 }, 'You must specify either `product` or `product_data` when creating a price.'],
    [{ product }, 'Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.'],
    [{ product, unit_amount: -1 }, 'Invalid non-negative integer'],
    [
      { product, unit_amount: 1, recurring: { interval: 'month', usage_type: 'metered' } },
      'Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters.',
    ],
    [
      { product, unit_amount: 1, recurring: { interval: 'month', interval_count: 37 } },
      "The interval_count for monthly prices can't be greater than 36",
    ],
    [
      { product, billing_scheme: 'tiered', tiers_mode: 'volume', tiers: [{ up_to: 'inf', unit_amount: 1 }] },
      'Prices with `type=one_time` are not supported with tiered billing.',
    ],
    [
      { product, unit_amount: 1, recurring: { interval: 'month', usage_type: 'metered', meter: 'mtr_nope' } },
      /No such meter/,
    ],
  ]
  for (const [params, message] of cases)
    await assert.rejects(stripe.prices.create({ currency: 'usd', ...params }), { message })
  await stripe.billing.meters.deactivate(meter.id)
  await assert.rejects(
    stripe.prices.create({
      currency: 'usd',
      product,
      unit_amount: 1,
      recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    }),
    /inactive/,
  )
  await assert.rejects(stripe.products.del(product), /cannot be deleted/)
})

test('decimals travel as strings and tiers only when asked for', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const { meter } = await essential(stripe, local)
  const price = await stripe.prices.create({
    currency: 'usd',
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    tiers: [
      { up_to: 1000, unit_amount_decimal: '0.05' as unknown as Stripe.Decimal, flat_amount: 100 },
      { up_to: 'inf', unit_amount_decimal: '0.02' as unknown as Stripe.Decimal },
    ],
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    product_data: { name: 'Tiered', unit_label: 'tokens' },
  })
  assert.equal(price.tiers, undefined)
  const { tiers } = await stripe.prices.retrieve(price.id, { expand: ['tiers'] })
  assert.deepEqual(
    tiers!.map((tier) => [tier.up_to, String(tier.unit_amount_decimal), tier.unit_amount, tier.flat_amount]),
    [
      [1000, '0.05', null, 100],
      [null, '0.02', null, null],
    ],
  )
})

test('graduated tiers on an invoice: units and flat amount, tier by tier', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const { meter, customer, use } = await essential(stripe, local)
  const price = await stripe.prices.create({
    currency: 'usd',
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    tiers: [
      { up_to: 1000, unit_amount: 5, flat_amount: 100 },
      { up_to: 'inf', unit_amount: 2 },
    ],
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    product_data: { name: 'Tiered', unit_label: 'tokens' },
  })
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  await use('1200', new Date(NOW))
  const { lines, total } = await stripe.invoices.createPreview({ subscription: subscription.id })
  assert.deepEqual(
    lines.data.map((line) => `${line.amount} ${line.description}`),
    [
      '5000 1000 tokens × Tiered (Tier 1 at $0.05 / month)',
      '100 Tiered (Tier 1 at $1.00 / month)',
      '400 200 tokens × Tiered (Tier 2 at $0.02 / month)',
      '0 Tiered (Tier 2 at $0.00 / month)',
    ],
  )
  assert.equal(total, 5500)
})

test('a flat price beside a metered one: paid in advance, prorated down at a switch', async (t) => {
  const { local, stripe } = await world(t, '2026-04-01T00:00:00Z')
  const { price, customer, use } = await essential(stripe, local)
  const flat = (unit_amount: number, name: string) =>
    stripe.prices.create({ currency: 'usd', unit_amount, recurring: { interval: 'month' }, product_data: { name } })
  const [basic, pro] = [await flat(1000, 'Basic'), await flat(2000, 'Pro')]
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: basic.id }, { price: price.id }],
    expand: ['latest_invoice'],
  })
  const first = subscription.latest_invoice as Stripe.Invoice
  assert.deepEqual([first.status, first.billing_reason, first.total], ['paid', 'subscription_create', 1000])
  await use('1', new Date('2026-04-01T00:00:00Z'))
  await local.advance(new Date('2026-04-11T00:00:00Z')) // 20 of 30 days are left
  await stripe.subscriptions.update(subscription.id, { items: [{ id: subscription.items.data[0]!.id, price: pro.id }] })
  const preview = await stripe.invoices.createPreview({ subscription: subscription.id })
  assert.deepEqual(
    preview.lines.data.map((line) => line.amount).toSorted((a, b) => a - b),
    [-667, 5, 1333, 2000],
  )
})

test('a price without tiers has none to expand', async (t) => {
  const { stripe } = await world(t, '2026-01-10T08:00:00Z')
  const params = { currency: 'usd', unit_amount: 5, product_data: { name: 'Pen' }, expand: ['tiers'] }
  assert.equal((await stripe.prices.create(params)).tiers, undefined)
})
