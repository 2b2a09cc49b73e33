import assert from 'node:assert/strict'
import { Stripe } from 'stripe'
import { conformance } from './conformance.ts'

conformance(
  'a recurring price is a plan of the same id',
  'stripe Plans.create doc comment: "It replaces the Plans API and is backwards compatible to simplify your migration."',
  async ({ stripe, unique }) => {
    const meter = await stripe.billing.meters.create({
      display_name: 'AI tokens',
      event_name: unique('ai_tokens'),
      default_aggregation: { formula: 'sum' },
    })
    const price = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 5,
      nickname: 'Essential',
      product_data: { name: 'Essential' },
      recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
      transform_quantity: { divide_by: 1000, round: 'up' },
    })

    const plan = await stripe.plans.retrieve(price.id)

    assert.equal(plan.object, 'plan')
    assert.equal(plan.amount, 5)
    assert.equal(String(plan.amount_decimal), '5')
    assert.equal(plan.meter, meter.id)
    assert.equal(plan.usage_type, 'metered')
    assert.equal(plan.nickname, 'Essential')
    assert.equal(plan.product, price.product)
    assert.deepEqual(plan.transform_usage, { divide_by: 1000, round: 'up' })
  },
)

conformance(
  'the plans of a product are its recurring prices, newest first, inactive ones when asked for',
  'stripe PlanListParams.active: "Only return plans that are active or inactive (e.g., pass `false` to list all inactive plans)."',
  async ({ stripe }) => {
    const product = (await stripe.products.create({ name: 'Essential' })).id
    const price = (interval?: 'month' | 'year') =>
      stripe.prices.create({ currency: 'usd', unit_amount: 500, product, ...(interval && { recurring: { interval } }) })
    const monthly = await price('month')
    const yearly = await price('year')
    await price()
    await stripe.prices.update(yearly.id, { active: false })

    const ids = async (params: Stripe.PlanListParams) =>
      (await stripe.plans.list({ product, ...params })).data.map(({ id }) => id)
    assert.deepEqual(await ids({}), [yearly.id, monthly.id])
    assert.deepEqual(await ids({ active: false }), [yearly.id])
    assert.deepEqual(await ids({ active: true }), [monthly.id])
    assert.deepEqual(await ids({ limit: 1, starting_after: yearly.id }), [monthly.id])
  },
)

conformance(
  'tiers of a plan come when asked for',
  'stripe Plan.tiers: "Each element represents a pricing tier. This parameter requires `billing_scheme` to be set to `tiered`."',
  async ({ stripe }) => {
    const { id } = await stripe.prices.create({
      currency: 'usd',
      billing_scheme: 'tiered',
      tiers_mode: 'graduated',
      tiers: [
        { up_to: 10, unit_amount: 100 },
        { up_to: 'inf', unit_amount: 50 },
      ],
      product_data: { name: 'Seats' },
      recurring: { interval: 'month' },
    })

    assert.equal((await stripe.plans.retrieve(id)).tiers, undefined)
    const { tiers, product } = await stripe.plans.retrieve(id, { expand: ['tiers', 'product'] })
    assert.deepEqual(
      tiers?.map(({ up_to, unit_amount }) => [up_to, unit_amount]),
      [
        [10, 100],
        [null, 50],
      ],
    )
    assert.equal((product as Stripe.Product).name, 'Seats')
  },
)

conformance(
  'a one-time price is no plan',
  'stripe Plan.interval: "The frequency at which a subscription is billed. One of `day`, `week`, `month` or `year`."',
  async ({ stripe }) => {
    const { id } = await stripe.prices.create({ currency: 'usd', unit_amount: 500, product_data: { name: 'Setup' } })

    await assert.rejects(stripe.plans.retrieve(id), (error) => {
      assert(error instanceof Stripe.errors.StripeInvalidRequestError)
      assert.equal(error.statusCode, 404)
      assert.equal(error.code, 'resource_missing')
      return true
    })
  },
)
