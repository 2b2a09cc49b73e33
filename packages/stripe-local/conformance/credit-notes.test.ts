import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance } from './conformance.ts'
import { eventsOf } from './plans.ts'
import { refused } from './refusal.ts'
import { draftOf, payer } from './tokens.ts'

const CREATE = 'CreditNotes.create'

async function openOf(stripe: Stripe, amounts: number[]) {
  const customer = await payer(stripe)
  const draft = await draftOf(stripe, customer.id, amounts)
  return { customer, invoice: await stripe.invoices.finalizeInvoice(draft.id) }
}
async function paidOf(stripe: Stripe, amounts: number[]) {
  const { customer, invoice } = await openOf(stripe, amounts)
  return { customer, invoice: await stripe.invoices.pay(invoice.id) }
}

conformance(
  'before payment a credit note reduces what is asked for',
  `${CREATE}: "A credit note will first reduce the invoice's amount_remaining (and amount_due), but not below zero. This amount is indicated by the credit note's pre_payment_amount."`,
  async ({ stripe }) => {
    const { invoice } = await openOf(stripe, [1000])
    const note = await stripe.creditNotes.create({
      invoice: invoice.id,
      amount: 300,
      reason: 'order_change',
      memo: 'Sorry',
    })
    assert.deepEqual([note.type, note.pre_payment_amount, note.post_payment_amount], ['pre_payment', 300, 0])
    assert.deepEqual([note.number, note.status, note.memo], [`${invoice.number}-CN-01`, 'issued', 'Sorry'])
    const left = await stripe.invoices.retrieve(invoice.id)
    assert.deepEqual([left.amount_due, left.amount_remaining, left.pre_payment_credit_notes_amount], [700, 700, 300])
    const paid = await stripe.invoices.pay(invoice.id)
    assert.equal(paid.amount_paid, 700)
  },
)

conformance(
  'an open invoice that is credited in full is paid',
  'docs.stripe.com/invoicing/integration/programmatic-credit-notes: a credit note for the whole amount of an open invoice marks it paid',
  async ({ stripe }) => {
    const { invoice } = await openOf(stripe, [1000])
    await stripe.creditNotes.create({ invoice: invoice.id, amount: 1000 })
    const paid = await stripe.invoices.retrieve(invoice.id)
    assert.deepEqual([paid.status, paid.amount_paid, paid.amount_remaining], ['paid', 0, 0])
  },
)

conformance(
  'after payment the amount is refunded, credited or given back outside of Stripe, and must add up',
  `${CREATE}: "The sum of refunds, customer balance credits, and outside of Stripe credits must equal the post_payment_amount."`,
  async ({ stripe }) => {
    const { customer, invoice } = await paidOf(stripe, [1000])
    const note = await stripe.creditNotes.create({
      invoice: invoice.id,
      amount: 600,
      refund_amount: 300,
      credit_amount: 200,
      out_of_band_amount: 100,
    })
    assert.deepEqual([note.type, note.post_payment_amount, note.out_of_band_amount], ['post_payment', 600, 100])
    assert.equal(note.refunds[0]!.amount_refunded, 300)
    const refund = await stripe.refunds.retrieve(String(note.refunds[0]!.refund))
    assert.deepEqual([refund.amount, refund.status], [300, 'succeeded'])
    const [credit] = (await stripe.customers.listBalanceTransactions(customer.id)).data
    assert.deepEqual([credit!.type, credit!.amount, credit!.credit_note], ['credit_note', -200, note.id])
    assert.equal((await stripe.invoices.retrieve(invoice.id)).post_payment_credit_notes_amount, 600)

    const short = stripe.creditNotes.create({ invoice: invoice.id, amount: 100, credit_amount: 50 })
    assert.equal((await refused(short)).statusCode, 400)
    const beyond = stripe.creditNotes.create({ invoice: invoice.id, amount: 500, credit_amount: 500 })
    assert.equal((await refused(beyond)).statusCode, 400)
  },
)

conformance(
  'lines are credited by quantity or amount, and beside them what is on no line',
  'CreditNoteCreateParams.Line: type `invoice_line_item` or `custom_line_item`, quantity "The line item quantity to credit.", unit_amount "will be multiplied by the quantity"',
  async ({ stripe }) => {
    const customer = await payer(stripe)
    const draft = await stripe.invoices.create({ customer: customer.id, currency: 'usd' })
    const item = { customer: customer.id, invoice: draft.id, currency: 'usd' }
    await stripe.invoiceItems.create({ ...item, quantity: 4, unit_amount_decimal: '250' as never, description: 'Pens' })
    await stripe.invoiceItems.create({ ...item, amount: 800, description: 'Ink' })
    const invoice = await stripe.invoices.finalizeInvoice(draft.id)
    const [ink, pens] = invoice.lines.data
    const lines: Stripe.CreditNoteCreateParams.Line[] = [
      { type: 'invoice_line_item', invoice_line_item: pens!.id, quantity: 3 },
      { type: 'invoice_line_item', invoice_line_item: ink!.id, amount: 120 },
      { type: 'custom_line_item', description: 'Trouble', quantity: 2, unit_amount: 15 },
    ]
    const preview = await stripe.creditNotes.preview({ invoice: invoice.id, lines })
    assert.equal(preview.total, 900) // 3 × 250, 120, 2 × 15
    const previewed = await stripe.creditNotes.listPreviewLineItems({ invoice: invoice.id, lines })
    assert.equal(previewed.data.length, 3)
    assert.equal((await stripe.creditNotes.list({ invoice: invoice.id })).data.length, 0)

    const note = await stripe.creditNotes.create({ invoice: invoice.id, lines })
    assert.deepEqual(
      note.lines.data.map((line) => [line.type, line.amount, line.quantity, line.description]),
      [
        ['invoice_line_item', 750, 3, 'Pens'],
        ['invoice_line_item', 120, null, 'Ink'],
        ['custom_line_item', 30, 2, 'Trouble'],
      ],
    )
    assert.equal(note.lines.data[0]!.invoice_line_item, pens!.id)
    const { data } = await stripe.creditNotes.listLineItems(note.id, { limit: 2 })
    assert.equal(data.length, 2)
    const tooMany: Stripe.CreditNoteCreateParams.Line[] = [
      { type: 'invoice_line_item', invoice_line_item: pens!.id, quantity: 5 },
    ]
    assert.equal((await refused(stripe.creditNotes.create({ invoice: invoice.id, lines: tooMany }))).statusCode, 400)
  },
)

conformance(
  'a note is changed, and voided while its invoice is open',
  'docs.stripe.com/invoicing/integration/programmatic-credit-notes: "Voiding a credit note reverses its adjustment on the invoice"; only on open invoices',
  async ({ stripe, eventually }) => {
    const { invoice } = await openOf(stripe, [1000])
    const note = await stripe.creditNotes.create({ invoice: invoice.id, amount: 400 })
    const changed = await stripe.creditNotes.update(note.id, { memo: 'By mistake', metadata: { by: 'omar' } })
    assert.deepEqual([changed.memo, changed.metadata!.by], ['By mistake', 'omar'])
    const voided = await stripe.creditNotes.voidCreditNote(note.id)
    assert.equal(voided.status, 'void')
    assert.ok(voided.voided_at)
    const whole = await stripe.invoices.retrieve(invoice.id)
    assert.deepEqual([whole.amount_remaining, whole.pre_payment_credit_notes_amount], [1000, 0])
    await eventually(async () => {
      const types = await eventsOf(stripe, note.id, 'credit_note.')
      assert.deepEqual(types, ['credit_note.created', 'credit_note.updated', 'credit_note.voided'])
    })

    const { invoice: paid } = await paidOf(stripe, [1000])
    const after = await stripe.creditNotes.create({ invoice: paid.id, amount: 100, credit_amount: 100 })
    assert.equal((await refused(stripe.creditNotes.voidCreditNote(after.id))).statusCode, 400)
  },
)

conformance(
  'refunds made before are linked, and count against what can be credited',
  `${CREATE}: "the credit note API subtracts those refund amounts from the maximum creditable amount"`,
  async ({ stripe }) => {
    const { invoice } = await paidOf(stripe, [1000])
    const { data } = await stripe.invoicePayments.list({ invoice: invoice.id })
    const payment_intent = String(data[0]!.payment.payment_intent)
    await stripe.refunds.create({ payment_intent, amount: 700 })
    const beyond = stripe.creditNotes.create({ invoice: invoice.id, amount: 400, credit_amount: 400 })
    assert.equal((await refused(beyond)).statusCode, 400)
    const rest = await stripe.creditNotes.create({ invoice: invoice.id, amount: 300, credit_amount: 300 })
    assert.equal(rest.refunds.length, 0)

    const { invoice: other } = await paidOf(stripe, [1000])
    const { data: payments } = await stripe.invoicePayments.list({ invoice: other.id })
    const linked = await stripe.refunds.create({ payment_intent: String(payments[0]!.payment.payment_intent) })
    const note = await stripe.creditNotes.create({ invoice: other.id, amount: 1000, refunds: [{ refund: linked.id }] })
    assert.deepEqual([note.refunds[0]!.refund, note.refunds[0]!.amount_refunded], [linked.id, 1000])
  },
)
