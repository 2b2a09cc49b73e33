import type { Account, Kind, Wire } from '../account.ts'
import { refuse } from '../http/errors.ts'
import { integer, type Metadata, mergedMetadata, metadata, oneOf, range, required, text } from '../http/params.ts'
import { listOf, listPage, paging, route } from '../http/route.ts'
import { newId } from '../identifier.ts'
import { changeBalance } from '../invoices/balance.ts'
import { markPaid } from '../invoices/finalize.ts'
import type { Invoice } from '../invoices/invoice.ts'
import type { Stored } from '../objects.ts'
import type { Customer } from './customers.ts'

export interface CreditNote extends Stored {
  object: 'credit_note'
  amount: number
  currency: string
  customer: string
  customer_balance_transaction: string | null
  invoice: string
  livemode: false
  memo: string | null
  metadata: Metadata
  number: string
  out_of_band_amount: number | null
  pdf: string
  post_payment_amount: number
  pre_payment_amount: number
  reason: 'duplicate' | 'fraudulent' | 'order_change' | 'product_unsatisfactory' | null
  status: 'issued' | 'void'
  type: 'pre_payment' | 'post_payment'
  voided_at: number | null
}

export const creditNote: Kind = {
  type: 'credit_note',
  noun: 'credit note',
  references: {
    customer: 'customer',
    invoice: 'invoice',
    customer_balance_transaction: 'customer_balance_transaction',
  },
  present: (_account, stored: CreditNote): Wire => ({
    ...stored,
    amount_shipping: 0,
    customer_account: null,
    discount_amount: 0,
    discount_amounts: [],
    effective_at: stored.created,
    lines: listOf([], `/v1/credit_notes/${stored.id}/lines`),
    pretax_credit_amounts: [],
    refunds: [],
    shipping_cost: null,
    subtotal: stored.amount,
    subtotal_excluding_tax: stored.amount,
    total: stored.amount,
    total_excluding_tax: stored.amount,
    total_taxes: [],
  }),
}

export const creditNoteRoutes = [
  route(
    'POST',
    '/v1/credit_notes',
    {
      invoice: required(text()),
      amount: required(integer({ min: 1 })),
      credit_amount: integer({ min: 0 }),
      out_of_band_amount: integer({ min: 0 }),
      memo: text(),
      metadata: metadata(),
      reason: oneOf('duplicate', 'fraudulent', 'order_change', 'product_unsatisfactory'),
    },
    (account, params) => {
      const invoice = account.reference<Invoice>('invoice', params.invoice, 'invoice')
      if (invoice.status !== 'open' && invoice.status !== 'paid') {
        throw refuse('You can only create credit notes for open or paid invoices.', { param: 'invoice' })
      }
      const isPaid = invoice.status === 'paid'
      const left = isPaid ? invoice.total - invoice.post_payment_credit_notes_amount : invoice.amount_remaining
      if (params.amount > left) {
        throw refuse(
          `The amount of the credit note (${params.amount}) is more than what can still be credited (${left}).`,
          { param: 'amount' },
        )
      }
      const outOfBand = params.out_of_band_amount ?? 0
      const credited = params.credit_amount ?? params.amount - outOfBand
      if (isPaid && credited + outOfBand !== params.amount) {
        throw refuse('The sum of credit amount and out of band amount must equal the credit note amount.', {
          param: 'credit_amount',
        })
      }
      const id = newId('cn')
      const number = `${invoice.number}-CN-${String(account.objects.all('credit_note', { '$.invoice': invoice.id }).length + 1).padStart(2, '0')}`
      const made = account.create<CreditNote>(
        {
          id,
          object: 'credit_note',
          amount: params.amount,
          created: account.seconds(invoice.test_clock),
          currency: invoice.currency,
          customer: invoice.customer,
          customer_balance_transaction: isPaid && credited > 0 ? creditBalance(account, invoice, credited, id) : null,
          invoice: invoice.id,
          livemode: false,
          memo: params.memo ?? null,
          metadata: mergedMetadata({}, params.metadata),
          number,
          out_of_band_amount: params.out_of_band_amount ?? null,
          pdf: `${account.baseUrl()}/i/${invoice.id}/pdf`,
          post_payment_amount: isPaid ? params.amount : 0,
          pre_payment_amount: isPaid ? 0 : params.amount,
          reason: params.reason ?? null,
          status: 'issued',
          type: isPaid ? 'post_payment' : 'pre_payment',
          voided_at: null,
        },
        'credit_note.created',
      )
      applyTo(account, invoice, made)
      return account.present(made)
    },
  ),

  route('GET', '/v1/credit_notes/:id', {}, (account, _params, { id }) =>
    account.present(account.get<CreditNote>('credit_note', id!)),
  ),

  route(
    'GET',
    '/v1/credit_notes',
    { ...paging, created: range(), customer: text(), invoice: text() },
    (account, params) =>
      listPage<CreditNote>(account, 'credit_note', '/v1/credit_notes', params, {
        where: { '$.customer': params.customer, '$.invoice': params.invoice },
        ...(params.created && { created: params.created }),
      }),
  ),
]

/** A paid invoice is credited to the balance, from which the next one is paid. */
function creditBalance(account: Account, invoice: Invoice, amount: number, creditNoteId: string): string {
  const customer = account.get<Customer>('customer', invoice.customer)
  return changeBalance(account, customer, customer.balance - amount, {
    type: 'credit_note',
    currency: invoice.currency,
    credit_note: creditNoteId,
    invoice: invoice.id,
  }).id
}

/** An open invoice has less left to pay; credited in full it is paid. */
function applyTo(account: Account, invoice: Invoice, note: CreditNote): void {
  const remaining = invoice.amount_remaining - note.pre_payment_amount
  account.change(
    invoice,
    {
      amount_remaining: remaining,
      amount_due: invoice.amount_due - note.pre_payment_amount,
      post_payment_credit_notes_amount: invoice.post_payment_credit_notes_amount + note.post_payment_amount,
      pre_payment_credit_notes_amount: invoice.pre_payment_credit_notes_amount + note.pre_payment_amount,
    },
    'invoice.updated',
  )
  if (invoice.status === 'open' && remaining === 0) markPaid(account, invoice.id)
}
