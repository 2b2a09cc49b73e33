import type { Account } from '../account.ts'
import { finalizeAndCollect } from '../invoices/finalize.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { createInvoiceItem, pendingItems } from '../invoices/items.ts'
import type { Customer } from '../resources/customers.ts'
import type { Price } from '../resources/prices.ts'
import { prorationItems } from './proration.ts'
import { billOf, draftFrom } from './renewal.ts'
import { isMetered, itemsOf, planNext, type Subscription, subscriptionOf } from './subscription.ts'

/** Writes down the end of a subscription and tells of it. Canceled is terminal. */
export function endSubscription(
  account: Account,
  before: Subscription,
  end: { at: number; reason: string | null; latestInvoice?: string | undefined },
): Subscription {
  const ended = account.objects.save<Subscription>({
    ...before,
    status: 'canceled',
    canceled_at: before.canceled_at ?? end.at,
    ended_at: end.at,
    latest_invoice: end.latestInvoice ?? before.latest_invoice,
    cancellation_details: { ...before.cancellation_details, reason: end.reason },
  })
  account.events.emit('customer.subscription.deleted', account.present(ended))
  planNext(account, before.id)
  return ended
}

/**
 * Ends a subscription now. Usage that no invoice has billed is discarded unless `invoiceNow`; then a final invoice with it
 * and all waiting items is finalized and charged at once. With neither option waiting prorations are removed too.
 */
export function cancelNow(
  account: Account,
  id: string,
  options: { invoiceNow: boolean; prorate: boolean },
): Subscription {
  account.aggregation.run()
  const before = subscriptionOf(account, id)
  const at = account.seconds(before.test_clock)
  if (options.prorate) creditUnusedTime(account, before, at)
  if (!options.prorate && !options.invoiceNow) dropPendingProrations(account, before)
  const invoice = options.invoiceNow ? finalInvoice(account, before, at) : null
  if (invoice) finalizeAndCollect(account, invoice.id)
  stopCollection(account, before)
  return endSubscription(account, subscriptionOf(account, id), {
    at,
    reason: 'cancellation_requested',
    latestInvoice: invoice?.id,
  })
}

/** The draft of the last invoice, or null when it would hold nothing but zeros. */
export function finalInvoice(account: Account, stored: Subscription, at: number): Invoice | null {
  const items = itemsOf(account, stored.id)
  const bill = billOf(account, stored, items, { free: stored.status === 'trialing', usageUntil: at })
  if (bill.items.length === 0 && bill.lines.every((line) => line.amount === 0)) return null
  const start = Math.min(...items.map((item) => item.current_period_start))
  return draftFrom(account, stored, bill, { start, end: at }, { reason: 'subscription_update', autoAdvance: false })
}

function creditUnusedTime(account: Account, stored: Subscription, at: number): void {
  for (const item of itemsOf(account, stored.id)) {
    const price = account.get<Price>('price', item.price)
    if (isMetered(price)) continue
    for (const credit of prorationItems(account, stored, item, price, at, 'credit')) createInvoiceItem(account, credit)
  }
}

function dropPendingProrations(account: Account, stored: Subscription): void {
  for (const item of pendingItems(account, stored.customer, stored.id)) {
    if (!item.proration) continue
    account.objects.remove(item.id)
    account.events.emit('invoiceitem.deleted', account.present(item))
  }
}

/** Finalized invoices of a canceled subscription are no longer collected by themselves. */
function stopCollection(account: Account, stored: Subscription): void {
  const open = account.objects
    .all<Invoice>('invoice', { '$.customer': stored.customer, '$.status': 'open' })
    .filter((invoice) => invoice.parent?.subscription_details.subscription === stored.id)
  for (const invoice of open) {
    account.objects.save<Invoice>({ ...invoice, auto_advance: false, next_payment_attempt: null })
    account.timeline.schedule('invoice', invoice.id, null)
  }
}

/** All subscriptions of a customer end with it, without a last invoice. */
export function cancelAllOf(account: Account, customer: Customer): void {
  for (const stored of account.objects.all<Subscription>('subscription', { '$.customer': customer.id })) {
    if (stored.status === 'canceled' || stored.status === 'incomplete_expired') continue
    endSubscription(account, stored, { at: account.seconds(customer.test_clock), reason: null })
  }
}
