import type { Account } from '../account.ts'
import { formatAmount } from '../billing/currency.ts'
import { divideRounded, formatPico, PICO, pico } from '../billing/decimal.ts'
import { ApiError, refuse } from '../http/errors.ts'
import { type Metadata, mergedMetadata } from '../http/params.ts'
import { missingParam } from '../http/wording.ts'
import { newId } from '../identifier.ts'
import { changeBalance } from '../invoices/balance.ts'
import { changeInvoice } from '../invoices/change.ts'
import { markPaid } from '../invoices/finalize.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { amountOf, type Line } from '../invoices/line.ts'
import { type InvoicePayment, requestAmount } from '../invoices/payment.ts'
import type { Charge } from '../payments/charge.ts'
import type { PaymentIntent } from '../payments/payment-intent.ts'
import { type Refund, refundCharge } from '../payments/refund.ts'
import type { Customer } from '../resources/customers.ts'
import type { CreditNote, CreditNoteLine } from './credit-note.ts'

export interface GivenLine {
  amount?: number
  description?: string
  invoice_line_item?: string
  metadata?: Metadata | null
  quantity?: number
  type: 'custom_line_item' | 'invoice_line_item'
  unit_amount?: number
  unit_amount_decimal?: string
}

export interface GivenNote {
  amount?: number
  credit_amount?: number
  effective_at?: number
  lines?: GivenLine[]
  memo?: string
  metadata?: Metadata | null
  out_of_band_amount?: number
  reason?: NonNullable<CreditNote['reason']>
  refund_amount?: number
  refunds?: { amount_refunded?: number; refund?: string }[]
}

/**
 * A credit note as it would be issued, unstored. What the invoice still asks for is reduced first (pre-payment); the rest
 * (post-payment) must be said to be refunded, credited to the balance, or given back outside of Stripe.
 *
 * @throws ApiError when it credits more than the invoice has, or its parts do not add up
 */
export function draftNote(account: Account, invoice: Invoice, given: GivenNote): CreditNote {
  if (invoice.status === 'draft' || invoice.status === 'void') {
    throw refuse('You can only create credit notes for finalized invoices that are not void.', { param: 'invoice' })
  }
  const lines = linesFrom(account, invoice, given)
  const total = lines.reduce((sum, line) => sum + line.amount - line.discount_amount, 0)
  const left = creditable(account, invoice, given)
  if (total > left) {
    const [asked, rest] = [total, left].map((value) => formatAmount(String(value), invoice.currency))
    throw refuse(
      `The credit note's amount (${asked}) is greater than what is left to credit on the invoice (${rest}).`,
      {
        param: given.amount === undefined ? 'lines' : 'amount',
      },
    )
  }
  const pre = Math.min(total, invoice.amount_remaining)
  const post = total - pre
  checkSum(account, invoice, given, post)
  const now = account.seconds(invoice.test_clock)
  return {
    id: newId('cn'),
    object: 'credit_note',
    amount: total,
    created: now,
    currency: invoice.currency,
    customer: invoice.customer,
    customer_balance_transaction: null,
    effective_at: given.effective_at ?? now,
    invoice: invoice.id,
    livemode: false,
    memo: given.memo ?? null,
    metadata: mergedMetadata({}, given.metadata),
    number: numberFor(account, invoice),
    out_of_band_amount: given.out_of_band_amount ?? null,
    pdf: `${account.baseUrl()}/i/${invoice.id}/pdf`,
    post_payment_amount: post,
    pre_payment_amount: pre,
    reason: given.reason ?? null,
    refunds: [],
    status: 'issued',
    type: post === 0 ? 'pre_payment' : pre === 0 ? 'post_payment' : 'mixed',
    voided_at: null,
    _lines: lines,
  }
}

/** Issues a credit note, with the refund and the credit it brings. */
export function issueNote(account: Account, invoice: Invoice, given: GivenNote): CreditNote {
  const draft = draftNote(account, invoice, given)
  const refunds = [...linkedRefunds(account, given), ...newRefund(account, invoice, given)]
  const balance = given.credit_amount ? creditBalance(account, invoice, given.credit_amount, draft.id) : null
  const made = account.create<CreditNote>(
    { ...draft, customer_balance_transaction: balance, refunds },
    'credit_note.created',
  )
  const after = changeInvoice(account, account.get<Invoice>('invoice', invoice.id), {
    amount_due: invoice.amount_due - made.pre_payment_amount,
    amount_remaining: invoice.amount_remaining - made.pre_payment_amount,
    post_payment_credit_notes_amount: invoice.post_payment_credit_notes_amount + made.post_payment_amount,
    pre_payment_credit_notes_amount: invoice.pre_payment_credit_notes_amount + made.pre_payment_amount,
  })
  if (made.pre_payment_amount === 0) return made
  if (after.amount_remaining === 0) markPaid(account, after.id)
  else requestAmount(account, after)
  return made
}

/** Takes back a note while its invoice is still to be paid: the invoice asks for the whole again. */
export function voidNote(account: Account, before: CreditNote): CreditNote {
  const invoice = account.get<Invoice>('invoice', before.invoice)
  if (before.status === 'void') throw refuse('This credit note is already void.')
  if (invoice.status !== 'open' || before.post_payment_amount > 0) {
    throw refuse('You can only void credit notes that reduce what an open invoice asks for.')
  }
  const voided = { status: 'void' as const, voided_at: account.seconds(invoice.test_clock) }
  const after = account.objects.save<CreditNote>({ ...before, ...voided })
  account.events.emit('credit_note.voided', account.present(after))
  const owed = changeInvoice(account, invoice, {
    amount_due: invoice.amount_due + before.pre_payment_amount,
    amount_remaining: invoice.amount_remaining + before.pre_payment_amount,
    pre_payment_credit_notes_amount: invoice.pre_payment_credit_notes_amount - before.pre_payment_amount,
  })
  requestAmount(account, owed)
  return after
}

function linesFrom(account: Account, invoice: Invoice, given: GivenNote): CreditNoteLine[] {
  if (given.amount !== undefined && given.lines) {
    throw refuse('You may only specify one of these parameters: amount, lines.', { param: 'amount' })
  }
  if (given.lines?.length) return given.lines.map((line, index) => lineFrom(account, invoice, line, `lines[${index}]`))
  if (given.amount === undefined) throw missingParam('amount')
  return [{ ...blankLine('custom_line_item'), amount: given.amount, quantity: 1, ...unitOf(String(given.amount)) }]
}

function lineFrom(account: Account, invoice: Invoice, given: GivenLine, at: string): CreditNoteLine {
  const common = { ...blankLine(given.type), metadata: mergedMetadata({}, given.metadata) }
  return given.type === 'custom_line_item'
    ? customLine(account, invoice, given, at, common)
    : invoiceLine(account, invoice, given, at, common)
}

function customLine(
  account: Account,
  invoice: Invoice,
  given: GivenLine,
  at: string,
  common: CreditNoteLine,
): CreditNoteLine {
  const unit = given.unit_amount_decimal ?? (given.unit_amount === undefined ? undefined : String(given.unit_amount))
  if (given.description === undefined) throw missingParam(`${at}[description]`)
  if (unit === undefined) throw missingParam(`${at}[unit_amount]`)
  const quantity = given.quantity ?? 1
  const amount = Number(amountOf(account, unit, BigInt(quantity) * PICO, invoice.currency))
  return { ...common, amount, description: given.description, quantity, ...unitOf(unit) }
}

/** Part of a line of the invoice: so much of its amount, or so many of its units. */
function invoiceLine(
  account: Account,
  invoice: Invoice,
  given: GivenLine,
  at: string,
  common: CreditNoteLine,
): CreditNoteLine {
  if (given.invoice_line_item === undefined) throw missingParam(`${at}[invoice_line_item]`)
  const line = invoice._lines.find(({ id }) => id === given.invoice_line_item)
  if (!line) throw noSuchLine(given.invoice_line_item, `${at}[invoice_line_item]`)
  const of = { description: line.description, invoice_line_item: line.id }
  if (given.amount !== undefined) {
    if (given.quantity !== undefined) {
      throw refuse(`You may only specify one of these parameters: ${at}[amount], ${at}[quantity].`, {
        param: `${at}[amount]`,
      })
    }
    if (given.amount > line.amount) throw tooMuch(`${at}[amount]`, given.amount, line.amount)
    return {
      ...common,
      ...of,
      ...discountsOn(line, given.amount),
      amount: given.amount,
      ...unitOf(String(given.amount)),
    }
  }
  if (given.quantity === undefined) throw missingParam(`${at}[quantity]`)
  if (given.quantity > (line.quantity ?? 0)) throw tooMuch(`${at}[quantity]`, given.quantity, line.quantity ?? 0)
  const unit = line.pricing?.unit_amount_decimal ?? '0'
  const amount = Number(amountOf(account, unit, BigInt(given.quantity) * PICO, invoice.currency))
  if (amount > line.amount) throw tooMuch(`${at}[quantity]`, amount, line.amount)
  return { ...common, ...of, ...discountsOn(line, amount), amount, quantity: given.quantity, ...unitOf(unit) }
}

/** The part of a line's discounts that goes with the part of its amount that is credited. */
function discountsOn(line: Line, amount: number): Pick<CreditNoteLine, 'discount_amount' | 'discount_amounts'> {
  const discount_amounts = line.discount_amounts.map((off) => ({
    amount: Number(divideRounded(BigInt(off.amount) * BigInt(amount), BigInt(line.amount))),
    discount: off.discount,
  }))
  return { discount_amount: discount_amounts.reduce((sum, off) => sum + off.amount, 0), discount_amounts }
}

function blankLine(type: CreditNoteLine['type']): CreditNoteLine {
  return {
    id: newId('cnli'),
    object: 'credit_note_line_item',
    amount: 0,
    description: null,
    discount_amount: 0,
    discount_amounts: [],
    livemode: false,
    metadata: {},
    pretax_credit_amounts: [],
    quantity: null,
    tax_rates: [],
    taxes: [],
    type,
    unit_amount: null,
    unit_amount_decimal: null,
  }
}

/** A unit amount that is not whole has only its decimal form. */
function unitOf(unitAmount: string): Pick<CreditNoteLine, 'unit_amount' | 'unit_amount_decimal'> {
  const value = pico(unitAmount)
  return { unit_amount: value % PICO === 0n ? Number(value / PICO) : null, unit_amount_decimal: formatPico(value) }
}

/** What of the total was neither credited by a note nor refunded without one; what this note links is not without one. */
function creditable(account: Account, invoice: Invoice, given: GivenNote): number {
  const credited = invoice.pre_payment_credit_notes_amount + invoice.post_payment_credit_notes_amount
  const notes = account.objects.all<CreditNote>('credit_note', { '$.invoice': invoice.id })
  const linked = new Set(
    [...notes.flatMap((note) => note.refunds), ...(given.refunds ?? [])].map(({ refund }) => refund),
  )
  const refunded = chargesOf(account, invoice)
    .flatMap((charge) => account.objects.all<Refund>('refund', { '$.charge': charge.id }))
    .filter((refund) => !linked.has(refund.id))
    .reduce((sum, refund) => sum + refund.amount, 0)
  return invoice.total - credited - refunded
}

function checkSum(account: Account, invoice: Invoice, given: GivenNote, post: number): void {
  const linked = linkedRefunds(account, given).reduce((sum, refund) => sum + refund.amount_refunded, 0)
  const sum = linked + (given.refund_amount ?? 0) + (given.credit_amount ?? 0) + (given.out_of_band_amount ?? 0)
  if (sum === post) return
  const [said, due] = [sum, post].map((value) => formatAmount(String(value), invoice.currency))
  throw refuse(
    `The sum of refunds, credit amount and out of band amount (${said}) must equal the credit note's post payment amount (${due}).`,
  )
}

function linkedRefunds(account: Account, given: GivenNote): CreditNote['refunds'] {
  return (given.refunds ?? []).map((link, index) => {
    if (link.refund === undefined) throw missingParam(`refunds[${index}][refund]`)
    const refund = account.reference<Refund>('refund', link.refund, `refunds[${index}][refund]`)
    const amount_refunded = link.amount_refunded ?? refund.amount
    if (amount_refunded > refund.amount)
      throw tooMuch(`refunds[${index}][amount_refunded]`, amount_refunded, refund.amount)
    return { amount_refunded, payment_record_refund: null, refund: refund.id, type: 'refund' }
  })
}

function newRefund(account: Account, invoice: Invoice, given: GivenNote): CreditNote['refunds'] {
  if (!given.refund_amount) return []
  const charge = chargesOf(account, invoice).find(
    (one) => one.amount_captured - one.amount_refunded >= given.refund_amount!,
  )
  if (!charge)
    throw refuse('There is no charge of this invoice from which this amount can be refunded.', {
      param: 'refund_amount',
    })
  const made = refundCharge(account, charge, {
    amount: given.refund_amount,
    created: account.seconds(invoice.test_clock),
  })
  return [{ amount_refunded: made.amount, payment_record_refund: null, refund: made.id, type: 'refund' }]
}

function chargesOf(account: Account, invoice: Invoice): Charge[] {
  return account.objects
    .all<InvoicePayment>('invoice_payment', { '$.invoice': invoice.id })
    .map(({ payment }) => account.get<PaymentIntent>('payment_intent', payment.payment_intent).latest_charge)
    .flatMap((id) => (id === null ? [] : [account.get<Charge>('charge', id)]))
    .filter((charge) => charge.status === 'succeeded')
}

/** The balance pays the next invoice. */
function creditBalance(account: Account, invoice: Invoice, amount: number, note: string): string {
  const customer = account.get<Customer>('customer', invoice.customer)
  return changeBalance(account, customer, customer.balance - amount, {
    type: 'credit_note',
    currency: invoice.currency,
    credit_note: note,
    invoice: invoice.id,
  }).id
}

function numberFor(account: Account, invoice: Invoice): string {
  const issued = account.objects.all('credit_note', { '$.invoice': invoice.id }).length
  return `${invoice.number}-CN-${String(issued + 1).padStart(2, '0')}`
}

function tooMuch(param: string, asked: number, most: number): ApiError {
  return refuse(`This value must be less than or equal to ${most} (it currently is '${asked}').`, {
    code: 'parameter_invalid_integer',
    param,
  })
}

function noSuchLine(id: string, param: string): ApiError {
  return new ApiError(400, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    param,
    message: `No such invoice line item: '${id}'`,
  })
}
