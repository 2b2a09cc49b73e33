import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance, type Subject, seconds } from './conformance.ts'
import { linesOf } from './plans.ts'
import { refused } from './refusal.ts'
import { tokens } from './tokens.ts'

const PAGE = 'Invoices.createPreview'

/** A seat at $30 a month from 1 January on, and a bigger one at $60. */
async function seats(subject: Subject) {
  const { stripe, unique, clock } = subject
  const { customer: create, advance } = await clock('2026-01-01T00:00:00Z')
  const customer = await create()
  const priceOf = (name: string, unit_amount: number) =>
    stripe.prices.create({
      currency: 'usd',
      unit_amount,
      recurring: { interval: 'month' },
      product_data: { name: unique(name) },
    })
  const [small, big] = [await priceOf('Small', 3000), await priceOf('Big', 6000)]
  const start = (params: Partial<Stripe.SubscriptionCreateParams> = {}) =>
    stripe.subscriptions.create({ customer: customer.id, items: [{ price: small.id }], ...params })
  return { stripe, customer, small, big, start, advance }
}

conformance(
  'a preview is an invoice that is stored nowhere',
  `Invoice.id: "For preview invoices created using the create preview endpoint, this id will be prefixed with \`upcoming_in\`."; ${PAGE}: "the upcoming invoice will not show up in invoice listing calls"`,
  async (subject) => {
    const { stripe } = subject
    const { use, subscription, customer } = await tokens(subject, '2026-01-10T08:00:00Z')
    await use('12345', '2026-01-10T08:00:00Z')
    const preview = await stripe.invoices.createPreview({ subscription: subscription.id })
    assert.match(preview.id, /^upcoming_in/)
    assert.deepEqual([preview.billing_reason, preview.status, preview.number], ['upcoming', 'draft', null])
    assert.deepEqual(linesOf(preview), ['65 12345 × Essential (at $0.05 per 1000 units / month)'])
    assert.equal(preview.period_end, seconds('2026-02-10T08:00:00Z'))
    assert.match(preview.lines.data[0]!.id, /^il_tmp/)
    assert.equal((await stripe.invoices.listLineItems(preview.id)).data.length, 1)
    assert.equal((await stripe.invoices.list({ customer: customer.id })).data.length, 0)
    const own = await stripe.invoices.createPreview({ customer: customer.id })
    assert.equal(own.total, 65)
  },
)

conformance(
  'changing items shows the prorations of that instant and the next period',
  `${PAGE}: "You can also preview the effects of creating or updating a subscription …, including a preview of any prorations that will take place. To ensure that the actual proration is calculated exactly the same as the previewed proration, you should pass the subscription_details.proration_date parameter when doing the actual subscription update."`,
  async (subject) => {
    const { stripe, big, start, advance } = await seats(subject)
    const subscription = await start()
    await advance('2026-01-16T12:00:00Z') // half of 31 days are gone
    const items = [{ id: subscription.items.data[0]!.id, price: big.id }]
    const proration_date = seconds('2026-01-16T12:00:00Z')
    const preview = await stripe.invoices.createPreview({
      subscription: subscription.id,
      subscription_details: { items, proration_date },
    })
    // Credit of half of 3000, debit of half of 6000, and 6000 for February.
    assert.deepEqual(
      preview.lines.data.map((line) => line.amount).toSorted((a, b) => a - b),
      [-1500, 3000, 6000],
    )
    assert.equal(preview.total, 7500)
    assert.equal((await stripe.subscriptions.retrieve(subscription.id)).items.data[0]!.price.unit_amount, 3000)

    const atOnce = await stripe.invoices.createPreview({
      subscription: subscription.id,
      subscription_details: { items, proration_date, proration_behavior: 'always_invoice' },
    })
    assert.equal(atOnce.total, 1500)
    const without = await stripe.invoices.createPreview({
      subscription: subscription.id,
      subscription_details: { items, proration_behavior: 'none' },
    })
    assert.equal(without.total, 6000)
  },
)

conformance(
  'a new subscription, its trial and its anchor can be previewed',
  'InvoiceCreatePreviewParams.SubscriptionDetails: trial_end "If provided, the invoice returned will preview updating or creating a subscription with that trial end"; billing_cycle_anchor',
  async (subject) => {
    const { stripe, customer, small } = await seats(subject)
    const items = [{ price: small.id, quantity: 2 }]
    const preview = (details: Stripe.InvoiceCreatePreviewParams.SubscriptionDetails) =>
      stripe.invoices.createPreview({ customer: customer.id, subscription_details: { items, ...details } })
    assert.equal((await preview({})).total, 6000)
    assert.equal((await preview({ trial_end: seconds('2026-01-11T00:00:00Z') })).total, 0)
    // 1 to 16 January: 15 of 31 days, at two seats of 3000: 6000 × 15 / 31 = 2903.2, rounded down.
    const anchored = await preview({
      billing_cycle_anchor: { type: 'timestamp', timestamp: seconds('2026-01-16T00:00:00Z') },
    })
    assert.equal(anchored.total, 2903)
    assert.equal((await stripe.subscriptions.list({ customer: customer.id })).data.length, 0)
  },
)

conformance(
  'cancelling now shows what would be billed and credited at once',
  'InvoiceCreatePreviewParams.SubscriptionDetails.cancel_now: "This simulates the subscription being canceled or expired immediately."',
  async (subject) => {
    const { stripe } = subject
    const { use, subscription, clock } = await tokens(subject, '2026-01-10T08:00:00Z')
    await use('3000', '2026-01-10T08:00:00Z')
    await clock.advance('2026-01-15T08:00:00Z')
    const ended = await stripe.invoices.createPreview({
      subscription: subscription.id,
      subscription_details: { cancel_now: true },
    })
    assert.equal(ended.total, 15)
    assert.equal(ended.lines.data[0]!.period.end, seconds('2026-01-15T08:00:00Z'))
    assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, 'active')

    const seat = await seats(subject)
    const paid = await seat.start()
    await seat.advance('2026-01-16T12:00:00Z')
    const credited = await stripe.invoices.createPreview({
      subscription: paid.id,
      subscription_details: { cancel_now: true },
    })
    assert.equal(credited.total, -1500)
  },
)

conformance(
  'a subscription that ends leaves nothing to preview but what it has used',
  'docs.stripe.com/error-codes: invoice_upcoming_none "There is no upcoming invoice on the customer to preview."',
  async (subject) => {
    const { stripe, start } = await seats(subject)
    const subscription = await start()
    const ending = stripe.invoices.createPreview({
      subscription: subscription.id,
      subscription_details: { cancel_at_period_end: true },
    })
    const error = await refused(ending)
    assert.deepEqual([error.statusCode, error.code], [404, 'invoice_upcoming_none'])
    assert.equal((await stripe.invoices.createPreview({ subscription: subscription.id })).total, 3000)
  },
)

conformance(
  'the anchor moved to now ends the period now',
  'InvoiceCreatePreviewParams.SubscriptionDetails.billing_cycle_anchor: "For existing subscriptions, the value can only be set to `now` or `unchanged`."',
  async (subject) => {
    const { stripe, start, advance } = await seats(subject)
    const subscription = await start()
    await advance('2026-01-16T12:00:00Z')
    const preview = await stripe.invoices.createPreview({
      subscription: subscription.id,
      subscription_details: { billing_cycle_anchor: { type: 'now' } },
    })
    // Half of January back, a whole period from now on.
    assert.equal(preview.total, 1500)
  },
)

conformance(
  'a pause can be previewed when it invoices',
  'InvoiceCreatePreviewParams.SubscriptionDetails.pause: "Previews the invoice that would be generated when pausing the subscription. … To receive a preview invoice, set `invoicing_behavior` to `invoice`."',
  async (subject) => {
    const { stripe } = subject
    const { use, subscription, clock } = await tokens(subject, '2026-01-10T08:00:00Z')
    await use('3000', '2026-01-10T08:00:00Z')
    await clock.advance('2026-01-15T08:00:00Z')
    const paused = await stripe.invoices.createPreview({
      subscription: subscription.id,
      subscription_details: { pause: { invoicing_behavior: 'invoice' } },
    })
    assert.equal(paused.total, 15)
    assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, 'active')
  },
)

conformance(
  'items are added to, and changed in, a preview alone',
  'InvoiceCreatePreviewParams.invoice_items: "List of invoice items to add or update in the upcoming invoice preview (up to 250)."',
  async (subject) => {
    const { stripe, customer, start } = await seats(subject)
    const subscription = await start()
    const waiting = await stripe.invoiceItems.create({ customer: customer.id, amount: 500, currency: 'usd' })
    const preview = await stripe.invoices.createPreview({
      subscription: subscription.id,
      invoice_items: [
        { amount: 250, currency: 'usd', description: 'Added' },
        { invoiceitem: waiting.id, amount: 400 },
      ],
    })
    assert.equal(preview.total, 3650) // 3000, 250 and 400 instead of 500
    assert.equal((await stripe.invoiceItems.retrieve(waiting.id)).amount, 500)
    assert.equal((await stripe.invoiceItems.list({ customer: customer.id })).data.length, 1)
  },
)

conformance(
  'the recurring preview leaves out what does not come back',
  'InvoiceCreatePreviewParams.preview_mode: "Customizes the types of values to include when calculating the invoice. Defaults to `next` if unspecified."',
  async (subject) => {
    const { stripe, customer, start } = await seats(subject)
    const subscription = await start()
    await stripe.invoiceItems.create({ customer: customer.id, amount: 500, currency: 'usd' })
    const totalOf = async (preview_mode: 'next' | 'recurring') =>
      (await stripe.invoices.createPreview({ subscription: subscription.id, preview_mode })).total
    assert.deepEqual([await totalOf('next'), await totalOf('recurring')], [3500, 3000])
  },
)

conformance(
  'a preview needs to know whose it is',
  'InvoiceCreatePreviewParams: customer, subscription or schedule; observed: "You must provide at least one of"',
  async ({ stripe }) => {
    assert.equal((await refused(stripe.invoices.createPreview({}))).statusCode, 400)
    const customer = await stripe.customers.create()
    const none = await refused(stripe.invoices.createPreview({ customer: customer.id }))
    assert.equal(none.code, 'invoice_upcoming_none')
  },
)

conformance(
  'a coupon can be tried out in a preview',
  'InvoiceCreatePreviewParams.discounts: "The coupons to redeem into discounts for the invoice preview. If not specified, inherits the discount from the subscription or customer."',
  async (subject) => {
    const { stripe, start } = await seats(subject)
    const subscription = await start()
    const coupon = await stripe.coupons.create({ amount_off: 1000, currency: 'usd', duration: 'forever' })
    const preview = await stripe.invoices.createPreview({
      subscription: subscription.id,
      discounts: [{ coupon: coupon.id }],
    })
    assert.deepEqual([preview.subtotal, preview.total], [3000, 2000])
    assert.equal((await stripe.coupons.retrieve(coupon.id)).times_redeemed, 0)
  },
)

conformance(
  'without a subscription a preview shows what waits',
  'Invoices.createPreview: "This will show you all the charges that are pending, including subscription renewal charges, invoice item charges, etc."',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    await stripe.invoiceItems.create({ customer: customer.id, amount: 700, currency: 'usd', description: 'Waiting' })
    const preview = await stripe.invoices.createPreview({ customer: customer.id })
    assert.deepEqual(linesOf(preview), ['700 Waiting'])
    assert.equal((await stripe.invoiceItems.list({ customer: customer.id, pending: true })).data.length, 1)
  },
)
