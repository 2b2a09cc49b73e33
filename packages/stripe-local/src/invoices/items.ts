import type { Account, Kind } from '../account.ts'
import { withDiscounts } from '../discounts/apply.ts'
import type { Metadata } from '../http/params.ts'
import { newId } from '../identifier.ts'
import type { Stored } from '../objects.ts'
import { totalsOf } from './draft.ts'
import type { Invoice } from './invoice.ts'
import { blankLine, type Line } from './line.ts'

type Credited = {
  invoice_item?: string
  invoice_line_item_details?: { invoice: string; invoice_line_items: string[] }
  type: 'invoice_item' | 'invoice_line_items'
}

/** An amount that waits for an invoice, or stands on one. */
export interface InvoiceItem extends Stored {
  object: 'invoiceitem'
  amount: number
  currency: string
  customer: string
  customer_account: null
  date: number
  description: string | null
  discountable: boolean
  discounts: []
  invoice: string | null
  livemode: false
  metadata: Metadata
  net_amount: number
  parent: {
    subscription_details: { subscription: string; subscription_item?: string }
    type: 'subscription_details'
  } | null
  period: { start: number; end: number }
  pricing: Line['pricing']
  proration: boolean
  proration_details?: { credited_items: Credited | null; discount_amounts: [] }
  quantity: number
  quantity_decimal: string
  tax_rates: []
  test_clock: string | null
  /** The line it is, or will be, on its invoice. */
  _line: string
}

export const invoiceItem: Kind = {
  type: 'invoiceitem',
  noun: 'invoiceitem',
  references: {
    customer: 'customer',
    invoice: 'invoice',
    'pricing.price_details.price': 'price',
    test_clock: 'test_helpers.test_clock',
  },
  present: (_account, { _line, created: _created, ...shown }: InvoiceItem) => ({ ...shown }),
}

export type NewInvoiceItem = Pick<
  InvoiceItem,
  | 'amount'
  | 'currency'
  | 'customer'
  | 'description'
  | 'period'
  | 'pricing'
  | 'quantity'
  | 'quantity_decimal'
  | 'test_clock'
> &
  Partial<Pick<InvoiceItem, 'discountable' | 'invoice' | 'metadata' | 'parent' | 'proration' | 'proration_details'>>

export function createInvoiceItem(account: Account, item: NewInvoiceItem): InvoiceItem {
  const date = account.seconds(item.test_clock)
  return account.create<InvoiceItem>(
    {
      id: newId('ii'),
      object: 'invoiceitem',
      created: date,
      customer_account: null,
      date,
      discountable: !item.proration && item.amount >= 0,
      discounts: [],
      invoice: null,
      livemode: false,
      metadata: {},
      net_amount: item.amount,
      parent: null,
      proration: false,
      tax_rates: [],
      _line: newId('il'),
      ...(item.proration && { proration_details: { credited_items: null, discount_amounts: [] as [] } }),
      ...item,
    },
    'invoiceitem.created',
  )
}

/** What waits for the subscription's next invoice, newest first: its own, and the customer's that name no subscription. */
export function pendingItems(account: Account, customer: string, subscription: string | null): InvoiceItem[] {
  return waitingItems(account, customer).filter(
    (item) => !item.parent || item.parent.subscription_details.subscription === subscription,
  )
}

/** Whatever waits for an invoice of the customer's, newest first. */
export function waitingItems(account: Account, customer: string): InvoiceItem[] {
  return account.objects.all<InvoiceItem>('invoiceitem', { '$.customer': customer, '$.invoice': null }).toReversed()
}

export function lineOfItem(item: InvoiceItem): Line {
  const subscription = item.parent?.subscription_details.subscription ?? null
  const credited = item.proration_details?.credited_items?.invoice_line_item_details ?? null
  return {
    ...blankLine(item.currency),
    id: item._line,
    amount: item.amount,
    subtotal: item.amount,
    description: item.description,
    discountable: item.discountable,
    metadata: item.metadata,
    parent: {
      invoice_item_details: {
        invoice_item: item.id,
        proration: item.proration,
        proration_details: item.proration ? { credited_items: credited } : null,
        subscription,
      },
      subscription_item_details: null,
      type: 'invoice_item_details',
    },
    period: item.period,
    pricing: item.pricing,
    quantity: item.quantity,
    quantity_decimal: item.quantity_decimal,
    subscription,
  }
}

/** Puts waiting items on an invoice, so that no other takes them. */
export function claimItems(account: Account, items: InvoiceItem[], invoice: string): void {
  for (const item of items) account.objects.save({ ...item, invoice })
}

/** Gives a draft other lines, and the sums that follow. */
export function changeLines(account: Account, draft: Invoice, lines: Line[]): Invoice {
  const _lines = withDiscounts(account, draft, lines)
  const changes = { _lines, ...totalsOf({ ...draft, _lines }) }
  return account.change<Invoice>(draft, changes, 'invoice.updated')
}
