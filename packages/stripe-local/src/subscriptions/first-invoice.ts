import type { Account } from '../account.ts'
import { periodAt } from '../billing/cycle.ts'
import { PICO } from '../billing/decimal.ts'
import type { Price } from '../catalogue/price.ts'
import type { Product } from '../catalogue/product.ts'
import { cardError, refuse } from '../http/errors.ts'
import { draftInvoice } from '../invoices/draft.ts'
import { finalizeAndCollect, finalizeInvoice } from '../invoices/finalize.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { claimItems, lineOfItem, pendingItems } from '../invoices/items.ts'
import { type Line, licensedLines, quantities, type UsagePart, usageLines } from '../invoices/line.ts'
import { declineOf, methodFor } from '../invoices/payment.ts'
import type { NewSubscription } from './create.ts'
import { shareLines } from './proration.ts'
import { isMetered, itemsOf, type Subscription, type SubscriptionItem } from './subscription.ts'

/**
 * What a new subscription bills at once: licensed items for the running period, past periods of a backdated start, one-off
 * charges, and (classic only) metered lines of 0.00. Null when that is nothing.
 */
export function firstInvoice(account: Account, stored: Subscription, wanted: NewSubscription): Invoice | null {
  const { lines, usage } = firstLines(account, stored, wanted)
  const waiting = pendingItems(account, stored.customer, stored.id).filter((item) => item.currency === stored.currency)
  const own = waiting.some((item) => item.parent !== null)
  if (lines.length === 0 && !own) return null
  const all = [...waiting.map(lineOfItem), ...lines]
  const isCharged = stored.collection_method === 'charge_automatically' && !wanted.startsAsDraft
  if (isCharged) checkPaymentMethod(account, stored, wanted, all)
  const draft = draftInvoice(account, {
    customer: wanted.customer,
    subscription: stored,
    reason: 'subscription_create',
    lines: all,
    usage,
    period: { start: stored.start_date, end: account.seconds(stored.test_clock) },
    currency: stored.currency,
    // A schedule's first invoice, and one that is sent, has its hour as a draft like every later one.
    autoAdvance: !isCharged,
  })
  claimItems(account, waiting, draft.id)
  if (!isCharged) return draft
  if (wanted.paymentBehavior === 'default_incomplete') return finalizeInvoice(account, draft.id)
  return finalizeAndCollect(account, draft.id, wanted.presence)
}

function firstLines(
  account: Account,
  stored: Subscription,
  wanted: NewSubscription,
): { lines: Line[]; usage: UsagePart[] } {
  const lines: Line[] = []
  const usage: UsagePart[] = []
  for (const item of itemsOf(account, stored.id).toReversed()) {
    const price = account.get<Price>('price', item.price)
    if (stored.status === 'trialing') lines.push(...trialLines(account, stored, item))
    else if (isMetered(price)) {
      for (const past of pastPeriods(stored, price, item.current_period_start)) {
        const part = { item: item.id, price: price.id, ...past }
        usage.push(part)
        lines.push(...usageLines(account, stored, part, usage.length - 1))
      }
      if (stored.billing_mode.type === 'classic') lines.push(...emptyLines(account, stored, item))
    } else lines.push(...licensedFirst(account, stored, item, price, wanted))
  }
  return { lines, usage }
}

function licensedFirst(
  account: Account,
  stored: Subscription,
  item: SubscriptionItem,
  price: Price,
  wanted: NewSubscription,
): Line[] {
  const lines = pastPeriods(stored, price, item.current_period_start).flatMap((past) => {
    const whole = periodAt(stored.billing_cycle_anchor, price.recurring!, past.start)
    return shareLines(account, stored, item, past, whole)
  })
  const span = { start: item.current_period_start, end: item.current_period_end }
  const whole = periodAt(stored.billing_cycle_anchor, price.recurring!, span.start)
  // `none`: nothing for a period that begins late, but all of one that `cancel_at` ends early.
  if (wanted.prorationBehavior === 'none') {
    if (span.start > whole.start) return lines
    return [...lines, ...licensedLines(account, stored, item, span)]
  }
  return [...lines, ...shareLines(account, stored, item, span, whole)]
}

/** What of a backdated start lies before the running period: each period by itself (flexible), or the whole span as one. */
function pastPeriods(stored: Subscription, price: Price, until: number): { start: number; end: number }[] {
  if (stored.start_date >= until) return []
  if (stored.billing_mode.type === 'classic' && isMetered(price)) return [{ start: stored.start_date, end: until }]
  const periods: { start: number; end: number }[] = []
  for (let start = stored.start_date; start < until; ) {
    const { end } = periodAt(stored.billing_cycle_anchor, price.recurring!, start)
    periods.push({ start, end: Math.min(end, until) })
    start = end
  }
  return periods
}

/** A trial's lines of 0.00; a metered item has none in flexible mode, which suppresses zeros where an item is added. */
export function trialLines(account: Account, stored: Subscription, item: SubscriptionItem): Line[] {
  const price = account.get<Price>('price', item.price)
  const isFlexible = stored.billing_mode.type === 'flexible'
  if (isMetered(price)) {
    if (isFlexible) return []
    return emptyLines(account, stored, item).map((line) => ({
      ...line,
      description: `0 x ${nameOf(account, price)} (Free trial)`,
    }))
  }
  const period = { start: item.current_period_start, end: item.current_period_end }
  const [line] = licensedLines(account, stored, item, period)
  const name = nameOf(account, price)
  const description = isFlexible ? `Free trial for ${item.quantity ?? 1} x ${name}` : `Trial period for ${name}`
  const quantity = quantities(BigInt(item.quantity ?? 1) * PICO)
  return line ? [{ ...line, ...quantity, amount: 0, subtotal: 0, description }] : []
}

function emptyLines(account: Account, stored: Subscription, item: SubscriptionItem): Line[] {
  const at = item.current_period_start
  return usageLines(account, stored, { item: item.id, price: item.price, start: at, end: at })
}

function nameOf(account: Account, price: Price): string {
  return account.get<Product>('product', price.product).name
}

function checkPaymentMethod(account: Account, stored: Subscription, wanted: NewSubscription, lines: Line[]): void {
  const total = lines.reduce((sum, line) => sum + line.amount, 0)
  if (total <= 0 || wanted.paymentBehavior === 'default_incomplete') return
  const method = methodFor(account, {
    default_payment_method: stored.default_payment_method,
    parent: null,
    customer: stored.customer,
  } as Invoice)
  if (!method) {
    throw refuse(
      'This customer has no attached payment source or default payment method. Please consider adding a default payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.',
      { code: 'resource_missing' },
    )
  }
  const decline = wanted.paymentBehavior === 'error_if_incomplete' ? declineOf(method, wanted.presence ?? {}) : null
  if (!decline) return
  const { message, ...about } = decline
  throw cardError(message, about)
}
