import type { Account } from '../account.ts'
import type { Period } from '../billing/cycle.ts'
import { divideFloor, formatPico, PICO } from '../billing/decimal.ts'
import { proratedFrom, proratedSpan } from '../billing/proration.ts'
import type { Price } from '../catalogue/price.ts'
import type { Product } from '../catalogue/product.ts'
import { netOfDiscounts, netUsage } from '../discounts/proration.ts'
import type { Invoice } from '../invoices/invoice.ts'
import type { createInvoiceItem, InvoiceItem } from '../invoices/items.ts'
import {
  type Line,
  licensedLines,
  pricingOf,
  quantities,
  rateIn,
  type UsagePart,
  usageLines,
  usageOf,
} from '../invoices/line.ts'
import type { Subscription, SubscriptionItem } from './subscription.ts'

type NewItem = Parameters<typeof createInvoiceItem>[1]

/** The usage of a metered item that no invoice has billed yet, up to an instant. */
export function usagePart(item: SubscriptionItem, end: number): UsagePart {
  return {
    item: item.id,
    price: item.price,
    start: item._usage_from ?? end,
    end,
    ...(item._billed !== undefined && { billed: item._billed }),
    ...(item._skipped !== undefined && { skipped: item._skipped }),
  }
}

/**
 * The usage of a metered item up to a switch, at the price in force until then: one invoice item for each line the price
 * makes of it, packages and tiers by themselves. Lines of zero are suppressed.
 */
export function segmentItems(account: Account, stored: Subscription, item: SubscriptionItem, at: number): NewItem[] {
  const end = switchEnd(account, item, at)
  if (item._usage_from === null || item._usage_from >= end) return []
  return usageLines(account, stored, usagePart(item, end))
    .filter((line) => line.amount !== 0)
    .map((line) => ({
      amount: netUsage(account, stored, line),
      currency: line.currency,
      customer: stored.customer,
      description: line.description,
      metadata: stored.metadata,
      parent: parentOf(stored, item),
      period: line.period,
      pricing: line.pricing,
      proration: true,
      quantity: line.quantity ?? 0,
      quantity_decimal: line.quantity_decimal ?? '0',
      test_clock: stored.test_clock,
    }))
}

/** Up to which timestamps a switch leaves usage to the old price. */
function switchEnd(account: Account, item: SubscriptionItem, at: number): number {
  return account.readings.switchSplitsUsageBy === 'arrival' ? item.current_period_end : at
}

/** Where a metered item's unbilled usage begins after a switch; the old price has what lies before. */
export function usageAfterSwitch(
  account: Account,
  stored: Subscription,
  item: SubscriptionItem,
  at: number,
): Pick<SubscriptionItem, '_usage_from' | '_billed' | '_skipped'> {
  const { switchSplitsUsageBy, switchTiers } = account.readings
  const isPlain = switchSplitsUsageBy === 'timestamp' && switchTiers === 'afresh'
  if (isPlain || item._usage_from === null) return { _usage_from: at }
  const price = account.get<Price>('price', item.price)
  const span = { start: item._usage_from, end: switchEnd(account, item, at) }
  const old = String(usageOf(account, stored.customer, price, span))
  return { _usage_from: item._usage_from, ...(switchTiers === 'continued' ? { _billed: old } : { _skipped: old }) }
}

export interface Share {
  price: Price
  /** From when on. */
  at: number
  side: 'credit' | 'debit'
  /** The span that was, or is to be, paid for; by default the item's current period. */
  paid?: Period
  /** The whole period that the price is for; by default the same span. */
  whole?: Period
  /** What was paid was itself a share, rounded: a share of that is due, never more. */
  ofWhatWasBilled?: boolean
}

/** Unused time of a licensed item as a credit, or the rest of a period as a debit; each rounded down. */
export function prorationItems(
  account: Account,
  stored: Subscription,
  item: SubscriptionItem,
  share: Share,
): NewItem[] {
  const { price, at, side } = share
  const { paid = { start: item.current_period_start, end: item.current_period_end } } = share
  const { whole = paid } = share
  const quantity = BigInt(item.quantity ?? 1)
  const gross = rateIn(account, price, quantity * PICO, stored.currency).reduce((sum, line) => sum + line.amount, 0n)
  const full = netOfDiscounts(account, stored, item, { full: gross, side })
  const sign = side === 'credit' ? -1n : 1n
  const amount = share.ofWhatWasBilled
    ? proratedFrom(sign * proratedSpan(full, paid, whole), at, paid)
    : proratedSpan(sign * full, { start: Math.max(at, paid.start), end: paid.end }, whole)
  if (amount === 0n) return []
  const product = account.get<Product>('product', price.product)
  const day = new Date(at * 1000).toLocaleDateString('en-GB', {
    day: '2-digit',
    month: 'short',
    year: 'numeric',
    timeZone: 'UTC',
  })
  const name = quantity === 1n ? product.name : `${quantity} × ${product.name}`
  return [
    {
      amount: Number(amount),
      currency: stored.currency,
      customer: stored.customer,
      description: `${side === 'credit' ? 'Unused time on' : 'Remaining time on'} ${name} after ${day}`,
      metadata: stored.metadata,
      parent: parentOf(stored, item),
      period: { start: at, end: paid.end },
      pricing: pricingOf(price, formatPico(divideFloor(amount * PICO, quantity === 0n ? 1n : quantity))),
      proration: true,
      ...quantities(quantity * PICO),
      test_clock: stored.test_clock,
    },
  ]
}

type CreditedItems = NonNullable<NewItem['proration_details']>['credited_items']

/** What charged a licensed item for the time from an instant on: a line of an invoice, or an item that still waits for one. */
export function creditedItems(
  account: Account,
  stored: Subscription,
  item: SubscriptionItem,
  at: number,
): CreditedItems {
  const isCharge = ({ amount, period }: { amount: number; period: Period }) =>
    amount > 0 && period.start <= at && at < period.end
  const items = account.objects
    .all<InvoiceItem>('invoiceitem', { '$.parent.subscription_details.subscription': stored.id })
    .filter((each) => each.parent?.subscription_details.subscription_item === item.id && isCharge(each))
  const waiting = items.findLast((each) => each.invoice === null)
  if (waiting) return { type: 'invoice_item', invoice_item: waiting.id }
  const ids = new Set(items.map(({ id }) => id))
  const invoices = account.objects
    .all<Invoice>('invoice', { '$.parent.subscription_details.subscription': stored.id })
    .filter(({ status }) => status !== 'void')
  for (const invoice of invoices.toReversed()) {
    const lines = invoice._lines.filter(
      (line) =>
        isCharge(line) &&
        (line.parent?.subscription_item_details?.subscription_item === item.id ||
          ids.has(line.parent?.invoice_item_details?.invoice_item ?? '')),
    )
    if (lines.length === 0) continue
    const invoice_line_items = lines.map(({ id }) => id)
    return { type: 'invoice_line_items', invoice_line_item_details: { invoice: invoice.id, invoice_line_items } }
  }
  return null
}

/** A licensed item's lines for part of a period: the share by the second, rounded down. */
export function shareLines(
  account: Account,
  stored: Subscription,
  item: SubscriptionItem,
  span: Period,
  whole: Period,
): Line[] {
  const lines = licensedLines(account, stored, item, span)
  if (span.start <= whole.start && span.end >= whole.end) return lines
  return lines.map((line) => {
    const amount = Number(proratedSpan(BigInt(line.amount), span, whole))
    return { ...line, amount, subtotal: amount }
  })
}

function parentOf(stored: Subscription, item: SubscriptionItem): NonNullable<NewItem['parent']> {
  return {
    subscription_details: { subscription: stored.id, subscription_item: item.id },
    type: 'subscription_details',
  }
}
