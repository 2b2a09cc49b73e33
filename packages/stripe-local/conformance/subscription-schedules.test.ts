import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance, seconds } from './conformance.ts'
import { day, eventsOf, linesOf, plans } from './plans.ts'

const GUIDE = 'docs.stripe.com/billing/subscriptions/subscription-schedules'
const TYPES = 'stripe SubscriptionSchedules.d.ts'

const month = { interval: 'month' as const }
const spans = (schedule: Stripe.SubscriptionSchedule) =>
  schedule.phases.map((phase) => `${day(phase.start_date)} – ${day(phase.end_date)}`)

conformance(
  'a schedule that starts now makes its subscription, whose first invoice has its hour as a draft',
  `${GUIDE}: "the first invoice of a subscription schedule with collection_method set to charge_automatically behaves like a recurring invoice and isn’t immediately finalized at the time the schedule’s subscription is created"`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await flat()
    const schedule = await stripe.subscriptionSchedules.create({
      customer: customer.id,
      start_date: 'now',
      end_behavior: 'release',
      phases: [{ items: [{ price: price.id, quantity: 1 }], duration: { ...month, interval_count: 12 } }],
    })
    assert.equal(schedule.status, 'active')
    assert.deepEqual(spans(schedule), ['2027-04-01T00:00:00Z – 2028-04-01T00:00:00Z'])
    const id = String(schedule.subscription)
    const subscription = await stripe.subscriptions.retrieve(id)
    assert.deepEqual([subscription.status, subscription.schedule], ['active', schedule.id])
    assert.equal((await invoicesOf(id))[0]!.status, 'draft')
    await clock.advance('2027-04-01T02:00:00Z')
    assert.equal((await invoicesOf(id))[0]!.status, 'paid')
  },
)

conformance(
  'a schedule that starts later waits',
  `${TYPES} start_date: "You can also use a Unix timestamp to backdate the subscription so that it starts on a past date, or set a future date for the subscription to start on."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const phases = [{ items: [{ price: price.id }], duration: month }]
    const later = await stripe.subscriptionSchedules.create({
      customer: customer.id,
      start_date: seconds('2027-04-15T00:00:00Z'),
      phases,
    })
    assert.deepEqual([later.status, later.subscription, later.current_phase], ['not_started', null, null])
    const scheduled = await stripe.subscriptionSchedules.list({ customer: customer.id, scheduled: true })
    assert.deepEqual(
      scheduled.data.map(({ id }) => id),
      [later.id],
    )
    await clock.advance('2027-04-15T01:00:00Z')
    const begun = await stripe.subscriptionSchedules.retrieve(later.id)
    assert.deepEqual([begun.status, day(begun.current_phase!.start_date)], ['active', '2027-04-15T00:00:00Z'])
    const subscription = await stripe.subscriptions.retrieve(String(begun.subscription))
    assert.equal(day(subscription.start_date), '2027-04-15T00:00:00Z')

    const past = await stripe.subscriptionSchedules.create({
      customer: customer.id,
      start_date: seconds('2027-04-05T00:00:00Z'),
      phases,
    })
    const backdated = await stripe.subscriptions.retrieve(String(past.subscription))
    assert.equal(day(backdated.start_date), '2027-04-05T00:00:00Z')
  },
)

conformance(
  'at a phase’s end the next one changes the subscription, with one invoice for what ends and what begins',
  `${GUIDE}: "Phase transitions happen automatically after the end_date on a phase is reached." · docs.stripe.com/billing/subscriptions/billing-mode/compare: "A single consolidated invoice is generated. This invoice includes both usage-based and licensed items"`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, metered, use, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const [usage, fee] = [await metered(), await flat()]
    const schedule = await stripe.subscriptionSchedules.create({
      customer: customer.id,
      start_date: 'now',
      phases: [
        { items: [{ price: usage.id }], duration: month },
        { items: [{ price: fee.id, quantity: 2 }], duration: { ...month, interval_count: 11 } },
      ],
    })
    await clock.advance('2027-04-20T00:00:00Z')
    await use('12345', '2027-04-20T00:00:00Z')
    const preview = await stripe.invoices.createPreview({ subscription: String(schedule.subscription) })
    assert.equal(preview.total, 2065) // what ends and what begins
    await clock.advance('2027-05-01T02:00:00Z')

    const id = String(schedule.subscription)
    const subscription = await stripe.subscriptions.retrieve(id)
    assert.deepEqual(
      subscription.items.data.map((item) => [item.price.id, item.quantity]),
      [[fee.id, 2]],
    )
    const [invoice] = await invoicesOf(id)
    assert.equal(invoice!.billing_reason, 'subscription_cycle')
    assert.deepEqual(linesOf(invoice!), [
      '65 12345 × Essential (at $0.05 per 1000 units / month)',
      '2000 2 × Pro (at $10.00 / month)',
    ])
    const after = await stripe.subscriptionSchedules.retrieve(schedule.id)
    assert.equal(day(after.current_phase!.start_date), '2027-05-01T00:00:00Z')
    await subject.eventually(async () => {
      assert((await eventsOf(stripe, schedule.id)).includes('subscription_schedule.updated'))
    })
  },
)

conformance(
  'a phase that begins in mid period bills by its own proration behavior',
  `${GUIDE}: "This setting applies specifically to prorations generated during phase transitions … create_prorations: Generate pending invoice items for billing changes. none: No prorations are created when entering this phase. always_invoice: Generate prorations and immediately create an invoice"`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, waiting, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await flat()
    const begin = (proration_behavior: Stripe.SubscriptionScheduleCreateParams.Phase.ProrationBehavior) =>
      stripe.subscriptionSchedules.create({
        customer: customer.id,
        start_date: 'now',
        phases: [
          { items: [{ price: price.id, quantity: 1 }], end_date: seconds('2027-04-16T00:00:00Z') },
          { items: [{ price: price.id, quantity: 3 }], duration: month, proration_behavior },
        ],
      })
    const [none, always] = [await begin('none'), await begin('always_invoice')]
    await clock.advance('2027-04-16T00:00:00Z')

    assert.deepEqual(await waiting(), [])
    for (const { subscription } of [none, always])
      assert.equal((await stripe.subscriptions.retrieve(String(subscription))).items.data[0]!.quantity, 3)
    assert.equal((await invoicesOf(String(none.subscription))).length, 1)
    // Half of one month's 10.00 back, half of three of them charged.
    assert.equal((await invoicesOf(String(always.subscription)))[0]!.total, 1000)
  },
)

conformance(
  'after the last phase the subscription is let go, or ended',
  `${TYPES} end_behavior: "\`release\` will end the subscription schedule and keep the underlying subscription running. \`cancel\` will end the subscription schedule and cancel the underlying subscription."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const begin = (end_behavior: 'cancel' | 'release') =>
      stripe.subscriptionSchedules.create({
        customer: customer.id,
        start_date: 'now',
        end_behavior,
        phases: [{ items: [{ price: price.id }], duration: month }],
      })
    const [free, over] = [await begin('release'), await begin('cancel')]
    assert.equal(
      day((await stripe.subscriptions.retrieve(String(over.subscription))).cancel_at),
      '2027-05-01T00:00:00Z',
    )
    await clock.advance('2027-05-01T02:00:00Z')

    const running = await stripe.subscriptions.retrieve(String(free.subscription))
    assert.deepEqual([running.status, running.schedule], ['active', null])
    assert.equal((await stripe.subscriptions.retrieve(String(over.subscription))).status, 'canceled')
    const done = await stripe.subscriptionSchedules.retrieve(over.id)
    assert.deepEqual(
      [done.status, day(done.completed_at), done.current_phase],
      ['completed', '2027-05-01T00:00:00Z', null],
    )
    const completed = await stripe.subscriptionSchedules.list({
      customer: customer.id,
      completed_at: { gte: seconds('2027-05-01T00:00:00Z') },
    })
    assert(completed.data.some(({ id }) => id === over.id))
  },
)

conformance(
  'a week before its end a schedule says so',
  'docs.stripe.com/api/events/types subscription_schedule.expiring: "Occurs 7 days before a subscription schedule will expire."',
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const { id } = await stripe.subscriptionSchedules.create({
      customer: customer.id,
      start_date: 'now',
      phases: [{ items: [{ price: price.id }], duration: month }],
    })
    await clock.advance('2027-04-23T00:00:00Z')
    assert(!(await eventsOf(stripe, id)).includes('subscription_schedule.expiring'))
    await clock.advance('2027-04-24T00:00:00Z')
    await subject.eventually(async () =>
      assert((await eventsOf(stripe, id)).includes('subscription_schedule.expiring')),
    )
  },
)

conformance(
  'a schedule around a running subscription has one phase, its running period, and can be given another',
  `${GUIDE}, "Add a schedule to an existing subscription": "Passing the subscription IDs in this way creates a schedule with one phase that’s based on the current billing period of the subscription."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered, use, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const [old, next] = [await metered(), await metered({ unit_amount: 50 }, 'Business')]
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: old.id }] })
    await clock.advance('2027-04-10T00:00:00Z')

    const schedule = await stripe.subscriptionSchedules.create({ from_subscription: id })
    assert.deepEqual(spans(schedule), ['2027-04-01T00:00:00Z – 2027-05-01T00:00:00Z'])
    assert.equal((await stripe.subscriptions.retrieve(id)).schedule, schedule.id)
    await assert.rejects(stripe.subscriptionSchedules.create({ from_subscription: id }), { statusCode: 400 })

    const [phase] = schedule.phases
    const planned = await stripe.subscriptionSchedules.update(schedule.id, {
      phases: [
        { items: [{ price: old.id }], start_date: phase!.start_date, end_date: phase!.end_date },
        { items: [{ price: next.id }], duration: month },
      ],
    })
    assert.equal(planned.phases.length, 2)
    const preview = await stripe.invoices.createPreview({ subscription: id })
    assert.deepEqual(
      preview.lines.data.map((line) => line.pricing!.price_details!.price),
      [old.id],
    )
    await use('12345', '2027-04-10T00:00:00Z')
    await clock.advance('2027-05-01T02:00:00Z')
    const switched = await stripe.subscriptions.retrieve(id)
    assert.equal(switched.items.data[0]!.price.id, next.id)
    assert.equal((await invoicesOf(id))[0]!.total, 65)
    await use('1', '2027-05-01T02:00:00Z')
    await clock.advance('2027-06-01T02:00:00Z')
    assert.equal((await invoicesOf(id))[0]!.total, 50)
  },
)

conformance(
  'a changed current phase changes the subscription at once',
  `${GUIDE}: "Updating the active phase updates the underlying subscription as well. For example, this call updates the quantity to two"`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, waiting } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await flat()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    const schedule = await stripe.subscriptionSchedules.create({ from_subscription: id })
    await clock.advance('2027-04-16T00:00:00Z')
    const [phase] = schedule.phases
    const same = { start_date: phase!.start_date, end_date: phase!.end_date }
    await stripe.subscriptionSchedules.update(schedule.id, {
      phases: [{ ...same, items: [{ price: price.id, quantity: 2 }], metadata: { tier: 'two' } }],
    })
    const changed = await stripe.subscriptions.retrieve(id)
    assert.deepEqual([changed.items.data[0]!.quantity, changed.metadata.tier], [2, 'two'])
    // Half of one 10.00 back, half of two charged.
    assert.deepEqual(
      (await waiting()).map((text) => text.split(' ')[0]),
      ['-500', '1000'],
    )
  },
)

conformance(
  'the current phase can be ended now',
  `${GUIDE}: "You can also end the current phase immediately and start a new phase. This moves the active phase to the past and immediately applies the new phase to the subscription."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered, use, waiting } = await plans(subject, '2027-04-01T00:00:00Z')
    const [old, next] = [await metered(), await metered({ unit_amount: 50 }, 'Business')]
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: old.id }] })
    const schedule = await stripe.subscriptionSchedules.create({ from_subscription: id })
    await clock.advance('2027-04-16T00:00:00Z')
    await use('12345', '2027-04-15T00:00:00Z')
    const { start_date } = schedule.phases[0]!
    const updated = await stripe.subscriptionSchedules.update(schedule.id, {
      phases: [
        { items: [{ price: old.id }], start_date, end_date: 'now' },
        { items: [{ price: next.id }], start_date: 'now', end_date: seconds('2027-06-01T00:00:00Z') },
      ],
    })
    assert.equal(day(updated.current_phase!.start_date), '2027-04-16T00:00:00Z')
    assert.equal((await stripe.subscriptions.retrieve(id)).items.data[0]!.price.id, next.id)
    assert.deepEqual(await waiting(), ['65 12345 × Essential (at $0.05 per 1000 units / month)'])
  },
)

conformance(
  'metadata of a phase is added, changed and unset on the subscription',
  `${GUIDE}, "Use phase metadata": "channel is updated … region is unchanged because it’s not specified on the phase … churn-risk is added … upsell-products is unset because an empty value is specified on the phase"`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const items = [{ price: price.id }]
    const { subscription } = await stripe.subscriptionSchedules.create({
      customer: customer.id,
      start_date: 'now',
      phases: [
        { items, duration: month, metadata: { channel: 'self-serve', region: 'apac', 'upsell-products': 'alpha' } },
        { items, duration: month, metadata: { channel: 'sales', 'churn-risk': 'high', 'upsell-products': '' } },
      ],
    })
    await clock.advance('2027-05-01T02:00:00Z')
    const { metadata } = await stripe.subscriptions.retrieve(String(subscription))
    assert.deepEqual(metadata, { channel: 'sales', region: 'apac', 'churn-risk': 'high' })
  },
)

conformance(
  'a phase can move the anchor to its start',
  `${GUIDE}, "Reset the billing cycle anchor": "billing_cycle_anchor: phase_start" · ${TYPES}: "If \`phase_start\` then billing cycle anchor of the subscription is set to the start of the phase when entering the phase."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, invoicesOf } = await plans(subject, '2027-04-10T00:00:00Z')
    const price = await flat(3000)
    const items = [{ price: price.id, quantity: 1 }]
    const schedule = await stripe.subscriptionSchedules.create({
      customer: customer.id,
      start_date: 'now',
      phases: [
        { items, end_date: seconds('2027-04-25T00:00:00Z') },
        { items, duration: month, billing_cycle_anchor: 'phase_start' },
      ],
    })
    await clock.advance('2027-04-25T00:00:00Z')
    const id = String(schedule.subscription)
    const moved = await stripe.subscriptions.retrieve(id)
    assert.equal(day(moved.billing_cycle_anchor), '2027-04-25T00:00:00Z')
    assert.equal(day(moved.items.data[0]!.current_period_end), '2027-05-25T00:00:00Z')
    // Half of the first month (10 April to 10 May) back, a whole new one charged.
    assert.equal((await invoicesOf(id))[0]!.total, 1500)
  },
)

conformance(
  'a phase can be a trial',
  `${GUIDE}: "If you want the entire phase to be a trial, set the value of trial_end to the same time as the end_date of the phase." · ${TYPES} trial: "If set to true the entire phase is counted as a trial and the customer will not be charged for any fees."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await flat()
    const items = [{ price: price.id, quantity: 1 }]
    const schedule = await stripe.subscriptionSchedules.create({
      customer: customer.id,
      start_date: 'now',
      phases: [
        { items, trial: true, end_date: seconds('2027-04-15T00:00:00Z') },
        { items, duration: month },
      ],
    })
    const id = String(schedule.subscription)
    assert.equal(day(schedule.phases[0]!.trial_end), '2027-04-15T00:00:00Z')
    assert.equal((await stripe.subscriptions.retrieve(id)).status, 'trialing')
    await clock.advance('2027-04-15T02:00:00Z')
    const active = await stripe.subscriptions.retrieve(id)
    assert.equal(active.status, 'active')
    const [first] = await invoicesOf(id)
    assert.deepEqual([first!.total, first!.status], [1000, 'paid'])
  },
)

conformance(
  'released, the subscription goes on alone',
  `${TYPES} release: "releasing it will remove its subscription property and set the subscription's ID to the released_subscription property" · preserve_cancel_date: "Keep any cancellation on the subscription that the schedule has set"`,
  async (subject) => {
    const { stripe } = subject
    const { customer, metered } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const begin = () =>
      stripe.subscriptionSchedules.create({
        customer: customer.id,
        start_date: 'now',
        end_behavior: 'cancel',
        phases: [{ items: [{ price: price.id }], duration: month }],
      })
    const [forgets, keeps] = [await begin(), await begin()]
    const released = await stripe.subscriptionSchedules.release(forgets.id)
    assert.deepEqual(
      [released.status, released.subscription, released.released_subscription],
      ['released', null, forgets.subscription],
    )
    const alone = await stripe.subscriptions.retrieve(String(forgets.subscription))
    assert.deepEqual([alone.status, alone.schedule, alone.cancel_at], ['active', null, null])
    await stripe.subscriptionSchedules.release(keeps.id, { preserve_cancel_date: true })
    const ending = await stripe.subscriptions.retrieve(String(keeps.subscription))
    assert.equal(day(ending.cancel_at), '2027-05-01T00:00:00Z')
    await assert.rejects(stripe.subscriptionSchedules.release(keeps.id), { statusCode: 400 })
  },
)

conformance(
  'canceled, the subscription ends with it, and what was used is billed',
  `${TYPES} cancel: "Cancels a subscription schedule and its associated subscription immediately" · invoice_now: "indicates if a final invoice will be generated that contains any un-invoiced metered usage and new/pending proration invoice items. Defaults to \`true\`."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered, use, invoicesOf } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const phases = [{ items: [{ price: price.id }], duration: month }]
    const schedule = await stripe.subscriptionSchedules.create({ customer: customer.id, start_date: 'now', phases })
    await clock.advance('2027-04-10T00:00:00Z')
    await use('12345', '2027-04-09T00:00:00Z')
    const canceled = await stripe.subscriptionSchedules.cancel(schedule.id)
    assert.deepEqual([canceled.status, day(canceled.canceled_at)], ['canceled', '2027-04-10T00:00:00Z'])
    const id = String(schedule.subscription)
    assert.equal((await stripe.subscriptions.retrieve(id)).status, 'canceled')
    assert.equal((await invoicesOf(id))[0]!.total, 65)

    const later = await stripe.subscriptionSchedules.create({
      customer: customer.id,
      start_date: seconds('2027-05-01T00:00:00Z'),
      phases,
    })
    assert.equal((await stripe.subscriptionSchedules.cancel(later.id)).status, 'canceled')
  },
)

conformance(
  'a scheduled subscription is ended through its schedule; a change of its items cuts the phase in two',
  `observed: "The subscription is managed by the subscription schedule \`sub_sched_…\`, and updating any cancelation behavior directly is not allowed. Please update the schedule instead." · ${GUIDE}: "this automatically splits the attached subscription schedule’s phase into two phases"`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, flat, metered } = await plans(subject, '2027-04-01T00:00:00Z')
    const [fee, usage] = [await flat(), await metered()]
    const begun = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: fee.id }, { price: usage.id }],
    })
    const schedule = await stripe.subscriptionSchedules.create({ from_subscription: begun.id })
    await assert.rejects(stripe.subscriptions.update(begun.id, { cancel_at_period_end: true }), {
      message: `The subscription is managed by the subscription schedule \`${schedule.id}\`, and updating any cancelation behavior directly is not allowed. Please update the schedule instead.`,
    })
    await clock.advance('2027-04-16T00:00:00Z')
    await stripe.subscriptionItems.del(begun.items.data.find((item) => item.price.id === usage.id)!.id)
    const cut = await stripe.subscriptionSchedules.retrieve(schedule.id)
    assert.deepEqual(spans(cut), [
      '2027-04-01T00:00:00Z – 2027-04-16T00:00:00Z',
      '2027-04-16T00:00:00Z – 2027-05-01T00:00:00Z',
    ])
    assert.deepEqual(
      cut.phases.map(({ items }) => items.length),
      [2, 1],
    )
  },
)

conformance(
  'a pause and its end can be planned',
  `docs.stripe.com/billing/subscriptions/pause/schedules: "Use a pause schedule to temporarily stop service without canceling the subscription." · "When you create a subscription schedule with from_subscription, you can add pause_schedules in the same request."`,
  async (subject) => {
    const { stripe } = subject
    const { clock, customer, metered, use, waiting } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const { id } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
    const schedule = await stripe.subscriptionSchedules.create({
      from_subscription: id,
      pause_schedules: [
        {
          pause: { pause_at: { type: 'timestamp', timestamp: seconds('2027-04-10T00:00:00Z') } },
          resume: { resume_at: { type: 'duration', duration: { interval: 'week' } } },
        },
      ],
    })
    const [planned] = schedule.pause_schedules
    assert.deepEqual(
      [day(planned!.pause.pause_at), planned!.pause.status.type, day(planned!.resume!.resume_at)],
      ['2027-04-10T00:00:00Z', 'scheduled', '2027-04-17T00:00:00Z'],
    )
    await use('1500', '2027-04-01T00:00:00Z')
    await clock.advance('2027-04-11T00:00:00Z')
    assert.equal((await stripe.subscriptions.retrieve(id)).status, 'paused')
    assert.deepEqual(await waiting(), ['10 1500 × Essential (at $0.05 per 1000 units / month)'])
    await clock.advance('2027-04-18T00:00:00Z')
    const back = await stripe.subscriptions.retrieve(id)
    assert.equal(back.status, 'active')
    assert.equal(day(back.items.data[0]!.current_period_start), '2027-04-17T00:00:00Z')
  },
)

conformance(
  'phases that do not follow each other are refused',
  `${TYPES} phases: "If there are multiple phases, the \`end_date\` of one phase will always equal the \`start_date\` of the next phase." · ${GUIDE}: "You can have up to 10 phases."`,
  async (subject) => {
    const { stripe } = subject
    const { customer, metered } = await plans(subject, '2027-04-01T00:00:00Z')
    const price = await metered()
    const items = [{ price: price.id }]
    const begin = (phases: Stripe.SubscriptionScheduleCreateParams.Phase[]) =>
      stripe.subscriptionSchedules.create({ customer: customer.id, start_date: 'now', phases })
    await assert.rejects(begin([{ items, end_date: seconds('2027-03-01T00:00:00Z') }]), { statusCode: 400 })
    await assert.rejects(begin([{ items, end_date: seconds('2027-05-01T00:00:00Z'), duration: month }]), {
      statusCode: 400,
    })
    await assert.rejects(begin(Array.from({ length: 11 }, () => ({ items, duration: month }))), { statusCode: 400 })
    await assert.rejects(begin([]), { statusCode: 400 })
  },
)
