import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance, seconds } from './conformance.ts'
import { day, linesOf, plans } from './plans.ts'

const TYPES = 'stripe Subscriptions.d.ts'

conformance(
  'the period is an item’s, and a metered item has no quantity',
  'stripe SubscriptionItems.d.ts SubscriptionItem.current_period_end: "The end time of this subscription item\'s current billing period." · observed: laravel/cashier-stripe#1261, a metered item has no quantity',
  async (subject) => {
    const { stripe } = subject
    const { customer, flat, metered } = await plans(subject, '2027-04-01T00:00:00Z')
    const [fee, usage] = [await flat(), await metered()]
    const made = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: fee.id, quantity: 3, metadata: { seat: 'yes' } }, { price: usage.id }],
    })
    const [licensed, used] = made.items.data
    assert.deepEqual([licensed!.quantity, licensed!.metadata.seat], [3, 'yes'])
    assert(!('quantity' in used!))
    assert.equal(day(used!.current_period_end), '2027-05-01T00:00:00Z')
    assert.equal(made.billing_mode.type, 'flexible')
  },
)

conformance(
  'a price that does not fit is refused',
  'observed: pay-rails/pay#193, stripe/stripe-python#506 "You cannot set the quantity for metered plans"; stripe-node#1420 "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`."',
  async (subject) => {
    const { stripe } = subject
    const { customer, metered } = await plans(subject, '2027-04-01T00:00:00Z')
    const usage = await metered()
    const begin = (item: Stripe.SubscriptionCreateParams.Item) =>
      stripe.subscriptions.create({ customer: customer.id, items: [item] })
    await assert.rejects(begin({ price: usage.id, quantity: 1 }), {
      message: /You cannot set the quantity for metered/,
    })
    await assert.rejects(begin({ price: 'price_nope' }), { code: 'resource_missing', param: 'items[0][price]' })
    const once = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 700,
      product_data: { name: 'Setup' },
    })
    await assert.rejects(begin({ price: once.id }), { message: /only accepts prices with `type=recurring`/ })
    await stripe.prices.update(usage.id, { active: false })
    await assert.rejects(begin({ price: usage.id }), { message: /inactive/ })
  },
)

conformance(
  'a price can be made on the spot, and is in no list',
  'docs.stripe.com/api/prices/list: "Returns a list of your active prices, excluding inline prices." · SubscriptionCreateParams.Item.price_data: "Data used to generate a new Price object inline."',
  async (subject) => {
    const { stripe } = subject
    const { customer } = await plans(subject, '2027-04-01T00:00:00Z')
    const product = await stripe.products.create({ name: 'Special' })
    const made = await stripe.subscriptions.create({
      customer: customer.id,
      items: [
        { price_data: { currency: 'usd', product: product.id, recurring: { interval: 'month' }, unit_amount: 1234 } },
      ],
    })
    const { price } = made.items.data[0]!
    assert.deepEqual([price.unit_amount, price.active], [1234, false])
    assert.deepEqual((await stripe.prices.list({ product: product.id })).data, [])
  },
)

conformance(
  'one-off charges are on the first invoice, or wait for the next',
  `${TYPES} add_invoice_items: "A list of prices and quantities that will generate invoice items appended to the next invoice for this subscription."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered, waiting, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const usage = await metered()
    const setup = await stripe.prices.create({ currency: 'usd', unit_amount: 700, product_data: { name: 'Setup' } })
    const { id } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: usage.id }],
      add_invoice_items: [{ price: setup.id, quantity: 2 }],
    })
    const [first] = await invoicesOf(id)
    assert.deepEqual([first!.total, first!.status], [1400, 'paid'])
    assert.equal(day(first!.lines.data[0]!.period.end), '2027-05-01T00:00:00Z') // min_item_period_end

    await stripe.subscriptions.update(id, {
      add_invoice_items: [
        {
          price_data: { currency: 'usd', product: String(setup.product), unit_amount: -300 },
          metadata: { why: 'sorry' },
        },
      ],
    })
    assert.equal((await waiting())[0]!.split(' ')[0], '-300')
    await clock.advance('2027-05-01T02:00:00Z')
    assert.equal((await invoicesOf(id))[0]!.total, -300)
  },
)

conformance(
  'a customer pays in one of a price’s currencies, and in one only',
  'docs.stripe.com/billing/customer#currency: "a customer can only have … one currency at a time" · observed: "You cannot combine currencies on a single customer. This customer has an active subscription … with currency usd."',
  async (subject) => {
    const { stripe } = subject
    const { customer, clock, flat } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 1000,
      recurring: { interval: 'month' },
      product_data: { name: 'Pro' },
      currency_options: { eur: { unit_amount: 900 } },
    })
    const other = await clock.customer()
    const european = await stripe.subscriptions.create({
      customer: other.id,
      items: [{ price: price.id }],
      currency: 'eur',
      expand: ['latest_invoice'],
    })
    const invoice = european.latest_invoice as Stripe.Invoice
    assert.deepEqual([european.currency, invoice.currency, invoice.total], ['eur', 'eur', 900])
    const dollars = await flat()
    await assert.rejects(stripe.subscriptions.create({ customer: other.id, items: [{ price: dollars.id }] }), {
      message: /You cannot combine currencies on a single customer/,
    })
    const american = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    assert.equal(american.currency, 'usd')
  },
)

conformance(
  'a first charge that fails leaves the subscription incomplete, for 23 hours',
  `${TYPES} Subscription.status: "a subscription moves into \`incomplete\` if the initial payment attempt fails. … Once the first invoice is paid, the subscription moves into an \`active\` status. If the first invoice is not paid within 23 hours, the subscription transitions to \`incomplete_expired\`. This is a terminal status, the open invoice will be voided"`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await flat()
    const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: customer.id })
    const begin = () =>
      stripe.subscriptions.create({
        customer: customer.id,
        items: [{ price: price.id }],
        default_payment_method: failing.id,
      })
    const [paid, left] = [await begin(), await begin()]
    assert.equal(paid.status, 'incomplete')
    const good = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
    await stripe.invoices.pay(String(paid.latest_invoice), { payment_method: good.id })
    assert.equal((await stripe.subscriptions.retrieve(paid.id)).status, 'active')

    await clock.advance('2027-04-02T00:00:00Z')
    assert.equal((await stripe.subscriptions.retrieve(left.id)).status, 'incomplete_expired')
    assert.equal((await invoicesOf(left.id))[0]!.status, 'void')
  },
)

conformance(
  'how a first payment that fails is treated can be chosen',
  'docs.stripe.com/api/subscriptions/create payment_behavior: "default_incomplete … to create Subscriptions with status=incomplete when the first invoice requires payment, otherwise start as active" · "error_if_incomplete if you want Stripe to return an HTTP 402 status code"',
  async (subject) => {
    const { stripe } = subject
    const { customer, flat, metered } = await plans(subject, '2027-04-01T00:00:00Z')
    const [fee, usage] = [await flat(), await metered()]
    const begin = (price: string, params: Partial<Stripe.SubscriptionCreateParams>) =>
      stripe.subscriptions.create({ customer: customer.id, items: [{ price }], ...params })
    const waits = await begin(fee.id, { payment_behavior: 'default_incomplete' })
    assert.equal(waits.status, 'incomplete')
    const invoice = await stripe.invoices.retrieve(String(waits.latest_invoice))
    assert.deepEqual([invoice.status, invoice.attempted], ['open', false])
    assert.equal((await begin(usage.id, { payment_behavior: 'default_incomplete' })).status, 'active')
    const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: customer.id })
    await assert.rejects(
      begin(fee.id, { payment_behavior: 'error_if_incomplete', default_payment_method: failing.id }),
      { statusCode: 402, code: 'card_declined' },
    )
  },
)

conformance(
  'an invoice that is sent begins as a draft and the subscription as active; it is overdue on its due date',
  `${TYPES} collection_method: "When sending an invoice, Stripe will email your customer an invoice with payment instructions and mark the subscription as \`active\`." · status: "it becomes \`past_due\` when its invoice is not paid by the due date"`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await flat()
    const sent = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      collection_method: 'send_invoice',
      days_until_due: 7,
    })
    assert.deepEqual([sent.status, sent.days_until_due], ['active', 7])
    assert.equal((await invoicesOf(sent.id))[0]!.status, 'draft')
    await clock.advance('2027-04-01T02:00:00Z')
    const [open] = await invoicesOf(sent.id)
    assert.deepEqual([open!.status, open!.attempted], ['open', false])
    await clock.advance('2027-04-08T03:00:00Z')
    assert.equal((await stripe.subscriptions.retrieve(sent.id)).status, 'past_due')
    await stripe.invoices.pay(open!.id, { paid_out_of_band: true })
    assert.equal((await stripe.subscriptions.retrieve(sent.id)).status, 'active')
    await assert.rejects(
      stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }], days_until_due: 7 }),
      { statusCode: 400, param: 'days_until_due' },
    )
  },
)

conformance(
  'what a subscription says of its invoices is on them',
  `${TYPES} invoice_settings: "All invoices will be billed using the specified settings." · payment_settings.save_default_payment_method: "Configure whether Stripe updates \`subscription.default_payment_method\` when payment succeeds."`,
  async (subject) => {
    const { stripe } = subject
    const { customer, flat, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await flat()
    const made = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      invoice_settings: { custom_fields: [{ name: 'PO', value: '7' }], description: 'Thank you', footer: 'Bye' },
      payment_settings: { save_default_payment_method: 'on_subscription' },
      metadata: { team: 'a' },
    })
    const [first] = await invoicesOf(made.id)
    assert.deepEqual(
      [first!.custom_fields, first!.description, first!.footer],
      [[{ name: 'PO', value: '7' }], 'Thank you', 'Bye'],
    )
    assert.equal(first!.parent!.subscription_details!.metadata!.team, 'a')
    const { default_payment_method } = await stripe.subscriptions.retrieve(made.id)
    assert.equal(default_payment_method, customer.invoice_settings.default_payment_method)
  },
)

conformance(
  'classic can become flexible, and never back',
  `${TYPES} migrate: "Upgrade the billing_mode of an existing subscription." · BillingMode.updated_at: "Details on when the current billing_mode was adopted."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const { id } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      billing_mode: { type: 'classic' },
    })
    await clock.advance('2027-04-10T00:00:00Z')
    const billing_mode = { type: 'flexible' as const }
    const moved = await stripe.subscriptions.migrate(id, { billing_mode })
    assert.deepEqual(
      [moved.billing_mode.type, day(moved.billing_mode.updated_at)],
      ['flexible', '2027-04-10T00:00:00Z'],
    )
    await assert.rejects(stripe.subscriptions.migrate(id, { billing_mode }), { statusCode: 400 })
  },
)

conformance(
  'lists ask for price, period and method; those on clocks only by clock or customer',
  `${TYPES} SubscriptionListParams: "Only return subscriptions whose minimum item current_period_end falls within the given date interval." · "The response will not include subscriptions with test clocks if this and the customer parameter is not set."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, metered } = await plans(subject, '2027-04-01T00:00:00Z')
    const [yearly, usage] = [await flat(10_000, { interval: 'year' }), await metered()]
    const begin = (prices: string[]) =>
      stripe.subscriptions.create({ customer: customer.id, items: prices.map((price) => ({ price })) })
    const [month, both] = [await begin([usage.id]), await begin([yearly.id, usage.id])]
    const year = await begin([yearly.id])
    const ids = async (params: Stripe.SubscriptionListParams) =>
      (await stripe.subscriptions.list({ customer: customer.id, ...params })).data.map(({ id }) => id)

    assert.deepEqual(await ids({ price: usage.id }), [both.id, month.id])
    assert.deepEqual(await ids({ current_period_end: { lt: seconds('2027-06-01T00:00:00Z') } }), [both.id, month.id])
    assert.deepEqual(await ids({ current_period_end: { gt: seconds('2027-06-01T00:00:00Z') } }), [year.id])
    assert.deepEqual(await ids({ current_period_start: { gt: seconds('2027-06-01T00:00:00Z') } }), [])
    assert.deepEqual(await ids({ collection_method: 'send_invoice' }), [])
    const onClock = (await stripe.subscriptions.list({ test_clock: clock.id })).data
    assert.equal(onClock.length, 3)
    const plain = (await stripe.subscriptions.list({ price: usage.id })).data
    assert.deepEqual(plain, [])
  },
)

conformance(
  'metadata is merged, and emptied by empty values',
  'docs.stripe.com/api/metadata: "Individual keys can be unset by posting an empty value to them. All keys can be unset by posting an empty value to metadata."',
  async (subject) => {
    const { stripe } = subject
    const { customer, metered } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const { id } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      metadata: { a: '1', b: '2' },
    })
    assert.deepEqual((await stripe.subscriptions.update(id, { metadata: { a: '', c: '3' } })).metadata, {
      b: '2',
      c: '3',
    })
    assert.deepEqual((await stripe.subscriptions.update(id, { metadata: '' })).metadata, {})
  },
)

conformance(
  'a discount that is not there cannot be deleted',
  'observed: "No active discount for subscription: sub_…" with status 404',
  async (subject) => {
    const { stripe } = subject
    const { customer, metered } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    await assert.rejects(stripe.subscriptions.deleteDiscount(id), { statusCode: 404, code: 'resource_missing' })
  },
)

conformance(
  'a renewal shows the usage of the month that ended before the fee of the one that begins',
  'docs.stripe.com/billing/subscriptions/usage-based/use-cases/flat-fee-and-overages: metered items bill in arrears, licensed ones in advance · docs.stripe.com/api/invoices/line_item: "subscription items newest first"',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, metered, use, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const [fee, usage] = [await flat(), await metered()]
    const { id } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: fee.id }, { price: usage.id }],
    })
    assert.deepEqual(linesOf((await invoicesOf(id))[0]!), ['1000 1 × Pro (at $10.00 / month)'])
    await clock.advance('2027-04-20T00:00:00Z')
    await use('12345', '2027-04-20T00:00:00Z')
    await clock.advance('2027-05-01T02:00:00Z')
    const [renewal] = await invoicesOf(id)
    assert.deepEqual(
      renewal!.lines.data.map((line) => `${line.amount} ${day(line.period.start)} – ${day(line.period.end)}`),
      ['65 2027-04-01T00:00:00Z – 2027-05-01T00:00:00Z', '1000 2027-05-01T00:00:00Z – 2027-06-01T00:00:00Z'],
    )
  },
)
