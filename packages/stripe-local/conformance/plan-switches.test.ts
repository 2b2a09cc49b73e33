import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance } from './conformance.ts'
import { linesOf, periodOf, plans } from './plans.ts'

const PRORATIONS = 'docs.stripe.com/billing/subscriptions/prorations'

conformance(
  'a switch in the middle of the month credits the old price and charges the new one',
  `${PRORATIONS}: "the customer is billed an additional 5 USD: -5 USD for unused time on the initial price, and 10 USD for the remaining time on the new price"`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, waiting, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const [ten, twenty] = [
      await flat(1000, { interval: 'month' }, 'Ten'),
      await flat(2000, { interval: 'month' }, 'Twenty'),
    ]
    const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: ten.id }] })
    await clock.advance('2027-04-16T00:00:00Z') // 15 of 30 days are left

    await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]!.id, price: twenty.id }],
    })

    assert.deepEqual(await waiting(), [
      '-500 Unused time on Ten after 16 Apr 2027',
      '1000 Remaining time on Twenty after 16 Apr 2027',
    ])
    await clock.advance('2027-05-01T02:00:00Z')
    const [renewal] = await invoicesOf(subscription.id)
    assert.equal(renewal!.total, 2500) // 20.00 for May and 5.00 for the second half of April
  },
)

conformance(
  'always_invoice sends the difference out at once',
  'stripe Subscriptions.d.ts update: "pass proration_behavior as always_invoice to create prorations, automatically invoice the customer for those proration adjustments, and attempt to collect payment"',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, waiting } = await plans(subject, '2027-04-01T00:00:00Z')
    const ten = await flat()
    const twenty = await flat(2000)
    const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: ten.id }] })
    await clock.advance('2027-04-16T00:00:00Z')

    const updated = await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]!.id, price: twenty.id }],
      proration_behavior: 'always_invoice',
    })

    const invoice = await stripe.invoices.retrieve(String(updated.latest_invoice))
    assert.deepEqual([invoice.billing_reason, invoice.status, invoice.total], ['subscription_update', 'paid', 500])
    assert.deepEqual(await waiting(), [])
  },
)

conformance(
  'none bills nothing for what is left of the period',
  'stripe Subscriptions.d.ts update: "If you don\'t want to prorate, set the proration_behavior option to none. With this option, the customer is billed 100 on May 1 and 200 on June 1"',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, waiting, invoicesOf } = await plans(subject, '2027-05-01T00:00:00Z')
    const [hundred, two] = [await flat(10_000), await flat(20_000)]
    const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: hundred.id }] })
    await clock.advance('2027-05-15T00:00:00Z')
    await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]!.id, price: two.id }],
      proration_behavior: 'none',
    })
    assert.deepEqual(await waiting(), [])
    await clock.advance('2027-06-01T02:00:00Z')
    assert.equal((await invoicesOf(subscription.id))[0]!.total, 20_000)
  },
)

conformance(
  'flexible credits what was billed, not what the item costs by now',
  `${PRORATIONS}, "Credit prorations": "When an update to a subscription generates a credit proration, these prorations use the original debited amount instead of current subscription values"`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, waiting } = await plans(subject, '2027-04-01T00:00:00Z')
    const [ten, twenty] = [
      await flat(1000, { interval: 'month' }, 'Ten'),
      await flat(2000, { interval: 'month' }, 'Twenty'),
    ]
    const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: ten.id }] })
    const { id } = subscription.items.data[0]!
    await clock.advance('2027-04-11T00:00:00Z')
    await stripe.subscriptions.update(subscription.id, {
      items: [{ id, price: twenty.id }],
      proration_behavior: 'none',
    })
    await clock.advance('2027-04-16T00:00:00Z') // 15 of 30 days are left, paid for at 10.00 a month

    await stripe.subscriptions.update(subscription.id, { items: [{ id, price: ten.id }] })

    const credits = (await waiting()).map((text) => Number(text.split(' ')[0]))
    assert.deepEqual(credits, [-500, 500])
  },
)

conformance(
  'a credit names the line of the invoice it gives back',
  'stripe InvoiceLineItems.d.ts ProrationDetails.credited_items: "For a credit proration `line_item`, the original debit line_items to which the credit proration applies."',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat } = await plans(subject, '2027-04-01T00:00:00Z')
    const [ten, twenty] = [await flat(), await flat(2000)]
    const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: ten.id }] })
    const first = await stripe.invoices.retrieve(String(subscription.latest_invoice))
    await clock.advance('2027-04-16T00:00:00Z')
    const switched = await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]!.id, price: twenty.id }],
      proration_behavior: 'always_invoice',
    })
    const invoice = await stripe.invoices.retrieve(String(switched.latest_invoice))
    const credit = invoice.lines.data.find((line) => line.amount < 0)!
    assert.deepEqual(credit.parent!.invoice_item_details!.proration_details!.credited_items, {
      invoice: first.id,
      invoice_line_items: [first.lines.data[0]!.id],
    })
  },
)

conformance(
  'flexible bills the usage before a switch at the price of its time',
  'docs.stripe.com/billing/subscriptions/billing-mode/compare: "1000 API calls at Price A (0.1 USD per 100 calls) = 1 USD; 500 API calls at Price B (0.15 USD per 100 calls) = 0.75 USD; Total invoice amount = 1.75 USD"',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered, use, waiting, invoicesOf } = await plans(subject, '2027-01-01T00:00:00Z')
    const per = (unit_amount: number) => ({ unit_amount, transform_quantity: { divide_by: 100, round: 'up' as const } })
    const [a, b] = [await metered(per(10), 'Price A'), await metered(per(15), 'Price B')]
    const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: a.id }] })
    await clock.advance('2027-01-05T00:00:00Z')
    await use('1000', '2027-01-05T00:00:00Z')
    await clock.advance('2027-01-15T00:00:00Z')
    await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]!.id, price: b.id }],
    })
    assert.equal((await waiting()).length, 1)
    await clock.advance('2027-01-20T00:00:00Z')
    await use('500', '2027-01-20T00:00:00Z')
    await clock.advance('2027-02-01T02:00:00Z')

    const [invoice] = await invoicesOf(subscription.id)
    assert.deepEqual(
      invoice!.lines.data.map((line) => line.amount),
      [100, 75],
    )
    assert.equal(invoice!.total, 175)
  },
)

conformance(
  'classic bills only what was used since the switch',
  'docs.stripe.com/billing/subscriptions/billing-mode/compare: "Stripe only bills for the usage that was reported since changing to the current price. 500 API calls at Price B = 0.75 USD"',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered, use, invoicesOf } = await plans(subject, '2027-01-01T00:00:00Z')
    const per = (unit_amount: number) => ({ unit_amount, transform_quantity: { divide_by: 100, round: 'up' as const } })
    const [a, b] = [await metered(per(10)), await metered(per(15))]
    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: a.id }],
      billing_mode: { type: 'classic' },
    })
    await clock.advance('2027-01-05T00:00:00Z')
    await use('1000', '2027-01-05T00:00:00Z')
    await clock.advance('2027-01-15T00:00:00Z')
    await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]!.id, price: b.id }],
    })
    await clock.advance('2027-01-20T00:00:00Z')
    await use('500', '2027-01-20T00:00:00Z')
    await clock.advance('2027-02-01T02:00:00Z')
    assert.equal((await invoicesOf(subscription.id))[0]!.total, 75)
  },
)

conformance(
  'resetting the anchor ends the period now, credits what is left of it and bills a whole new one',
  'stripe Subscriptions.d.ts SubscriptionUpdateParams.billing_cycle_anchor: "Set `type` to `now` to reset the billing cycle anchor to the current time (in UTC)"',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await flat()
    const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    await clock.advance('2027-04-16T00:00:00Z')

    const reset = await stripe.subscriptions.update(subscription.id, { billing_cycle_anchor: { type: 'now' } })

    assert.equal(periodOf(reset.items.data[0]!), '2027-04-16T00:00:00Z – 2027-05-16T00:00:00Z')
    const invoice = await stripe.invoices.retrieve(String(reset.latest_invoice))
    assert.deepEqual(linesOf(invoice), [
      '-500 Unused time on Pro after 16 Apr 2027',
      '1000 1 × Pro (at $10.00 / month)',
    ])
    assert.equal(invoice.status, 'paid')
  },
)

conformance(
  'a classic subscription moves its anchor when the interval changes; a flexible one never does',
  'docs.stripe.com/billing/subscriptions/billing-mode/compare: "The billing_cycle_anchor is automatically reset to the current date when switching a subscription to a different price with a different recurring interval" · "The billing_cycle_anchor is never automatically reset"',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat } = await plans(subject, '2027-04-01T00:00:00Z')
    const [monthly, yearly] = [await flat(), await flat(10_000, { interval: 'year' })]
    const begun = await Promise.all(
      (['classic', 'flexible'] as const).map((type) =>
        stripe.subscriptions.create({ customer: customer.id, items: [{ price: monthly.id }], billing_mode: { type } }),
      ),
    )
    await clock.advance('2027-04-16T00:00:00Z')

    const [classic, flexible] = await Promise.all(
      begun.map((each) =>
        stripe.subscriptions.update(each.id, { items: [{ id: each.items.data[0]!.id, price: yearly.id }] }),
      ),
    )

    assert.equal(periodOf(classic!.items.data[0]!), '2027-04-16T00:00:00Z – 2028-04-16T00:00:00Z')
    assert.equal(flexible!.billing_cycle_anchor, begun[1]!.billing_cycle_anchor)
    assert.equal(periodOf(flexible!.items.data[0]!), '2027-04-01T00:00:00Z – 2028-04-01T00:00:00Z')
    const invoice = await stripe.invoices.retrieve(String(classic!.latest_invoice))
    assert.equal(invoice.total, 9500) // a year of 100.00 less the unused half of April's 10.00
  },
)

conformance(
  'a change that is not paid waits: the subscription stays, the change comes true with the payment',
  'docs.stripe.com/billing/subscriptions/pending-updates-reference: "If payment fails, the updated values are added to the pending_update hash … The subscription will continue to cycle as if no update request was made"',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat } = await plans(subject, '2027-04-01T00:00:00Z')
    const [ten, twenty] = [await flat(), await flat(2000)]
    const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: ten.id }] })
    await clock.advance('2027-04-16T00:00:00Z')
    const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: customer.id })
    await stripe.subscriptions.update(subscription.id, { default_payment_method: failing.id })

    const waiting = await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]!.id, price: twenty.id }],
      proration_behavior: 'always_invoice',
      payment_behavior: 'pending_if_incomplete',
    })

    assert.deepEqual([waiting.status, waiting.items.data[0]!.price.id], ['active', ten.id])
    assert.equal(waiting.pending_update!.subscription_items![0]!.price.id, twenty.id)
    assert.equal(waiting.pending_update!.expires_at, Date.parse('2027-04-16T23:00:00Z') / 1000) // 23 hours
    const open = await stripe.invoices.retrieve(String(waiting.latest_invoice))
    assert.deepEqual([open.status, open.amount_due], ['open', 500])

    const good = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
    await stripe.invoices.pay(open.id, { payment_method: good.id })
    const applied = await stripe.subscriptions.retrieve(subscription.id)
    assert.deepEqual([applied.items.data[0]!.price.id, applied.pending_update], [twenty.id, null])
  },
)

conformance(
  'a pending update that nobody pays is dropped with its invoice',
  'docs.stripe.com/billing/subscriptions/pending-updates-reference: "If you don’t take any action after an update fails, Stripe voids the invoice and discards the update after it expires … the expiration is 23 hours from the update request"',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat } = await plans(subject, '2027-04-01T00:00:00Z')
    const [ten, twenty] = [await flat(), await flat(2000)]
    const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: ten.id }] })
    await clock.advance('2027-04-16T00:00:00Z')
    const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: customer.id })
    await stripe.subscriptions.update(subscription.id, { default_payment_method: failing.id })
    const waiting = await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]!.id, price: twenty.id }],
      proration_behavior: 'always_invoice',
      payment_behavior: 'pending_if_incomplete',
    })

    await clock.advance('2027-04-17T00:00:00Z')

    const kept = await stripe.subscriptions.retrieve(subscription.id)
    assert.deepEqual([kept.items.data[0]!.price.id, kept.pending_update], [ten.id, null])
    assert.equal((await stripe.invoices.retrieve(String(waiting.latest_invoice))).status, 'void')
  },
)

conformance(
  'error_if_incomplete leaves everything as it was',
  'docs.stripe.com/api/subscriptions/update payment_behavior: "Use error_if_incomplete if you want Stripe to return an HTTP 402 status code if a subscription\'s invoice cannot be paid"',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, waiting } = await plans(subject, '2027-04-01T00:00:00Z')
    const [ten, twenty] = [await flat(), await flat(2000)]
    const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: ten.id }] })
    await clock.advance('2027-04-16T00:00:00Z')
    const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: customer.id })
    await stripe.subscriptions.update(subscription.id, { default_payment_method: failing.id })

    await assert.rejects(
      stripe.subscriptions.update(subscription.id, {
        items: [{ id: subscription.items.data[0]!.id, price: twenty.id }],
        proration_behavior: 'always_invoice',
        payment_behavior: 'error_if_incomplete',
      }),
      { statusCode: 402, code: 'card_declined' },
    )

    const kept = await stripe.subscriptions.retrieve(subscription.id)
    assert.equal(kept.items.data[0]!.price.id, ten.id)
    assert.deepEqual(await waiting(), [])
  },
)

conformance(
  'a canceled subscription takes nothing but notes',
  'stripe Subscriptions.d.ts cancel: "After it\'s canceled, the subscription is largely immutable. You can still update its metadata and cancellation_details"',
  async (subject) => {
    const { stripe } = subject
    const { customer, metered } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    await stripe.subscriptions.cancel(id)

    const noted = await stripe.subscriptions.update(id, {
      metadata: { why: 'too quiet' },
      cancellation_details: { comment: 'See you' },
    })
    assert.deepEqual([noted.metadata.why, noted.cancellation_details!.comment], ['too quiet', 'See you'])
    await assert.rejects(stripe.subscriptions.update(id, { description: 'Again' }), { statusCode: 400 })
  },
)

conformance(
  'of a first part of a period no more comes back than it cost',
  `${PRORATIONS}, "Credit prorations": "these prorations use the original debited amount instead of current subscription values"; observed: shares are rounded down`,
  async (subject) => {
    const { stripe } = subject
    const { customer, flat, waiting } = await plans(subject, '2027-01-31T00:00:00Z')
    const [price, other] = [
      await flat(2800, { interval: 'month' }, 'Old'),
      await flat(0, { interval: 'month' }, 'Free'),
    ]
    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      billing_cycle_anchor_config: { day_of_month: 15 },
      expand: ['latest_invoice'],
    })
    // 15 of the 31 days from January 15: 28.00 × 15 / 31 = 13.548…
    assert.equal((subscription.latest_invoice as Stripe.Invoice).total, 1354)

    await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]!.id, price: other.id }],
    })
    assert.deepEqual(await waiting(), ['-1354 Unused time on Old after 31 Jan 2027'])
  },
)
