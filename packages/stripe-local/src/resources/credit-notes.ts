import type { Account } from '../account.ts'
import { type CreditNote, presentCreditNote, wireOf } from '../credit-notes/credit-note.ts'
import { draftNote, type GivenNote, issueNote, voidNote } from '../credit-notes/issue.ts'
import {
  decimal,
  integer,
  list,
  mergedMetadata,
  metadata,
  oneOf,
  onlyShown,
  range,
  required,
  shape,
  text,
  timestamp,
} from '../http/params.ts'
import { listPage, listSlice, paging, route } from '../http/route.ts'
import type { Invoice } from '../invoices/invoice.ts'

const noteParams = {
  invoice: required(text()),
  amount: integer({ min: 1 }),
  credit_amount: integer({ min: 0 }),
  effective_at: onlyShown(timestamp()),
  // No mail is ever sent, whichever is asked for.
  email_type: onlyShown(oneOf('credit_note', 'none')),
  lines: list(
    shape({
      amount: integer({ min: 1 }),
      description: text(),
      invoice_line_item: text(),
      metadata: metadata(),
      quantity: integer({ min: 1 }),
      type: required(oneOf('custom_line_item', 'invoice_line_item')),
      unit_amount: integer({ min: 0 }),
      unit_amount_decimal: decimal(),
    }),
  ),
  memo: onlyShown(text()),
  metadata: metadata(),
  out_of_band_amount: integer({ min: 0 }),
  reason: onlyShown(oneOf('duplicate', 'fraudulent', 'order_change', 'product_unsatisfactory')),
  refund_amount: integer({ min: 0 }),
  refunds: list(shape({ amount_refunded: integer({ min: 1 }), refund: text(), type: oneOf('refund') })),
}

export const creditNoteRoutes = [
  route('POST', '/v1/credit_notes', noteParams, (account, params) =>
    account.present(issueNote(account, invoiceOf(account, params.invoice), params)),
  ),

  route('GET', '/v1/credit_notes/preview', noteParams, (account, params) =>
    presentCreditNote(account, previewOf(account, params)),
  ),

  route('GET', '/v1/credit_notes/preview/lines', { ...noteParams, ...paging }, (account, params) => {
    const lines = previewOf(account, params)._lines.map(wireOf)
    return listSlice(lines, '/v1/credit_notes/preview/lines', params, 'credit note line item')
  }),

  route('GET', '/v1/credit_notes/:id', {}, (account, _params, { id }) =>
    account.present(account.get<CreditNote>('credit_note', id!)),
  ),

  route('GET', '/v1/credit_notes/:id/lines', paging, (account, params, { id }) => {
    const lines = account.get<CreditNote>('credit_note', id!)._lines.map(wireOf)
    return listSlice(lines, `/v1/credit_notes/${id}/lines`, params, 'credit note line item')
  }),

  route(
    'POST',
    '/v1/credit_notes/:id',
    { memo: onlyShown(text()), metadata: metadata() },
    (account, { metadata: sent, ...params }, { id }) => {
      const before = account.get<CreditNote>('credit_note', id!)
      const changes = { ...params, metadata: mergedMetadata(before.metadata, sent) }
      return account.present(account.change<CreditNote>(before, changes, 'credit_note.updated'))
    },
  ),

  route('POST', '/v1/credit_notes/:id/void', {}, (account, _params, { id }) =>
    account.present(voidNote(account, account.get<CreditNote>('credit_note', id!))),
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

function invoiceOf(account: Account, id: string): Invoice {
  return account.reference<Invoice>('invoice', id, 'invoice')
}

function previewOf(account: Account, params: GivenNote & { invoice: string }): CreditNote {
  return draftNote(account, invoiceOf(account, params.invoice), params)
}
