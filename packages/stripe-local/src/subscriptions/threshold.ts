import type { Account } from '../account.ts'
import { PICO } from '../billing/decimal.ts'
import type { Price } from '../catalogue/price.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { usageOf } from '../invoices/line.ts'
import { addUsage, type Bill, draftFrom, waitingBill } from './bill.ts'
import { resetAnchor, sendOut } from './change.ts'
import { discardPending } from './pending-update.ts'
import {
  isMetered,
  itemsOf,
  planNext,
  presentSubscription,
  type Subscription,
  type SubscriptionItem,
  subscriptionOf,
} from './subscription.ts'

/** Not evaluated this long before a period's end, so that two invoices do not come on one day. */
const QUIET_SECONDS = 86_400

/**
 * Usage of these customers was counted: sends an invoice for each subscription that reached a threshold with it.
 *
 * @see https://docs.stripe.com/billing/subscriptions/usage-based/thresholds
 */
export function checkThresholds(account: Account, customers: Iterable<string>): void {
  if (account.rehearsing) return
  for (const customer of customers) {
    for (const stored of account.objects.all<Subscription>('subscription', { '$.customer': customer })) {
      if (stored.status === 'active' || stored.status === 'past_due') check(account, stored)
    }
  }
}

function check(account: Account, stored: Subscription): void {
  const items = itemsOf(account, stored.id)
  const limit = stored.billing_thresholds?.amount_gte ?? null
  if (limit === null && !items.some((item) => item.billing_thresholds)) return
  const now = account.seconds(stored.test_clock)
  if (now > Math.min(...items.map((item) => item.current_period_end)) - QUIET_SECONDS) return
  const accrued = accruedBill(account, stored, items, now)
  const amount = accrued.bill.lines.reduce((sum, line) => sum + line.amount, 0)
  const reached = items.filter((item) => {
    const usageLimit = item.billing_thresholds?.usage_gte
    return usageLimit !== undefined && (accrued.unbilled.get(item.id) ?? 0n) >= BigInt(usageLimit) * PICO
  })
  const isAmount = limit !== null && amount >= limit
  if (isAmount || reached.length > 0)
    invoiceNow(account, stored, items, accrued, { now, limit: isAmount ? limit : null, reached })
}

interface Accrued {
  bill: Bill
  /** By item, in units of 10^-12: all usage of the period, and what of it no invoice has billed. */
  used: Map<string, bigint>
  unbilled: Map<string, bigint>
}

/** Up to and including this second: an event has the second it arrived in. */
function accruedBill(account: Account, stored: Subscription, items: SubscriptionItem[], now: number): Accrued {
  const accrued: Accrued = { bill: waitingBill(account, stored), used: new Map(), unbilled: new Map() }
  for (const item of items.toReversed()) {
    const price = account.get<Price>('price', item.price)
    if (!isMetered(price) || item._usage_from === null) continue
    const span = { start: item._usage_from, end: now + 1 }
    const used = usageOf(account, stored.customer, price, span) - BigInt(item._skipped ?? 0)
    accrued.used.set(item.id, used)
    accrued.unbilled.set(item.id, used - BigInt(item._billed ?? 0))
    addUsage(account, stored, accrued.bill, item, now + 1)
  }
  return accrued
}

function invoiceNow(
  account: Account,
  wanted: Subscription,
  items: SubscriptionItem[],
  accrued: Accrued,
  why: { now: number; limit: number | null; reached: SubscriptionItem[] },
): void {
  const stored = discardPending(account, wanted)
  const shownBefore = presentSubscription(account, stored, items)
  const invoice = stored.billing_thresholds?.reset_billing_cycle_anchor
    ? startOver(account, stored, items, why.now)
    : billSoFar(account, stored, items, accrued, why.now)
  if (!invoice) return
  account.objects.save<Invoice>({
    ...invoice,
    threshold_reason: {
      amount_gte: why.limit,
      item_reasons: why.reached.map((item) => ({
        line_item_ids: linesOfItem(invoice, item.id),
        usage_gte: item.billing_thresholds!.usage_gte,
      })),
    },
  })
  sendOut(account, stored.id, invoice)
  const after = subscriptionOf(account, stored.id)
  account.events.emitChange('customer.subscription.updated', presentSubscription(account, after), shownBefore)
  planNext(account, stored.id)
}

function linesOfItem(invoice: Invoice, item: string): string[] {
  return invoice._lines
    .filter(({ parent }) => parent?.subscription_item_details?.subscription_item === item)
    .map(({ id }) => id)
}

/** The period goes on, and its tiers with it: what is billed now is remembered. */
function billSoFar(
  account: Account,
  stored: Subscription,
  items: SubscriptionItem[],
  { bill, used }: Accrued,
  now: number,
): Invoice {
  for (const item of items) {
    const billed = used.get(item.id)
    if (billed !== undefined) account.objects.save<SubscriptionItem>({ ...item, _billed: String(billed) })
  }
  const start = Math.min(...items.map((item) => item.current_period_start))
  return draftFrom(account, stored, bill, { start, end: now }, { reason: 'subscription_threshold', autoAdvance: false })
}

/** As if the period had ended by itself: a new one begins, with its tiers from the start. */
function startOver(account: Account, stored: Subscription, items: SubscriptionItem[], now: number): Invoice | null {
  const invoice = resetAnchor(account, stored, now, {
    credits: false,
    reason: 'subscription_threshold',
    usageUntil: now + 1,
  })
  for (const { id } of items) {
    const item = account.get<SubscriptionItem>('subscription_item', id)
    const price = account.get<Price>('price', item.price)
    if (!isMetered(price)) continue
    // The second of the threshold belongs to both periods; its usage until now is on this invoice.
    const skipped = usageOf(account, stored.customer, price, { start: now, end: now + 1 })
    account.objects.save<SubscriptionItem>({ ...item, _skipped: String(skipped) })
  }
  return invoice
}
