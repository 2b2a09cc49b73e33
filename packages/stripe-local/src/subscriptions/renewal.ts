import type { Account } from '../account.ts'
import { periodAt } from '../billing/cycle.ts'
import type { Price } from '../catalogue/price.ts'
import { newId } from '../identifier.ts'
import { finalizeInvoice, markUncollectible, voidInvoice } from '../invoices/finalize.ts'
import { type Invoice, presentInvoice } from '../invoices/invoice.ts'
import type { Line } from '../invoices/line.ts'
import type { Customer } from '../resources/customers.ts'
import { addUsage, type Bill, billOf, draftFrom, spanOf, waitingBill } from './bill.ts'
import { endSubscription } from './cancel.ts'
import { after } from './create.ts'
import { freshUsage, periodOf } from './items.ts'
import { pauseForMissingCard } from './pause.ts'
import { discardPending } from './pending-update.ts'
import { shareLines } from './proration.ts'
import {
  isMetered,
  isOver,
  itemsOf,
  planNext,
  presentSubscription,
  type Subscription,
  type SubscriptionItem,
  subscriptionOf,
  TRIAL_WARNING_SECONDS,
  upcomingNotice,
} from './subscription.ts'

/** The timeline's handler: whatever the subscription has to do by itself at this instant, then plans the next. */
export function subscriptionDue(account: Account, id: string, atMs: number): void {
  const stored = account.objects.find<Subscription>('subscription', id)
  if (!stored || isOver(stored)) return
  act(account, stored, Math.floor(atMs / 1000))
  planNext(account, id)
}

function act(account: Account, stored: Subscription, at: number): void {
  const isDue = (instant: number | null | undefined) => typeof instant === 'number' && instant <= at
  if (stored.status === 'incomplete') expireIncomplete(account, stored)
  else if (isDue(stored._pending?.expires_at)) discardPending(account, stored)
  else if (isDue(stored.cancel_at)) endAt(account, stored, stored.cancel_at!)
  else if (stored.status === 'paused') return
  else if (isDue(stored.pause_collection?.resumes_at))
    account.change<Subscription>(stored, { pause_collection: null }, 'customer.subscription.updated')
  else if (isDue(stored.next_pending_invoice_item_invoice)) invoicePending(account, stored, at)
  else if (stored.status === 'trialing' && stored.trial_end !== null && at < stored.trial_end)
    warnOfTrialEnd(account, stored, at)
  else {
    const items = itemsOf(account, stored.id)
    if (items.some((item) => item.current_period_end <= at))
      collectAsPaused(account, stored, renew(account, stored, at))
    // A schedule may have renewed it at this very instant: then there is nothing left to do.
    else if (isDue(upcomingNotice(stored, items))) announceUpcoming(account, stored, items)
  }
}

/**
 * Ends the period of every item that is due: a draft invoice with what waited, the usage of the period that ended, and
 * the licensed items of the coming one. @returns the invoice, or null when there was nothing to put on it
 *
 * @param reshape what a schedule's next phase does to the subscription at this very instant: after the old items' usage was
 *   taken and before the new items are charged
 */
export function renew(
  account: Account,
  before: Subscription,
  at: number,
  reshape?: (stored: Subscription) => void,
): Invoice | null {
  const items = itemsOf(account, before.id)
  const shownBefore = presentSubscription(account, before, items)
  const wasTrial = before.status === 'trialing'
  const ending = items.filter((item) => item.current_period_end <= at)
  if (wasTrial && endsWithoutCard(account, before, at)) return null
  if (wasTrial) account.objects.save<Subscription>({ ...before, status: 'active' })
  const period = { start: Math.min(...ending.map((item) => item.current_period_start)), end: at }
  const bill = reshape
    ? billOfTransition(account, before, ending, at, { wasTrial, reshape })
    : billOf(account, before, ending, { free: wasTrial, renewsAt: at })
  if (!reshape) for (const item of ending) moveOn(account, before, item, at)
  const current = subscriptionOf(account, before.id)
  const invoice = bill.lines.length === 0 ? null : draftFrom(account, current, bill, period)
  const renewed = account.objects.save<Subscription>({
    ...current,
    latest_invoice: invoice?.id ?? current.latest_invoice,
  })
  account.events.emitChange('customer.subscription.updated', presentSubscription(account, renewed), shownBefore)
  return invoice
}

/** The renewal, or the last invoice when the subscription ends before it renews. */
export function nextInvoice(account: Account, stored: Subscription): Invoice | null {
  if (stored.status === 'paused') return null
  const items = itemsOf(account, stored.id)
  const at = Math.min(...items.map((item) => item.current_period_end))
  if (stored.cancel_at === null || stored.cancel_at > at) return renew(account, stored, at)
  const bill = billOf(account, stored, items, { usageUntil: stored.cancel_at, free: stored.status === 'trialing' })
  if (bill.lines.length === 0) return null
  const start = Math.min(...items.map((item) => item.current_period_start))
  return draftFrom(account, stored, bill, { start, end: stored.cancel_at })
}

/** One invoice for the phase that ends and the one that begins. */
function billOfTransition(
  account: Account,
  before: Subscription,
  ending: SubscriptionItem[],
  at: number,
  how: { wasTrial: boolean; reshape: (stored: Subscription) => void },
): Bill {
  const used: Bill = { lines: [], usage: [], items: [] }
  for (const item of ending.toReversed()) {
    if (isMetered(account.get<Price>('price', item.price)) && !how.wasTrial)
      addUsage(account, before, used, item, item.current_period_end)
    // Whatever the phase does to the item, its usage until now is on this invoice.
    account.objects.save<SubscriptionItem>({ ...freshUsage(item), _usage_from: item._usage_from === null ? null : at })
  }
  how.reshape(subscriptionOf(account, before.id))
  const stored = subscriptionOf(account, before.id)
  const bill = waitingBill(account, stored)
  const licensed: Line[] = []
  for (const item of itemsOf(account, stored.id).toReversed()) {
    const isNew = item.created === at && !ending.some((old) => old.id === item.id)
    if (item.current_period_end > at && !isNew) continue
    const price = account.get<Price>('price', item.price)
    if (stored.status !== 'trialing' && !isMetered(price)) {
      const whole = periodAt(stored.billing_cycle_anchor, price.recurring!, at)
      licensed.push(...shareLines(account, stored, item, { ...periodOf(stored, price, at), start: at }, whole))
    }
    if (item.current_period_end <= at) moveOn(account, stored, item, at)
  }
  return { ...bill, lines: [...bill.lines, ...used.lines, ...licensed], usage: used.usage }
}

export function moveOn(account: Account, stored: Subscription, item: SubscriptionItem, at: number): void {
  const price = account.get<Price>('price', item.price)
  const span = spanOf(stored, item, price, at)
  const { _debited, ...fresh } = freshUsage(item)
  account.objects.save<SubscriptionItem>({
    ...fresh,
    current_period_start: span.start,
    current_period_end: span.end,
    _usage_from: isMetered(price) ? item.current_period_end : null,
  })
}

/** What `pause_collection` does to an invoice of the subscription; a draft that is kept just stays. */
function collectAsPaused(account: Account, stored: Subscription, invoice: Invoice | null): void {
  const behavior = stored.pause_collection?.behavior
  if (!invoice || !behavior || behavior === 'keep_as_draft') return
  // The customer's balance is used first; what is settled by it needs no forgiving.
  const closed = finalizeInvoice(account, invoice.id)
  if (closed.status !== 'open') return
  if (behavior === 'void') voidInvoice(account, closed.id)
  else markUncollectible(account, closed.id, 'subscription_paused')
}

/** The event carries the preview. A renewal that would bill nothing is not announced. */
function announceUpcoming(account: Account, stored: Subscription, items: SubscriptionItem[]): void {
  const end = Math.min(...items.map((item) => item.current_period_end))
  account.objects.save<Subscription>({ ...stored, _upcoming_sent: end })
  const invoice = account.rehearse(() => nextInvoice(account, stored))
  if (!invoice) return
  const upcoming = { ...invoice, id: newId('upcoming_in'), billing_reason: 'upcoming' as const }
  account.events.emit('invoice.upcoming', presentInvoice(account, upcoming))
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
    (stored.default_payment_method ?? customer.invoice_settings.default_payment_method ?? customer.default_source)
  )
    return false
  if (behavior === 'cancel') endSubscription(account, stored, { at, reason: null })
  else pauseForMissingCard(account, stored, at)
  return true
}

/** The planned end: the usage up to it is billed by a draft that has its hour, like a renewal. */
function endAt(account: Account, stored: Subscription, at: number): void {
  const items = itemsOf(account, stored.id)
  const isIdle = stored.status === 'paused'
  const bill = billOf(account, stored, isIdle ? [] : items, { free: stored.status === 'trialing', usageUntil: at })
  const start = Math.min(...items.map((item) => item.current_period_start))
  const invoice = bill.lines.length === 0 ? null : draftFrom(account, stored, bill, { start, end: at })
  endSubscription(account, stored, { at, reason: stored.cancellation_details.reason, latestInvoice: invoice?.id })
}

/** Items that wait are billed between renewals, by a draft of their own. */
function invoicePending(account: Account, stored: Subscription, at: number): void {
  const bill = waitingBill(account, stored)
  const interval = stored.pending_invoice_item_interval
  const start = Math.min(...itemsOf(account, stored.id).map((item) => item.current_period_start))
  const invoice =
    bill.lines.length === 0
      ? null
      : draftFrom(account, stored, bill, { start, end: at }, { reason: 'automatic_pending_invoice_item_invoice' })
  account.change<Subscription>(
    stored,
    {
      latest_invoice: invoice?.id ?? stored.latest_invoice,
      next_pending_invoice_item_invoice: interval && after(interval, at),
    },
    'customer.subscription.updated',
  )
}

function expireIncomplete(account: Account, stored: Subscription): void {
  const invoice =
    stored.latest_invoice === null ? undefined : account.objects.find<Invoice>('invoice', stored.latest_invoice)
  if (invoice?.status === 'open') voidInvoice(account, invoice.id)
  expire(account, subscriptionOf(account, stored.id))
}

/** Its first invoice was never paid. */
export function expire(account: Account, stored: Subscription): void {
  if (isOver(stored)) return
  const now = account.seconds(stored.test_clock)
  account.change<Subscription>(stored, { status: 'incomplete_expired', ended_at: now }, 'customer.subscription.updated')
}
