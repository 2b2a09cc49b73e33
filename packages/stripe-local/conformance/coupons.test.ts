import assert from 'node:assert/strict'
import { Stripe } from 'stripe'
import { conformance, seconds } from './conformance.ts'

function assertRefused(about: { message?: string; code?: string; param?: string }) {
  return (error: unknown) => {
    assert(error instanceof Stripe.errors.StripeInvalidRequestError)
    assert.equal(error.statusCode, 400)
    for (const [field, value] of Object.entries(about)) assert.equal(error[field as 'message'], value)
    return true
  }
}

conformance(
  'a coupon of a percentage has no amount and no currency, and is for once unless said',
  'stripe CouponCreateParams.duration: "Specifies how long the discount will be in effect if used on a subscription. Defaults to `once`."',
  async ({ stripe }) => {
    const coupon = await stripe.coupons.create({ percent_off: 22.5, name: 'Friends' })

    assert.equal(coupon.percent_off, 22.5)
    assert.equal(coupon.amount_off, null)
    assert.equal(coupon.currency, null)
    assert.equal(coupon.duration, 'once')
    assert.equal(coupon.duration_in_months, null)
    assert.equal(coupon.times_redeemed, 0)
    assert.equal(coupon.valid, true)
    assert.equal((await stripe.coupons.retrieve(coupon.id)).name, 'Friends')
  },
)

conformance(
  'the caller may name a coupon, once',
  'stripe CouponCreateParams.id: "Unique string of your choice that will be used to identify this coupon when applying it to a customer."',
  async ({ stripe, unique }) => {
    const id = unique('TENOFF')
    assert.equal((await stripe.coupons.create({ id, percent_off: 10 })).id, id)

    await assert.rejects(
      stripe.coupons.create({ id, percent_off: 5 }),
      assertRefused({ code: 'resource_already_exists', message: 'Coupon already exists.' }),
    )
  },
)

conformance(
  'a coupon takes off either a percentage or an amount of a currency',
  'observed at 2026-08-26.dahlia: the refusals of POST /v1/coupons, word for word',
  async ({ stripe }) => {
    const cases: [Stripe.CouponCreateParams, Parameters<typeof assertRefused>[0]][] = [
      [{}, { message: 'Must provide percent_off or amount_off.', code: 'parameter_missing' }],
      [
        { percent_off: 10, amount_off: 500, currency: 'usd' },
        { message: 'Received both percent_off and amount_off parameters. Please pass in only one.' },
      ],
      [{ amount_off: 500 }, { message: 'You must pass currency when passing amount_off', param: 'currency' }],
      [
        { percent_off: 10, duration: 'repeating' },
        {
          message: 'The duration_in_months param must be set when creating a coupon with a repeating duration',
          param: 'duration',
        },
      ],
      [
        { percent_off: 0 },
        {
          message: "This value must be greater than or equal to 0.01 (it currently is '0.0').",
          param: 'percent_off',
        },
      ],
      [
        { percent_off: 5, currency_options: { eur: { amount_off: 4 } } },
        { message: 'You may only specify one of these parameters: currency_options, percent_off.' },
      ],
      [
        { percent_off: 5, redeem_by: 1000 },
        {
          message:
            'The parameter `redeem_by` expects a unix timestamp representing a date and time in the future. You specified the value `1000` which is in the past.',
          param: 'redeem_by',
        },
      ],
    ]
    for (const [params, about] of cases) await assert.rejects(stripe.coupons.create(params), assertRefused(about))
  },
)

conformance(
  'products and other currencies of a coupon are shown when asked for',
  'stripe Coupon.applies_to and Coupon.currency_options are optional: they come by expand',
  async ({ stripe }) => {
    const product = (await stripe.products.create({ name: 'Essential' })).id
    const { id, ...shown } = await stripe.coupons.create({
      amount_off: 500,
      currency: 'usd',
      applies_to: { products: [product] },
      currency_options: { eur: { amount_off: 400 } },
    })
    assert(!('applies_to' in shown))

    const { applies_to, currency_options } = await stripe.coupons.retrieve(id, {
      expand: ['applies_to', 'currency_options'],
    })
    assert.deepEqual(applies_to, { products: [product] })
    assert.equal(currency_options?.eur?.amount_off, 400)
  },
)

conformance(
  'a deleted coupon is gone',
  'stripe Coupons.del: "deleting a coupon does not affect any customers who have already applied the coupon; it means that new customers can\'t redeem the coupon."',
  async ({ stripe }) => {
    const { id } = await stripe.coupons.create({ percent_off: 10 })

    assert.deepEqual({ ...(await stripe.coupons.del(id)) }, { id, object: 'coupon', deleted: true })

    await assert.rejects(stripe.coupons.retrieve(id), { statusCode: 404, code: 'resource_missing' })
    await assert.rejects(
      stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: id } }),
      assertRefused({ code: 'resource_missing' }),
    )
  },
)

conformance(
  'a code is unique among active ones, regardless of case',
  'stripe PromotionCodeCreateParams.code: "Regardless of case, this code must be unique across all active promotion codes for a specific customer."; the message: observed',
  async ({ stripe, unique }) => {
    const coupon = (await stripe.coupons.create({ percent_off: 10 })).id
    const code = unique('WELCOME').replaceAll('_', '-')
    const promotion = { type: 'coupon' as const, coupon }
    const first = await stripe.promotionCodes.create({ promotion, code })
    assert.equal(first.active, true)
    assert.equal(first.promotion.coupon, coupon)

    const again = code.toLowerCase()
    await assert.rejects(
      stripe.promotionCodes.create({ promotion, code: again }),
      assertRefused({ message: `An active promotion code with \`code: ${again}\` already exists.` }),
    )

    await stripe.promotionCodes.update(first.id, { active: false })
    const second = await stripe.promotionCodes.create({ promotion, code: again })
    const { data } = await stripe.promotionCodes.list({ code, active: true })
    assert.deepEqual(
      data.map(({ id }) => id),
      [second.id],
    )
  },
)

conformance(
  'a promotion code cannot promise more than its coupon',
  'stripe PromotionCodeCreateParams.max_redemptions: "If the coupon has specified a `max_redemptions`, then this value cannot be greater than the coupon\'s `max_redemptions`."; expires_at likewise',
  async ({ stripe }) => {
    const redeem_by = seconds(new Date(Date.now() + 86_400_000).toISOString())
    const coupon = (await stripe.coupons.create({ percent_off: 10, max_redemptions: 2, redeem_by })).id
    const promotion = { type: 'coupon' as const, coupon }

    await assert.rejects(stripe.promotionCodes.create({ promotion, max_redemptions: 3 }), assertRefused({}))
    await assert.rejects(stripe.promotionCodes.create({ promotion, expires_at: redeem_by + 60 }), assertRefused({}))
    const made = await stripe.promotionCodes.create({ promotion, max_redemptions: 2, expires_at: redeem_by })
    assert.match(made.code, /^[A-Za-z0-9-]+$/)
    assert.deepEqual(
      { ...made.restrictions },
      {
        first_time_transaction: false,
        minimum_amount: null,
        minimum_amount_currency: null,
      },
    )
  },
)
