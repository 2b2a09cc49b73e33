import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance, type Subject } from './conformance.ts'
import { beginning, metered, now } from './metered.ts'

const DOCS = 'docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api'

type Report = Stripe.Events.V1BillingMeterErrorReportTriggeredEvent

async function reportsOf({ stripe }: Subject, meter: string): Promise<Report[]> {
  const { data } = await stripe.v2.core.events.list({ object_id: meter })
  return data.filter((event): event is Report => event.type === 'v1.billing.meter.error_report_triggered')
}

conformance(
  'an accepted event whose customer, payload or value is wrong is reported, by code, with samples',
  `${DOCS}, "Error codes"; stripe V1BillingMeterErrorReportTriggeredEvent.Data: developer_message_summary, reason, validation_start, validation_end`,
  async (subject) => {
    const { customer, meter, send } = await metered(subject)
    const identifiers = {
      meter_event_customer_not_found: subject.unique('stranger'),
      meter_event_no_customer_defined: subject.unique('nobody'),
      meter_event_invalid_value: subject.unique('words'),
    }
    await send('1', {
      identifier: identifiers.meter_event_customer_not_found,
      payload: { stripe_customer_id: 'cus_nobody', value: '1' },
    })
    await send('1', { identifier: identifiers.meter_event_no_customer_defined, payload: { value: '1' } })
    await send('many', { identifier: identifiers.meter_event_invalid_value })
    await send('1')

    await subject.eventually(async () => {
      const found: { [code: string]: string } = {}
      for (const report of await reportsOf(subject, meter.id)) {
        assert.equal(report.related_object.type, 'billing.meter')
        assert.equal(report.related_object.url, `/v1/billing/meters/${meter.id}`)
        assert.match(report.data.developer_message_summary, /invalid event/)
        assert(Date.parse(report.data.validation_start) < Date.parse(report.data.validation_end))
        const { error_count: total, error_types: types } = report.data.reason
        assert.equal(
          types.reduce((sum, { error_count: count }) => sum + count, 0),
          total,
        )
        for (const { code, sample_errors: samples } of types) found[code] = samples[0]!.request.identifier
      }
      assert.deepEqual(found, identifiers)
    })
    assert.equal(customer.object, 'customer')
  },
)

conformance(
  'the missing key is named',
  `${DOCS}: "Customer mapping key stripe_customer_id not found in payload."`,
  async (subject) => {
    const { meter, send } = await metered(subject)
    await send('1', { payload: { value: '1' } })

    await subject.eventually(async () => {
      const [report] = await reportsOf(subject, meter.id)
      assert.equal(report?.data.developer_message_summary, 'There is 1 invalid event')
      const [type] = report.data.reason.error_types
      assert.equal(type!.code, 'meter_event_no_customer_defined')
      assert.equal(
        type!.sample_errors[0]!.error_message,
        'Customer mapping key stripe_customer_id not found in payload.',
      )
    })
  },
)

conformance(
  'an event can be fetched by its id, and its meter by the event',
  'stripe V2 EventResource.retrieve: "Retrieves the details of an event if it was created in the last 30 days."',
  async (subject) => {
    const { meter, send } = await metered(subject)
    await send('1', { payload: { value: '1' } })

    await subject.eventually(async () => {
      const [report] = await reportsOf(subject, meter.id)
      const event = (await subject.stripe.v2.core.events.retrieve(report!.id)) as Report
      assert.deepEqual(event.data, report!.data)
      assert.equal((await event.fetchRelatedObject()).id, meter.id)
    })
  },
)

conformance(
  'a rejected event counts for nothing',
  `${DOCS}: invalid events must be corrected and sent again`,
  async (subject) => {
    const { meter, send, summaries } = await metered(subject)
    const timestamp = now() - 120
    await send('many', { timestamp })
    await send('3', { timestamp })

    await subject.eventually(async () => {
      assert.equal((await reportsOf(subject, meter.id)).length, 1)
      const start_time = beginning('minute', timestamp - 60)
      const { data } = await summaries({ start_time, end_time: start_time + 180 })
      assert.equal(data[0]!.aggregated_value, 3)
    })
  },
)
