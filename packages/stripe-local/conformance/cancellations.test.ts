import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance, seconds } from './conformance.ts'
import { day, eventsOf, linesOf, plans } from './plans.ts'

const CANCEL = 'stripe Subscriptions.d.ts'

conformance(
  'at the end of the period the last usage is billed, and until then the end can be called off',
  'docs.stripe.com/billing/subscriptions/usage-based/manage-billing, "Cancellations": "you can reactivate it at any point up to the end of the period by updating cancel_at_period_end to false. The final invoice includes any metered usage after the subscription cancels at the end of the billing period."',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered, use, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })

    const planned = await stripe.subscriptions.update(id, { cancel_at_period_end: true })
    assert.deepEqual([planned.cancel_at_period_end, day(planned.cancel_at)], [true, '2027-05-01T00:00:00Z'])
    assert.equal(planned.cancellation_details!.reason, 'cancellation_requested')
    const kept = await stripe.subscriptions.update(id, { cancel_at_period_end: false })
    assert.deepEqual([kept.cancel_at, kept.canceled_at, kept.cancel_at_period_end], [null, null, false])

    await stripe.subscriptions.update(id, { cancel_at_period_end: true })
    await clock.advance('2027-04-30T23:00:00Z')
    await use('12345', '2027-04-30T23:00:00Z')
    await clock.advance('2027-05-01T02:00:00Z')
    const ended = await stripe.subscriptions.retrieve(id)
    assert.deepEqual([ended.status, day(ended.ended_at)], ['canceled', '2027-05-01T00:00:00Z'])
    const [last] = await invoicesOf(id)
    assert.deepEqual([last!.total, last!.status], [65, 'paid']) // 12,345 tokens are 13 packages
    await subject.eventually(async () => {
      assert.equal((await eventsOf(stripe, id)).filter((type) => type === 'customer.subscription.deleted').length, 1)
    })
  },
)

conformance(
  'canceled now, usage is discarded; with invoice_now it is billed',
  `${CANCEL} SubscriptionCancelParams.invoice_now: "Will generate a final invoice that invoices for any un-invoiced metered usage and new/pending proration invoice items. Defaults to \`false\`."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered, use, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const begin = () => stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    const [silent, billed] = [await begin(), await begin()]
    await clock.advance('2027-04-10T00:00:00Z')
    await use('12345', '2027-04-09T23:00:00Z')

    assert.equal((await stripe.subscriptions.cancel(silent.id)).status, 'canceled')
    assert.deepEqual(await invoicesOf(silent.id), [])
    await stripe.subscriptions.cancel(billed.id, { invoice_now: true })
    const [last] = await invoicesOf(billed.id)
    assert.deepEqual([last!.total, last!.status], [65, 'paid'])
  },
)

conformance(
  'canceled now, unused time is given back only if asked for',
  `${CANCEL} SubscriptionCancelParams.prorate: "Will generate a proration invoice item that credits remaining unused time until the subscription period end. Defaults to \`false\`."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, waiting } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await flat()
    const begin = () => stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    const [silent, fair] = [await begin(), await begin()]
    await clock.advance('2027-04-16T00:00:00Z')
    await stripe.subscriptions.cancel(silent.id)
    assert.deepEqual(await waiting(), [])
    await stripe.subscriptions.cancel(fair.id, { prorate: true })
    assert.deepEqual(await waiting(), ['-500 Unused time on Pro after 16 Apr 2027'])
  },
)

conformance(
  'canceled now, waiting prorations are removed, unless they are billed or new ones are wanted',
  `${CANCEL} cancel: "if the subscription is set to cancel immediately, pending prorations are removed if invoice_now and prorate are both set to false"`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, waiting } = await plans(subject, '2027-04-01T00:00:00Z')
    const [ten, twenty] = [await flat(), await flat(2000)]
    const begun = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: ten.id }] })
    await clock.advance('2027-04-16T00:00:00Z')
    await stripe.subscriptions.update(begun.id, { items: [{ id: begun.items.data[0]!.id, price: twenty.id }] })
    assert.equal((await waiting()).length, 2)
    await stripe.subscriptions.cancel(begun.id)
    assert.deepEqual(await waiting(), [])
  },
)

conformance(
  'a date before the period ends cuts the period short and credits the rest',
  `${CANCEL} SubscriptionUpdateParams.cancel_at: "A timestamp at which the subscription should cancel. If set to a date before the current period ends, this will cause a proration if prorations have been enabled using \`proration_behavior\`."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, metered, use, waiting, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const [fee, usage] = [await flat(), await metered()]
    const { id } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: fee.id }, { price: usage.id }],
    })
    const cancel_at = seconds('2027-04-16T00:00:00Z')
    await stripe.subscriptions.update(id, { cancel_at })
    assert.deepEqual(await waiting(), ['-500 Unused time on Pro after 16 Apr 2027'])
    await clock.advance('2027-04-15T00:00:00Z')
    await use('500', '2027-04-15T00:00:00Z')
    await clock.advance('2027-04-16T02:00:00Z')

    const ended = await stripe.subscriptions.retrieve(id)
    assert.deepEqual([ended.status, ended.ended_at], ['canceled', cancel_at])
    const [last] = await invoicesOf(id)
    // Half of April's 10.00 back and one package of usage.
    assert.equal(last!.total, -495)
  },
)

conformance(
  'a date in a later period bills only a share of that period',
  `${CANCEL} SubscriptionUpdateParams.cancel_at: "If set during a future period, this will always cause a proration for that period."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, invoicesOf } = await plans(subject, '2027-03-01T00:00:00Z')
    const price = await flat()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    await stripe.subscriptions.update(id, { cancel_at: seconds('2027-04-16T00:00:00Z') })
    await clock.advance('2027-04-01T02:00:00Z')
    const [april] = await invoicesOf(id)
    assert.equal(april!.total, 500) // 15 of 30 days
    assert.equal(day(april!.lines.data[0]!.period.end), '2027-04-16T00:00:00Z')
    await clock.advance('2027-04-16T02:00:00Z')
    assert.equal((await stripe.subscriptions.retrieve(id)).status, 'canceled')
    assert.equal((await invoicesOf(id)).length, 2)
  },
)

conformance(
  'the end can be the earliest or the latest of the items’ periods',
  'docs.stripe.com/changelog/basil/2025-07-30/cancel-at-enums: "min_period_end: Schedules cancelation of the subscription at the earliest items.data.current_period_end … max_period_end: … at the latest … the existing cancel_at_period_end feature always resolves to the earliest item period end"',
  async (subject) => {
    const { stripe } = subject
    const { customer, flat } = await plans(subject, '2027-04-01T00:00:00Z')
    const [monthly, yearly] = [await flat(), await flat(10_000, { interval: 'year' })]
    const { id } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: monthly.id }, { price: yearly.id }],
    })
    const endOf = async (params: Stripe.SubscriptionUpdateParams) =>
      day((await stripe.subscriptions.update(id, { proration_behavior: 'none', ...params })).cancel_at)
    assert.equal(await endOf({ cancel_at: 'max_period_end' }), '2028-04-01T00:00:00Z')
    assert.equal(await endOf({ cancel_at: 'max_billed_until' }), '2028-04-01T00:00:00Z')
    assert.equal(await endOf({ cancel_at: 'min_period_end' }), '2027-05-01T00:00:00Z')
    assert.equal(await endOf({ cancel_at: '' }), null)
    assert.equal(await endOf({ cancel_at_period_end: true }), '2027-05-01T00:00:00Z')
  },
)

conformance(
  'an end that was planned from the start shortens the first period, unless none is wanted',
  'docs.stripe.com/billing/subscriptions/billing-mode/compare, "Scheduled subscription cancellation": "Flexible billing mode lets you disable prorations for a truncated first billing period (when setting cancel_at on creation) using the proration_behavior parameter."',
  async (subject) => {
    const { stripe } = subject
    const { customer, flat, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await flat()
    const begin = async (proration_behavior: 'create_prorations' | 'none') => {
      const cancel_at = seconds('2027-04-16T00:00:00Z')
      const items = [{ price: price.id }]
      const { id } = await stripe.subscriptions.create({ customer: customer.id, items, cancel_at, proration_behavior })
      return (await invoicesOf(id))[0]!.total
    }
    assert.equal(await begin('create_prorations'), 500)
    assert.equal(await begin('none'), 1000)
  },
)

conformance(
  'an end that is called off charges the time that comes back',
  'docs.stripe.com/billing/subscriptions/prorations, "What triggers prorations": "Setting cancel_at: Canceling a subscription mid-period (not at period end)"',
  async (subject) => {
    const { stripe } = subject
    const { customer, flat, waiting } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await flat()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    await stripe.subscriptions.update(id, { cancel_at: seconds('2027-04-16T00:00:00Z') })
    const kept = await stripe.subscriptions.update(id, { cancel_at: '' })
    assert.equal(day(kept.items.data[0]!.current_period_end), '2027-05-01T00:00:00Z')
    assert.deepEqual(await waiting(), [
      '-500 Unused time on Pro after 16 Apr 2027',
      '500 Remaining time on Pro after 16 Apr 2027',
    ])
  },
  { localOnly: 'Stripe does not say what it charges when a mid-period end is called off' },
)

conformance(
  'a canceled subscription is found only by its status',
  `${CANCEL} list: "By default, returns a list of subscriptions that have not been canceled. In order to list canceled subscriptions, specify status=canceled."`,
  async (subject) => {
    const { stripe } = subject
    const { customer, metered } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    await stripe.subscriptions.cancel(id, { cancellation_details: { comment: 'Bye', feedback: 'unused' } })
    const of = async (status?: Stripe.SubscriptionListParams.Status) =>
      (await stripe.subscriptions.list({ customer: customer.id, ...(status && { status }) })).data.map(
        (each) => each.id,
      )
    assert.deepEqual(await of(), [])
    for (const status of ['canceled', 'ended', 'all'] as const) assert.deepEqual(await of(status), [id])
    const [gone] = (await stripe.subscriptions.list({ customer: customer.id, status: 'canceled' })).data
    assert.deepEqual(gone!.cancellation_details, {
      comment: 'Bye',
      feedback: 'unused',
      feedback_option: null,
      reason: 'cancellation_requested',
    })
    await assert.rejects(stripe.subscriptions.cancel(id), { statusCode: 404, code: 'resource_missing' })
  },
)

conformance(
  'a final invoice shows what it is for',
  `${CANCEL} cancel: "Pending invoice items are included on a final invoice if you generate one."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await flat()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    await stripe.invoiceItems.create({
      customer: customer.id,
      subscription: id,
      amount: 700,
      currency: 'usd',
      description: 'Setup',
    })
    await clock.advance('2027-04-16T00:00:00Z')
    await stripe.subscriptions.cancel(id, { invoice_now: true, prorate: true })
    const [last] = await invoicesOf(id)
    assert.deepEqual(linesOf(last!), ['-500 Unused time on Pro after 16 Apr 2027', '700 Setup'])
    assert.equal(last!.total, 200)
  },
)
