import assert from 'node:assert/strict'
import { conformance } from './conformance.ts'
import { beginning, metered, now } from './metered.ts'
import { refusal } from './refusal.ts'

conformance(
  'an adjustment takes one event back',
  'stripe MeterEventAdjustment.status: pending | complete; MeterEventAdjustmentCreateParams.Cancel.identifier: "You can only cancel events within 24 hours of Stripe receiving them."',
  async (subject) => {
    const { meter, send, summaries } = await metered(subject)
    const wrong = subject.unique('wrong')
    const timestamp = now() - 120
    await send('10', { identifier: wrong, timestamp })
    await send('5', { timestamp })
    const start_time = beginning('minute', timestamp - 600)
    const used = async () =>
      (await summaries({ start_time, end_time: start_time + 1200 })).data.reduce(
        (sum, { aggregated_value: value }) => sum + value,
        0,
      )
    await subject.eventually(async () => assert.equal(await used(), 15))

    const adjustment = await subject.stripe.billing.meterEventAdjustments.create({
      event_name: meter.event_name,
      type: 'cancel',
      cancel: { identifier: wrong },
    })

    assert.equal(adjustment.object, 'billing.meter_event_adjustment')
    assert(['pending', 'complete'].includes(adjustment.status))
    assert.deepEqual({ ...adjustment.cancel }, { identifier: wrong })
    assert.equal('id' in adjustment, false)
    await subject.eventually(async () => assert.equal(await used(), 5))
  },
)

conformance(
  'v2 has the same with an id',
  'stripe V2 MeterEventAdjustment.id: "The unique id of this meter event adjustment."',
  async (subject) => {
    const { meter, send } = await metered(subject)
    const identifier = subject.unique('wrong')
    await send('10', { identifier })

    const adjustment = await subject.stripe.v2.billing.meterEventAdjustments.create({
      event_name: meter.event_name,
      type: 'cancel',
      cancel: { identifier },
    })

    assert.equal(adjustment.object, 'v2.billing.meter_event_adjustment')
    assert(adjustment.id.length > 0)
    assert.equal(adjustment.cancel.identifier, identifier)
  },
)

conformance(
  'only cancelling is known, and in v2 it needs an identifier',
  "stripe MeterEventAdjustmentCreateParams.type: 'cancel'; V2 MeterEventAdjustmentCreateParams.Cancel.identifier: required",
  async (subject) => {
    const { meter } = await metered(subject)

    await assert.rejects(
      subject.stripe.billing.meterEventAdjustments.create({ event_name: meter.event_name, type: 'change' as 'cancel' }),
      refusal({ status: 400, param: 'type' }),
    )
    await assert.rejects(
      subject.stripe.v2.billing.meterEventAdjustments.create({
        event_name: meter.event_name,
        type: 'cancel',
        cancel: {} as { identifier: string },
      }),
      refusal({ status: 400 }),
    )
  },
)
