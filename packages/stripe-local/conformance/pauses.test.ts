import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance } from './conformance.ts'
import { day, eventsOf, linesOf, periodOf, plans } from './plans.ts'

const PAUSE = 'docs.stripe.com/billing/subscriptions/pause'

conformance(
  'a pause bills the usage so far, gives back unused time and ends the running period',
  `${PAUSE}: "The subscription status updates to paused. The current_period_end updates to the time when you paused … creating credit prorations for unused licensed time and creating debits for metered usage in the current period"`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, metered, use, waiting } = await plans(subject, '2027-04-01T00:00:00Z')
    const [fee, usage] = [await flat(), await metered()]
    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: fee.id }, { price: usage.id }],
    })
    await clock.advance('2027-04-15T00:00:00Z')
    await use('1500', '2027-04-15T00:00:00Z')
    await clock.advance('2027-04-16T00:00:00Z')

    const paused = await stripe.subscriptions.pause(subscription.id)

    assert.equal(paused.status, 'paused')
    assert.deepEqual(
      paused.items.data.map((item) => day(item.current_period_end)),
      ['2027-04-16T00:00:00Z', '2027-04-16T00:00:00Z'],
    )
    assert.deepEqual(paused.status_details, {
      paused: {
        subscription: { type: 'pause_requested' },
        transitioned_at: Date.parse('2027-04-16T00:00:00Z') / 1000,
        type: 'subscription',
      },
    })
    // Half of April's 10.00 back; 1,500 tokens opened two packages of 5 cents.
    assert.deepEqual(await waiting(), [
      '-500 Unused time on Pro after 16 Apr 2027',
      '10 1500 × Essential (at $0.05 per 1000 units / month)',
    ])
    await subject.eventually(async () => {
      const events = await eventsOf(stripe, subscription.id)
      assert(events.includes('customer.subscription.paused') && events.includes('customer.subscription.updated'))
    })
  },
)

conformance(
  'a pause can give everything back, bill nothing, or send the invoice at once',
  'stripe Subscriptions.d.ts SubscriptionPauseParams: "Controls when to bill for metered usage in the current period" · "Controls when to credit for unused time on licensed items" · "Determines how to handle debits and credits when pausing"',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, metered, use, waiting, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const [fee, usage] = [await flat(), await metered()]
    const items = [{ price: fee.id }, { price: usage.id }]
    const silent = await stripe.subscriptions.create({ customer: customer.id, items })
    const generous = await stripe.subscriptions.create({ customer: customer.id, items })
    await clock.advance('2027-04-16T00:00:00Z')
    await use('1500', '2027-04-15T00:00:00Z')

    await stripe.subscriptions.pause(silent.id, {
      bill_for: { outstanding_usage_through: { type: 'none' }, unused_time_from: { type: 'none' } },
    })
    assert.deepEqual(await waiting(), [])

    await stripe.subscriptions.pause(generous.id, {
      bill_for: { unused_time_from: { type: 'item_current_period_start' } },
      invoicing_behavior: 'invoice',
    })
    const [invoice] = await invoicesOf(generous.id)
    assert.equal(invoice!.total, -990) // all of April's 10.00 back, less 10 cents of usage
    assert.equal(invoice!.status, 'paid')
  },
)

conformance(
  'a paused subscription makes no invoices and no new periods',
  'stripe Subscriptions.d.ts pause: "A paused subscription does not generate invoices and will not advance to new billing periods"',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered, use, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const usage = await metered()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: usage.id }] })
    await clock.advance('2027-04-16T00:00:00Z')
    await stripe.subscriptions.pause(id)
    await use('5000', '2027-04-16T00:00:00Z')
    await clock.advance('2027-05-20T00:00:00Z')

    assert.deepEqual(await invoicesOf(id), [])
    const paused = await stripe.subscriptions.retrieve(id)
    assert.equal(periodOf(paused.items.data[0]!), '2027-04-01T00:00:00Z – 2027-04-16T00:00:00Z')
  },
)

conformance(
  'without anything to bill a resumption is active at once, with a new period, and usage of the pause is free',
  `${PAUSE}: "If resuming doesn’t generate an invoice, the subscription status updates to active immediately."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered, use, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const usage = await metered()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: usage.id }] })
    await clock.advance('2027-04-10T00:00:00Z')
    await stripe.subscriptions.pause(id)
    await clock.advance('2027-04-12T00:00:00Z')
    await use('7000', '2027-04-12T00:00:00Z')
    await clock.advance('2027-04-20T00:00:00Z')

    const back = await stripe.subscriptions.resume(id)

    assert.equal(back.status, 'active')
    assert.equal(back.status_details, undefined)
    assert.equal(periodOf(back.items.data[0]!), '2027-04-20T00:00:00Z – 2027-05-20T00:00:00Z')
    await use('1', '2027-04-20T00:00:00Z')
    await clock.advance('2027-05-20T02:00:00Z')
    assert.equal((await invoicesOf(id))[0]!.total, 5) // one package, none of the pause
    await subject.eventually(async () => {
      assert((await eventsOf(stripe, id)).includes('customer.subscription.resumed'))
    })
  },
)

conformance(
  'a resumption that costs something waits for its payment, which nobody tries by default',
  `${PAUSE}: "Stripe finalizes the resumption invoice immediately. The subscription becomes active once the invoice is paid" · resume_on_payment_attempt: "Resume request attempts payment: No. Collect payment with the Pay invoice endpoint."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat } = await plans(subject, '2027-04-01T00:00:00Z')
    const fee = await flat()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: fee.id }] })
    await clock.advance('2027-04-16T00:00:00Z')
    await stripe.subscriptions.pause(id)
    await clock.advance('2027-04-20T00:00:00Z')

    const waiting = await stripe.subscriptions.resume(id)

    assert.equal(waiting.status, 'paused')
    assert.equal(day(waiting.pending_update!.expires_at), '2027-04-20T23:00:00Z')
    const open = await stripe.invoices.retrieve(String(waiting.latest_invoice))
    // The credit of the pause is taken into the new month's 10.00.
    assert.deepEqual(linesOf(open), ['-500 Unused time on Pro after 16 Apr 2027', '1000 1 × Pro (at $10.00 / month)'])
    assert.deepEqual([open.status, open.amount_due, open.attempted], ['open', 500, false])

    await stripe.invoices.pay(open.id)
    const back = await stripe.subscriptions.retrieve(id)
    assert.deepEqual([back.status, back.pending_update], ['active', null])
    assert.equal(periodOf(back.items.data[0]!), '2027-04-20T00:00:00Z – 2027-05-20T00:00:00Z')
  },
)

conformance(
  'a resumption invoice that nobody pays within 23 hours is voided, and the subscription stays paused',
  'stripe Subscriptions.d.ts resume: "If there is no payment attempt within 23 hours, Stripe voids the invoice and the subscription stays paused."',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat } = await plans(subject, '2027-04-01T00:00:00Z')
    const fee = await flat()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: fee.id }] })
    await clock.advance('2027-04-16T00:00:00Z')
    await stripe.subscriptions.pause(id)
    const waiting = await stripe.subscriptions.resume(id)
    await clock.advance('2027-04-17T00:00:00Z')

    const still = await stripe.subscriptions.retrieve(id)
    assert.deepEqual([still.status, still.pending_update], ['paused', null])
    assert.equal((await stripe.invoices.retrieve(String(waiting.latest_invoice))).status, 'void')
  },
)

conformance(
  'resume_on_payment_success charges within the request',
  `${PAUSE}, "Payment behavior": "Resume request attempts payment: Yes, when the customer has a default payment method … Subscription status if a payment attempt fails: paused"`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat } = await plans(subject, '2027-04-01T00:00:00Z')
    const fee = await flat()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: fee.id }] })
    await clock.advance('2027-04-16T00:00:00Z')
    await stripe.subscriptions.pause(id)
    const payment_behavior = 'resume_on_payment_success'
    const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: customer.id })
    await stripe.subscriptions.update(id, { default_payment_method: failing.id })

    const still = await stripe.subscriptions.resume(id, { payment_behavior })
    assert.equal(still.status, 'paused')
    assert.equal((await stripe.invoices.retrieve(String(still.latest_invoice))).status, 'open')

    const good = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
    await stripe.subscriptions.update(id, { default_payment_method: good.id })
    const back = await stripe.subscriptions.resume(id, { payment_behavior })
    assert.equal(back.status, 'active')
    assert.equal((await stripe.invoices.retrieve(String(back.latest_invoice))).status, 'paid')
  },
)

conformance(
  'a resumption that keeps the anchor charges the rest of the old period with the next invoice',
  'stripe Subscriptions.d.ts SubscriptionResumeParams.proration_behavior: "Determines how to handle prorations resulting from the `billing_cycle_anchor` being `unchanged` … the default is `create_prorations`"',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, waiting } = await plans(subject, '2027-04-01T00:00:00Z')
    const fee = await flat()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: fee.id }] })
    await clock.advance('2027-04-11T00:00:00Z')
    await stripe.subscriptions.pause(id)
    await clock.advance('2027-04-16T00:00:00Z')

    const back = await stripe.subscriptions.resume(id, { billing_cycle_anchor: { type: 'unchanged' } })

    assert.equal(back.status, 'active')
    assert.equal(periodOf(back.items.data[0]!), '2027-04-01T00:00:00Z – 2027-05-01T00:00:00Z')
    // 20 of 30 days given back at the pause (-666.67 down), 15 charged again.
    assert.deepEqual(await waiting(), [
      '-667 Unused time on Pro after 11 Apr 2027',
      '500 Remaining time on Pro after 16 Apr 2027',
    ])
  },
)

conformance(
  'what cannot be paused, and what cannot be resumed',
  `${PAUSE}: "You can’t pause a subscription if it: Uses send_invoice collection; Uses billing mode classic; Is in a trial period; Has paused, incomplete, incomplete_expired, or canceled status; Has an attached schedule"`,
  async (subject) => {
    const { stripe } = subject
    const { customer, metered } = await plans(subject, '2027-04-01T00:00:00Z')
    const usage = await metered()
    const begin = (params: Partial<Stripe.SubscriptionCreateParams> = {}) =>
      stripe.subscriptions.create({ customer: customer.id, items: [{ price: usage.id }], ...params })
    const refused = { statusCode: 400, rawType: 'invalid_request_error' }

    const sent = await begin({ collection_method: 'send_invoice', days_until_due: 7 })
    await assert.rejects(stripe.subscriptions.pause(sent.id), refused)
    const classic = await begin({ billing_mode: { type: 'classic' } })
    await assert.rejects(stripe.subscriptions.pause(classic.id), refused)
    const trial = await begin({ trial_period_days: 7 })
    await assert.rejects(stripe.subscriptions.pause(trial.id), refused)
    await stripe.subscriptions.cancel(classic.id)
    await stripe.subscriptions.cancel(trial.id)
    const scheduled = await begin()
    await stripe.subscriptionSchedules.create({ from_subscription: scheduled.id })
    await assert.rejects(stripe.subscriptions.pause(scheduled.id), refused)
    await assert.rejects(stripe.subscriptions.resume(scheduled.id), refused)
  },
)

conformance(
  'while collection is paused, drafts stay drafts',
  'docs.stripe.com/billing/subscriptions/pause-payment, keep_as_draft: "Invoices are created in draft status with auto_advance set to false."',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const fee = await flat()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: fee.id }] })
    await stripe.subscriptions.update(id, { pause_collection: { behavior: 'keep_as_draft' } })
    await clock.advance('2027-05-01T02:00:00Z')

    const [draft] = await invoicesOf(id)
    assert.deepEqual([draft!.status, draft!.auto_advance, draft!.total], ['draft', false, 1000])
    assert.equal((await stripe.subscriptions.retrieve(id)).status, 'active')
  },
)

conformance(
  'while collection is paused, invoices are voided or given up',
  'docs.stripe.com/billing/subscriptions/pause-payment: "mark_uncollectible: Marks all invoices as uncollectible while collection is paused. void: Voids all invoices while collection is paused."',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const fee = await flat()
    const begin = async (behavior: 'mark_uncollectible' | 'void') => {
      const made = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: fee.id }] })
      await stripe.subscriptions.update(made.id, { pause_collection: { behavior } })
      return made.id
    }
    const [given, voided] = [await begin('mark_uncollectible'), await begin('void')]
    await clock.advance('2027-05-01T02:00:00Z')

    assert.equal((await invoicesOf(given))[0]!.status, 'uncollectible')
    assert.equal((await invoicesOf(voided))[0]!.status, 'void')
  },
)

conformance(
  'collection goes on by itself at resumes_at',
  'docs.stripe.com/billing/subscriptions/pause-payment, resumes_at: "A Unix timestamp after which the subscription resumes collecting payments."',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const fee = await flat()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: fee.id }] })
    await stripe.subscriptions.update(id, {
      pause_collection: { behavior: 'void', resumes_at: Date.parse('2027-04-20T00:00:00Z') / 1000 },
    })
    await clock.advance('2027-05-01T02:00:00Z')

    assert.equal((await stripe.subscriptions.retrieve(id)).pause_collection, null)
    assert.equal((await invoicesOf(id))[0]!.status, 'paid')
  },
)
