import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { payAt } from '../test/world.ts'
import { conformance, type Subject } from './conformance.ts'

const JANUARY_10 = '2026-01-10T08:00:00Z'
const COUPONS =
  'docs.stripe.com/billing/subscriptions/coupons: "Reduce invoice amounts by a percentage or a flat amount", "Set a coupon to apply once, for a set number of months, or indefinitely"'
const PRORATIONS =
  'docs.stripe.com/billing/subscriptions/prorations: "Any adjustments from discounts are reflected in the proration invoice item\'s amount. Additional discounts … don\'t apply to prorations because they have discountable=false."'

async function monthly(stripe: Stripe, unit_amount: number): Promise<Stripe.Price> {
  return await stripe.prices.create({
    currency: 'usd',
    unit_amount,
    product_data: { name: `Plan at ${unit_amount}` },
    recurring: { interval: 'month' },
  })
}

/** A customer on a clock with a subscription at $20.00 a month and this discount. */
async function subscribed(
  { stripe, clock }: Subject,
  coupon: Stripe.CouponCreateParams,
  more: Partial<Stripe.SubscriptionCreateParams> = {},
) {
  const { id } = await stripe.coupons.create(coupon)
  const time = await clock(JANUARY_10)
  const customer = await time.customer()
  const price = await monthly(stripe, 2000)
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    discounts: [{ coupon: id }],
    expand: ['discounts', 'latest_invoice'],
    ...more,
  })
  const invoices = async () => (await stripe.invoices.list({ customer: customer.id })).data.toReversed()
  return { coupon: id, time, customer: customer.id, price: price.id, subscription, invoices }
}

conformance(
  'a percentage for ever is off every invoice',
  'stripe Coupon.percent_off: "Percent that will be taken off the subtotal of any invoices for this customer for the duration of the coupon."',
  async (subject) => {
    const { time, coupon, subscription, invoices } = await subscribed(subject, { percent_off: 25, duration: 'forever' })
    const [discount] = subscription.discounts as Stripe.Discount[]
    assert.equal(discount!.source.coupon, coupon)
    assert.equal(discount!.subscription, subscription.id)
    assert.equal(discount!.end, null)

    await time.advance('2026-02-10T10:00:00Z')

    const both = await invoices()
    assert.equal(both.length, 2)
    for (const invoice of both) {
      assert.equal(invoice.subtotal, 2000)
      assert.equal(invoice.total, 1500)
      assert.equal(invoice.amount_paid, 1500)
      assert.deepEqual(invoice.discounts, [discount!.id])
      assert.deepEqual(
        invoice.total_discount_amounts?.map(({ amount, discount }) => [amount, discount]),
        [[500, discount!.id]],
      )
      assert.equal(invoice.lines.data[0]!.amount, 2000)
      assert.equal(invoice.lines.data[0]!.discount_amounts?.[0]?.amount, 500)
    }
  },
)

conformance('once is one invoice, and the subscription has the discount no longer', COUPONS, async (subject) => {
  const { time, subscription, invoices } = await subscribed(subject, { amount_off: 300, currency: 'usd' })

  await time.advance('2026-02-10T10:00:00Z')

  assert.deepEqual(
    (await invoices()).map(({ total }) => total),
    [1700, 2000],
  )
  assert.deepEqual((await subject.stripe.subscriptions.retrieve(subscription.id)).discounts, [])
})

conformance(
  'a repeating coupon ends after its months',
  'stripe Discount.end: "If the coupon has a duration of `repeating`, the date that this discount will end."',
  async (subject) => {
    const { time, subscription, invoices } = await subscribed(subject, {
      percent_off: 50,
      duration: 'repeating',
      duration_in_months: 2,
    })
    const [discount] = subscription.discounts as Stripe.Discount[]
    assert.equal(discount!.end, Date.parse('2026-03-10T08:00:00Z') / 1000)

    await time.advance('2026-02-10T10:00:00Z')
    await time.advance('2026-03-10T10:00:00Z')

    assert.deepEqual(
      (await invoices()).map(({ total }) => total),
      [1000, 1000, 2000],
    )
  },
)

conformance('usage is discounted as it is when the invoice is finalized', COUPONS, async (subject) => {
  const { stripe, clock, unique } = subject
  const event_name = unique('ai_tokens')
  const meter = await stripe.billing.meters.create({
    display_name: 'AI tokens',
    event_name,
    default_aggregation: { formula: 'sum' },
  })
  const price = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 5,
    transform_quantity: { divide_by: 1000, round: 'up' },
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    product_data: { name: 'Essential' },
  })
  const { id: coupon } = await stripe.coupons.create({ percent_off: 10, duration: 'forever' })
  const time = await clock(JANUARY_10)
  const { id: customer } = await time.customer()
  await stripe.subscriptions.create({ customer, items: [{ price: price.id }], discounts: [{ coupon }] })
  await stripe.billing.meterEvents.create({
    event_name,
    payload: { stripe_customer_id: customer, value: '20000' },
    timestamp: Date.parse(JANUARY_10) / 1000,
  })

  await time.advance('2026-02-10T10:00:00Z')

  const [invoice] = (await stripe.invoices.list({ customer })).data
  assert.equal(invoice!.subtotal, 100, '20 packages at $0.05')
  assert.equal(invoice!.total, 90)
})

conformance(
  'an amount over two items is split in proportion, the last takes what remains',
  'docs.stripe.com/billing/subscriptions/prorations: the example of an amount_off coupon over two subscription items',
  async (subject) => {
    const { stripe } = subject
    const ten = await monthly(stripe, 1000)
    const twenty = await monthly(stripe, 2000)
    const { subscription } = await subscribed(
      subject,
      { amount_off: 500, currency: 'usd', duration: 'forever' },
      { items: [{ price: ten.id }, { price: twenty.id }] },
    )

    const { lines, total } = subscription.latest_invoice as Stripe.Invoice
    assert.equal(total, 2500)
    const off = lines.data.map(({ discount_amounts }) => discount_amounts![0]!.amount)
    assert.equal(off[0]! + off[1]!, 500)
    assert(
      off.every((amount) => [166, 167, 333, 334].includes(amount)),
      String(off),
    )
  },
)

conformance(
  'a coupon for one product leaves the others alone',
  'stripe CouponCreateParams.applies_to: "A hash containing directions for what this Coupon will apply discounts to."',
  async (subject) => {
    const { stripe } = subject
    const ten = await monthly(stripe, 1000)
    const twenty = await monthly(stripe, 2000)
    const { subscription } = await subscribed(
      subject,
      { percent_off: 50, duration: 'forever', applies_to: { products: [ten.product as string] } },
      { items: [{ price: ten.id }, { price: twenty.id }] },
    )

    assert.equal((subscription.latest_invoice as Stripe.Invoice).total, 2500)
  },
)

conformance('a proration gives back and charges what the discount leaves', PRORATIONS, async (subject) => {
  const { stripe } = subject
  const { time, subscription } = await subscribed(subject, { percent_off: 25, duration: 'forever' })
  const dearer = await monthly(stripe, 3000)
  // The middle of the 31 days.
  await time.advance('2026-01-25T20:00:00Z')

  await stripe.subscriptions.update(subscription.id, {
    items: [{ id: subscription.items.data[0]!.id, price: dearer.id }],
  })

  const { data } = await stripe.invoiceItems.list({ customer: subscription.customer as string })
  assert.deepEqual(data.map(({ amount, discountable }) => [amount, discountable]).toSorted(), [
    [-750, false],
    [1125, false],
  ])
  const next = await stripe.invoices.createPreview({ subscription: subscription.id })
  assert.equal(next.total, 375 + 2250, 'half of the difference, and three quarters of $30.00')
})

conformance('after a coupon for once the credit is what was paid', PRORATIONS, async (subject) => {
  const { stripe } = subject
  const { time, subscription } = await subscribed(subject, { percent_off: 50 })
  const dearer = await monthly(stripe, 3000)
  await time.advance('2026-01-25T20:00:00Z')

  await stripe.subscriptions.update(subscription.id, {
    items: [{ id: subscription.items.data[0]!.id, price: dearer.id }],
  })

  const { data } = await stripe.invoiceItems.list({ customer: subscription.customer as string })
  assert.deepEqual(data.map(({ amount }) => amount).toSorted(), [-500, 1500])
})

conformance(
  'a preview shows the discount, an update replaces or clears it',
  'stripe SubscriptionUpdateParams.discounts: "A populated array overwrites the existing discounts on the subscription. If not specified or empty array, it leaves the subscription\'s discounts unchanged. If empty string, it clears the subscription\'s discounts."',
  async (subject) => {
    const { stripe } = subject
    const { subscription } = await subscribed(subject, { percent_off: 25, duration: 'forever' })
    const next = async () => (await stripe.invoices.createPreview({ subscription: subscription.id })).total
    assert.equal(await next(), 1500)

    assert.equal((await stripe.subscriptions.update(subscription.id, { discounts: [] })).discounts.length, 1)
    assert.equal(await next(), 1500)

    const half = (await stripe.coupons.create({ percent_off: 50, duration: 'forever' })).id
    await stripe.subscriptions.update(subscription.id, { discounts: [{ coupon: half }] })
    assert.equal(await next(), 1000)

    assert.deepEqual((await stripe.subscriptions.update(subscription.id, { discounts: '' })).discounts, [])
    assert.equal(await next(), 2000)
  },
)

conformance(
  'a discount can be removed',
  'stripe Subscriptions.deleteDiscount: "Removes the currently applied discount on a subscription."',
  async (subject) => {
    const { stripe } = subject
    const { subscription } = await subscribed(subject, { percent_off: 25, duration: 'forever' })

    const removed = await stripe.subscriptions.deleteDiscount(subscription.id)

    assert.equal(removed.deleted, true)
    assert.deepEqual((await stripe.subscriptions.retrieve(subscription.id)).discounts, [])
    await assert.rejects(stripe.subscriptions.deleteDiscount(subscription.id), { statusCode: 404 })
  },
)

conformance(
  'a promotion code redeems its coupon as often as it may',
  'stripe Coupon.max_redemptions: "Maximum number of times this coupon can be redeemed, in total, across all customers, before it is no longer valid."',
  async ({ stripe, clock, unique }) => {
    const { id: coupon } = await stripe.coupons.create({ percent_off: 50, duration: 'forever', max_redemptions: 1 })
    const code = unique('HALF').replaceAll('_', '-')
    const promotion = { type: 'coupon' as const, coupon }
    const { id: promotion_code } = await stripe.promotionCodes.create({ promotion, code })
    const time = await clock(JANUARY_10)
    const items = [{ price: (await monthly(stripe, 2000)).id }]
    const discounts = [{ promotion_code }]
    const subscribe = async () =>
      await stripe.subscriptions.create({
        customer: (await time.customer()).id,
        items,
        discounts,
        expand: ['discounts'],
      })

    const first = await subscribe()

    assert.equal((first.discounts[0] as Stripe.Discount).promotion_code, promotion_code)
    assert.equal((await stripe.coupons.retrieve(coupon)).valid, false)
    assert.equal((await stripe.promotionCodes.retrieve(promotion_code)).times_redeemed, 1)
    assert.equal((await stripe.promotionCodes.retrieve(promotion_code)).active, false)
    await assert.rejects(subscribe(), { statusCode: 400 })
    await assert.rejects(stripe.promotionCodes.create({ promotion }), { statusCode: 400 })
  },
)

conformance(
  'Checkout shows the discount, and the subscription has it afterwards',
  'stripe Checkout SessionCreateParams.discounts: "The coupon or promotion code to apply to this Session. Currently, only up to one may be specified."',
  async ({ stripe }) => {
    const { id: coupon } = await stripe.coupons.create({ percent_off: 25, duration: 'forever' })
    const price = (await monthly(stripe, 2000)).id
    const session = await stripe.checkout.sessions.create({
      mode: 'subscription',
      success_url: 'https://example.com/done',
      line_items: [{ price, quantity: 2 }],
      discounts: [{ coupon }],
      expand: ['line_items'],
    })

    assert.equal(session.amount_subtotal, 4000)
    assert.equal(session.amount_total, 3000)
    assert.equal(session.total_details?.amount_discount, 1000)
    assert.deepEqual(
      session.discounts?.map((one) => one.coupon),
      [coupon],
    )
    assert.equal(session.line_items?.data[0]?.amount_discount, 1000)
    assert.equal(session.line_items?.data[0]?.amount_total, 3000)
    assert.equal((await stripe.coupons.retrieve(coupon)).times_redeemed, 0, 'a session is not a redemption yet')

    const both = { allow_promotion_codes: true, discounts: [{ coupon }] }
    await assert.rejects(
      stripe.checkout.sessions.create({
        mode: 'subscription',
        success_url: 'https://example.com/done',
        line_items: [{ price, quantity: 1 }],
        ...both,
      }),
      { statusCode: 400 },
    )
  },
)

conformance(
  'whoever pays at Checkout pays what the discount leaves, now and at renewals',
  'stripe Checkout SessionCreateParams.discounts; Coupon.duration: "forever"',
  async ({ stripe }) => {
    const { id: coupon } = await stripe.coupons.create({ percent_off: 25, duration: 'forever' })
    const price = (await monthly(stripe, 2000)).id
    const session = await stripe.checkout.sessions.create({
      mode: 'subscription',
      success_url: 'https://example.com/done',
      line_items: [{ price, quantity: 2 }],
      discounts: [{ coupon }],
    })

    await payAt(session.url!, { number: '4242 4242 4242 4242' })

    const paid = await stripe.checkout.sessions.retrieve(session.id, {
      expand: ['subscription.discounts', 'invoice'],
    })
    const [discount] = (paid.subscription as Stripe.Subscription).discounts as Stripe.Discount[]
    assert.equal(discount?.source.coupon, coupon)
    assert.equal((paid.invoice as Stripe.Invoice).amount_paid, 3000)
    assert.equal((await stripe.coupons.retrieve(coupon)).times_redeemed, 1)
    const next = await stripe.invoices.createPreview({ subscription: (paid.subscription as Stripe.Subscription).id })
    assert.equal(next.total, 3000)
  },
  { localOnly: 'somebody fills in the hosted page' },
)

conformance(
  'a one-time payment takes a promotion code that was typed in',
  'stripe Checkout SessionCreateParams.allow_promotion_codes: "Enables user redeemable promotion codes."',
  async ({ stripe, unique }) => {
    const { id: coupon } = await stripe.coupons.create({ amount_off: 500, currency: 'usd', max_redemptions: 1 })
    const code = unique('FIVE').replaceAll('_', '-')
    const { id: promotion_code } = await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon }, code })
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      success_url: 'https://example.com/done',
      line_items: [
        { quantity: 1, price_data: { currency: 'usd', unit_amount: 2000, product_data: { name: 'Handbook' } } },
      ],
      allow_promotion_codes: true,
    })
    const enter = async (typed: string) => {
      const body = new URLSearchParams({ update: 'yes', promotion_code: typed })
      return await fetch(session.url!, { method: 'POST', body })
    }

    const wrong = await enter('NOBODY')
    assert.equal(wrong.status, 422)
    assert.match(await wrong.text(), /This code is invalid\./)
    const right = await enter(code.toLowerCase())
    assert.equal(right.status, 200)
    assert.match(await right.text(), /Discount.*-\$5\.00/s)
    assert.equal((await stripe.checkout.sessions.retrieve(session.id)).amount_total, 1500)

    await payAt(session.url!, { number: '4242 4242 4242 4242' })

    const paid = await stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent'] })
    assert.equal((paid.payment_intent as Stripe.PaymentIntent).amount_received, 1500)
    assert.equal(paid.discounts?.[0]?.promotion_code, promotion_code)
    assert.equal((await stripe.coupons.retrieve(coupon)).valid, false)
  },
  { localOnly: 'somebody fills in the hosted page' },
)

conformance(
  'a credit note for a line takes its discount along',
  'stripe CreditNoteLineItem.amount: "The integer amount in cents (or local equivalent) representing the gross amount being credited for this line item, excluding (exclusive) tax and discounts."; discount_amount: "… representing the discount being credited for this line item."',
  async (subject) => {
    const { subscription } = await subscribed(subject, { percent_off: 25, duration: 'forever' })
    const invoice = subscription.latest_invoice as Stripe.Invoice
    const [line] = invoice.lines.data

    const note = await subject.stripe.creditNotes.create({
      invoice: invoice.id,
      lines: [{ type: 'invoice_line_item', invoice_line_item: line!.id, amount: 1000 }],
      refund_amount: 750,
    })

    assert.equal(note.subtotal, 1000)
    assert.equal(note.discount_amount, 250)
    assert.equal(note.total, 750)
    assert.equal(note.lines.data[0]?.amount, 1000)
    assert.equal(note.lines.data[0]?.discount_amount, 250)
  },
)
