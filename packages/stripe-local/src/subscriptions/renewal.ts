import type { Account } from '../account.ts'
import { periodAt } from '../billing/cycle.ts'
import { draftInvoice } from '../invoices/draft.ts'
import { voidInvoice } from '../invoices/finalize.ts'
import { type Invoice, presentInvoice } from '../invoices/invoice.ts'
import { claimItems, type InvoiceItem, lineOfItem, pendingItems } from '../invoices/items.ts'
import { type Line, licensedLines, type UsagePart, usageLines } from '../invoices/line.ts'
import type { Customer } from '../resources/customers.ts'
import type { Price } from '../resources/prices.ts'
import { endSubscription } from './cancel.ts'
import { isMetered, isOver, itemsOf, planNext, type Subscription, type SubscriptionItem } from './subscription.ts'

const TRIAL_WARNING_SECONDS = 3 * 86_400

/** The timeline's handler: whatever the subscription has to do by itself at this instant, then plans the next. */
export function subscriptionDue(account: Account, id: string, atMs: number): void {
  const stored = account.objects.find<Subscription>('subscription', id)
  if (!stored || isOver(stored)) return
  const at = Math.floor(atMs / 1000)
  if (stored.status === 'incomplete') expireIncomplete(account, stored)
  else if (stored.cancel_at !== null && stored.cancel_at <= at) endAt(account, stored, stored.cancel_at)
  else if (stored.status === 'trialing' && stored.trial_end !== null && at < stored.trial_end)
    warnOfTrialEnd(account, stored, at)
  else if (isBeforeEnd(account, stored, at)) announceUpcoming(account, stored)
  else renew(account, stored, at)
  planNext(account, id)
}

/**
 * Ends the period of every item that is due: a draft invoice with what waited, the usage of the period that ended, and
 * the licensed items of the coming one. @returns the invoice, or null when there was nothing to put on it
 */
export function renew(account: Account, before: Subscription, at: number): Invoice | null {
  const shownBefore = account.present(before)
  const wasTrial = before.status === 'trialing'
  const ending = itemsOf(account, before.id).filter((item) => item.current_period_end <= at)
  if (wasTrial && endsWithoutCard(account, before, at)) return null
  const bill = billOf(account, before, ending, { free: wasTrial, renewsAt: at })
  const period = { start: Math.min(...ending.map((item) => item.current_period_start)), end: at }
  for (const item of ending) moveOn(account, before, item, at)
  const status = wasTrial ? 'active' : before.status
  const invoice = bill.lines.length === 0 ? null : draftFrom(account, before, bill, period)
  const after = account.objects.save<Subscription>({
    ...before,
    status,
    latest_invoice: invoice?.id ?? before.latest_invoice,
  })
  account.events.emitChange('customer.subscription.updated', account.present(after), shownBefore)
  return invoice
}

/** The renewal, or the last invoice when the subscription ends before it renews. */
export function nextInvoice(account: Account, stored: Subscription): Invoice | null {
  const items = itemsOf(account, stored.id)
  const at = Math.min(...items.map((item) => item.current_period_end))
  if (stored.cancel_at === null || stored.cancel_at > at) return renew(account, stored, at)
  const bill = billOf(account, stored, items, { usageUntil: stored.cancel_at, free: stored.status === 'trialing' })
  if (bill.lines.length === 0) return null
  const start = Math.min(...items.map((item) => item.current_period_start))
  return draftFrom(account, stored, bill, { start, end: stored.cancel_at })
}

export interface Bill {
  lines: Line[]
  usage: UsagePart[]
  items: InvoiceItem[]
}

/** Pending items newest first, then the subscription's items newest first. `free`: usage of a trial is not billed. */
export function billOf(
  account: Account,
  stored: Subscription,
  items: SubscriptionItem[],
  options: { free?: boolean; renewsAt?: number; usageUntil?: number },
): Bill {
  const waiting = pendingItems(account, stored.customer, stored.id).filter((item) => item.currency === stored.currency)
  const bill: Bill = { lines: waiting.map(lineOfItem), usage: [], items: waiting }
  for (const item of items.toReversed()) {
    const price = account.get<Price>('price', item.price)
    if (isMetered(price)) {
      if (options.free || item._usage_from === null) continue
      const end = options.usageUntil ?? item.current_period_end
      const part = { item: item.id, price: price.id, start: item._usage_from, end }
      bill.usage.push(part)
      bill.lines.push(...usageLines(account, stored, part, bill.usage.length - 1))
    } else if (options.renewsAt !== undefined) {
      const period = periodAt(stored.billing_cycle_anchor, price.recurring!, options.renewsAt)
      bill.lines.push(...licensedLines(account, stored, item, period))
    }
  }
  return bill
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

function moveOn(account: Account, stored: Subscription, item: SubscriptionItem, at: number): void {
  const price = account.get<Price>('price', item.price)
  const period = periodAt(stored.billing_cycle_anchor, price.recurring!, at)
  account.objects.save<SubscriptionItem>({
    ...item,
    current_period_start: period.start,
    current_period_end: period.end,
    _usage_from: isMetered(price) ? item.current_period_end : null,
  })
}

function isBeforeEnd(account: Account, stored: Subscription, at: number): boolean {
  return itemsOf(account, stored.id).every((item) => item.current_period_end > at)
}

/** The event carries the preview, which has no id. A renewal that would bill nothing is not announced. */
function announceUpcoming(account: Account, stored: Subscription): void {
  const end = Math.min(...itemsOf(account, stored.id).map((item) => item.current_period_end))
  account.objects.save<Subscription>({ ...stored, _upcoming_sent: end })
  const invoice = account.rehearse(() => nextInvoice(account, stored))
  if (!invoice) return
  const { id: _none, ...shown } = presentInvoice(account, { ...invoice, billing_reason: 'upcoming' })
  account.events.emit('invoice.upcoming', shown)
}

function warnOfTrialEnd(account: Account, stored: Subscription, at: number): void {
  if (stored._trial_warned || stored.trial_end === null || at < stored.trial_end - TRIAL_WARNING_SECONDS) return
  const warned = account.objects.save<Subscription>({ ...stored, _trial_warned: true })
  account.events.emit('customer.subscription.trial_will_end', account.present(warned))
}

/** A trial that ends without a card may cancel or pause instead of sending an invoice. */
function endsWithoutCard(account: Account, stored: Subscription, at: number): boolean {
  const behavior = stored.trial_settings.end_behavior.missing_payment_method
  const customer = account.get<Customer>('customer', stored.customer)
  if (
    behavior === 'create_invoice' ||
    (stored.default_payment_method ?? customer.invoice_settings.default_payment_method)
  )
    return false
  if (behavior === 'cancel') endSubscription(account, stored, { at, reason: null })
  else {
    const paused = account.change<Subscription>(stored, { status: 'paused' }, 'customer.subscription.updated')
    account.events.emit('customer.subscription.paused', account.present(paused))
  }
  return true
}

/** The planned end: the usage up to it is billed by a draft that has its hour, like a renewal. */
function endAt(account: Account, stored: Subscription, at: number): void {
  const items = itemsOf(account, stored.id)
  const bill = billOf(account, stored, items, { free: stored.status === 'trialing', usageUntil: at })
  const start = Math.min(...items.map((item) => item.current_period_start))
  const invoice = bill.lines.length === 0 ? null : draftFrom(account, stored, bill, { start, end: at })
  endSubscription(account, stored, { at, reason: stored.cancellation_details.reason, latestInvoice: invoice?.id })
}

function expireIncomplete(account: Account, stored: Subscription): void {
  const invoice =
    stored.latest_invoice === null ? undefined : account.objects.find<Invoice>('invoice', stored.latest_invoice)
  if (invoice?.status === 'open') voidInvoice(account, invoice.id)
  const now = account.seconds(stored.test_clock)
  account.change<Subscription>(stored, { status: 'incomplete_expired', ended_at: now }, 'customer.subscription.updated')
}
