import type { Account } from '../account.ts'
import { type Period, periodAt } from '../billing/cycle.ts'
import { amountsIn, createPrice, type NewPrice, type Price } from '../catalogue/price.ts'
import { refuse } from '../http/errors.ts'
import { type Metadata, mergedMetadata } from '../http/params.ts'
import { newId } from '../identifier.ts'
import { isMetered, itemsOf, type Subscription, type SubscriptionItem } from './subscription.ts'

/** What an item is to cost: a price by its id, or one made on the spot. */
export interface PriceWish {
  price?: string | undefined
  /** The legacy name of the same: a plan's id is its price's. */
  plan?: string | undefined
  price_data?:
    | Pick<NewPrice, 'currency' | 'product' | 'recurring' | 'tax_behavior' | 'unit_amount' | 'unit_amount_decimal'>
    | undefined
}

export interface NewItem extends PriceWish {
  quantity?: number | undefined
  metadata?: Metadata | null | undefined
  billing_thresholds?: { usage_gte: number } | null | undefined
  /** Part of a plan whose prices were looked at when it was made: one archived since still counts. */
  isPlanned?: boolean | undefined
}

const ITEMS_MAX = 20

/** The price of a new item or of a switch. @throws ApiError for one that cannot be subscribed to, or a quantity where there can be none */
export function wantedPrice(account: Account, wish: NewItem, param: string): Price {
  const price = priceFrom(account, wish, param)
  if (!price.recurring) {
    throw refuse(
      'The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.',
      { param: paramOf(param, 'price') },
    )
  }
  if (!price.active && !price._inline && !wish.isPlanned) {
    throw refuse('The price specified is inactive. This field only accepts active prices.', {
      param: paramOf(param, 'price'),
    })
  }
  if (isMetered(price) && wish.quantity !== undefined) {
    throw refuse('You cannot set the quantity for metered plans', { param: paramOf(param, 'quantity') })
  }
  return price
}

/** A parameter inside `items[0]`, or of its own where the item is the whole request. */
export function paramOf(prefix: string, name: string): string {
  return prefix === '' ? name : `${prefix}[${name}]`
}

export function priceFrom(account: Account, wish: PriceWish, param: string): Price {
  const id = wish.price ?? wish.plan
  if (wish.price_data && id !== undefined) {
    throw refuse('You may only specify one of these parameters: price, price_data.', { param: paramOf(param, 'price') })
  }
  if (wish.price_data) return createPrice(account, wish.price_data, { inline: true })
  if (id !== undefined) return account.reference<Price>('price', id, paramOf(param, wish.price ? 'price' : 'plan'))
  throw refuse(`Missing required param: ${paramOf(param, 'price')}.`, {
    code: 'parameter_missing',
    param: paramOf(param, 'price'),
  })
}

/** What must hold of a subscription's prices together. @throws ApiError */
export function checkTogether(prices: Price[], terms: { currency: string; billingMode: 'flexible' | 'classic' }): void {
  if (prices.length > ITEMS_MAX) throw refuse(`You can have at most ${ITEMS_MAX} items.`, { param: 'items' })
  if (prices.some((price) => !amountsIn(price, terms.currency))) {
    throw refuse('All prices on a subscription must have the same `currency`.', { param: 'items' })
  }
  const ids = prices.map((price) => price.id)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice !== undefined) {
    throw refuse(`Cannot add multiple subscription items with the same plan: ${twice}`, { param: 'items' })
  }
  if (terms.billingMode === 'classic' && new Set(prices.map(intervalText)).size > 1) {
    throw refuse(
      'All prices on a subscription must have the same `recurring.interval` and `recurring.interval_count`. If you meant to update an existing subscription item instead of creating a new one, make sure to include the subscription item ID in your request. See examples at https://stripe.com/docs/billing/subscriptions/upgrade-downgrade#changing.',
      { param: 'items' },
    )
  }
}

export function intervalText({ recurring }: Price): string {
  return `${recurring?.interval_count} ${recurring?.interval}`
}

/** The period of a price that holds the instant: whole on the subscription's grid, unless it is cut short by `cancel_at`. */
export function periodOf(stored: Subscription, price: Price, at: number): Period {
  const whole = periodAt(stored.billing_cycle_anchor, price.recurring!, at)
  const isCut = stored.cancel_at !== null && stored.cancel_at > at && stored.cancel_at < whole.end
  return { start: Math.max(whole.start, stored.start_date), end: isCut ? stored.cancel_at! : whole.end }
}

/** Stores an item whose period lies on the subscription's grid. */
export function addItem(
  account: Account,
  stored: Subscription,
  price: Price,
  item: Omit<NewItem, keyof PriceWish>,
  now: number,
): SubscriptionItem {
  const period =
    stored.status === 'trialing' && stored.trial_end !== null
      ? { start: stored.trial_start ?? now, end: stored.trial_end }
      : periodOf(stored, price, now)
  return account.create<SubscriptionItem>({
    id: newId('si', 14),
    object: 'subscription_item',
    billing_thresholds: item.billing_thresholds ?? null,
    created: now,
    current_period_end: period.end,
    current_period_start: period.start,
    metadata: mergedMetadata({}, item.metadata),
    price: price.id,
    ...(!isMetered(price) && { quantity: item.quantity ?? 1 }),
    subscription: stored.id,
    _usage_from: isMetered(price) ? period.start : null,
  })
}

/** Puts a subscription's items back to what they were, or on to what they are to become. */
export function replaceItems(account: Account, subscription: string, items: SubscriptionItem[]): void {
  const wanted = new Set(items.map((item) => item.id))
  const present = new Set<string>()
  for (const item of itemsOf(account, subscription)) {
    if (wanted.has(item.id)) present.add(item.id)
    else account.objects.remove(item.id)
  }
  for (const item of items) {
    if (present.has(item.id)) account.objects.save(item)
    else account.objects.insert(item)
  }
}

/** The item without what was counted for the period that ends. */
export function freshUsage(item: SubscriptionItem): SubscriptionItem {
  const { _billed, _skipped, ...rest } = item
  return rest
}
