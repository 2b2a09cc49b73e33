import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance } from './conformance.ts'
import { header } from './header.ts'
import { metered, now } from './metered.ts'
import { refusal } from './refusal.ts'

const DAY = 86_400

conformance(
  'an event shows what was sent and has no id',
  'stripe MeterEvent: object, created, event_name, identifier, livemode, payload, timestamp',
  async (subject) => {
    const { customer, meter, send } = await metered(subject)
    const identifier = subject.unique('report')
    const timestamp = now() - 60

    const event = await send('12345', { identifier, timestamp })

    assert.equal(event.object, 'billing.meter_event')
    assert.deepEqual([event.event_name, event.identifier, event.timestamp], [meter.event_name, identifier, timestamp])
    assert.deepEqual({ ...event.payload }, { stripe_customer_id: customer.id, value: '12345' })
    assert.equal('id' in event, false)
  },
)

conformance(
  'without identifier and timestamp Stripe gives both',
  'stripe MeterEventCreateParams.identifier: "If not provided, one is generated."; timestamp: "Defaults to current timestamp if not specified."',
  async (subject) => {
    const { send } = await metered(subject)

    const event = await send('1')

    assert(event.identifier.length > 0)
    assert(Math.abs(event.timestamp - now()) < 120)
  },
)

conformance(
  'a known identifier is refused, whatever the value',
  'observed by many projects (langfuse/langfuse#16292): 400 without a code; stripe MeterEventCreateParams.identifier: "Stripe enforces uniqueness within a rolling period of at least 24 hours."',
  async (subject) => {
    const { send } = await metered(subject)
    const identifier = subject.unique('report')
    await send('10', { identifier })

    for (const value of ['10', '99']) {
      await assert.rejects(
        send(value, { identifier }),
        refusal({
          type: 'invalid_request_error',
          message: `An event already exists with identifier ${identifier}.`,
          code: undefined,
        }),
      )
    }
  },
)

conformance(
  'the timestamp lies within the past 35 days and the next 5 minutes',
  'stripe MeterEventCreateParams.timestamp: "Must be within the past 35 calendar days or up to 5 minutes in the future."; observed: the text of the first refusal (the-answerai/theanswer#624)',
  async (subject) => {
    const { send } = await metered(subject)

    await send('1', { timestamp: now() - 34 * DAY })
    await send('1', { timestamp: now() + 240 })
    await assert.rejects(
      send('1', { timestamp: now() - 37 * DAY }),
      refusal({
        type: 'invalid_request_error',
        message:
          /^The event timestamp cannot be more than 35 days in past\. Expected a timestamp greater than or equal to \d+\.$/,
      }),
    )
    await assert.rejects(send('1', { timestamp: now() + 900 }), refusal({ type: 'invalid_request_error' }))
  },
)

conformance(
  'milliseconds and fractions are no timestamps',
  'observed: v1 takes integer seconds (nyrkio/nyrkio#776)',
  async (subject) => {
    const { send } = await metered(subject)

    await assert.rejects(send('1', { timestamp: now() * 1000 }), refusal({ type: 'invalid_request_error' }))
    await assert.rejects(send('1', { timestamp: now() + 0.5 }), refusal({ code: 'parameter_invalid_integer' }))
  },
)

conformance(
  'more than fifteen digits are refused',
  'docs.stripe.com/changelog/dahlia/2026-04-22/billing-meter-event-values-validation: "The value in the event payload can have at most `max_digits` digits. Received `value`."',
  async (subject) => {
    const { send } = await metered(subject)

    await send('123456789012345')
    await send('0.000000000001')
    await assert.rejects(
      send('1234567890123456'),
      refusal({
        message: 'The value in the event payload can have at most 15 digits. Received `1234567890123456`.',
      }),
    )
  },
)

conformance(
  'an unknown event name is refused',
  'observed by three projects: `No active meter found for event name "<name>".`',
  async ({ stripe, unique }) => {
    const event_name = unique('nobody')

    await assert.rejects(
      stripe.billing.meterEvents.create({ event_name, payload: { stripe_customer_id: 'cus_x', value: '1' } }),
      refusal({
        type: 'invalid_request_error',
        message: `No active meter found for event name "${event_name}".`,
      }),
    )
  },
)

conformance(
  'the same idempotency key replays the answer, another body under it is refused',
  'docs.stripe.com/api/idempotent_requests: "The idempotency layer compares incoming parameters to those of the original request and errors if they\'re not the same"',
  async (subject) => {
    const { send, customer, meter } = await metered(subject)
    const idempotencyKey = subject.unique('key')
    const params: Stripe.Billing.MeterEventCreateParams = {
      event_name: meter.event_name,
      identifier: subject.unique('report'),
      payload: { stripe_customer_id: customer.id, value: '7' },
    }
    const create = (more: Partial<Stripe.Billing.MeterEventCreateParams> = {}) =>
      subject.stripe.billing.meterEvents.create({ ...params, ...more }, { idempotencyKey })

    const first = await create()
    const again = await create()
    assert.deepEqual({ ...again }, { ...first })
    assert.equal(header(again, 'idempotent-replayed'), 'true')
    await assert.rejects(create({ identifier: 'other' }), refusal({ type: 'idempotency_error' }))
    await send('1')
  },
)

conformance(
  'v2 takes the same events with instants in RFC 3339',
  'stripe V2 MeterEvent.timestamp: string; MeterEventCreateParams.identifier: "We\'ll enforce uniqueness within a rolling 24 hour period."',
  async (subject) => {
    const { customer, meter } = await metered(subject)
    const event = {
      event_name: meter.event_name,
      identifier: subject.unique('report'),
      timestamp: new Date((now() - 60) * 1000).toISOString(),
      payload: { stripe_customer_id: customer.id, value: '3' },
    }

    const answer = await subject.stripe.v2.billing.meterEvents.create(event)

    assert.equal(answer.object, 'v2.billing.meter_event')
    assert.equal(Date.parse(answer.timestamp), Date.parse(event.timestamp))
    assert.equal(answer.identifier, event.identifier)
    await assert.rejects(
      subject.stripe.v2.billing.meterEvents.create(event),
      refusal({ code: 'duplicate_meter_event' }),
    )
  },
)

conformance(
  'v2 validates the payload at once',
  'docs.stripe.com/api/v2/billing/meter-events/create, "Error Codes": archived_meter, no_meter, payload_invalid_value, payload_no_customer_defined, payload_no_value_defined',
  async (subject) => {
    const { customer, meter } = await metered(subject)
    const { event_name } = meter
    const payload = { stripe_customer_id: customer.id, value: '1' }
    const create = (event: Stripe.V2.Billing.MeterEventCreateParams) =>
      subject.stripe.v2.billing.meterEvents.create(event)

    const cases: [event: Stripe.V2.Billing.MeterEventCreateParams, code: string][] = [
      [{ event_name: subject.unique('nobody'), payload }, 'no_meter'],
      [{ event_name, payload: { value: '1' } }, 'payload_no_customer_defined'],
      [{ event_name, payload: { stripe_customer_id: customer.id } }, 'payload_no_value_defined'],
      [{ event_name, payload: { ...payload, value: 'many' } }, 'payload_invalid_value'],
    ]
    for (const [event, code] of cases) await assert.rejects(create(event), refusal({ code }))
    await subject.stripe.billing.meters.deactivate(meter.id)
    await assert.rejects(create({ event_name, payload }), refusal({ code: 'archived_meter' }))
  },
)
