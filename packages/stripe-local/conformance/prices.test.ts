import assert from 'node:assert/strict'
import { Stripe } from 'stripe'
import { conformance, type Subject } from './conformance.ts'
import { refusal } from './refusal.ts'

async function meterOf({ stripe, unique }: Subject): Promise<Stripe.Billing.Meter> {
  return await stripe.billing.meters.create({
    display_name: 'AI tokens',
    event_name: unique('ai_tokens'),
    default_aggregation: { formula: 'sum' },
  })
}

const exactly = (amount: string) => Stripe.Decimal.from(amount)

conformance(
  'a flat price: what is not said has its default',
  'stripe PriceCreateParams.billing_scheme: "`per_unit` indicates that the fixed amount (specified in `unit_amount` or `unit_amount_decimal`) will be charged per unit"; types: Price.tax_behavior',
  async ({ stripe }) => {
    const price = await stripe.prices.create({
      currency: 'USD',
      unit_amount: 1500,
      recurring: { interval: 'month' },
      product_data: { name: 'Flat', unit_label: 'seat' },
      nickname: 'flat',
    })

    assert.equal(price.currency, 'usd')
    assert.equal(price.billing_scheme, 'per_unit')
    assert.equal(price.type, 'recurring')
    assert.equal(price.tax_behavior, 'unspecified')
    assert.equal(price.nickname, 'flat')
    assert.deepEqual(price.recurring, {
      interval: 'month',
      interval_count: 1,
      meter: null,
      trial_period_days: null,
      usage_type: 'licensed',
    })
    assert.deepEqual([price.unit_amount, String(price.unit_amount_decimal)], [1500, '1500'])
    assert.equal((await stripe.products.retrieve(String(price.product))).unit_label, 'seat')
  },
)

conformance(
  'a price without recurring is for one purchase',
  'stripe Price.type: "One of `one_time` or `recurring` depending on whether the price is for a one-time purchase or a recurring (subscription) purchase."',
  async ({ stripe }) => {
    const price = await stripe.prices.create({ currency: 'usd', unit_amount: 5, product_data: { name: 'Once' } })

    assert.deepEqual([price.type, price.recurring], ['one_time', null])
  },
)

conformance(
  'an amount below a cent has no whole form; a whole one has both',
  'stripe Price.unit_amount: "The unit amount in cents (or local equivalent) to be charged, represented as a whole integer if possible."',
  async ({ stripe }) => {
    const create = (amount: string) =>
      stripe.prices.create({ currency: 'usd', unit_amount_decimal: exactly(amount), product_data: { name: 'Exact' } })

    const fraction = await create('0.05')
    assert.deepEqual([fraction.unit_amount, String(fraction.unit_amount_decimal)], [null, '0.05'])
    const whole = await create('7')
    assert.deepEqual([whole.unit_amount, String(whole.unit_amount_decimal)], [7, '7'])
  },
)

conformance(
  'a package price divides and rounds the usage',
  'stripe PriceCreateParams.transform_quantity: "Apply a transformation to the reported usage or set quantity before computing the billed price. Cannot be combined with `tiers`."',
  async (subject) => {
    const { id: meter } = await meterOf(subject)
    const base = {
      currency: 'usd',
      recurring: { interval: 'month', usage_type: 'metered', meter },
      product_data: { name: 'Essential' },
      transform_quantity: { divide_by: 1000, round: 'up' },
    } satisfies Stripe.PriceCreateParams

    const price = await subject.stripe.prices.create({ ...base, unit_amount: 5 })

    assert.deepEqual(price.transform_quantity, { divide_by: 1000, round: 'up' })
    assert.deepEqual([price.recurring?.usage_type, price.recurring?.meter], ['metered', meter])
    await assert.rejects(
      subject.stripe.prices.create({
        ...base,
        billing_scheme: 'tiered',
        tiers_mode: 'volume',
        tiers: [{ up_to: 'inf', unit_amount: 1 }],
      }),
      refusal({ type: 'invalid_request_error' }),
    )
  },
)

conformance(
  'tiers are shown only when expanded, the last without a bound',
  'stripe PriceCreateParams.Tier.up_to: "Specifies the upper bound of this tier. … Use `inf` to define a fallback tier."',
  async (subject) => {
    const { id: meter } = await meterOf(subject)
    for (const tiers_mode of ['graduated', 'volume'] as const) {
      const price = await subject.stripe.prices.create({
        currency: 'usd',
        billing_scheme: 'tiered',
        tiers_mode,
        tiers: [
          { up_to: 1000, unit_amount_decimal: exactly('0.05'), flat_amount: 100 },
          { up_to: 'inf', unit_amount: 2 },
        ],
        recurring: { interval: 'month', usage_type: 'metered', meter },
        product_data: { name: 'Tiered' },
      })

      assert.equal(price.tiers, undefined)
      assert.deepEqual(
        [price.tiers_mode, price.unit_amount, price.unit_amount_decimal, price.billing_scheme],
        [tiers_mode, null, null, 'tiered'],
      )
      const { tiers } = await subject.stripe.prices.retrieve(price.id, { expand: ['tiers'] })
      assert.deepEqual(
        tiers!.map((tier) => [tier.up_to, tier.unit_amount, tier.flat_amount]),
        [
          [1000, null, 100],
          [null, 2, null],
        ],
      )
    }
  },
)

conformance(
  'a price can be paid in other currencies, at amounts of their own',
  'stripe PriceCreateParams.currency_options: "Prices defined in each available currency option. Each key must be a three-letter ISO currency code and a supported currency."',
  async ({ stripe }) => {
    const { id } = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 1000,
      currency_options: { eur: { unit_amount: 900, tax_behavior: 'inclusive' }, jpy: { unit_amount: 1500 } },
      product_data: { name: 'World' },
    })

    assert.equal((await stripe.prices.retrieve(id)).currency_options, undefined)
    const { currency_options: options } = await stripe.prices.retrieve(id, { expand: ['currency_options'] })
    assert.deepEqual(Object.keys(options!).sort(), ['eur', 'jpy', 'usd'])
    assert.deepEqual(
      [options!.eur!.unit_amount, options!.eur!.tax_behavior, options!.jpy!.tax_behavior],
      [900, 'inclusive', 'unspecified'],
    )

    const changed = await stripe.prices.update(id, {
      currency_options: { gbp: { unit_amount: 800 } },
      expand: ['currency_options'],
    })
    assert.equal(changed.currency_options!.gbp!.unit_amount, 800)
  },
)

conformance(
  'the payer may choose the amount of a one-time price',
  'stripe PriceCreateParams.custom_unit_amount: "When set, provides configuration for the amount to be adjusted by the customer during Checkout Sessions and Payment Links."',
  async ({ stripe }) => {
    const price = await stripe.prices.create({
      currency: 'usd',
      custom_unit_amount: { enabled: true, minimum: 500, preset: 1000 },
      product_data: { name: 'Donation' },
    })

    assert.deepEqual(price.custom_unit_amount, { maximum: null, minimum: 500, preset: 1000 })
    assert.deepEqual([price.unit_amount, price.unit_amount_decimal], [null, null])
  },
)

conformance(
  'a lookup key has one holder and moves by transfer alone',
  'stripe PriceCreateParams.transfer_lookup_key: "If set to true, will atomically remove the lookup key from the existing price, and assign it to this price."; observed: the refusal, also for an inactive holder',
  async ({ stripe, unique }) => {
    const lookup_key = unique('essential')
    const create = (more: Partial<Stripe.PriceCreateParams> = {}) =>
      stripe.prices.create({ currency: 'usd', unit_amount: 5, product_data: { name: 'A' }, lookup_key, ...more })
    const first = await create()
    await stripe.prices.update(first.id, { active: false })

    await assert.rejects(
      create(),
      refusal({ param: 'lookup_key', message: `A price (\`${first.id}\`) already uses that lookup key.` }),
    )
    const second = await create({ transfer_lookup_key: true })

    const { lookup_key: left, active } = await stripe.prices.retrieve(first.id)
    assert.deepEqual([left, active], [null, false])
    assert.deepEqual(
      (await stripe.prices.list({ lookup_keys: [lookup_key] })).data.map(({ id }) => id),
      [second.id],
    )
  },
)

conformance(
  'the refusals of a new price',
  'observed at 2026-08-26.dahlia: POST /v1/prices, word for word',
  async (subject) => {
    const { stripe } = subject
    const { id: product } = await stripe.products.create({ name: 'Refused' })
    const one = { currency: 'usd', unit_amount: 1 }
    const cases: [Stripe.PriceCreateParams, Parameters<typeof refusal>[0]][] = [
      [
        one,
        {
          message: 'You must specify either `product` or `product_data` when creating a price.',
          code: undefined,
          param: undefined,
        },
      ],
      [
        { ...one, product, product_data: { name: 'x' } },
        { message: 'You may only specify one of these parameters: product, product_data.', param: 'product' },
      ],
      [
        { currency: 'usd', product },
        { message: 'Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.' },
      ],
      [
        { ...one, product, unit_amount_decimal: exactly('1') },
        {
          message: 'You may only specify one of these parameters: unit_amount, unit_amount_decimal.',
          param: 'unit_amount',
        },
      ],
      [
        { currency: 'usd', product, unit_amount: -1 },
        { message: 'Invalid non-negative integer', param: 'unit_amount' },
      ],
      [
        {
          currency: 'usd',
          product,
          billing_scheme: 'tiered',
          tiers_mode: 'volume',
          tiers: [{ up_to: 'inf', unit_amount: 1 }],
        },
        { message: 'Prices with `type=one_time` are not supported with tiered billing.', param: 'interval' },
      ],
      [
        { ...one, product, recurring: { interval: 'month', interval_count: 37 } },
        {
          message: "The interval_count for monthly prices can't be greater than 36",
          param: 'recurring[interval_count]',
        },
      ],
      [
        { ...one, product, recurring: { interval: 'month', usage_type: 'metered' } },
        {
          message: 'Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters.',
          code: undefined,
          param: undefined,
        },
      ],
      [
        { ...one, product: 'prod_nope' },
        { code: 'resource_missing', param: 'product' },
      ],
      [
        { ...one, product, currency: 'xyz' },
        { param: 'currency', message: /^Invalid currency: xyz/ },
      ],
    ]
    for (const [params, about] of cases) {
      await assert.rejects(stripe.prices.create(params), refusal({ type: 'invalid_request_error', ...about }))
    }
  },
)

conformance(
  'a deactivated meter takes no new price',
  'stripe MeterResource.deactivate: "You can\'t attach a deactivated meter to a price."',
  async (subject) => {
    const { id: meter } = await meterOf(subject)
    await subject.stripe.billing.meters.deactivate(meter)

    await assert.rejects(
      subject.stripe.prices.create({
        currency: 'usd',
        unit_amount: 1,
        product_data: { name: 'Late' },
        recurring: { interval: 'month', usage_type: 'metered', meter },
      }),
      refusal({ type: 'invalid_request_error' }),
    )
  },
)

conformance(
  'tax behavior is said once',
  'stripe PriceUpdateParams.tax_behavior: "Once specified as either `inclusive` or `exclusive`, it cannot be changed."',
  async ({ stripe }) => {
    const { id } = await stripe.prices.create({ currency: 'usd', unit_amount: 1, product_data: { name: 'Taxed' } })

    assert.equal((await stripe.prices.update(id, { tax_behavior: 'exclusive' })).tax_behavior, 'exclusive')
    await assert.rejects(
      stripe.prices.update(id, { tax_behavior: 'inclusive' }),
      refusal({ type: 'invalid_request_error', param: 'tax_behavior' }),
    )
  },
)

conformance(
  'lists show active prices unless asked for the others, and filter by what recurs',
  'stripe PriceResource.list: "Returns a list of your active prices, excluding inline prices. For the list of inactive prices, set active to false."',
  async (subject) => {
    const { stripe } = subject
    const { id: meter } = await meterOf(subject)
    const { id: product } = await stripe.products.create({ name: 'Several' })
    const base = { currency: 'usd', unit_amount: 1, product }
    const once = await stripe.prices.create(base)
    const yearly = await stripe.prices.create({ ...base, recurring: { interval: 'year' } })
    const metered = await stripe.prices.create({
      ...base,
      recurring: { interval: 'month', usage_type: 'metered', meter },
    })
    const old = await stripe.prices.create({ ...base, currency: 'eur', active: false })
    const idsOf = async (params: Stripe.PriceListParams) =>
      (await stripe.prices.list({ product, ...params })).data.map(({ id }) => id)

    assert.deepEqual(await idsOf({}), [metered.id, yearly.id, once.id])
    assert.deepEqual(await idsOf({ active: false }), [old.id])
    assert.deepEqual(await idsOf({ active: false, currency: 'eur' }), [old.id])
    assert.deepEqual(await idsOf({ type: 'one_time' }), [once.id])
    assert.deepEqual(await idsOf({ recurring: { interval: 'year' } }), [yearly.id])
    assert.deepEqual(await idsOf({ recurring: { usage_type: 'metered' } }), [metered.id])
    assert.deepEqual(await idsOf({ recurring: { meter } }), [metered.id])
    assert.deepEqual(await idsOf({ created: { gt: metered.created } }), [])
  },
)
