import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance } from './conformance.ts'
import { eventsOf } from './plans.ts'
import { refused } from './refusal.ts'
import { draftOf, payer } from './tokens.ts'

async function chargeOf(stripe: Stripe, amount: number): Promise<Stripe.Charge> {
  const customer = await payer(stripe)
  const intent = await stripe.paymentIntents.create({
    amount,
    currency: 'usd',
    customer: customer.id,
    payment_method: String(customer.invoice_settings.default_payment_method),
    confirm: true,
    off_session: true,
  })
  return await stripe.charges.retrieve(String(intent.latest_charge))
}

conformance(
  'a charge is refunded in part, then in whole, and no more',
  'Refunds.create: "You can optionally refund only part of a charge. You can do so multiple times, until the entire charge has been refunded. Once entirely refunded, a charge can\'t be refunded again."',
  async ({ stripe, eventually }) => {
    const charge = await chargeOf(stripe, 1000)
    const part = await stripe.refunds.create({ charge: charge.id, amount: 400, reason: 'requested_by_customer' })
    assert.deepEqual(
      [part.amount, part.status, part.charge, part.reason],
      [400, 'succeeded', charge.id, 'requested_by_customer'],
    )
    const partly = await stripe.charges.retrieve(charge.id)
    assert.deepEqual([partly.amount_refunded, partly.refunded], [400, false])

    const beyond = await refused(stripe.refunds.create({ charge: charge.id, amount: 601 }))
    assert.equal(beyond.message, 'Refund amount ($6.01) is greater than unrefunded amount on charge ($6.00)')
    const rest = await stripe.refunds.create({ payment_intent: String(charge.payment_intent) })
    assert.equal(rest.amount, 600)
    const whole = await stripe.charges.retrieve(charge.id, { expand: ['refunds'] })
    assert.deepEqual([whole.amount_refunded, whole.refunded, whole.refunds!.data.length], [1000, true, 2])
    const again = await refused(stripe.refunds.create({ charge: charge.id }))
    assert.equal(again.code, 'charge_already_refunded')
    await eventually(async () => {
      const types = await eventsOf(stripe, charge.id, 'charge.')
      assert.ok(types.filter((type) => type === 'charge.refunded').length === 2, types.join(' '))
    })
  },
)

conformance(
  'refunds are listed by charge and payment intent, and only their metadata can change',
  'RefundListParams: charge, payment_intent; Refunds.update: "This request only accepts metadata as an argument."',
  async ({ stripe }) => {
    const charge = await chargeOf(stripe, 1000)
    const first = await stripe.refunds.create({ charge: charge.id, amount: 100 })
    const second = await stripe.refunds.create({ charge: charge.id, amount: 200 })
    const ids = async (params: Stripe.RefundListParams) => (await stripe.refunds.list(params)).data.map(({ id }) => id)
    assert.deepEqual(await ids({ charge: charge.id }), [second.id, first.id])
    assert.deepEqual(await ids({ payment_intent: String(charge.payment_intent) }), [second.id, first.id])
    assert.deepEqual((await stripe.refunds.update(first.id, { metadata: { why: 'late' } })).metadata, { why: 'late' })
    assert.equal((await stripe.refunds.retrieve(first.id)).amount, 100)
  },
)

conformance(
  'a refund that has succeeded cannot be canceled',
  'Refunds.cancel: "Cancels a refund with a status of `requires_action`. You can\'t cancel refunds in other states."',
  async ({ stripe }) => {
    const charge = await chargeOf(stripe, 1000)
    const refund = await stripe.refunds.create({ charge: charge.id })
    assert.equal((await refused(stripe.refunds.cancel(refund.id))).statusCode, 400)
  },
)

conformance(
  'the charge of an invoice is refunded without touching the invoice',
  'docs.stripe.com/invoicing/dashboard/credit-notes: refunding a payment outside of a credit note leaves the invoice paid',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const draft = await draftOf(stripe, customer.id, [1000])
    await stripe.invoices.finalizeInvoice(draft.id)
    await stripe.invoices.pay(draft.id)
    const [charge] = (await stripe.charges.list({ customer: customer.id })).data
    assert.equal(charge!.amount, 1000)
    await stripe.refunds.create({ charge: charge!.id })
    assert.equal((await stripe.invoices.retrieve(draft.id)).status, 'paid')
    const changed = await stripe.charges.update(charge!.id, { metadata: { checked: 'yes' } })
    assert.equal(changed.metadata.checked, 'yes')
  },
)

conformance(
  'what was never paid cannot be refunded',
  'RefundCreateParams.payment_intent; observed: "does not have a successful charge to refund"',
  async ({ stripe }) => {
    const intent = await stripe.paymentIntents.create({ amount: 1000, currency: 'usd' })
    assert.equal((await refused(stripe.refunds.create({ payment_intent: intent.id }))).statusCode, 400)
    assert.equal((await refused(stripe.refunds.create({}))).statusCode, 400)
  },
)

conformance(
  'a charge that was only authorized is captured, or less of it',
  'Charges.capture: "Capture the payment of an existing, uncaptured charge that was created with the `capture` option set to false."; ChargeCaptureParams.amount: "The amount to capture, which must be less than or equal to the original amount."',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const intent = await stripe.paymentIntents.create({
      amount: 1000,
      currency: 'usd',
      customer: customer.id,
      payment_method: String(customer.invoice_settings.default_payment_method),
      capture_method: 'manual',
      confirm: true,
      off_session: true,
    })
    const held = await stripe.charges.retrieve(String(intent.latest_charge))
    assert.deepEqual([held.captured, held.amount_captured], [false, 0])
    const captured = await stripe.charges.capture(held.id, { amount: 800 })
    assert.deepEqual([captured.captured, captured.amount_captured], [true, 800])
    assert.equal((await stripe.paymentIntents.retrieve(intent.id)).status, 'succeeded')
    assert.equal((await refused(stripe.charges.capture(held.id))).code, 'charge_already_captured')
  },
)
