import assert from 'node:assert/strict'
import { conformance } from './conformance.ts'

conformance(
  'a payment nobody complains about has no disputes, no early fraud warnings',
  'stripe Disputes.list: "Returns a list of your disputes."; DisputeListParams.payment_intent; Radar.EarlyFraudWarnings.list',
  async ({ stripe, clock }) => {
    const { customer } = await clock('2026-01-10T08:00:00Z')
    const { id } = await customer()
    await stripe.invoiceItems.create({ customer: id, amount: 1000, currency: 'usd' })
    const draft = await stripe.invoices.create({ customer: id, pending_invoice_items_behavior: 'include' })
    await stripe.invoices.pay(draft.id, { expand: ['payments'] })
    const { data } = await stripe.invoicePayments.list({ invoice: draft.id })
    const payment_intent = data[0]!.payment.payment_intent as string

    for (const list of [
      await stripe.disputes.list({ payment_intent }),
      await stripe.radar.earlyFraudWarnings.list({ payment_intent }),
    ]) {
      assert.deepEqual(list.data, [])
      assert.equal(list.has_more, false)
    }
  },
)

conformance(
  'a dispute, a warning or a review nobody knows is a 404',
  'docs.stripe.com/error-codes resource_missing: "The ID provided is not valid. Either the resource does not exist, or an ID for a different resource has been provided."',
  async ({ stripe }) => {
    const missing = { statusCode: 404, code: 'resource_missing' }
    await assert.rejects(stripe.disputes.retrieve('du_unknown'), missing)
    await assert.rejects(stripe.radar.earlyFraudWarnings.retrieve('issfr_unknown'), missing)
    await assert.rejects(stripe.reviews.retrieve('prv_unknown'), missing)
  },
)
