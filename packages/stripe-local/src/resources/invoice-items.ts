import type { Account } from '../account.ts'
import { refuse } from '../http/errors.ts'
import {
  decimal,
  flag,
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
import { listPage, paging, route } from '../http/route.ts'
import { missingParam } from '../http/wording.ts'
import { notEditable } from '../invoices/finalize.ts'
import { amountParams, type GivenAmount, readAmount } from '../invoices/given-amount.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { changeLines, createInvoiceItem, type InvoiceItem, lineOfItem } from '../invoices/items.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { customerParameter } from './customers.ts'

/** "You can add up to 250 items per invoice." */
export const ITEMS_MAX = 250

const itemParams = {
  ...amountParams,
  description: text({ max: 5000 }),
  discountable: onlyShown(flag()),
  metadata: metadata(),
  period: shape({ start: required(timestamp()), end: required(timestamp()) }),
  unit_amount_decimal: decimal({ negative: true }),
}

export const invoiceItemRoutes = [
  route(
    'POST',
    '/v1/invoiceitems',
    { ...itemParams, customer: text(), currency: text({ max: 3 }), invoice: text(), subscription: text() },
    (account, params) => {
      if (params.customer === undefined) throw missingParam('customer')
      const owner = customerParameter(account, params.customer)
      const subscription = subscriptionFor(account, owner.id, params.subscription)
      const invoice = invoiceFor(account, owner.id, params.invoice)
      const { name, ...amount } = readAmount(account, params, invoice?.currency ?? subscription?.currency ?? null)
      const now = account.seconds(owner.test_clock)
      const made = createInvoiceItem(account, {
        ...amount,
        customer: owner.id,
        description: params.description ?? name,
        discountable: params.discountable ?? amount.amount >= 0,
        invoice: invoice?.id ?? null,
        metadata: mergedMetadata({}, params.metadata),
        parent: subscription && {
          subscription_details: { subscription: subscription.id },
          type: 'subscription_details',
        },
        period: checkedPeriod(params.period) ?? { start: now, end: now },
        test_clock: owner.test_clock,
      })
      if (invoice) changeLines(account, invoice, [lineOfItem(made), ...invoice._lines])
      return account.present(made)
    },
  ),

  route('GET', '/v1/invoiceitems/:id', {}, (account, _params, { id }) =>
    account.present(account.get<InvoiceItem>('invoiceitem', id!)),
  ),

  route(
    'POST',
    '/v1/invoiceitems/:id',
    { ...itemParams, invoicing_rules: oneOf('') },
    (account, { invoicing_rules: _none, ...params }, { id }) => {
      const before = account.get<InvoiceItem>('invoiceitem', id!)
      return account.present(updateItem(account, before, params))
    },
  ),

  route(
    'GET',
    '/v1/invoiceitems',
    { ...paging, created: range(), customer: text(), invoice: text(), pending: flag() },
    (account, params) =>
      listPage<InvoiceItem>(account, 'invoiceitem', '/v1/invoiceitems', params, {
        where: { '$.customer': params.customer, '$.invoice': params.invoice },
        ...(params.pending !== undefined && {
          also: { sql: `json_extract(data, '$.invoice') is ${params.pending ? '' : 'not '}null`, values: [] },
        }),
        ...(params.created && { created: params.created }),
      }),
  ),

  route('DELETE', '/v1/invoiceitems/:id', {}, (account, _params, { id }) => {
    const gone = account.get<InvoiceItem>('invoiceitem', id!)
    const invoice = draftOf(account, gone, 'deleted')
    if (invoice) {
      const lines = invoice._lines.filter((line) => line.id !== gone._line)
      changeLines(account, invoice, lines)
    }
    account.objects.remove(gone.id)
    account.events.emit('invoiceitem.deleted', account.present(gone))
    return { id: gone.id, object: 'invoiceitem', deleted: true }
  }),
]

interface ItemChanges extends GivenAmount {
  description?: string | undefined
  discountable?: boolean | undefined
  metadata?: { [key: string]: string } | null | undefined
  period?: { start: number; end: number } | undefined
}

/** Changes an item, and its line when it stands on a draft. @throws ApiError for an item of a finalized invoice */
export function updateItem(account: Account, before: InvoiceItem, params: ItemChanges): InvoiceItem {
  const invoice = draftOf(account, before, 'updated')
  const { description, discountable, metadata: sent, period, ...given } = params
  const amount = amountAfter(account, before, given)
  const after = account.objects.save<InvoiceItem>({
    ...before,
    ...amount,
    ...(description !== undefined && { description }),
    ...(discountable !== undefined && { discountable }),
    ...(period && { period: checkedPeriod(period)! }),
    metadata: mergedMetadata(before.metadata, sent),
  })
  if (invoice) {
    const lines = invoice._lines.map((line) => (line.id === after._line ? lineOfItem(after) : line))
    changeLines(account, invoice, lines)
  }
  return after
}

/** A new price or quantity; what is not given stays. */
function amountAfter(account: Account, before: InvoiceItem, given: GivenAmount): Partial<InvoiceItem> {
  if (Object.values(given).every((value) => value === undefined)) return {}
  const isPriced = given.amount !== undefined || given.pricing || given.price_data || given.unit_amount_decimal
  const kept = before.pricing?.price_details
    ? { pricing: { price: before.pricing.price_details.price } }
    : { unit_amount_decimal: before.pricing?.unit_amount_decimal ?? '0' }
  const hasQuantity = given.quantity !== undefined || given.quantity_decimal !== undefined
  const { name: _name, ...amount } = readAmount(
    account,
    {
      ...(isPriced ? {} : kept),
      ...(hasQuantity || given.amount !== undefined ? {} : { quantity_decimal: before.quantity_decimal }),
      ...given,
    },
    before.currency,
  )
  return { ...amount, net_amount: amount.amount }
}

function draftOf(account: Account, item: InvoiceItem, verb: string): Invoice | null {
  if (item.invoice === null) return null
  const invoice = account.get<Invoice>('invoice', item.invoice)
  if (invoice.status !== 'draft') {
    throw notEditable(`This invoice item is on a finalized invoice and cannot be ${verb}.`)
  }
  return invoice
}

function subscriptionFor(account: Account, customer: string, id: string | undefined): Subscription | null {
  if (id === undefined) return null
  const found = account.reference<Subscription>('subscription', id, 'subscription')
  if (found.customer === customer) return found
  throw refuse(`The subscription ${id} does not belong to the customer ${customer}.`, { param: 'subscription' })
}

/** The draft an item is put on. @throws ApiError when it is another's, finalized or full */
export function invoiceFor(account: Account, customer: string, id: string | undefined): Invoice | null {
  if (id === undefined) return null
  const found = account.reference<Invoice>('invoice', id, 'invoice')
  if (found.customer !== customer) {
    throw refuse(`The invoice ${id} does not belong to the customer ${customer}.`, { param: 'invoice' })
  }
  if (found.status !== 'draft') throw notEditable('The specified invoice is not editable.')
  checkItemRoom(found, 1)
  return found
}

export function checkItemRoom(invoice: Invoice, more: number): void {
  if (invoice._lines.length + more <= ITEMS_MAX) return
  throw refuse(`An invoice can have at most ${ITEMS_MAX} items.`, { param: 'invoice' })
}

export function checkedPeriod(
  period: { start: number; end: number } | undefined,
): { start: number; end: number } | undefined {
  if (!period || period.end >= period.start) return period
  throw refuse('The `period[end]` must be greater than or equal to the `period[start]`.', { param: 'period[end]' })
}
