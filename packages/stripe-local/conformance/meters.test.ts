import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance } from './conformance.ts'
import { refusal } from './refusal.ts'

conformance(
  'a meter of an event name has the documented defaults',
  'docs.stripe.com/billing/subscriptions/usage-based/meters/configure: the customer key defaults to stripe_customer_id, the value key to value',
  async ({ stripe, unique }) => {
    const event_name = unique('ai_tokens')
    const meter = await stripe.billing.meters.create({
      display_name: 'AI tokens',
      event_name,
      default_aggregation: { formula: 'sum' },
    })

    assert.deepEqual(await stripe.billing.meters.retrieve(meter.id), meter)
    assert.deepEqual(
      [meter.event_name, meter.display_name, meter.status, meter.event_time_window],
      [event_name, 'AI tokens', 'active', null],
    )
    assert.deepEqual(meter.customer_mapping, { event_payload_key: 'stripe_customer_id', type: 'by_id' })
    assert.deepEqual(meter.value_settings, { event_payload_key: 'value' })
    assert.deepEqual(meter.status_transitions, { deactivated_at: null })
  },
)

conformance(
  'keys, window and formula can be chosen',
  'stripe MeterCreateParams.event_time_window: "The time window which meter events have been pre-aggregated for, if any."',
  async ({ stripe, unique }) => {
    const meter = await stripe.billing.meters.create({
      display_name: 'Seats',
      event_name: unique('seats'),
      default_aggregation: { formula: 'last' },
      customer_mapping: { event_payload_key: 'who', type: 'by_id' },
      value_settings: { event_payload_key: 'seats' },
      event_time_window: 'day',
    })

    assert.equal(meter.default_aggregation.formula, 'last')
    assert.equal(meter.customer_mapping.event_payload_key, 'who')
    assert.equal(meter.value_settings.event_payload_key, 'seats')
    assert.equal(meter.event_time_window, 'day')
  },
)

conformance(
  'an event name belongs to a single meter',
  'docs.stripe.com/billing/subscriptions/usage-based/meters/configure: "You can only use an event name with a single meter"',
  async ({ stripe, unique }) => {
    const params: Stripe.Billing.MeterCreateParams = {
      display_name: 'AI tokens',
      event_name: unique('ai_tokens'),
      default_aggregation: { formula: 'sum' },
    }
    await stripe.billing.meters.create(params)

    await assert.rejects(stripe.billing.meters.create(params), refusal({ type: 'invalid_request_error' }))
  },
)

conformance(
  'max is no formula',
  'docs.stripe.com/billing/subscriptions/usage-based-legacy/migration-guide: "We don\'t support … max"; stripe MeterCreateParams.DefaultAggregation.Formula: count, last, sum',
  async ({ stripe, unique }) => {
    await assert.rejects(
      stripe.billing.meters.create({
        display_name: 'Peak',
        event_name: unique('peak'),
        default_aggregation: { formula: 'max' as 'sum' },
      }),
      refusal({ type: 'invalid_request_error', param: 'default_aggregation[formula]' }),
    )
  },
)

conformance(
  'only the display name can change',
  'stripe MeterUpdateParams: display_name is all there is',
  async ({ stripe, unique }) => {
    const meter = await stripe.billing.meters.create({
      display_name: 'AI tokens',
      event_name: unique('ai_tokens'),
      default_aggregation: { formula: 'sum' },
    })

    assert.equal((await stripe.billing.meters.update(meter.id, { display_name: 'Tokens' })).display_name, 'Tokens')
    await assert.rejects(
      stripe.billing.meters.update(meter.id, { event_name: 'x' } as Stripe.Billing.MeterUpdateParams),
      refusal({ code: 'parameter_unknown', param: 'event_name' }),
    )
  },
)

conformance(
  'a meter rests and comes back',
  'stripe MeterResource.deactivate: "When a meter is deactivated, no more meter events will be accepted for this meter."; MeterResource.reactivate',
  async ({ stripe, unique }) => {
    const { id, event_name } = await stripe.billing.meters.create({
      display_name: 'AI tokens',
      event_name: unique('ai_tokens'),
      default_aggregation: { formula: 'sum' },
    })
    const { id: customer } = await stripe.customers.create()
    const send = () =>
      stripe.billing.meterEvents.create({ event_name, payload: { stripe_customer_id: customer, value: '1' } })
    const isListed = async (status: 'active' | 'inactive') =>
      (await stripe.billing.meters.list({ status, limit: 100 })).data.some((meter) => meter.id === id)

    const resting = await stripe.billing.meters.deactivate(id)
    assert.equal(resting.status, 'inactive')
    assert.equal(typeof resting.status_transitions.deactivated_at, 'number')
    assert.deepEqual([await isListed('active'), await isListed('inactive')], [false, true])
    await assert.rejects(send(), refusal({ message: `No active meter found for event name "${event_name}".` }))

    const back = await stripe.billing.meters.reactivate(id)
    assert.deepEqual([back.status, back.status_transitions.deactivated_at], ['active', null])
    assert.equal((await send()).event_name, event_name)
  },
)

conformance('an unknown meter is missing', 'docs.stripe.com/error-codes: resource_missing', async ({ stripe }) => {
  await assert.rejects(
    stripe.billing.meters.retrieve('mtr_nope'),
    refusal({ status: 404, type: 'invalid_request_error', code: 'resource_missing', param: 'id' }),
  )
})
