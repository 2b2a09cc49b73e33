import type { Account, Wire } from '../account.ts'
import { periodAt } from '../billing/cycle.ts'
import { PICO } from '../billing/decimal.ts'
import { proratedFrom } from '../billing/proration.ts'
import { amountsIn, createPrice, type NewPrice, type Price } from '../catalogue/price.ts'
import type { Product } from '../catalogue/product.ts'
import { refuse } from '../http/errors.ts'
import type { Metadata } from '../http/params.ts'
import { newId } from '../identifier.ts'
import { rateIn } from '../invoices/line.ts'
import { anchorFrom } from '../subscriptions/create.ts'
import { isMetered } from '../subscriptions/subscription.ts'
import type { Mode, SubscriptionPlan } from './session.ts'

/** One thing a session sells. */
export interface SessionLine {
  id: string
  adjustable: { enabled: boolean; maximum: number | null; minimum: number | null } | null
  /** Due today, in minor units. */
  amount: number
  currency: string
  /** What the customer chose to pay, where the price lets them. */
  customAmount: number | null
  /** What discounts take off the amount. */
  discount?: number
  metadata: Metadata
  price: string
  quantity: number | null
}

export interface LineWish {
  adjustable_quantity?: { enabled: boolean; maximum?: number; minimum?: number }
  metadata?: Metadata | null
  price?: string
  price_data?: NewPrice
  quantity?: number
}

const RECURRING_MAX = 20
const ONE_TIME_MAX = 20

/** The lines of a session in the order they were asked for. @throws ApiError */
export function linesFrom(
  account: Account,
  wishes: LineWish[],
  terms: { mode: Mode; currency: string | undefined; plan: SubscriptionPlan; now: number },
): SessionLine[] {
  const prices = wishes.map((wish, index) => priceOf(account, wish, index))
  checkMode(prices, terms.mode)
  const currency = terms.currency ?? prices[0]!.currency
  return wishes.map((wish, index) => {
    const price = prices[index]!
    checkCurrency(price, currency, index)
    checkQuantity(price, wish, index)
    const line = {
      id: newId('li', 14),
      adjustable: adjustableFrom(wish),
      amount: 0,
      currency,
      customAmount: amountsIn(price, currency)?.custom_unit_amount?.preset ?? null,
      metadata: Object.fromEntries(Object.entries(wish.metadata ?? {}).filter(([, value]) => value !== '')),
      price: price.id,
      quantity: isMetered(price) ? null : (wish.quantity ?? null),
    }
    return { ...line, amount: dueToday(account, line, terms.plan, terms.now) }
  })
}

/** What a line costs now (Unix seconds): nothing for usage and trials, a share until an anchor that lies ahead. */
export function dueToday(account: Account, line: SessionLine, plan: SubscriptionPlan, now: number): number {
  const price = account.get<Price>('price', line.price)
  if (isMetered(price)) return 0
  if (amountsIn(price, line.currency)?.custom_unit_amount) return (line.customAmount ?? 0) * (line.quantity ?? 1)
  const quantity = BigInt(line.quantity ?? 1) * PICO
  const whole = rateIn(account, price, quantity, line.currency).reduce((sum, rated) => sum + rated.amount, 0n)
  if (!price.recurring) return Number(whole)
  if (plan.trialDays !== undefined || plan.trialEnd !== undefined) return 0
  const anchor = plan.anchor ?? (plan.anchorConfig ? anchorFrom(plan.anchorConfig, now) : now)
  if (anchor === now) return Number(whole)
  if (plan.prorationBehavior === 'none') return 0
  return Number(proratedFrom(whole, now, periodAt(anchor, price.recurring, now)))
}

/** Whether the customer says how much to pay. */
export function isOpenPriced(account: Account, line: SessionLine): boolean {
  return amountsIn(account.get<Price>('price', line.price), line.currency)?.custom_unit_amount != null
}

export function lineItem(account: Account, line: SessionLine): Wire {
  const price = account.get<Price>('price', line.price)
  return {
    id: line.id,
    object: 'item',
    adjustable_quantity: line.adjustable,
    amount_discount: line.discount ?? 0,
    amount_subtotal: line.amount,
    amount_tax: 0,
    amount_total: line.amount - (line.discount ?? 0),
    currency: line.currency,
    description: account.get<Product>('product', price.product).name,
    metadata: line.metadata,
    price: account.present(price),
    quantity: line.quantity,
  }
}

function priceOf(account: Account, wish: LineWish, index: number): Price {
  const param = `line_items[${index}][price]`
  if (wish.price !== undefined && wish.price_data) {
    throw refuse('You may only specify one of these parameters: price, price_data.', { param })
  }
  if (wish.price_data) return createPrice(account, wish.price_data, { inline: true })
  if (wish.price === undefined) {
    throw refuse(`Missing required param: ${param}.`, { code: 'parameter_missing', param })
  }
  const price = account.reference<Price>('price', wish.price, param)
  if (!price.active && !price._inline)
    throw refuse('The price specified is inactive. This field only accepts active prices.', { param })
  const product = account.get<Product>('product', price.product)
  if (!product.active && !price._inline)
    throw refuse(`The product ${product.id} is marked as inactive, and you cannot use it.`, { param })
  return price
}

function checkMode(prices: Price[], mode: Mode): void {
  const recurring = prices.filter((price) => price.recurring).length
  if (mode === 'payment' && recurring > 0) {
    throw refuse(
      'You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.',
      { param: 'line_items' },
    )
  }
  if (mode !== 'subscription') return
  if (recurring === 0) {
    throw refuse('You must provide at least one recurring price in `subscription` mode when using prices.', {
      param: 'line_items',
    })
  }
  if (recurring > RECURRING_MAX || prices.length - recurring > ONE_TIME_MAX) {
    throw refuse(
      `In \`subscription\` mode there is a maximum of ${RECURRING_MAX} line items with recurring prices and ${ONE_TIME_MAX} line items with one-time prices.`,
      { param: 'line_items' },
    )
  }
}

function checkCurrency(price: Price, currency: string, index: number): void {
  if (amountsIn(price, currency)) return
  throw refuse(
    `The price specified supports currencies of \`${price.currency}\`. This doesn't match the expected currency: \`${currency}\`.`,
    { param: `line_items[${index}][price]` },
  )
}

function checkQuantity(price: Price, wish: LineWish, index: number): void {
  const param = `line_items[${index}][quantity]`
  if (isMetered(price) && wish.quantity !== undefined) {
    throw refuse(
      `Quantity should not be specified where usage_type is \`metered\`. Remove quantity from \`line_items[${index}]\``,
      { param },
    )
  }
  if (!isMetered(price) && wish.quantity === undefined) {
    throw refuse(`Quantity is required. Add \`quantity\` to \`line_items[${index}]\``, { param })
  }
}

/** 99 by default, as the type says; the quantity itself must lie between the bounds. */
function adjustableFrom({ adjustable_quantity: given, quantity }: LineWish): SessionLine['adjustable'] {
  if (!given) return null
  if (!given.enabled) return { enabled: false, maximum: null, minimum: null }
  const [minimum, maximum] = [given.minimum ?? 0, given.maximum ?? 99]
  if (minimum > maximum || (quantity !== undefined && (quantity < minimum || quantity > maximum))) {
    throw refuse(
      `The quantity must be between \`adjustable_quantity[minimum]\` (${minimum}) and \`adjustable_quantity[maximum]\` (${maximum}).`,
      { param: 'line_items' },
    )
  }
  return { enabled: true, maximum, minimum }
}
