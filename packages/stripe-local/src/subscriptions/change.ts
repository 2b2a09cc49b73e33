import type { Account } from '../account.ts'
import { periodAt } from '../billing/cycle.ts'
import type { Price } from '../catalogue/price.ts'
import { ApiError, refuse } from '../http/errors.ts'
import { mergedMetadata } from '../http/params.ts'
import { finalizeAndCollect } from '../invoices/finalize.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { createInvoiceItem, pendingItems } from '../invoices/items.ts'
import { addUsage, draftFrom, waitingBill } from './bill.ts'
import type { ProrationBehavior } from './create.ts'
import { wholePeriod } from './ending.ts'
import { addItem, checkTogether, freshUsage, type NewItem, paramOf, periodOf, wantedPrice } from './items.ts'
import { creditedItems, prorationItems, segmentItems, shareLines, usageAfterSwitch } from './proration.ts'
import { isMetered, itemsOf, type Subscription, type SubscriptionItem, subscriptionOf } from './subscription.ts'

export interface ItemChange extends NewItem {
  id?: string | undefined
  deleted?: boolean | undefined
  clear_usage?: boolean | undefined
}

/** How an update bills what came before it. */
export interface Billing {
  /** When the old price ends and the new one begins. */
  at: number
  behavior: ProrationBehavior
  /** The anchor moves to that instant as well: what is new is billed whole, so there is no rest of a period to charge. */
  resets?: boolean | undefined
}

/**
 * Applies changes to a subscription's items. In flexible mode the usage so far becomes invoice items at the old price; with
 * `none` it is never billed; in classic mode it never is.
 *
 * @param param what the changes are called in the request: `items[0]`, or nothing where the item is the request
 * @returns the ids of the items whose past is settled by this
 */
export function changeItems(
  account: Account,
  stored: Subscription,
  changes: ItemChange[],
  billing: Billing,
  param: (index: number) => string = (index) => `items[${index}]`,
): Set<string> {
  const settled = new Set<string>()
  for (const [index, change] of changes.entries()) {
    const item = change.id === undefined ? undefined : itemOf(account, stored, change.id, param(index))
    if (!item) settled.add(addNew(account, stored, change, param(index), billing).id)
    else if (change.deleted) removeItem(account, stored, item, change, billing, param(index))
    else if (changeItem(account, stored, item, change, param(index), billing)) settled.add(item.id)
  }
  const items = itemsOf(account, stored.id)
  if (items.length === 0) {
    throw refuse(
      'A subscription must have at least one active item. To cancel the subscription, use the cancel endpoint.',
      { param: 'items' },
    )
  }
  const prices = items.map((item) => account.get<Price>('price', item.price))
  checkTogether(prices, { currency: stored.currency, billingMode: stored.billing_mode.type })
  return settled
}

/** What `always_invoice` sends out at once: every waiting item. Null when nothing waits. */
export function updateInvoice(account: Account, stored: Subscription, at: number): Invoice | null {
  if (pendingItems(account, stored.customer, stored.id).length === 0) return null
  const start = Math.min(...itemsOf(account, stored.id).map((item) => item.current_period_start))
  return draftFrom(
    account,
    stored,
    waitingBill(account, stored),
    { start, end: at },
    { reason: 'subscription_update', autoAdvance: false, prorationDate: at },
  )
}

export interface Reset {
  behavior?: ProrationBehavior
  /** Items that were added or changed at the same instant: their past is settled. */
  settled?: Set<string>
  /** False: the period ends as if it had run its course, and nothing of it is given back. */
  credits?: boolean
  reason?: Invoice['billing_reason']
  /** Until when usage is billed, where that is not the instant itself. */
  usageUntil?: number
}

/** Ends the period now: its usage and the coming period's licensed items are invoiced at once, and a new grid begins. */
export function resetAnchor(account: Account, before: Subscription, at: number, reset: Reset = {}): Invoice | null {
  const items = itemsOf(account, before.id)
  const isTrial = before.status === 'trialing'
  if (reset.credits !== false && reset.behavior !== 'none' && !isTrial) {
    for (const item of items) if (!reset.settled?.has(item.id)) creditUnused(account, before, item, at)
  }
  const stored = account.objects.save<Subscription>({ ...before, billing_cycle_anchor: at })
  const bill = waitingBill(account, stored)
  for (const item of items.toReversed()) {
    const price = account.get<Price>('price', item.price)
    const whole = periodAt(at, price.recurring!, at)
    const period = periodOf(stored, price, at)
    if (!isMetered(price)) bill.lines.push(...shareLines(account, stored, item, { ...period, start: at }, whole))
    else if (!isTrial) addUsage(account, stored, bill, item, reset.usageUntil ?? at)
    const { _debited, ...fresh } = freshUsage(item)
    account.objects.save<SubscriptionItem>({
      ...fresh,
      current_period_start: at,
      current_period_end: period.end,
      _usage_from: isMetered(price) ? at : null,
    })
  }
  if (bill.lines.length === 0) return null
  const start = Math.min(...items.map((item) => item.current_period_start))
  const reason = reset.reason ?? 'subscription_update'
  return draftFrom(account, stored, bill, { start, end: at }, { reason, autoAdvance: false })
}

/** Closes an invoice that an update sends out, and makes it the subscription's latest. */
export function sendOut(account: Account, id: string, invoice: Invoice | null): void {
  if (!invoice) return
  account.objects.save<Subscription>({ ...subscriptionOf(account, id), latest_invoice: invoice.id })
  finalizeAndCollect(account, invoice.id)
}

function itemOf(account: Account, stored: Subscription, id: string, param: string): SubscriptionItem {
  const found = account.objects.find<SubscriptionItem>('subscription_item', id)
  if (found?.subscription === stored.id) return found
  throw new ApiError(400, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    param: paramOf(param, 'id'),
    message: `No such subscription item: '${id}'`,
  })
}

function addNew(
  account: Account,
  stored: Subscription,
  change: ItemChange,
  param: string,
  billing: Billing,
): SubscriptionItem {
  const price = wantedPrice(account, change, param)
  const item = addItem(account, stored, price, change, billing.at)
  if (isMetered(price)) return account.objects.save<SubscriptionItem>({ ...item, _usage_from: billing.at })
  // Credited later is only what was billed: of an item added without proration nothing was.
  if (billing.behavior === 'none' && !billing.resets)
    return account.objects.save<SubscriptionItem>({ ...item, _debited: { price: price.id, quantity: 0 } })
  debitRest(account, stored, item, billing)
  return item
}

function removeItem(
  account: Account,
  stored: Subscription,
  item: SubscriptionItem,
  change: ItemChange,
  billing: Billing,
  param: string,
): void {
  if (change.clear_usage && !isMetered(account.get<Price>('price', item.price))) {
    throw refuse('`clear_usage` can only be set for items whose price has `usage_type=metered`.', {
      param: paramOf(param, 'clear_usage'),
    })
  }
  closeSegment(account, stored, item, billing)
  account.objects.remove(item.id)
}

/** @returns whether the item costs something else now, so that its past was settled */
function changeItem(
  account: Account,
  stored: Subscription,
  item: SubscriptionItem,
  change: ItemChange,
  param: string,
  billing: Billing,
): boolean {
  const notes = {
    metadata: mergedMetadata(item.metadata, change.metadata),
    ...(change.billing_thresholds !== undefined && { billing_thresholds: change.billing_thresholds }),
  }
  const named = change.price ?? change.plan
  const isSwitch = change.price_data !== undefined || (named !== undefined && named !== item.price)
  const price = isSwitch ? wantedPrice(account, change, param) : account.get<Price>('price', item.price)
  if (isMetered(price) && change.quantity !== undefined) {
    throw refuse('You cannot set the quantity for metered plans', { param: paramOf(param, 'quantity') })
  }
  const quantity = change.quantity ?? (isSwitch ? 1 : item.quantity)
  if (!isSwitch && quantity === item.quantity) {
    account.objects.save<SubscriptionItem>({ ...item, ...notes })
    return false
  }
  closeSegment(account, stored, item, billing)
  const { quantity: _old, _debited, ...kept } = freshUsage(item)
  const period =
    isSwitch && stored.status !== 'trialing'
      ? periodOf(stored, price, billing.at)
      : { start: item.current_period_start, end: item.current_period_end }
  const isUnbilled = billing.behavior === 'none' && !billing.resets && !isMetered(price)
  const changed = account.objects.save<SubscriptionItem>({
    ...kept,
    ...notes,
    price: price.id,
    current_period_start: period.start,
    current_period_end: period.end,
    ...(!isMetered(price) && { quantity: quantity ?? 1 }),
    ...(isMetered(price) ? usageAfterSwitch(account, stored, item, billing.at) : { _usage_from: null }),
    ...(isUnbilled && { _debited: _debited ?? debitOf(account, item) }),
  })
  if (!isMetered(price)) debitRest(account, stored, changed, billing)
  return true
}

function debitOf(account: Account, item: SubscriptionItem): { price: string; quantity: number } {
  const wasMetered = isMetered(account.get<Price>('price', item.price))
  return { price: item.price, quantity: wasMetered ? 0 : (item.quantity ?? 1) }
}

function closeSegment(account: Account, stored: Subscription, item: SubscriptionItem, billing: Billing): void {
  if (billing.behavior === 'none' || stored.status === 'trialing') return
  if (!isMetered(account.get<Price>('price', item.price))) creditUnused(account, stored, item, billing.at)
  else if (stored.billing_mode.type === 'flexible') {
    for (const segment of segmentItems(account, stored, item, billing.at)) createInvoiceItem(account, segment)
  }
}

/** Gives back what was billed for the rest of a licensed item's period; in classic mode what it costs now, billed or not. */
export function creditUnused(account: Account, stored: Subscription, item: SubscriptionItem, at: number): void {
  const isFlexible = stored.billing_mode.type === 'flexible'
  const billed = isFlexible && item._debited ? { ...item, ...item._debited } : item
  const price = account.get<Price>('price', billed.price)
  if (isMetered(price) || billed.quantity === 0) return
  const paid = { start: item.current_period_start, end: item.current_period_end }
  const whole = wholePeriod(stored, item, price)
  if (stored._bills_stub === false && isFlexible && paid.start > whole.start) return
  const credited = isFlexible ? creditedItems(account, stored, item, at) : null
  const terms = { price, at, side: 'credit', paid, whole, ofWhatWasBilled: isFlexible } as const
  for (const credit of prorationItems(account, stored, billed, terms)) {
    createInvoiceItem(account, {
      ...credit,
      proration_details: { credited_items: credited, discount_amounts: [] },
    })
  }
}

function debitRest(account: Account, stored: Subscription, item: SubscriptionItem, billing: Billing): void {
  if (billing.behavior === 'none' || billing.resets || stored.status === 'trialing') return
  const price = account.get<Price>('price', item.price)
  const whole = wholePeriod(stored, item, price)
  for (const debit of prorationItems(account, stored, item, { price, at: billing.at, side: 'debit', whole }))
    createInvoiceItem(account, debit)
}
