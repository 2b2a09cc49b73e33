import type { Account } from '../account.ts'
import { periodAt } from '../billing/cycle.ts'
import type { Price } from '../catalogue/price.ts'
import { refuse } from '../http/errors.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { createInvoiceItem } from '../invoices/items.ts'
import { draftFrom, waitingBill } from './bill.ts'
import { creditUnused } from './change.ts'
import type { ProrationBehavior } from './create.ts'
import { trialLines } from './first-invoice.ts'
import { freshUsage } from './items.ts'
import { segmentItems, shareLines } from './proration.ts'
import { isMetered, itemsOf, type Subscription, type SubscriptionItem, subscriptionOf } from './subscription.ts'

const TWO_YEARS_SECONDS = 2 * 366 * 86_400

/** @throws ApiError unless the instant lies ahead, and not too far */
export function checkTrialEnd(end: number, now: number): void {
  if (end <= now) throw refuse('Invalid timestamp: must be in the future', { param: 'trial_end' })
  if (end > now + TWO_YEARS_SECONDS) {
    throw refuse('Invalid timestamp: can be no more than two years in the future', { param: 'trial_end' })
  }
}

/**
 * Begins, moves or ends a trial; its end becomes the anchor unless `trial_settings` keep it.
 *
 * @returns the draft that goes out at once: where a trial begins, with what the time before it owes; where it ends, with
 *   the first period
 */
export function changeTrial(
  account: Account,
  stored: Subscription,
  end: 'now' | number,
  how: { now: number; behavior: ProrationBehavior },
): Invoice | null {
  if (end === 'now') return stored.status === 'trialing' ? endTrial(account, stored, how.now) : null
  checkTrialEnd(end, how.now)
  if (stored.status === 'trialing') {
    moveTrial(account, stored, end)
    return null
  }
  return beginTrial(account, stored, end, how)
}

function moveTrial(account: Account, stored: Subscription, end: number): void {
  account.objects.save<Subscription>({ ...stored, trial_end: end, ...anchorAt(stored, end), _trial_warned: false })
  for (const item of itemsOf(account, stored.id))
    account.objects.save<SubscriptionItem>({ ...item, current_period_end: end })
}

function anchorAt(stored: Subscription, end: number): Partial<Subscription> {
  return stored.trial_settings.end_behavior.billing_cycle_anchor === 'unchanged' ? {} : { billing_cycle_anchor: end }
}

function beginTrial(
  account: Account,
  before: Subscription,
  end: number,
  { now, behavior }: { now: number; behavior: ProrationBehavior },
): Invoice | null {
  const items = itemsOf(account, before.id)
  if (behavior !== 'none') for (const item of items) settleUntil(account, before, item, now)
  const stored = account.objects.save<Subscription>({
    ...before,
    status: 'trialing',
    // Flexible names the latest trial, classic the first.
    trial_start: before.billing_mode.type === 'classic' ? (before.trial_start ?? now) : now,
    trial_end: end,
    ...anchorAt(before, end),
    _trial_warned: false,
  })
  const bill = waitingBill(account, stored)
  for (const item of items.toReversed()) {
    const { _debited, ...fresh } = freshUsage(item)
    const free = account.objects.save<SubscriptionItem>({
      ...fresh,
      current_period_start: now,
      current_period_end: end,
      _usage_from: item._usage_from === null ? null : now,
    })
    bill.lines.push(...trialLines(account, stored, free))
  }
  return drafted(account, stored, bill, items, now)
}

function settleUntil(account: Account, stored: Subscription, item: SubscriptionItem, now: number): void {
  if (!isMetered(account.get<Price>('price', item.price))) creditUnused(account, stored, item, now)
  else if (stored.billing_mode.type === 'flexible') {
    for (const segment of segmentItems(account, stored, item, now)) createInvoiceItem(account, segment)
  }
}

function endTrial(account: Account, before: Subscription, now: number): Invoice | null {
  account.events.emit('customer.subscription.trial_will_end', account.present(before))
  const stored = account.objects.save<Subscription>({
    ...subscriptionOf(account, before.id),
    status: 'active',
    trial_end: now,
    ...anchorAt(before, now),
  })
  const items = itemsOf(account, stored.id)
  const bill = waitingBill(account, stored)
  for (const item of items.toReversed()) {
    const price = account.get<Price>('price', item.price)
    const whole = periodAt(stored.billing_cycle_anchor, price.recurring!, now)
    account.objects.save<SubscriptionItem>({
      ...freshUsage(item),
      current_period_start: now,
      current_period_end: whole.end,
      _usage_from: isMetered(price) ? now : null,
    })
    if (!isMetered(price)) bill.lines.push(...shareLines(account, stored, item, { start: now, end: whole.end }, whole))
  }
  return drafted(account, stored, bill, items, now)
}

function drafted(
  account: Account,
  stored: Subscription,
  bill: ReturnType<typeof waitingBill>,
  items: SubscriptionItem[],
  now: number,
): Invoice | null {
  if (bill.lines.length === 0) return null
  const start = Math.min(...items.map((item) => item.current_period_start))
  return draftFrom(account, stored, bill, { start, end: now }, { reason: 'subscription_update', autoAdvance: false })
}
