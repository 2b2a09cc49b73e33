import assert from 'node:assert/strict'
import { conformance, seconds } from './conformance.ts'
import { day, eventsOf, linesOf, periodOf, plans } from './plans.ts'

const TRIALS = 'docs.stripe.com/billing/subscriptions/trials'

conformance(
  'a trial begins with an invoice of nothing and ends with the first period, whose start is the anchor',
  `${TRIALS}: "When creating a subscription with a trial period … An immediate invoice is still created, but for $0." · "A new billing cycle also begins for the customer when the trial ends."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, invoicesOf } = await plans(subject, '2027-01-10T08:00:00Z')
    const price = await flat()
    const begun = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id, quantity: 2 }],
      trial_period_days: 14,
    })
    assert.equal(begun.status, 'trialing')
    assert.equal(day(begun.trial_end), '2027-01-24T08:00:00Z')
    const [first] = await invoicesOf(begun.id)
    assert.deepEqual([first!.total, first!.status], [0, 'paid'])
    assert.deepEqual(linesOf(first!), ['0 Free trial for 2 x Pro'])

    await clock.advance('2027-01-24T10:00:00Z')
    const active = await stripe.subscriptions.retrieve(begun.id)
    assert.equal(active.status, 'active')
    assert.equal(day(active.billing_cycle_anchor), '2027-01-24T08:00:00Z')
    assert.equal(periodOf(active.items.data[0]!), '2027-01-24T08:00:00Z – 2027-02-24T08:00:00Z')
    const [renewal] = await invoicesOf(begun.id)
    assert.deepEqual([renewal!.billing_reason, renewal!.total, renewal!.status], ['subscription_cycle', 2000, 'paid'])
  },
)

conformance(
  'usage of a trial is free',
  'docs.stripe.com/billing/subscriptions/usage-based/manage-billing, "Free trials": "During the trial period, any usage accrued doesn’t count toward the total charged to the customer at the end of the billing cycle. After the trial period ends, usage accrues and is billed at the end of the next billing cycle."',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered, use, invoicesOf } = await plans(subject, '2027-01-10T08:00:00Z')
    const price = await metered()
    const { id } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      trial_period_days: 14,
    })
    await use('9000', '2027-01-10T08:00:00Z')
    await clock.advance('2027-01-25T08:00:00Z')
    await use('1500', '2027-01-25T08:00:00Z')
    await clock.advance('2027-02-24T10:00:00Z')
    assert.equal((await invoicesOf(id))[0]!.total, 10) // two packages since the trial ended
  },
)

conformance(
  'three days before its end a trial says so',
  'docs.stripe.com/api/events/types customer.subscription.trial_will_end: "Occurs three days before a subscription\'s trial period is scheduled to end, or when a trial is ended immediately (using trial_end=now)."',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered } = await plans(subject, '2027-01-10T08:00:00Z')
    const price = await metered()
    const { id } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      trial_period_days: 14,
    })
    await clock.advance('2027-01-21T07:00:00Z')
    assert(!(await eventsOf(stripe, id)).includes('customer.subscription.trial_will_end'))
    await clock.advance('2027-01-21T08:00:00Z')
    await subject.eventually(async () => {
      assert((await eventsOf(stripe, id)).includes('customer.subscription.trial_will_end'))
    })
  },
)

conformance(
  'a trial that is ended now is charged now',
  `${TRIALS}: "To end a trial early, make an update subscription API call, setting the trial_end value to … now to end immediately"`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat } = await plans(subject, '2027-01-10T08:00:00Z')
    const price = await flat()
    const { id } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      trial_period_days: 14,
    })
    await clock.advance('2027-01-12T08:00:00Z')

    const active = await stripe.subscriptions.update(id, { trial_end: 'now' })

    assert.deepEqual([active.status, day(active.trial_end)], ['active', '2027-01-12T08:00:00Z'])
    assert.equal(periodOf(active.items.data[0]!), '2027-01-12T08:00:00Z – 2027-02-12T08:00:00Z')
    const invoice = await stripe.invoices.retrieve(String(active.latest_invoice))
    assert.deepEqual([invoice.total, invoice.status], [1000, 'paid'])
  },
)

conformance(
  'a trial with a later anchor is followed by a share of the first period',
  `${TRIALS}, "Combining trials with billing cycle anchor": "a free period followed by a prorated period, leading into a fixed billing cycle. … the 15th of the month … a free 7 day trial (until the 22nd), and then start normal billing on the 1st"`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, invoicesOf } = await plans(subject, '2027-04-15T00:00:00Z')
    const price = await flat(3000)
    const begun = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      trial_end: seconds('2027-04-22T00:00:00Z'),
      billing_cycle_anchor: seconds('2027-05-01T00:00:00Z'),
    })
    await clock.advance('2027-04-22T02:00:00Z')
    // 9 of April's 30 days of 30.00
    assert.equal((await invoicesOf(begun.id))[0]!.total, 900)
    await clock.advance('2027-05-01T02:00:00Z')
    assert.equal((await invoicesOf(begun.id))[0]!.total, 3000)
  },
)

conformance(
  'a trial that ends without a card cancels or pauses, if it is told to',
  'stripe Subscriptions.d.ts TrialSettings.EndBehavior.missing_payment_method: "Indicates how the subscription should change when the trial ends if the user did not provide a payment method."',
  async (subject) => {
    const { stripe } = subject
    const { clock, flat } = await plans(subject, '2027-01-10T08:00:00Z')
    const price = await flat()
    const without = await stripe.customers.create({ test_clock: clock.id })
    const begin = (missing_payment_method: 'cancel' | 'pause') =>
      stripe.subscriptions.create({
        customer: without.id,
        items: [{ price: price.id }],
        trial_period_days: 14,
        trial_settings: { end_behavior: { missing_payment_method } },
      })
    const [gone, resting] = [await begin('cancel'), await begin('pause')]
    await clock.advance('2027-01-24T10:00:00Z')

    assert.equal((await stripe.subscriptions.retrieve(gone.id)).status, 'canceled')
    const paused = await stripe.subscriptions.retrieve(resting.id)
    assert.equal(paused.status, 'paused')
    assert.equal(paused.status_details!.paused.subscription.type, 'trial_end_without_payment_method')

    const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: without.id })
    await stripe.customers.update(without.id, { invoice_settings: { default_payment_method: card.id } })
    await clock.advance('2027-01-26T08:00:00Z')
    const back = await stripe.subscriptions.resume(resting.id, { payment_behavior: 'resume_on_payment_success' })
    assert.equal(back.status, 'active')
    assert.equal(periodOf(back.items.data[0]!), '2027-01-26T08:00:00Z – 2027-02-26T08:00:00Z')
  },
)

conformance(
  'a trial can keep the anchor: its end begins a share of the period that runs',
  'stripe Subscriptions.d.ts TrialSettings.EndBehavior.billing_cycle_anchor: "Indicates how the subscription\'s billing cycle anchor is reset when a trial ends. If not set, the default is `now`."',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await flat(3000)
    const { id } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      trial_period_days: 10,
      trial_settings: { end_behavior: { billing_cycle_anchor: 'unchanged' } },
    })
    await clock.advance('2027-04-11T02:00:00Z')

    const active = await stripe.subscriptions.retrieve(id)
    assert.equal(day(active.billing_cycle_anchor), '2027-04-01T00:00:00Z')
    assert.equal(day(active.items.data[0]!.current_period_end), '2027-05-01T00:00:00Z')
    assert.equal((await invoicesOf(id))[0]!.total, 2000) // 20 of 30 days
  },
)

conformance(
  'a trial added to a running subscription credits what was paid and bills the usage so far',
  'docs.stripe.com/billing/subscriptions/prorations, "What triggers prorations": "Adding a trial period to an active subscription"',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await flat()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    await clock.advance('2027-04-16T00:00:00Z')

    const trial = await stripe.subscriptions.update(id, { trial_end: seconds('2027-04-26T00:00:00Z') })

    assert.deepEqual([trial.status, day(trial.trial_start)], ['trialing', '2027-04-16T00:00:00Z'])
    const invoice = await stripe.invoices.retrieve(String(trial.latest_invoice))
    assert.deepEqual(linesOf(invoice), ['-500 Unused time on Pro after 16 Apr 2027', '0 Free trial for 1 x Pro'])
  },
)

conformance(
  'a price can bring its own trial',
  'stripe Subscriptions.d.ts SubscriptionCreateParams.trial_from_plan: "Indicates if a plan\'s `trial_period_days` should be applied to the subscription."',
  async (subject) => {
    const { stripe } = subject
    const { customer, flat } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await flat(1000, { interval: 'month', trial_period_days: 30 })
    const items = [{ price: price.id }]
    const trial = await stripe.subscriptions.create({ customer: customer.id, items, trial_from_plan: true })
    assert.deepEqual([trial.status, day(trial.trial_end)], ['trialing', '2027-05-01T00:00:00Z'])
    const paying = await stripe.subscriptions.create({ customer: customer.id, items })
    assert.deepEqual([paying.status, paying.trial_end], ['active', null])
  },
)
