import assert from 'node:assert/strict'
import { conformance, seconds } from './conformance.ts'
import { eventsOf } from './plans.ts'
import { refused } from './refusal.ts'
import { draftOf, payer } from './tokens.ts'

conformance(
  'an invoice is a draft until it is finalized, then open with a number, and paid by its payment intent',
  'docs.stripe.com/invoicing/integration/workflow-transitions: draft → POST finalize → open → POST pay → paid; Invoice.payments: "Payments for this invoice"',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const draft = await draftOf(stripe, customer.id, [1500, 500])
    assert.equal(draft.status, 'draft')
    assert.equal(draft.auto_advance, false)
    assert.deepEqual([draft.number, draft.hosted_invoice_url, draft.invoice_pdf], [null, null, null])
    assert.deepEqual([draft.subtotal, draft.total, draft.amount_due], [2000, 2000, 2000])

    const open = await stripe.invoices.finalizeInvoice(draft.id, { expand: ['payments', 'confirmation_secret'] })
    assert.equal(open.status, 'open')
    assert.match(open.number!, /-0001$/)
    assert.equal(open.status_transitions.finalized_at, open.effective_at)
    assert.deepEqual([open.amount_remaining, open.amount_paid, open.attempted], [2000, 0, false])
    const [payment] = open.payments!.data
    assert.deepEqual([payment!.status, payment!.amount_requested, payment!.is_default], ['open', 2000, true])
    assert.match(open.confirmation_secret!.client_secret, /^pi_.+_secret_/)
    const intent = await stripe.paymentIntents.retrieve(String(payment!.payment.payment_intent))
    assert.deepEqual([intent.status, intent.amount], ['requires_payment_method', 2000])

    const paid = await stripe.invoices.pay(open.id)
    assert.equal(paid.status, 'paid')
    assert.deepEqual([paid.amount_paid, paid.amount_remaining, paid.attempt_count], [2000, 0, 1])
    const { data } = await stripe.invoicePayments.list({ invoice: open.id })
    assert.deepEqual([data.length, data[0]!.id, data[0]!.status, data[0]!.amount_paid], [1, payment!.id, 'paid', 2000])
    const charge = await stripe.charges.list({ payment_intent: intent.id })
    assert.deepEqual([charge.data[0]!.amount, charge.data[0]!.paid], [2000, true])
  },
)

conformance(
  'the events of an invoice come in the order of its life',
  'docs.stripe.com/invoicing/integration/workflow-transitions: the table of endpoints and emitted webhooks',
  async ({ stripe, eventually }) => {
    const customer = await payer(stripe)
    const draft = await draftOf(stripe, customer.id, [1000])
    await stripe.invoices.finalizeInvoice(draft.id)
    await stripe.invoices.pay(draft.id)
    await eventually(async () => {
      const types = await eventsOf(stripe, draft.id, 'invoice.')
      const milestones = types.filter((type) => type !== 'invoice.updated')
      assert.deepEqual(milestones, [
        'invoice.created',
        'invoice.finalized',
        'invoice.paid',
        'invoice.payment_succeeded',
      ])
    })
  },
)

conformance(
  'only a draft can be changed freely; of a finalized invoice the metadata',
  'Invoices.update: "Once an invoice is finalized, you can no longer change most of its details"; observed: "Finalized invoices can\'t be updated in this way" (stripe/stripe-php#1105)',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const draft = await draftOf(stripe, customer.id, [1000])
    const changed = await stripe.invoices.update(draft.id, {
      description: 'For June',
      footer: 'Thank you',
      metadata: { order: '1' },
      custom_fields: [{ name: 'PO', value: '42' }],
      collection_method: 'send_invoice',
      days_until_due: 10,
    })
    assert.equal(changed.description, 'For June')
    assert.deepEqual(changed.custom_fields, [{ name: 'PO', value: '42' }])
    assert.equal(changed.collection_method, 'send_invoice')
    assert.ok(Math.abs(changed.due_date! - changed.created - 10 * 86_400) <= 5)

    await stripe.invoices.finalizeInvoice(draft.id)
    const { metadata } = await stripe.invoices.update(draft.id, { metadata: { order: '2' } })
    assert.deepEqual(metadata, { order: '2' })
    const error = await refused(stripe.invoices.update(draft.id, { collection_method: 'charge_automatically' }))
    assert.equal(error.code, 'invoice_not_editable')
  },
)

conformance(
  'a one-off draft can be deleted with its items, a finalized invoice cannot',
  'Invoices.del: "Permanently deletes a one-off invoice draft. … once an invoice has been finalized … it must be voided"',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const draft = await draftOf(stripe, customer.id, [1000])
    assert.deepEqual({ ...(await stripe.invoices.del(draft.id)) }, { id: draft.id, object: 'invoice', deleted: true })
    assert.equal((await refused(stripe.invoices.retrieve(draft.id))).code, 'resource_missing')

    const other = await draftOf(stripe, customer.id, [1000])
    await stripe.invoices.finalizeInvoice(other.id)
    assert.equal((await refused(stripe.invoices.del(other.id))).statusCode, 400)
  },
)

conformance(
  'an open invoice can be voided or marked uncollectible; what was given up can still be paid or voided',
  'docs.stripe.com/invoicing/integration/workflow-transitions; Invoice.StatusDetails.Uncollectible.reason: "The reason why the invoice is uncollectible."',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const first = await draftOf(stripe, customer.id, [1000])
    assert.equal((await refused(stripe.invoices.voidInvoice(first.id))).statusCode, 400) // a draft is not open
    await stripe.invoices.finalizeInvoice(first.id)
    const given = await stripe.invoices.markUncollectible(first.id)
    assert.equal(given.status, 'uncollectible')
    assert.equal(given.status_details!.uncollectible!.reason, 'user_forgiven')
    assert.ok(given.status_transitions.marked_uncollectible_at)
    const voided = await stripe.invoices.voidInvoice(first.id, { expand: ['payments'] })
    assert.equal(voided.status, 'void')
    assert.equal(voided.payments!.data[0]!.status, 'canceled')

    const second = await draftOf(stripe, customer.id, [1000])
    await stripe.invoices.finalizeInvoice(second.id)
    await stripe.invoices.markUncollectible(second.id)
    assert.equal((await stripe.invoices.pay(second.id)).status, 'paid')
    const again = await refused(stripe.invoices.pay(second.id))
    assert.equal(again.message, 'Invoice is already paid')
  },
)

conformance(
  'an invoice paid elsewhere is paid without a charge',
  'InvoicePayParams.paid_out_of_band: "Boolean representing whether an invoice is paid outside of Stripe. This will result in no charge being made."',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    const draft = await draftOf(stripe, customer.id, [1000])
    await stripe.invoices.finalizeInvoice(draft.id)
    const paid = await stripe.invoices.pay(draft.id, { paid_out_of_band: true })
    assert.deepEqual([paid.status, paid.amount_paid, paid.amount_remaining], ['paid', 1000, 0])
    assert.equal((await stripe.charges.list({ customer: customer.id })).data.length, 0)
  },
)

conformance(
  'a payment method of the customer can be named for one payment; a declined one leaves the invoice open',
  'InvoicePayParams.payment_method: "The PaymentMethod must be the ID of a PaymentMethod belonging to the customer"; docs.stripe.com/testing: pm_card_chargeCustomerFail',
  async ({ stripe }) => {
    const customer = await payer(stripe, 'pm_card_chargeCustomerFail')
    const draft = await draftOf(stripe, customer.id, [1000])
    await stripe.invoices.finalizeInvoice(draft.id)
    const error = await refused(stripe.invoices.pay(draft.id))
    assert.deepEqual([error.statusCode, error.rawType, error.code], [402, 'card_error', 'card_declined'])
    const open = await stripe.invoices.retrieve(draft.id)
    assert.deepEqual([open.status, open.attempted, open.attempt_count], ['open', true, 1])

    await refused(stripe.invoices.pay(draft.id))
    // "manual payment attempts after the first attempt do not affect the retry schedule"
    assert.equal((await stripe.invoices.retrieve(draft.id)).attempt_count, 1)

    const good = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
    assert.equal((await stripe.invoices.pay(draft.id, { payment_method: good.id })).status, 'paid')
    const foreign = await stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } })
    const other = await draftOf(stripe, customer.id, [1000])
    assert.equal((await refused(stripe.invoices.pay(other.id, { payment_method: foreign.id }))).statusCode, 400)
  },
)

conformance(
  'a bank that asks makes the payment wait for the customer',
  'docs.stripe.com/error-codes: invoice_payment_intent_requires_action "This payment requires additional user action before it can be completed successfully"',
  async ({ stripe }) => {
    const customer = await payer(stripe, 'pm_card_authenticationRequired')
    const draft = await draftOf(stripe, customer.id, [1000])
    await stripe.invoices.finalizeInvoice(draft.id)
    const error = await refused(stripe.invoices.pay(draft.id))
    assert.equal(error.statusCode, 402)
    const { data } = await stripe.invoicePayments.list({ invoice: draft.id })
    const intent = await stripe.paymentIntents.retrieve(String(data[0]!.payment.payment_intent))
    assert.ok(['requires_action', 'requires_payment_method'].includes(intent.status))
    assert.equal((await stripe.invoices.retrieve(draft.id)).status, 'open')
  },
)

conformance(
  'an invoice that is sent has a due date, and is sent only when it is to be sent',
  'InvoiceCreateParams.days_until_due: "The number of days from when the invoice is created until it is due. Valid only for invoices where `collection_method=send_invoice`."',
  async ({ stripe }) => {
    const customer = await stripe.customers.create({ email: 'priya@example.com' })
    const due_date = Math.floor(Date.now() / 1000) + 20 * 86_400
    const draft = await draftOf(stripe, customer.id, [1000], { collection_method: 'send_invoice', due_date })
    assert.equal(draft.due_date, due_date)
    const sent = await stripe.invoices.sendInvoice(draft.id)
    assert.deepEqual([sent.status, sent.due_date, sent.attempted], ['open', due_date, false])

    const charged = await stripe.invoices.create({ customer: customer.id })
    assert.equal((await refused(stripe.invoices.update(charged.id, { days_until_due: 3 }))).statusCode, 400)
  },
)

conformance(
  'nothing due means paid at once, without a payment',
  'docs.stripe.com/api/invoices: "If your invoice has amount_due=0, it is marked paid on finalization"; observed: stripe/twentyhq#22705 "automatically marked as paid because the amount due was US$0.00"',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const draft = await draftOf(stripe, customer.id, [1000, -1000])
    const paid = await stripe.invoices.finalizeInvoice(draft.id, { expand: ['payments'] })
    assert.deepEqual([paid.status, paid.amount_due, paid.amount_paid], ['paid', 0, 0])
    assert.equal(paid.payments!.data.length, 0)
  },
)

conformance(
  'lists are filtered by customer, status, way of collection and due date',
  'InvoiceListParams: collection_method, customer, due_date, status',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const due = Math.floor(Date.now() / 1000) + 5 * 86_400
    const sent = await draftOf(stripe, customer.id, [1000], { collection_method: 'send_invoice', due_date: due })
    const charged = await draftOf(stripe, customer.id, [1000])
    await stripe.invoices.finalizeInvoice(charged.id)
    const ids = async (params: object) =>
      (await stripe.invoices.list({ customer: customer.id, ...params })).data.map(({ id }) => id)
    assert.deepEqual(await ids({}), [charged.id, sent.id]) // newest first
    assert.deepEqual(await ids({ status: 'open' }), [charged.id])
    assert.deepEqual(await ids({ collection_method: 'send_invoice' }), [sent.id])
    assert.deepEqual(await ids({ due_date: { gte: due } }), [sent.id])
    assert.deepEqual(await ids({ due_date: { gt: due } }), [])
  },
)

conformance(
  'pending items are left alone unless the invoice includes them',
  'InvoiceCreateParams.pending_invoice_items_behavior: "How to handle pending invoice items on invoice creation. Defaults to `exclude` if the parameter is omitted."',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const item = await stripe.invoiceItems.create({ customer: customer.id, amount: 700, currency: 'usd' })
    assert.equal((await stripe.invoices.create({ customer: customer.id, currency: 'usd' })).lines.data.length, 0)
    const taken = await stripe.invoices.create({
      customer: customer.id,
      currency: 'usd',
      pending_invoice_items_behavior: 'include',
    })
    assert.equal(taken.total, 700)
    assert.equal((await stripe.invoiceItems.retrieve(item.id)).invoice, taken.id)
  },
)

conformance(
  'a revision takes the place of the invoice it revises',
  'docs.stripe.com/invoicing/invoice-edits: finalizing the revision voids the original; Invoice.latest_revision',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const first = await draftOf(stripe, customer.id, [1000])
    await stripe.invoices.finalizeInvoice(first.id)
    const revision = await stripe.invoices.create({ from_invoice: { action: 'revision', invoice: first.id } })
    assert.deepEqual([revision.status, revision.total, revision.from_invoice!.invoice], ['draft', 1000, first.id])
    await stripe.invoices.finalizeInvoice(revision.id)
    const original = await stripe.invoices.retrieve(first.id)
    assert.deepEqual([original.status, original.latest_revision], ['void', revision.id])
  },
)

conformance(
  'a payment intent that has succeeded pays part of an invoice it is attached to',
  "Invoices.attachPayment: \"If the PaymentIntent's status is already succeeded when it's attached, it's credited to the invoice immediately.\"",
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const draft = await draftOf(stripe, customer.id, [1000])
    await stripe.invoices.finalizeInvoice(draft.id)
    const intent = await stripe.paymentIntents.create({
      amount: 400,
      currency: 'usd',
      customer: customer.id,
      payment_method: String(customer.invoice_settings.default_payment_method),
      confirm: true,
      off_session: true,
    })
    const partly = await stripe.invoices.attachPayment(draft.id, { payment_intent: intent.id })
    assert.deepEqual([partly.status, partly.amount_paid, partly.amount_remaining], ['open', 400, 600])
    const paid = await stripe.invoices.pay(draft.id)
    assert.deepEqual([paid.status, paid.amount_paid, paid.amount_remaining], ['paid', 1000, 0])
  },
)

conformance(
  'a draft shows its customer as the customer is, a final invoice as it was',
  'Invoice.customer_name: "Until the invoice is finalized, this field will equal `customer.name`. Once the invoice is finalized, this field will no longer be updated."',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const draft = await draftOf(stripe, customer.id, [1000])
    await stripe.customers.update(customer.id, { name: 'Priya R.' })
    assert.equal((await stripe.invoices.retrieve(draft.id)).customer_name, 'Priya R.')
    await stripe.invoices.finalizeInvoice(draft.id)
    await stripe.customers.update(customer.id, { name: 'Somebody' })
    assert.equal((await stripe.invoices.retrieve(draft.id)).customer_name, 'Priya R.')
  },
)

conformance(
  'the customer is credited and debited by transactions that tell why',
  'CustomerBalanceTransaction: amount "A negative value is a credit for the customer\'s balance, and a positive value is a debit"; docs.stripe.com/billing/customer/balance',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const credit = await stripe.customers.createBalanceTransaction(customer.id, {
      amount: -300,
      currency: 'usd',
      description: 'Sorry',
    })
    assert.deepEqual([credit.type, credit.ending_balance], ['adjustment', -300])
    const draft = await draftOf(stripe, customer.id, [1000])
    const open = await stripe.invoices.finalizeInvoice(draft.id)
    assert.deepEqual([open.starting_balance, open.ending_balance, open.amount_due], [-300, 0, 700])
    const [applied] = (await stripe.customers.listBalanceTransactions(customer.id)).data
    assert.deepEqual([applied!.type, applied!.amount, applied!.invoice], ['applied_to_invoice', 300, draft.id])

    await stripe.invoices.voidInvoice(draft.id)
    const [given] = (await stripe.customers.listBalanceTransactions(customer.id)).data
    assert.deepEqual([given!.type, given!.amount, given!.ending_balance], ['unapplied_from_invoice', -300, -300])
    const changed = await stripe.customers.updateBalanceTransaction(customer.id, credit.id, {
      metadata: { why: 'late' },
    })
    assert.deepEqual(changed.metadata, { why: 'late' })
  },
)

conformance(
  'a draft finalizes by itself at the instant that is set for it',
  'InvoiceUpdateParams.automatically_finalizes_at: "The time when this invoice should be scheduled to finalize (up to 5 years in the future). The invoice is finalized at this time if it\'s still in draft state."',
  async ({ stripe, clock }) => {
    const { advance, customer: create } = await clock('2026-01-10T08:00:00Z')
    const customer = await create()
    const draft = await draftOf(stripe, customer.id, [1000])
    const planned = await stripe.invoices.update(draft.id, {
      auto_advance: true,
      automatically_finalizes_at: seconds('2026-01-12T00:00:00Z'),
    })
    assert.equal(planned.automatically_finalizes_at, seconds('2026-01-12T00:00:00Z'))
    await advance('2026-01-11T23:59:00Z')
    assert.equal((await stripe.invoices.retrieve(draft.id)).status, 'draft')
    await advance('2026-01-12T02:00:00Z')
    assert.equal((await stripe.invoices.retrieve(draft.id)).status, 'paid')
  },
)

conformance(
  'a coupon takes its share off every line of a draft, until it is taken away',
  'InvoiceUpdateParams.discounts: "The discounts that will apply to the invoice. Pass an empty string to remove previously-defined discounts."; docs.stripe.com/billing/subscriptions/coupons',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const coupon = await stripe.coupons.create({ percent_off: 25, duration: 'once' })
    const draft = await draftOf(stripe, customer.id, [1000, 300])
    const cheaper = await stripe.invoices.update(draft.id, { discounts: [{ coupon: coupon.id }] })
    assert.deepEqual([cheaper.subtotal, cheaper.total], [1300, 975])
    assert.equal(cheaper.total_discount_amounts![0]!.amount, 325)
    const more = { customer: customer.id, invoice: draft.id, amount: 100, currency: 'usd' }
    await stripe.invoiceItems.create(more)
    assert.equal((await stripe.invoices.retrieve(draft.id)).total, 1050) // 75% of 1400
    const whole = await stripe.invoices.update(draft.id, { discounts: '' })
    assert.deepEqual([whole.total, whole.discounts.length], [1400, 0])
  },
)
