import type { Account } from '../account.ts'
import type { Price } from '../catalogue/price.ts'
import { finalizeAndCollect } from '../invoices/finalize.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { pendingItems } from '../invoices/items.ts'
import type { Customer } from '../resources/customers.ts'
import { billOf, draftFrom } from './bill.ts'
import { creditUnused } from './change.ts'
import { discardPending } from './pending-update.ts'
import { closeSchedule } from './schedule.ts'
import {
  isMetered,
  isOver,
  itemsOf,
  plan,
  presentSubscription,
  type Subscription,
  subscriptionOf,
} from './subscription.ts'

export interface End {
  at: number
  reason: string | null
  latestInvoice?: string | undefined
}

/** Writes down the end of a subscription and tells of it, and its schedule with it. Canceled is terminal. */
export function endSubscription(account: Account, before: Subscription, end: End): Subscription {
  const { status_details: _why, ...rest } = before
  const ended = account.objects.save<Subscription>({
    ...rest,
    status: 'canceled',
    canceled_at: before.canceled_at ?? end.at,
    ended_at: end.at,
    latest_invoice: end.latestInvoice ?? before.latest_invoice,
    cancellation_details: { ...before.cancellation_details, reason: end.reason },
    pause_collection: null,
  })
  const items = itemsOf(account, before.id)
  account.events.emit('customer.subscription.deleted', presentSubscription(account, ended, items))
  plan(account, ended, items)
  if (before.schedule !== null) closeSchedule(account, before.schedule, end)
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
  const before = discardPending(account, subscriptionOf(account, id))
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
  const isIdle = stored.status === 'paused'
  const bill = billOf(account, stored, isIdle ? [] : items, { free: stored.status === 'trialing', usageUntil: at })
  if (bill.items.length === 0 && bill.lines.every((line) => line.amount === 0)) return null
  const start = Math.min(...items.map((item) => item.current_period_start))
  return draftFrom(account, stored, bill, { start, end: at }, { reason: 'subscription_update', autoAdvance: false })
}

function creditUnusedTime(account: Account, stored: Subscription, at: number): void {
  if (stored.status === 'trialing' || stored.status === 'paused') return
  for (const item of itemsOf(account, stored.id)) {
    if (!isMetered(account.get<Price>('price', item.price))) creditUnused(account, stored, item, at)
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
    if (isOver(stored)) continue
    endSubscription(account, stored, { at: account.seconds(customer.test_clock), reason: null })
  }
}
