import assert from 'node:assert/strict'
import { conformance } from './conformance.ts'
import { beginning, metered, now } from './metered.ts'
import { refusal } from './refusal.ts'

const STREAM_IS_LIVE = 'the meter event stream is for live mode only (docs: recording-usage-api)'

conformance(
  'a session lasts a quarter of an hour',
  'stripe MeterEventSession: authentication_token, expires_at; docs.stripe.com/api/v2/billing/meter-event-stream/session: "Authentication tokens are only valid for 15 minutes, so you must create a new meter event session when your token expires."',
  async ({ stripe }) => {
    const session = await stripe.v2.billing.meterEventSession.create()

    assert.equal(session.object, 'v2.billing.meter_event_session')
    assert(session.authentication_token.length > 10)
    assert.equal(Date.parse(session.expires_at) - Date.parse(session.created), 15 * 60 * 1000)
  },
)

conformance(
  'up to a hundred events go through the stream and are counted',
  'stripe MeterEventStreamCreateParams.events: "List of meter events to include in the request. Supports up to 100 events per request."',
  async (subject) => {
    const { customer, meter, summaries } = await metered(subject)
    const { authentication_token: apiKey } = await subject.stripe.v2.billing.meterEventSession.create()
    const timestamp = new Date((now() - 120) * 1000).toISOString()
    const events = Array.from({ length: 100 }, () => ({
      event_name: meter.event_name,
      payload: { stripe_customer_id: customer.id, value: '2' },
      timestamp,
    }))

    await subject.stripe.v2.billing.meterEventStream.create({ events }, { apiKey })

    await subject.eventually(async () => {
      const start_time = beginning('minute', now() - 600)
      const { data } = await summaries({ start_time, end_time: start_time + 1200 })
      assert.equal(data[0]!.aggregated_value, 200)
    })
    await assert.rejects(
      subject.stripe.v2.billing.meterEventStream.create({ events: [...events, events[0]!] }, { apiKey }),
      refusal({ status: 400 }),
    )
  },
  { localOnly: STREAM_IS_LIVE },
)

conformance(
  'what is wrong with a streamed event turns up later',
  'stripe MeterEventStreamResource.create: "Events are processed asynchronously, including validation."',
  async (subject) => {
    const { customer, meter } = await metered(subject)
    const { authentication_token: apiKey } = await subject.stripe.v2.billing.meterEventSession.create()
    const { event_name } = meter
    const payload = { stripe_customer_id: customer.id, value: '1' }
    const at = (seconds: number) => new Date(seconds * 1000).toISOString()

    await subject.stripe.v2.billing.meterEventStream.create(
      {
        events: [
          { event_name, identifier: subject.unique('old'), payload, timestamp: at(now() - 40 * 86_400) },
          { event_name, identifier: subject.unique('early'), payload, timestamp: at(now() + 3600) },
          { event_name, identifier: subject.unique('long'), payload: { ...payload, value: '1234567890123456' } },
          { event_name, identifier: subject.unique('nobody'), payload: { value: '1' } },
        ],
      },
      { apiKey },
    )

    await subject.eventually(async () => {
      const { data } = await subject.stripe.v2.core.events.list({ object_id: meter.id })
      const codes = data.flatMap((event) =>
        event.type === 'v1.billing.meter.error_report_triggered'
          ? event.data.reason.error_types.map(({ code }) => code)
          : [],
      )
      assert.deepEqual(codes.toSorted(), [
        'meter_event_no_customer_defined',
        'meter_event_value_too_many_digits',
        'timestamp_in_future',
        'timestamp_too_far_in_past',
      ])
    })
  },
  { localOnly: STREAM_IS_LIVE },
)
