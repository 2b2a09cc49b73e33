import type { Account } from '../account.ts'
import { type Period, periodAt } from '../billing/cycle.ts'
import { formatPico } from '../billing/decimal.ts'
import type { Price } from '../catalogue/price.ts'
import type { Product } from '../catalogue/product.ts'
import { draftInvoice } from '../invoices/draft.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { claimItems, type InvoiceItem, lineOfItem, pendingItems } from '../invoices/items.ts'
import { type Line, quantities, type UsagePart, usageLines, usageOf } from '../invoices/line.ts'
import type { Customer } from '../resources/customers.ts'
import { periodOf } from './items.ts'
import { shareLines, usagePart } from './proration.ts'
import { isMetered, type Subscription, type SubscriptionItem } from './subscription.ts'

/** What an invoice is made of: its lines, the usage behind them, and the invoice items it takes. */
export interface Bill {
  lines: Line[]
  usage: UsagePart[]
  items: InvoiceItem[]
}

/** What waits for the subscription's next invoice, newest first. */
export function waitingBill(account: Account, stored: Subscription): Bill {
  const waiting = pendingItems(account, stored.customer, stored.id).filter((item) => item.currency === stored.currency)
  return { lines: waiting.map(lineOfItem), usage: [], items: waiting }
}

/** Pending items newest first, then the subscription's items newest first. `free`: usage of a trial is not billed. */
export function billOf(
  account: Account,
  stored: Subscription,
  items: SubscriptionItem[],
  options: { free?: boolean; renewsAt?: number; usageUntil?: number },
): Bill {
  const bill = waitingBill(account, stored)
  for (const item of items.toReversed()) {
    const price = account.get<Price>('price', item.price)
    if (isMetered(price)) {
      const end = options.usageUntil ?? item.current_period_end
      if (!options.free) addUsage(account, stored, bill, item, end)
      else if (options.renewsAt !== undefined) bill.lines.push(...freeUsage(account, stored, item, end))
    } else if (options.renewsAt !== undefined) {
      bill.lines.push(...licensedRenewal(account, stored, item, price, options.renewsAt))
    }
  }
  return bill
}

/** A metered item's usage up to an instant; nothing when none of its time is left to bill. */
export function addUsage(
  account: Account,
  stored: Subscription,
  bill: Bill,
  item: SubscriptionItem,
  end: number,
): void {
  if (item._usage_from === null || item._usage_from >= end) return
  const part = usagePart(item, end)
  bill.lines.push(...usageLines(account, stored, part, bill.usage.length))
  bill.usage.push(part)
}

/** What was used in a trial that ends, for nothing. */
function freeUsage(account: Account, stored: Subscription, item: SubscriptionItem, end: number): Line[] {
  if (account.readings.trialUsageLine === 'suppressed' || item._usage_from === null) return []
  const price = account.get<Price>('price', item.price)
  const { name } = account.get<Product>('product', price.product)
  const used = usageOf(account, stored.customer, price, { start: item._usage_from, end })
  const [line] = usageLines(account, stored, usagePart(item, end))
  const amount = formatPico(used)
  const isFlexible = stored.billing_mode.type === 'flexible'
  const description = isFlexible ? `Free trial for ${amount} x ${name}` : `${amount} x ${name} (Free trial)`
  return line ? [{ ...line, ...quantities(used), amount: 0, subtotal: 0, description }] : []
}

/** A licensed item's lines for its coming period; a share where a trial or `cancel_at` leaves only part of it. */
function licensedRenewal(
  account: Account,
  stored: Subscription,
  item: SubscriptionItem,
  price: Price,
  at: number,
): Line[] {
  const whole = periodAt(stored.billing_cycle_anchor, price.recurring!, at)
  const span = spanOf(stored, item, price, at)
  if (span.start > whole.start && stored._bills_stub === false) return []
  return shareLines(account, stored, item, span, whole)
}

/** The coming period of an item: it begins where the last one ended and ends with the subscription at the latest. */
export function spanOf(stored: Subscription, item: SubscriptionItem, price: Price, at: number): Period {
  const { start, end } = periodOf(stored, price, at)
  return { start: Math.max(start, Math.min(item.current_period_end, at)), end }
}

export function draftFrom(
  account: Account,
  stored: Subscription,
  bill: Bill,
  period: { start: number; end: number },
  options: { reason?: Invoice['billing_reason']; autoAdvance?: boolean; prorationDate?: number | undefined } = {},
): Invoice {
  const invoice = draftInvoice(account, {
    customer: account.get<Customer>('customer', stored.customer),
    subscription: stored,
    reason: options.reason ?? 'subscription_cycle',
    lines: bill.lines,
    usage: bill.usage,
    period,
    currency: stored.currency,
    autoAdvance: options.autoAdvance ?? (stored.status !== 'unpaid' && stored.pause_collection === null),
    prorationDate: options.prorationDate,
  })
  claimItems(account, bill.items, invoice.id)
  return invoice
}
