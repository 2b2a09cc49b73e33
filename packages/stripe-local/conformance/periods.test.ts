import assert from 'node:assert/strict'
import { conformance, seconds } from './conformance.ts'
import { day, linesOf, periodOf, plans } from './plans.ts'

const CYCLE = 'docs.stripe.com/billing/subscriptions/billing-cycle'

conformance(
  'a period that begins on the 31st ends on the last day of a short month, and the day comes back',
  `${CYCLE}: "A monthly subscription with a billing cycle anchor date of January 31 bills the last day of the month closest to the anchor date, so February 28 (or February 29 in a leap year), then March 31, April 30, and so on."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered } = await plans(subject, '2027-01-31T12:00:00Z')
    const price = await metered()
    const { id, items } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    assert.equal(periodOf(items.data[0]!), '2027-01-31T12:00:00Z – 2027-02-28T12:00:00Z')
    await clock.advance('2027-02-28T12:00:00Z')
    const march = await stripe.subscriptions.retrieve(id)
    assert.equal(periodOf(march.items.data[0]!), '2027-02-28T12:00:00Z – 2027-03-31T12:00:00Z')
  },
)

conformance(
  'an anchor ahead makes a first period that is billed for its share',
  `${CYCLE}: "set the billing_cycle_anchor … the customer is immediately invoiced for a prorated amount between the subscription creation date and the anchor"`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, invoicesOf } = await plans(subject, '2027-04-16T00:00:00Z')
    const price = await flat()
    const begin = (proration_behavior: 'create_prorations' | 'none') =>
      stripe.subscriptions.create({
        customer: customer.id,
        items: [{ price: price.id }],
        billing_cycle_anchor: seconds('2027-05-01T00:00:00Z'),
        proration_behavior,
      })
    const billed = await begin('create_prorations')
    assert.equal(periodOf(billed.items.data[0]!), '2027-04-16T00:00:00Z – 2027-05-01T00:00:00Z')
    assert.equal((await invoicesOf(billed.id))[0]!.total, 500) // 15 of April's 30 days
    const free = await begin('none')
    assert.equal(free.status, 'active')
    assert.deepEqual(await invoicesOf(free.id), [])
    await clock.advance('2027-05-01T02:00:00Z')
    assert.equal((await invoicesOf(free.id))[0]!.total, 1000)
  },
)

conformance(
  'an anchor can be named by the day of the month',
  'stripe Subscriptions.d.ts SubscriptionCreateParams.billing_cycle_anchor_config: "When provided, the billing_cycle_anchor is set to the next occurrence of the day_of_month at the hour, minute, and second UTC."',
  async (subject) => {
    const { stripe } = subject
    const { customer, metered } = await plans(subject, '2027-04-10T08:00:00Z')
    const price = await metered()
    const begin = async (config: { day_of_month: number; hour?: number; minute?: number; second?: number }) =>
      day(
        (
          await stripe.subscriptions.create({
            customer: customer.id,
            items: [{ price: price.id }],
            billing_cycle_anchor_config: config,
          })
        ).billing_cycle_anchor,
      )
    assert.equal(await begin({ day_of_month: 15 }), '2027-04-15T08:00:00Z')
    assert.equal(await begin({ day_of_month: 5, hour: 0, minute: 0, second: 0 }), '2027-05-05T00:00:00Z')
  },
)

conformance(
  'a backdated start bills each period since by a line of its own',
  'docs.stripe.com/billing/subscriptions/billing-mode/compare, "Backdate subscriptions": "Backdated time ranges are split into multiple invoice line items according to billing period boundaries."',
  async (subject) => {
    const { stripe } = subject
    const { customer, flat, invoicesOf } = await plans(subject, '2027-05-16T00:00:00Z')
    const price = await flat()
    const begun = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      backdate_start_date: seconds('2027-03-16T00:00:00Z'),
    })
    assert.equal(day(begun.start_date), '2027-03-16T00:00:00Z')
    assert.equal(day(begun.billing_cycle_anchor), '2027-03-16T00:00:00Z')
    const [first] = await invoicesOf(begun.id)
    assert.deepEqual(
      first!.lines.data.map((line) => `${line.amount} ${day(line.period.start)}`),
      ['1000 2027-03-16T00:00:00Z', '1000 2027-04-16T00:00:00Z', '1000 2027-05-16T00:00:00Z'],
    )
  },
)

conformance(
  'items of one subscription may have periods of their own',
  'docs.stripe.com/billing/subscriptions/mixed-interval: "a monthly price and an annual price can exist on the same subscription" · classic: "All items in a subscription must have prices with the same interval and interval count."',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, metered, use, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const [fee, usage] = [await flat(12_000, { interval: 'year' }), await metered()]
    const items = [{ price: fee.id }, { price: usage.id }]
    const { id, items: begun } = await stripe.subscriptions.create({ customer: customer.id, items })
    assert.deepEqual(begun.data.map(periodOf), [
      '2027-04-01T00:00:00Z – 2028-04-01T00:00:00Z',
      '2027-04-01T00:00:00Z – 2027-05-01T00:00:00Z',
    ])
    await clock.advance('2027-04-10T00:00:00Z')
    await use('12345', '2027-04-10T00:00:00Z')
    await clock.advance('2027-05-01T02:00:00Z')
    assert.equal((await invoicesOf(id))[0]!.total, 65) // the usage alone: the year goes on
    await assert.rejects(
      stripe.subscriptions.create({ customer: customer.id, items, billing_mode: { type: 'classic' } }),
      { message: /must have the same `recurring.interval` and `recurring.interval_count`/ },
    )
  },
)

conformance(
  'flexible and metered alone: no invoice at the start; classic: one of nothing, paid at once',
  'docs.stripe.com/billing/subscriptions/billing-mode/compare, "Suppress zero-amount line items": "If the resulting invoice wouldn’t contain any items, we don’t generate one." · "A 0 USD line item is generated on the invoice for the usage-based item."',
  async (subject) => {
    const { stripe } = subject
    const { customer, metered, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const begin = (type: 'classic' | 'flexible') =>
      stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }], billing_mode: { type } })
    const flexible = await begin('flexible')
    assert.deepEqual([flexible.status, flexible.latest_invoice], ['active', null])
    const classic = await begin('classic')
    const [first] = await invoicesOf(classic.id)
    assert.deepEqual([first!.total, first!.status, first!.lines.data.length], [0, 'paid', 1])
  },
)

conformance(
  'a renewal prints the line of a metered item that was not used',
  'docs.stripe.com/billing/subscriptions/billing-mode/compare: "However, this doesn’t apply to invoices generated during cycling. The invoice contains all usage-based items, including 0 GBP line items."',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    await clock.advance('2027-05-01T02:00:00Z')
    assert.deepEqual(linesOf((await invoicesOf(id))[0]!), ['0 0 × Essential (at $0.05 per 1000 units / month)'])
  },
)

conformance(
  'usage that reaches an amount is billed at once, and the period goes on',
  'docs.stripe.com/billing/subscriptions/usage-based/thresholds: "Stripe maintains tiers across threshold invoices … you bill your customer every 200 impressions for the first 10,000 impressions (200 × 0.50 USD = 100 USD)"',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered, use, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered({
      billing_scheme: 'tiered',
      tiers_mode: 'graduated',
      tiers: [
        { up_to: 300, unit_amount: 50 },
        { up_to: 'inf', unit_amount: 40 },
      ],
    })
    const { id } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      billing_thresholds: { amount_gte: 10_000 },
    })
    await clock.advance('2027-04-10T00:00:00Z')
    await use('199', '2027-04-10T00:00:00Z')
    assert.deepEqual(await invoicesOf(id), [])
    await use('1', '2027-04-10T00:00:00Z')
    await subject.eventually(async () => assert.equal((await invoicesOf(id)).length, 1))
    const [first] = await invoicesOf(id)
    assert.deepEqual(
      [first!.billing_reason, first!.total, first!.status, first!.threshold_reason!.amount_gte],
      ['subscription_threshold', 10_000, 'paid', 10_000],
    )
    // 100 more at 0.50 end the first tier; 125 at 0.40 make the next 100.00.
    await use('225', '2027-04-10T00:00:00Z')
    await subject.eventually(async () => assert.equal((await invoicesOf(id)).length, 2))
    assert.deepEqual(
      (await invoicesOf(id))[0]!.lines.data.map((line) => line.amount),
      [5000, 5000],
    )
    await use('10', '2027-04-10T00:00:00Z')
    await clock.advance('2027-05-01T02:00:00Z')
    const renewal = (await invoicesOf(id))[0]!
    assert.deepEqual([renewal.billing_reason, renewal.total], ['subscription_cycle', 400]) // the last 10 at 0.40
  },
)

conformance(
  'a volume price gives back at a threshold what was billed at a dearer tier',
  'docs.stripe.com/billing/subscriptions/usage-based/thresholds, "Volume tiers": "Usage (0.40 USD per unit) 25,000: 10,000 USD; Amount previously billed (at 0.50 USD per unit): -5,000 USD; Total 5,000 USD"',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered, use, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered({
      billing_scheme: 'tiered',
      tiers_mode: 'volume',
      tiers: [
        { up_to: 10_000, unit_amount: 50 },
        { up_to: 'inf', unit_amount: 40 },
      ],
    })
    const { id } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      billing_thresholds: { amount_gte: 500_000 },
    })
    await clock.advance('2027-04-10T00:00:00Z')
    await use('10000', '2027-04-10T00:00:00Z')
    await subject.eventually(async () => assert.equal((await invoicesOf(id))[0]?.total, 500_000))
    await use('2500', '2027-04-10T00:00:00Z') // 12,500 × 0.40 = 5,000: paid already
    assert.equal((await invoicesOf(id)).length, 1)
    await use('12500', '2027-04-10T00:00:00Z')
    await subject.eventually(async () => assert.equal((await invoicesOf(id)).length, 2))
    assert.deepEqual(
      (await invoicesOf(id))[0]!.lines.data.map((line) => line.amount),
      [1_000_000, -500_000],
    )
  },
)

conformance(
  'a threshold of usage can begin a new period',
  'docs.stripe.com/billing/subscriptions/usage-based/thresholds: "You can change the default behavior by configuring the subscription to reset the billing cycle anchor after it reaches the threshold. Stripe treats this configured behavior as if the subscription naturally arrived at its rollover point at the end of the month."',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered, use, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered({ unit_amount: 2, transform_quantity: { divide_by: 1, round: 'up' } })
    const begun = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id, billing_thresholds: { usage_gte: 1000 } }],
      billing_thresholds: { reset_billing_cycle_anchor: true },
    })
    await clock.advance('2027-04-10T00:00:00Z')
    await use('1000', '2027-04-10T00:00:00Z')
    await subject.eventually(async () => assert.equal((await invoicesOf(begun.id)).length, 1))
    const [first] = await invoicesOf(begun.id)
    assert.equal(first!.total, 2000)
    assert.equal(first!.threshold_reason!.item_reasons[0]!.usage_gte, 1000)
    const reset = await stripe.subscriptions.retrieve(begun.id)
    assert.equal(periodOf(reset.items.data[0]!), '2027-04-10T00:00:00Z – 2027-05-10T00:00:00Z')
    await use('10', '2027-04-10T00:00:00Z')
    await clock.advance('2027-05-10T02:00:00Z')
    assert.equal((await invoicesOf(begun.id))[0]!.total, 20)
  },
)

conformance(
  'waiting items can be billed between renewals',
  'stripe Subscriptions.d.ts pending_invoice_item_interval: "Specifies an interval for how often to bill for any pending invoice items. It is analogous to calling Create an invoice for the given subscription at the specified interval."',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const begun = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      pending_invoice_item_interval: { interval: 'week' },
    })
    assert.equal(day(begun.next_pending_invoice_item_invoice), '2027-04-08T00:00:00Z')
    await stripe.invoiceItems.create({ customer: customer.id, subscription: begun.id, amount: 700, currency: 'usd' })
    await clock.advance('2027-04-08T02:00:00Z')
    const [between] = await invoicesOf(begun.id)
    assert.deepEqual([between!.total, between!.status], [700, 'paid'])
    const after = await stripe.subscriptions.retrieve(begun.id)
    assert.equal(day(after.next_pending_invoice_item_invoice), '2027-04-15T00:00:00Z')
  },
)
