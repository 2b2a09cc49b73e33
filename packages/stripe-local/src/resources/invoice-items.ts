import { formatPico, PICO, pico } from '../billing/decimal.ts'
import { rate } from '../billing/rating.ts'
import { refuse } from '../http/errors.ts'
import {
  decimal,
  flag,
  integer,
  mergedMetadata,
  metadata,
  range,
  required,
  shape,
  text,
  timestamp,
} from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { totalsOf } from '../invoices/draft.ts'
import { notEditable } from '../invoices/finalize.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { createInvoiceItem, type InvoiceItem, lineOfItem } from '../invoices/items.ts'
import { pricingOf, quantities, ratedPrice } from '../invoices/line.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { customerParameter } from './customers.ts'
import type { Price } from './prices.ts'

export const invoiceItemRoutes = [
  route(
    'POST',
    '/v1/invoiceitems',
    {
      customer: required(text()),
      amount: integer(),
      currency: text({ max: 3 }),
      description: text({ max: 500 }),
      discountable: flag(),
      invoice: text(),
      metadata: metadata(),
      period: shape({ start: required(timestamp()), end: required(timestamp()) }),
      pricing: shape({ price: text() }),
      quantity: integer({ min: 0 }),
      quantity_decimal: decimal(),
      subscription: text(),
      unit_amount_decimal: decimal({ negative: true }),
    },
    (account, params) => {
      const customer = customerParameter(account, params.customer)
      const stored =
        params.subscription === undefined
          ? null
          : account.reference<Subscription>('subscription', params.subscription, 'subscription')
      const invoice =
        params.invoice === undefined ? null : account.reference<Invoice>('invoice', params.invoice, 'invoice')
      if (invoice && invoice.status !== 'draft') throw notEditable('The specified invoice is not editable.')
      const price =
        params.pricing?.price === undefined
          ? null
          : account.reference<Price>('price', params.pricing.price, 'pricing[price]')
      const quantity = pico(params.quantity_decimal ?? String(params.quantity ?? 1))
      if (params.amount === undefined && !price && params.unit_amount_decimal === undefined) {
        throw refuse('You must pass one of: `amount`, `pricing[price]`, `unit_amount_decimal`.', { param: 'amount' })
      }
      const currency = price?.currency ?? params.currency?.toLowerCase() ?? stored?.currency
      if (currency === undefined)
        throw refuse('Missing required param: currency.', { code: 'parameter_missing', param: 'currency' })
      const unitAmount = params.unit_amount_decimal ?? price?.unit_amount_decimal ?? String(params.amount)
      const amount =
        params.amount !== undefined
          ? BigInt(params.amount)
          : price
            ? rate(ratedPrice(price), quantity).reduce((sum, line) => sum + line.amount, 0n)
            : (pico(unitAmount) * quantity) / (PICO * PICO)
      const now = account.seconds(customer.test_clock)
      const made = createInvoiceItem(account, {
        amount: Number(amount),
        currency,
        customer: customer.id,
        description: params.description ?? null,
        discountable: params.discountable ?? amount >= 0n,
        invoice: invoice?.id ?? null,
        metadata: mergedMetadata({}, params.metadata),
        parent: stored && { subscription_details: { subscription: stored.id }, type: 'subscription_details' },
        period: params.period ?? { start: now, end: now },
        pricing: price
          ? pricingOf(price, unitAmount)
          : { type: 'price_details', unit_amount_decimal: formatPico(pico(unitAmount)) },
        ...quantities(quantity),
        test_clock: customer.test_clock,
      })
      if (invoice) {
        const lines = [lineOfItem(made), ...invoice._lines]
        account.change(invoice, { _lines: lines, ...totalsOf({ ...invoice, _lines: lines }) }, 'invoice.updated')
      }
      return account.present(made)
    },
  ),

  route('GET', '/v1/invoiceitems/:id', {}, (account, _params, { id }) =>
    account.present(account.get<InvoiceItem>('invoiceitem', id!)),
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
    const invoice = gone.invoice === null ? undefined : account.objects.find<Invoice>('invoice', gone.invoice)
    if (invoice && invoice.status !== 'draft')
      throw notEditable('This invoice item is on a finalized invoice and cannot be deleted.')
    if (invoice) {
      const lines = invoice._lines.filter((line) => line.id !== gone._line)
      account.change(invoice, { _lines: lines, ...totalsOf({ ...invoice, _lines: lines }) }, 'invoice.updated')
    }
    account.objects.remove(gone.id)
    account.events.emit('invoiceitem.deleted', account.present(gone))
    return { id: gone.id, object: 'invoiceitem', deleted: true }
  }),
]
