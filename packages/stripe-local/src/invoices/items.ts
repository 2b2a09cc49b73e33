import type { Account, Kind } from '../account.ts'
import type { Metadata } from '../http/params.ts'
import { newId } from '../identifier.ts'
import type { Stored } from '../objects.ts'
import { blankLine, type Line } from './line.ts'

/** An amount that waits for an invoice. */
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
  proration_details?: { credited_items: null; discount_amounts: [] }
  quantity: number
  quantity_decimal: string
  tax_rates: []
  test_clock: string | null
  _line: string
}

export const invoiceItem: Kind = {
  type: 'invoiceitem',
  noun: 'invoiceitem',
  references: { customer: 'customer', invoice: 'invoice', test_clock: 'test_helpers.test_clock' },
  present: (_account, { _line, created: _created, ...shown }: InvoiceItem) => ({ ...shown }),
}

type NewItem = Pick<
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
  Partial<Pick<InvoiceItem, 'discountable' | 'invoice' | 'metadata' | 'parent' | 'proration'>>

export function createInvoiceItem(account: Account, item: NewItem): InvoiceItem {
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
      ...item,
      ...(item.proration && { proration_details: { credited_items: null, discount_amounts: [] as [] } }),
    },
    'invoiceitem.created',
  )
}

/** What waits for the subscription's next invoice, newest first: its own, and the customer's that name no subscription. */
export function pendingItems(account: Account, customer: string, subscription: string | null): InvoiceItem[] {
  return account.objects
    .all<InvoiceItem>(
      'invoiceitem',
      { '$.customer': customer },
      { sql: `json_extract(data, '$.invoice') is null`, values: [] },
    )
    .filter((item) => !item.parent || item.parent.subscription_details.subscription === subscription)
    .toReversed()
}

export function lineOfItem(item: InvoiceItem): Line {
  const subscription = item.parent?.subscription_details.subscription ?? null
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
        proration_details: item.proration ? { credited_items: null } : null,
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
