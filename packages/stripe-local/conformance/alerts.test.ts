import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance, type Subject } from './conformance.ts'
import { metered } from './metered.ts'
import { refusal } from './refusal.ts'

const DOCS = 'docs.stripe.com/billing/subscriptions/usage-based/alerts'

async function triggersOf({ stripe }: Subject, alert: string): Promise<Stripe.Billing.AlertTriggered[]> {
  const { data } = await stripe.events.list({ type: 'billing.alert.triggered', limit: 50 })
  return data
    .map((event) => event.data.object as Stripe.Billing.AlertTriggered)
    .filter((triggered) => triggered.alert.id === alert)
}

conformance(
  'an alert triggers once per customer when usage reaches its threshold',
  `${DOCS}: "This alert triggers when a customer exceeds the specified usage level for the first time, and only triggers one time per customer, regardless of future usage."`,
  async (subject) => {
    const { meter, customer, send } = await metered(subject)
    const alert = await subject.stripe.billing.alerts.create({
      title: 'A hundred',
      alert_type: 'usage_threshold',
      usage_threshold: { gte: 100, meter: meter.id, recurrence: 'one_time' },
    })
    assert.deepEqual([alert.status, alert.usage_threshold!.filters], ['active', null])

    await send('60')
    await send('40')
    await subject.eventually(async () => {
      const [triggered] = await triggersOf(subject, alert.id)
      assert.deepEqual(
        [triggered?.customer, triggered?.value, triggered?.object],
        [customer.id, 100, 'billing.alert_triggered'],
      )
    })
    await send('500')
    assert.equal((await triggersOf(subject, alert.id)).length, 1)
  },
)

conformance(
  'usage from before the alert does not count, nor that of other customers of a filter',
  `${DOCS}: "Alerts are only evaluated on usage data reported after alert creation."`,
  async (subject) => {
    const { meter, send } = await metered(subject)
    await send('99')
    const other = await subject.stripe.customers.create()
    const create = (filters: Stripe.Billing.AlertCreateParams.UsageThreshold.Filter[]) =>
      subject.stripe.billing.alerts.create({
        title: 'A hundred',
        alert_type: 'usage_threshold',
        usage_threshold: { gte: 100, meter: meter.id, recurrence: 'one_time', filters },
      })
    const all = await create([])
    const others = await create([{ type: 'customer', customer: other.id }])

    await send('99')
    await subject.stripe.billing.meterEvents.create({
      event_name: meter.event_name,
      payload: { stripe_customer_id: other.id, value: '100' },
    })

    await subject.eventually(async () => {
      for (const alert of [all, others]) {
        assert.deepEqual(
          (await triggersOf(subject, alert.id)).map(({ customer }) => customer),
          [other.id],
        )
      }
    })
  },
)

conformance(
  'an alert rests, comes back and is archived for good',
  'stripe AlertResource.archive: "Archives this alert, removing it from the list view and APIs. This is non-reversible."',
  async (subject) => {
    const { meter } = await metered(subject)
    const { alerts } = subject.stripe.billing
    const { id } = await alerts.create({
      title: 'One',
      alert_type: 'usage_threshold',
      usage_threshold: { gte: 1, meter: meter.id, recurrence: 'one_time' },
    })
    const listed = async () => (await alerts.list({ meter: meter.id })).data.map((alert) => alert.id)

    assert.equal((await alerts.deactivate(id)).status, 'inactive')
    assert.equal((await alerts.activate(id)).status, 'active')
    assert.deepEqual(await listed(), [id])
    assert.equal((await alerts.archive(id)).status, 'archived')
    assert.deepEqual(await listed(), [])
    await assert.rejects(alerts.activate(id), refusal({ status: 404 }))
  },
)
