import type { Account } from '../account.ts'
import { type Period, periodAt } from '../billing/cycle.ts'
import type { Price } from '../catalogue/price.ts'
import { refuse } from '../http/errors.ts'
import { createInvoiceItem } from '../invoices/items.ts'
import type { ProrationBehavior } from './create.ts'
import { prorationItems } from './proration.ts'
import { isMetered, itemsOf, type Subscription, type SubscriptionItem, subscriptionOf } from './subscription.ts'

export type CancelAt = number | 'max_billed_until' | 'max_period_end' | 'min_period_end'

/** When a subscription is to end by itself; undefined leaves it as it is, null and false call it off. */
export interface EndWish {
  atPeriodEnd?: boolean | undefined
  cancelAt?: CancelAt | null | undefined
}

/** What becomes of a subscription's fields. @throws ApiError for an instant that has passed */
export function endingFields(
  stored: Subscription,
  items: SubscriptionItem[],
  wish: EndWish,
  now: number,
): Partial<Subscription> {
  const { atPeriodEnd, cancelAt } = wish
  if (atPeriodEnd !== undefined && cancelAt !== undefined && cancelAt !== null) {
    throw refuse('You may only specify one of these parameters: cancel_at, cancel_at_period_end.', {
      param: 'cancel_at',
    })
  }
  if (atPeriodEnd !== undefined) return atPeriodEndFields(stored, items, atPeriodEnd, now)
  if (cancelAt === undefined) return {}
  if (cancelAt === null) return calledOff(stored)
  const at = instantOf(items, cancelAt, now)
  if (at <= now) throw refuse('`cancel_at` must be in the future.', { param: 'cancel_at' })
  return {
    cancel_at: at,
    cancel_at_period_end: false,
    canceled_at: now,
    cancellation_details: { ...stored.cancellation_details, reason: 'cancellation_requested' },
  }
}

/** At the earliest end among the items' periods (docs: changelog/basil/2025-07-30/cancel-at-enums). */
function atPeriodEndFields(
  stored: Subscription,
  items: SubscriptionItem[],
  atPeriodEnd: boolean,
  now: number,
): Partial<Subscription> {
  if (atPeriodEnd === stored.cancel_at_period_end) return {}
  if (!atPeriodEnd) return calledOff(stored)
  return {
    cancel_at_period_end: true,
    cancel_at: Math.min(...items.map((item) => item.current_period_end)),
    canceled_at: now,
    cancellation_details: { ...stored.cancellation_details, reason: 'cancellation_requested' },
  }
}

function calledOff(stored: Subscription): Partial<Subscription> {
  return {
    cancel_at_period_end: false,
    cancel_at: null,
    canceled_at: null,
    cancellation_details: { ...stored.cancellation_details, reason: null },
  }
}

function instantOf(items: SubscriptionItem[], wish: CancelAt, now: number): number {
  if (typeof wish === 'number') return wish
  const ends = items.map((item) => item.current_period_end)
  if (wish === 'min_period_end') return Math.min(...ends)
  if (wish === 'max_period_end') return Math.max(...ends)
  // Usage is billed in arrears: of metered items alone nothing is billed beyond now, and the running period is the end.
  const billed = Math.max(...items.map((item) => item._usage_from ?? item.current_period_end))
  return billed > now ? billed : Math.max(...ends)
}

/**
 * Lets the running periods end where the subscription ends, or last whole again when that was called off. Licensed items
 * are credited for what is cut off, or charged for what comes back, unless `none`.
 */
export function fitPeriods(account: Account, before: Subscription, behavior: ProrationBehavior): void {
  const stored = subscriptionOf(account, before.id)
  for (const item of itemsOf(account, stored.id)) {
    const price = account.get<Price>('price', item.price)
    const whole = wholePeriod(stored, item, price)
    const end = fittedEnd(stored, whole)
    if (end === item.current_period_end) continue
    const cut = account.objects.save<SubscriptionItem>({ ...item, current_period_end: end })
    if (isMetered(price) || behavior === 'none' || stored.status === 'trialing') continue
    const [at, until] = end < item.current_period_end ? [end, item.current_period_end] : [item.current_period_end, end]
    const side = end < item.current_period_end ? 'credit' : 'debit'
    const paid = { start: at, end: until }
    for (const made of prorationItems(account, stored, cut, { price, at, side, paid, whole }))
      createInvoiceItem(account, made)
  }
}

/** The whole period on the grid that an item's running period lies in; a trial is its own. */
export function wholePeriod(stored: Subscription, item: SubscriptionItem, price: Price): Period {
  if (stored.status === 'trialing') return { start: item.current_period_start, end: stored.trial_end! }
  return periodAt(stored.billing_cycle_anchor, price.recurring!, item.current_period_start)
}

function fittedEnd(stored: Subscription, whole: Period): number {
  if (stored.cancel_at === null || stored.cancel_at_period_end || stored.status === 'trialing') return whole.end
  return Math.min(whole.end, stored.cancel_at)
}
