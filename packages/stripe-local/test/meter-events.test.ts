import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Stripe } from 'stripe'
import { essential, receiver, world } from './world.ts'

const NOW = '2026-03-10T12:00:00Z'
const at = (iso: string) => Date.parse(iso) / 1000

/** The refusal of a call, or a failure of the test. */
async function refusalOf(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await call
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) return error
    throw error
  }
  throw new assert.AssertionError({ message: 'the call was accepted' })
}

test('a known identifier is refused for 24 hours, whatever the value; after that it counts again', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const { customer, use } = await essential(stripe, local)
  await use('10', new Date(NOW), 'report-1')
  const refusal = await refusalOf(use('99', new Date(NOW), 'report-1'))
  assert.equal(refusal.statusCode, 400)
  assert.equal(refusal.rawType, 'invalid_request_error')
  assert.equal(refusal.message, 'An event already exists with identifier report-1.')
  assert.equal(refusal.code, undefined)
  assert.equal(refusal.headers?.['stripe-should-retry'], 'false')
  assert.equal(local.usage(customer.id, 'ai_tokens'), '10')

  await local.advance(new Date('2026-03-11T12:00:01Z'))
  await use('10', new Date('2026-03-11T12:00:00Z'), 'report-1')
  assert.equal(local.usage(customer.id, 'ai_tokens'), '20')
})

test('the same idempotency key replays the answer, another body under it is an error', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const { customer } = await essential(stripe, local)
  const event = { event_name: 'ai_tokens', identifier: 'a', payload: { stripe_customer_id: customer.id, value: '7' } }
  const first = await stripe.billing.meterEvents.create(event, { idempotencyKey: 'k' })
  const again = await stripe.billing.meterEvents.create(event, { idempotencyKey: 'k' })
  assert.equal(again.lastResponse.headers['idempotent-replayed'], 'true')
  assert.equal(again.created, first.created)
  const refusal = await refusalOf(
    stripe.billing.meterEvents.create({ ...event, identifier: 'b' }, { idempotencyKey: 'k' }),
  )
  assert.ok(refusal instanceof Stripe.errors.StripeIdempotencyError)
  assert.equal(local.usage(customer.id, 'ai_tokens'), '7')
})

test('a key keeps the refusal it began with', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const { meter, customer } = await essential(stripe, local)
  const event = { event_name: 'ai_tokens', identifier: 'a', payload: { stripe_customer_id: customer.id, value: '7' } }
  await stripe.billing.meters.deactivate(meter.id)
  const refusal = await refusalOf(stripe.billing.meterEvents.create(event, { idempotencyKey: 'k' }))
  assert.equal(refusal.message, 'No active meter found for event name "ai_tokens".')
  await stripe.billing.meters.reactivate(meter.id)
  const replayed = await refusalOf(stripe.billing.meterEvents.create(event, { idempotencyKey: 'k' }))
  assert.equal(replayed.headers?.['idempotent-replayed'], 'true')
  await stripe.billing.meterEvents.create(event, { idempotencyKey: 'another' })
})

test('what Stripe refuses at once', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const { customer } = await essential(stripe, local)
  const send = (value: string, timestamp: number, name = 'ai_tokens') =>
    stripe.billing.meterEvents.create({
      event_name: name,
      timestamp,
      payload: { stripe_customer_id: customer.id, value },
    })
  const now = at(NOW)
  const oldest = now - 35 * 86_400
  const cases: [call: () => Promise<unknown>, message: RegExp][] = [
    [
      () => send('1', oldest - 1),
      new RegExp(
        `^The event timestamp cannot be more than 35 days in past. Expected a timestamp greater than or equal to ${oldest}.$`,
      ),
    ],
    [() => send('1', now + 301), /5 minutes in the future/],
    [
      () => send('1234567890.123456', now),
      /^The value in the event payload can have at most 15 digits. Received `1234567890.123456`.$/,
    ],
    [() => send('1', now, 'nope'), /^No active meter found for event name "nope".$/],
    [() => send('1', now * 1000), /^Invalid timestamp/],
  ]
  for (const [call, message] of cases) assert.match((await refusalOf(call())).message, message)
  await send('1', oldest)
  await send('1', now + 300)
  await send('0.123456789012', now)
  await local.idle()
  assert.equal(local.usage(customer.id, 'ai_tokens'), '2.123456789012')
})

test('what Stripe accepts and rejects later, by a thin event', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const { meter, customer } = await essential(stripe, local)
  const hooks = await receiver(t)
  const destination = await stripe.v2.core.eventDestinations.create({
    name: 'errors',
    type: 'webhook_endpoint',
    event_payload: 'thin',
    enabled_events: ['v1.billing.meter.error_report_triggered', 'v1.billing.meter.no_meter_found'],
    webhook_endpoint: { url: hooks.url },
    include: ['webhook_endpoint.signing_secret'],
  })
  const send = (identifier: string, payload: { [key: string]: string }) =>
    stripe.billing.meterEvents.create({ event_name: 'ai_tokens', identifier, payload })
  await send('stranger', { stripe_customer_id: 'cus_nobody', value: '1' })
  await send('nobody', { value: '1' })
  await send('words', { stripe_customer_id: customer.id, value: 'many' })
  await send('good', { stripe_customer_id: customer.id, value: '1' })
  await local.idle()

  const codes: { [identifier: string]: string } = {}
  for (const { body, signature } of hooks.received) {
    assert.equal('data' in JSON.parse(body), false)
    const secret = destination.webhook_endpoint!.signing_secret!
    // The signature carries the real clock's time, which stands still in this test.
    const notification = stripe.parseEventNotification(body, signature, secret, 1e12)
    assert.equal(notification.type, 'v1.billing.meter.error_report_triggered')
    const related = await (
      notification as Stripe.Events.V1BillingMeterErrorReportTriggeredEventNotification
    ).fetchRelatedObject()
    assert.equal(related.id, meter.id)
    const event = await (notification as Stripe.Events.V1BillingMeterErrorReportTriggeredEventNotification).fetchEvent()
    for (const { code, sample_errors: samples } of event.data.reason.error_types) {
      for (const { request } of samples) codes[request.identifier] = code
    }
  }
  assert.deepEqual(codes, {
    stranger: 'meter_event_customer_not_found',
    nobody: 'meter_event_no_customer_defined',
    words: 'meter_event_invalid_value',
  })
  assert.equal(local.usage(customer.id, 'ai_tokens'), '1')
  assert.equal(local.receivedMeterEvents().length, 4)
})

test('an adjustment takes an event back, within 24 hours', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const { customer, use } = await essential(stripe, local)
  await use('10', new Date(NOW), 'wrong')
  await use('5', new Date(NOW), 'right')
  const cancel = (identifier: string) =>
    stripe.billing.meterEventAdjustments.create({ event_name: 'ai_tokens', type: 'cancel', cancel: { identifier } })
  await cancel('wrong')
  assert.equal(local.usage(customer.id, 'ai_tokens'), '5')
  await local.advance(new Date('2026-03-11T12:00:01Z'))
  assert.match((await refusalOf(cancel('right'))).message, /24 hours/)
})

test('summaries: minutes, hours newest first without empty ones, exact at both ends', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const { meter, customer, use } = await essential(stripe, local)
  for (const [value, time] of [
    ['1', '08:59:59'],
    ['2', '09:00:00'],
    ['4', '09:59:59'],
    ['8', '11:30:00'],
    ['16', '12:00:00'],
  ] as const) {
    await use(value, new Date(`2026-03-10T${time}Z`))
  }
  const summaries = async (start: string, end: string, value_grouping_window?: 'day' | 'hour') => {
    const range = { customer: customer.id, start_time: at(`2026-03-${start}Z`), end_time: at(`2026-03-${end}Z`) }
    const found: string[] = []
    const list = stripe.billing.meters.listEventSummaries(meter.id, {
      ...range,
      ...(value_grouping_window && { value_grouping_window }),
      limit: 1,
    })
    for await (const summary of list)
      found.push(`${new Date(summary.start_time * 1000).toISOString().slice(8, 16)} ${summary.aggregated_value}`)
    return found
  }
  assert.deepEqual(await summaries('10T09:00:00', '10T12:00:00'), ['10T09:00 14'])
  assert.deepEqual(await summaries('10T09:01:00', '10T11:31:00'), ['10T09:01 12'])
  assert.deepEqual(await summaries('10T08:00:00', '10T13:00:00', 'hour'), [
    '10T12:00 16',
    '10T11:00 8',
    '10T09:00 6',
    '10T08:00 1',
  ])
  assert.deepEqual(await summaries('09T00:00:00', '11T00:00:00', 'day'), ['10T00:00 31'])
  assert.match((await refusalOf(summaries('10T09:00:01', '10T12:00:00'))).message, /must align with minutes/)
})

test('v2 events count the same', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const { customer } = await essential(stripe, local)
  const event = {
    event_name: 'ai_tokens',
    identifier: 'v2',
    timestamp: '2026-03-10T11:00:00Z',
    payload: { stripe_customer_id: customer.id, value: '3' },
  }
  const answer = await stripe.v2.billing.meterEvents.create(event)
  assert.equal(answer.timestamp, '2026-03-10T11:00:00.000Z')
  const refusal = await refusalOf(stripe.v2.billing.meterEvents.create(event))
  assert.deepEqual([refusal.statusCode, refusal.code], [400, 'duplicate_meter_event'])
  await local.idle()
  assert.equal(
    local.usage(customer.id, 'ai_tokens', {
      start: new Date('2026-03-10T11:00:00Z'),
      end: new Date('2026-03-10T11:00:01Z'),
    }),
    '3',
  )
})

test('count and last aggregate in their own way', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const { customer } = await essential(stripe, local)
  const seats = await stripe.billing.meters.create({
    display_name: 'Seats',
    event_name: 'seats',
    default_aggregation: { formula: 'last' },
  })
  const calls = await stripe.billing.meters.create({
    display_name: 'Calls',
    event_name: 'calls',
    default_aggregation: { formula: 'count' },
  })
  for (const [value, minute] of [
    ['5', '10'],
    ['9', '20'],
    ['7', '15'],
  ]) {
    const timestamp = at(`2026-03-10T11:${minute}:00Z`)
    await stripe.billing.meterEvents.create({
      event_name: 'seats',
      timestamp,
      payload: { stripe_customer_id: customer.id, value: value! },
    })
    await stripe.billing.meterEvents.create({
      event_name: 'calls',
      timestamp,
      payload: { stripe_customer_id: customer.id },
    })
  }
  await local.idle()
  const range = { customer: customer.id, start_time: at('2026-03-10T09:00:00Z'), end_time: at('2026-03-10T12:00:00Z') }
  assert.equal((await stripe.billing.meters.listEventSummaries(seats.id, range)).data[0]!.aggregated_value, 9) // the latest by timestamp
  assert.equal((await stripe.billing.meters.listEventSummaries(calls.id, range)).data[0]!.aggregated_value, 3)
})

test('usage is not in the summaries before its aggregation', async (t) => {
  const { local, stripe } = await world(t, NOW, { aggregationDelayMs: 60_000 })
  const { meter, customer } = await essential(stripe, local)
  await stripe.billing.meterEvents.create({
    event_name: 'ai_tokens',
    payload: { stripe_customer_id: customer.id, value: '5' },
  })
  const range = { customer: customer.id, start_time: at('2026-03-10T12:00:00Z'), end_time: at('2026-03-10T12:01:00Z') }
  assert.equal((await stripe.billing.meters.listEventSummaries(meter.id, range)).data[0]!.aggregated_value, 0)
  assert.equal(local.usage(customer.id, 'ai_tokens'), '5')
})

test('the stream takes a hundred events by a session token and reports what is wrong later', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const { customer } = await essential(stripe, local)
  const session = await stripe.v2.billing.meterEventSession.create()
  assert.equal(session.expires_at, '2026-03-10T12:15:00.000Z')
  const streaming = new Stripe(session.authentication_token, { ...local.clientConfig, maxNetworkRetries: 0 })
  const payload = { stripe_customer_id: customer.id, value: '1' }
  await streaming.v2.billing.meterEventStream.create({
    events: [
      { event_name: 'ai_tokens', identifier: 'a', payload },
      { event_name: 'ai_tokens', identifier: 'a', payload },
      { event_name: 'nope', identifier: 'b', payload },
    ],
  })
  await local.idle()
  assert.equal(local.usage(customer.id, 'ai_tokens'), '1')
  const { data } = await stripe.v2.core.events.list({})
  assert.deepEqual(
    data.map(({ type }) => type),
    ['v1.billing.meter.no_meter_found'],
  )
  await local.advance(new Date('2026-03-10T12:15:01Z'))
  await assert.rejects(
    streaming.v2.billing.meterEventStream.create({ events: [{ event_name: 'ai_tokens', payload }] }),
    { rawType: 'temporary_session_expired', code: 'billing_meter_event_session_expired', statusCode: 401 },
  )
})

test('readings: each place where Stripe is silent can be read the other way', async (t) => {
  const { local, stripe } = await world(t, NOW, {
    readings: {
      emptySummary: 'none',
      inactiveMeterEventName: 'free',
      meterEventClock: 'real',
      meterEventIdentifierScope: 'customer',
      meterEventNotation: 'scientific',
      unknownEventName: 'reported',
    },
  })
  const { meter, customer, use } = await essential(stripe, local)
  const other = await stripe.customers.create({})
  const send = (stripe_customer_id: string, value: string, more: Partial<Stripe.Billing.MeterEventCreateParams> = {}) =>
    stripe.billing.meterEvents.create({ event_name: 'ai_tokens', payload: { stripe_customer_id, value }, ...more })
  const range = { start_time: at('2026-03-10T11:00:00Z'), end_time: at('2026-03-10T13:00:00Z') }

  const empty = await stripe.billing.meters.listEventSummaries(meter.id, { customer: other.id, ...range })
  assert.deepEqual(empty.data, [])

  await use('1', new Date(NOW), 'same')
  await send(other.id, '1.5e3', { identifier: 'same' }) // the same identifier, another customer
  assert.match((await refusalOf(send(other.id, '1', { identifier: 'same' }))).message, /already exists/)
  await local.idle()
  assert.equal(local.usage(other.id, 'ai_tokens'), '1500')

  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: at('2020-01-01T00:00:00Z') })
  const frozen = await stripe.customers.create({ test_clock: clock.id })
  await send(frozen.id, '1', { timestamp: at(NOW) })

  await send(customer.id, '1', { event_name: 'nope' })
  await stripe.billing.meters.deactivate(meter.id)
  await send(customer.id, '1')
  await local.idle()
  const { data } = await stripe.v2.core.events.list()
  assert.deepEqual(data.map(({ type }) => type).toSorted(), [
    'v1.billing.meter.error_report_triggered',
    'v1.billing.meter.no_meter_found',
  ])

  const again = await stripe.billing.meters.create({
    display_name: 'Again',
    event_name: 'ai_tokens',
    default_aggregation: { formula: 'sum' },
  })
  assert.equal(again.status, 'active')
  assert.match((await refusalOf(stripe.billing.meters.reactivate(meter.id))).message, /already exists/)
})

test('an adjustment waits for the aggregation, as its answer says', async (t) => {
  const { local, stripe } = await world(t, NOW, { aggregationDelayMs: 300 })
  const { meter, customer, use } = await essential(stripe, local)
  const cancel = () =>
    stripe.billing.meterEventAdjustments.create({
      event_name: 'ai_tokens',
      type: 'cancel',
      cancel: { identifier: 'wrong' },
    })
  const used = async () => {
    const range = {
      customer: customer.id,
      start_time: at('2026-03-10T12:00:00Z'),
      end_time: at('2026-03-10T12:01:00Z'),
    }
    return (await stripe.billing.meters.listEventSummaries(meter.id, range)).data[0]!.aggregated_value
  }
  await use('10', new Date(NOW), 'wrong')

  assert.equal((await cancel()).status, 'pending')
  assert.equal(await used(), 10)
  assert.match((await refusalOf(cancel())).message, /already been cancelled/)
  await local.idle()
  assert.equal(await used(), 0)
})
