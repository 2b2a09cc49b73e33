import type { Account } from '../account.ts'
import { periodAt } from '../billing/cycle.ts'
import { ApiError, refuse } from '../http/errors.ts'
import { type Metadata, mergedMetadata } from '../http/params.ts'
import { finalizeAndCollect } from '../invoices/finalize.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { createInvoiceItem, pendingItems } from '../invoices/items.ts'
import type { Price } from '../resources/prices.ts'
import { addItem, checkCurrencies, checkedPrice, type ProrationBehavior } from './create.ts'
import { prorationItems, segmentItems } from './proration.ts'
import { billOf, draftFrom } from './renewal.ts'
import { isMetered, itemsOf, type Subscription, type SubscriptionItem, subscriptionOf } from './subscription.ts'

export interface ItemChange {
  id?: string | undefined
  price?: string | undefined
  quantity?: number | undefined
  metadata?: Metadata | null | undefined
  deleted?: boolean | undefined
}

/** How an update bills what came before it. */
export interface Billing {
  /** When the old price ends and the new one begins. */
  at: number
  behavior: ProrationBehavior
}

/**
 * Applies changes to a subscription's items. In flexible mode the usage so far becomes invoice items at the old price; with
 * `none` it is never billed; in classic mode it never is.
 */
export function changeItems(account: Account, stored: Subscription, changes: ItemChange[], billing: Billing): void {
  for (const [index, change] of changes.entries()) {
    const item = change.id === undefined ? undefined : itemOf(account, stored, change.id, index)
    if (!item) addNew(account, stored, change, index, billing)
    else if (change.deleted) removeItem(account, stored, item, billing)
    else changeItem(account, stored, item, change, index, billing)
  }
  const items = itemsOf(account, stored.id)
  if (items.length === 0) {
    throw refuse(
      'A subscription must have at least one active item. To cancel the subscription, use the cancel endpoint.',
      {
        param: 'items',
      },
    )
  }
  checkCurrencies(items.map((item) => account.get<Price>('price', item.price)))
  const names = items.map((item) => item.price)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw refuse(`Cannot add multiple subscription items with the same plan: ${twice}`, { param: 'items' })
  }
}

/** What `always_invoice` sends out at once: every waiting item. Null when nothing waits. */
export function updateInvoice(account: Account, stored: Subscription, at: number): Invoice | null {
  if (pendingItems(account, stored.customer, stored.id).length === 0) return null
  const bill = billOf(account, stored, [], {})
  const start = Math.min(...itemsOf(account, stored.id).map((item) => item.current_period_start))
  return draftFrom(
    account,
    stored,
    bill,
    { start, end: at },
    { reason: 'subscription_update', autoAdvance: false, prorationDate: at },
  )
}

/** Ends the period now: its usage and the coming period's licensed items are invoiced at once, and a new grid begins. */
export function resetAnchor(account: Account, before: Subscription, at: number): Invoice | null {
  const stored = account.objects.save<Subscription>({ ...before, billing_cycle_anchor: at })
  const items = itemsOf(account, stored.id)
  for (const item of items) {
    const price = account.get<Price>('price', item.price)
    if (isMetered(price)) continue
    for (const credit of prorationItems(account, stored, item, price, at, 'credit')) createInvoiceItem(account, credit)
  }
  const bill = billOf(account, stored, items, { renewsAt: at, usageUntil: at, free: stored.status === 'trialing' })
  const start = Math.min(...items.map((item) => item.current_period_start))
  for (const item of items) {
    const price = account.get<Price>('price', item.price)
    const period = periodAt(at, price.recurring!, at)
    account.objects.save<SubscriptionItem>({
      ...item,
      current_period_start: period.start,
      current_period_end: period.end,
      _usage_from: isMetered(price) ? at : null,
    })
  }
  if (bill.lines.length === 0) return null
  return draftFrom(account, stored, bill, { start, end: at }, { reason: 'subscription_update', autoAdvance: false })
}

/** Closes an invoice that an update sends out, and makes it the subscription's latest. */
export function sendOut(account: Account, id: string, invoice: Invoice | null): void {
  if (!invoice) return
  account.objects.save<Subscription>({ ...subscriptionOf(account, id), latest_invoice: invoice.id })
  finalizeAndCollect(account, invoice.id)
}

export function cancelFields(
  stored: Subscription,
  items: SubscriptionItem[],
  atPeriodEnd: boolean,
  now: number,
): Partial<Subscription> {
  if (!atPeriodEnd) {
    return {
      cancel_at_period_end: false,
      cancel_at: null,
      canceled_at: null,
      cancellation_details: { ...stored.cancellation_details, reason: null },
    }
  }
  return {
    cancel_at_period_end: true,
    cancel_at: Math.max(...items.map((item) => item.current_period_end)),
    canceled_at: now,
    cancellation_details: { ...stored.cancellation_details, reason: 'cancellation_requested' },
  }
}

function itemOf(account: Account, stored: Subscription, id: string, index: number): SubscriptionItem {
  const found = account.objects.find<SubscriptionItem>('subscription_item', id)
  if (found?.subscription === stored.id) return found
  throw new ApiError(400, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    param: `items[${index}][id]`,
    message: `No such subscription item: '${id}'`,
  })
}

function addNew(account: Account, stored: Subscription, change: ItemChange, index: number, billing: Billing): void {
  if (change.price === undefined) {
    throw refuse(`Missing required param: items[${index}][price].`, {
      code: 'parameter_missing',
      param: `items[${index}][price]`,
    })
  }
  const price = checkedPrice(account, { price: change.price, quantity: change.quantity }, index)
  const item = addItem(
    account,
    stored,
    price,
    { quantity: change.quantity, metadata: change.metadata ?? {} },
    billing.at,
  )
  if (isMetered(price)) account.objects.save<SubscriptionItem>({ ...item, _usage_from: billing.at })
  else prorate(account, stored, item, price, billing, 'debit')
}

function removeItem(account: Account, stored: Subscription, item: SubscriptionItem, billing: Billing): void {
  closeSegment(account, stored, item, billing)
  account.objects.remove(item.id)
}

function changeItem(
  account: Account,
  stored: Subscription,
  item: SubscriptionItem,
  change: ItemChange,
  index: number,
  billing: Billing,
): void {
  const metadata = mergedMetadata(item.metadata, change.metadata)
  const isSwitch = change.price !== undefined && change.price !== item.price
  const price = isSwitch
    ? checkedPrice(account, { price: change.price!, quantity: change.quantity }, index)
    : account.get<Price>('price', item.price)
  if (isMetered(price) && change.quantity !== undefined) {
    throw refuse('You cannot set the quantity for metered plans', { param: `items[${index}][quantity]` })
  }
  const quantity = change.quantity ?? (isSwitch ? 1 : item.quantity)
  if (!isSwitch && quantity === item.quantity) {
    account.objects.save<SubscriptionItem>({ ...item, metadata })
    return
  }
  closeSegment(account, stored, item, billing)
  const { quantity: _old, ...kept } = item
  const period =
    isSwitch && stored.status !== 'trialing'
      ? periodAt(stored.billing_cycle_anchor, price.recurring!, billing.at)
      : { start: item.current_period_start, end: item.current_period_end }
  const changed = account.objects.save<SubscriptionItem>({
    ...kept,
    metadata,
    price: price.id,
    current_period_start: Math.max(period.start, stored.start_date),
    current_period_end: period.end,
    ...(!isMetered(price) && { quantity: quantity ?? 1 }),
    _usage_from: isMetered(price) ? billing.at : null,
  })
  if (!isMetered(price)) prorate(account, stored, changed, price, billing, 'debit')
}

function closeSegment(account: Account, stored: Subscription, item: SubscriptionItem, billing: Billing): void {
  const price = account.get<Price>('price', item.price)
  if (!isMetered(price)) prorate(account, stored, item, price, billing, 'credit')
  else if (billing.behavior !== 'none' && stored.billing_mode.type === 'flexible' && stored.status !== 'trialing') {
    for (const segment of segmentItems(account, stored, item, billing.at)) createInvoiceItem(account, segment)
  }
}

function prorate(
  account: Account,
  stored: Subscription,
  item: SubscriptionItem,
  price: Price,
  billing: Billing,
  side: 'credit' | 'debit',
): void {
  if (billing.behavior === 'none' || stored.status === 'trialing') return
  for (const proration of prorationItems(account, stored, item, price, billing.at, side))
    createInvoiceItem(account, proration)
}
