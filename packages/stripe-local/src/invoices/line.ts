import type { Account, Kind } from '../account.ts'
import { formatPico, PICO } from '../billing/decimal.ts'
import { describe } from '../billing/description.ts'
import { rate } from '../billing/rating.ts'
import type { Metadata } from '../http/params.ts'
import { newId } from '../identifier.ts'
import type { Meter } from '../metering/usage.ts'
import type { Price } from '../resources/prices.ts'
import type { Product } from '../resources/products.ts'
import type { Subscription, SubscriptionItem } from '../subscriptions/subscription.ts'

export interface Line {
  id: string
  object: 'line_item'
  amount: number
  currency: string
  description: string | null
  discount_amounts: []
  discountable: boolean
  discounts: []
  invoice: string | null
  livemode: false
  metadata: Metadata
  parent: LineParent | null
  period: { start: number; end: number }
  pretax_credit_amounts: []
  pricing: {
    price_details?: { price: string; product: string }
    type: 'price_details'
    unit_amount_decimal: string | null
  } | null
  quantity: number | null
  quantity_decimal: string | null
  subscription: string | null
  subtotal: number
  taxes: []
  /** The usage this line was made from, by its place in the invoice's `_usage`. */
  _usage?: number
}
type ProrationDetails = { credited_items: { invoice: string; invoice_line_items: string[] } | null } | null
export interface LineParent {
  invoice_item_details: {
    invoice_item: string
    proration: boolean
    proration_details: ProrationDetails
    subscription: string | null
  } | null
  subscription_item_details: {
    invoice_item: string | null
    proration: boolean
    proration_details: ProrationDetails
    subscription: string | null
    subscription_item: string
  } | null
  type: 'invoice_item_details' | 'subscription_item_details'
}

/** Metered usage that a draft bills: counted again, one last time, when the draft is finalized. */
export interface UsagePart {
  item: string
  price: string
  start: number
  end: number
}

export const lineItem: Kind = {
  type: 'line_item',
  noun: 'line item',
  references: { subscription: 'subscription', 'pricing.price_details.price': 'price' },
}

/** The lines of a metered item for a span of usage; `part` is where the invoice remembers the span. */
export function usageLines(account: Account, owner: Subscription, usage: UsagePart, part?: number): Line[] {
  const price = account.get<Price>('price', usage.price)
  const product = account.get<Product>('product', price.product)
  return rate(ratedPrice(price), usageOf(account, owner.customer, price, usage)).map((rated) => ({
    ...blankLine(price.currency),
    amount: Number(rated.amount),
    subtotal: Number(rated.amount),
    description: describe(rated, price, product),
    metadata: owner.metadata,
    parent: itemParent(owner.id, usage.item),
    period: { start: usage.start, end: usage.end },
    pricing: pricingOf(price, rated.unitAmount),
    ...quantities(rated.quantity),
    subscription: owner.id,
    ...(part !== undefined && { _usage: part }),
  }))
}

/** A metered price's usage of a customer in a span, in units of 10^-12. */
export function usageOf(
  account: Account,
  customer: string,
  price: Price,
  span: { start: number; end: number },
): bigint {
  const meter = account.get<Meter>('billing.meter', price.recurring?.meter ?? '')
  const lagMs = account.rehearsing ? account.previewLagMs : 0
  return account.usage.aggregate(
    meter,
    customer,
    span,
    lagMs > 0 ? { countedBeforeMs: account.timeline.realMs() - lagMs } : {},
  )
}

/** The line of a licensed item for a whole period, charged in advance. */
export function licensedLines(
  account: Account,
  item: SubscriptionItem,
  period: { start: number; end: number },
  metadata: Metadata,
): Line[] {
  const price = account.get<Price>('price', item.price)
  const product = account.get<Product>('product', price.product)
  return rate(ratedPrice(price), BigInt(item.quantity ?? 1) * PICO).map((rated) => ({
    ...blankLine(price.currency),
    amount: Number(rated.amount),
    subtotal: Number(rated.amount),
    description: describe(rated, price, product),
    metadata,
    parent: itemParent(item.subscription, item.id),
    period,
    pricing: pricingOf(price, rated.unitAmount),
    ...quantities(rated.quantity),
    subscription: item.subscription,
  }))
}

export function ratedPrice(price: Price) {
  return { ...price, tiers: price._tiers }
}

export function blankLine(currency: string): Line {
  return {
    id: newId('il'),
    object: 'line_item',
    amount: 0,
    currency,
    description: null,
    discount_amounts: [],
    discountable: true,
    discounts: [],
    invoice: null,
    livemode: false,
    metadata: {},
    parent: null,
    period: { start: 0, end: 0 },
    pretax_credit_amounts: [],
    pricing: null,
    quantity: null,
    quantity_decimal: null,
    subscription: null,
    subtotal: 0,
    taxes: [],
  }
}

export function pricingOf(price: Price, unitAmount: string | null): NonNullable<Line['pricing']> {
  return {
    price_details: { price: price.id, product: price.product },
    type: 'price_details',
    unit_amount_decimal: unitAmount,
  }
}

/** The whole quantity is cut off, the exact one beside it. */
export function quantities(quantity: bigint): { quantity: number; quantity_decimal: string } {
  return { quantity: Number(quantity / PICO), quantity_decimal: formatPico(quantity) }
}

function itemParent(subscription: string, item: string): LineParent {
  return {
    invoice_item_details: null,
    subscription_item_details: {
      invoice_item: null,
      proration: false,
      proration_details: null,
      subscription,
      subscription_item: item,
    },
    type: 'subscription_item_details',
  }
}
