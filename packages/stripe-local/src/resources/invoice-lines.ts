import type { Account } from '../account.ts'
import { missing, refuse } from '../http/errors.ts'
import {
  flag,
  list,
  mergedMetadata,
  metadata,
  oneOf,
  onlyShown,
  type Params,
  required,
  shape,
  text,
  timestamp,
} from '../http/params.ts'
import { route } from '../http/route.ts'
import { notEditable } from '../invoices/finalize.ts'
import { lineAmountParams, readAmount } from '../invoices/given-amount.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { changeLines, createInvoiceItem, type InvoiceItem, lineOfItem } from '../invoices/items.ts'
import type { Line } from '../invoices/line.ts'
import type { Customer } from './customers.ts'
import { checkedPeriod, checkItemRoom, ITEMS_MAX, updateItem } from './invoice-items.ts'

const lineParams = {
  ...lineAmountParams,
  description: text({ max: 5000 }),
  discountable: onlyShown(flag()),
  metadata: metadata(),
  period: shape({ start: required(timestamp()), end: required(timestamp()) }),
}
type LineChanges = Params<typeof lineParams>

export const invoiceLineRoutes = [
  route(
    'POST',
    '/v1/invoices/:id/add_lines',
    {
      invoice_metadata: metadata(),
      lines: required(list(shape({ ...lineParams, invoice_item: text() }), { max: ITEMS_MAX })),
    },
    (account, params, { id }) => {
      const draft = draftOf(account, id!)
      checkItemRoom(draft, params.lines.length)
      const added = params.lines.map((line, index) => itemFor(account, draft, line, `lines[${index}]`))
      changeLines(account, draft, [...added.map(lineOfItem), ...draft._lines])
      return account.present(withMetadata(account, id!, params.invoice_metadata))
    },
  ),

  route(
    'POST',
    '/v1/invoices/:id/update_lines',
    {
      invoice_metadata: metadata(),
      lines: required(list(shape({ ...lineParams, id: required(text()) }), { max: ITEMS_MAX })),
    },
    (account, params, { id }) => {
      draftOf(account, id!)
      for (const { id: line, ...changes } of params.lines) changeLine(account, id!, line, changes)
      return account.present(withMetadata(account, id!, params.invoice_metadata))
    },
  ),

  route(
    'POST',
    '/v1/invoices/:id/remove_lines',
    {
      invoice_metadata: metadata(),
      lines: required(
        list(shape({ behavior: required(oneOf('delete', 'unassign')), id: required(text()) }), { max: ITEMS_MAX }),
      ),
    },
    (account, params, { id }) => {
      const draft = draftOf(account, id!)
      for (const { id: line, behavior } of params.lines) removeItem(account, lineOf(draft, line), behavior)
      const gone = new Set(params.lines.map((line) => line.id))
      changeLines(
        account,
        draft,
        draft._lines.filter((line) => !gone.has(line.id)),
      )
      return account.present(withMetadata(account, id!, params.invoice_metadata))
    },
  ),

  route('POST', '/v1/invoices/:id/lines/:line', lineParams, (account, params, { id, line }) => {
    draftOf(account, id!)
    changeLine(account, id!, line!, params)
    const { _usage, _used, ...shown } = lineOf(account.get<Invoice>('invoice', id!), line!)
    return { ...shown, invoice: id }
  }),
]

function draftOf(account: Account, id: string): Invoice {
  const found = account.get<Invoice>('invoice', id)
  if (found.status === 'draft') return found
  throw notEditable("You can't edit the lines of an invoice that is finalized.")
}

function lineOf(draft: Invoice, id: string): Line {
  const found = draft._lines.find((line) => line.id === id)
  if (!found) throw missing('invoice line item', id)
  return found
}

/** A waiting item put on the draft, or a new one made for it. */
function itemFor(
  account: Account,
  draft: Invoice,
  given: LineChanges & { invoice_item?: string },
  at: string,
): InvoiceItem {
  const { invoice_item: waiting, description, discountable, metadata: sent, period, ...amounts } = given
  if (waiting !== undefined) {
    const item = account.reference<InvoiceItem>('invoiceitem', waiting, `${at}[invoice_item]`)
    if (item.invoice !== null || item.customer !== draft.customer || item.currency !== draft.currency) {
      throw refuse('You can only add pending invoice items of the same customer and currency.', {
        param: `${at}[invoice_item]`,
      })
    }
    return account.objects.save<InvoiceItem>({ ...item, invoice: draft.id })
  }
  const { name, ...amount } = readAmount(account, amounts, draft.currency, at)
  const { test_clock: clock } = account.get<Customer>('customer', draft.customer)
  const now = account.seconds(clock)
  return createInvoiceItem(account, {
    ...amount,
    customer: draft.customer,
    description: description ?? name,
    discountable: discountable ?? amount.amount >= 0,
    invoice: draft.id,
    metadata: mergedMetadata({}, sent),
    period: checkedPeriod(period) ?? { start: now, end: now },
    test_clock: clock,
  })
}

/** What lives on the invoice item too is changed there; of a subscription's line only its words can be changed. */
function changeLine(account: Account, invoiceId: string, lineId: string, changes: LineChanges): void {
  const draft = account.get<Invoice>('invoice', invoiceId)
  const line = lineOf(draft, lineId)
  const itemId = line.parent?.invoice_item_details?.invoice_item
  if (itemId !== undefined) {
    updateItem(account, account.get<InvoiceItem>('invoiceitem', itemId), changes)
    return
  }
  const { description, discountable, metadata: sent, period, ...amounts } = changes
  const [fixed] = Object.keys(amounts)
  if (fixed !== undefined)
    throw refuse(`You can't change the ${fixed} of a line that a subscription has made.`, { param: fixed })
  const after: Line = {
    ...line,
    ...(description !== undefined && { description }),
    ...(discountable !== undefined && { discountable }),
    ...(period && { period: checkedPeriod(period)! }),
    metadata: mergedMetadata(line.metadata, sent),
  }
  changeLines(
    account,
    draft,
    draft._lines.map((other) => (other.id === lineId ? after : other)),
  )
}

/** `delete` ends the item, `unassign` lets it wait for another invoice. */
function removeItem(account: Account, line: Line, behavior: 'delete' | 'unassign'): void {
  const id = line.parent?.invoice_item_details?.invoice_item
  if (id === undefined) {
    if (behavior === 'delete') return
    throw refuse('Only lines that come from an invoice item can be unassigned.', { param: 'lines' })
  }
  const item = account.get<InvoiceItem>('invoiceitem', id)
  if (behavior === 'unassign') {
    account.objects.save<InvoiceItem>({ ...item, invoice: null })
    return
  }
  account.objects.remove(item.id)
  account.events.emit('invoiceitem.deleted', account.present(item))
}

function withMetadata(account: Account, id: string, sent: { [key: string]: string } | null | undefined): Invoice {
  const before = account.get<Invoice>('invoice', id)
  if (sent === undefined) return before
  return account.change<Invoice>(before, { metadata: mergedMetadata(before.metadata, sent) }, 'invoice.updated')
}
