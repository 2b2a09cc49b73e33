import type { Account, Kind } from '../account.ts'
import { formatAmount } from '../billing/currency.ts'
import { formatPico, PICO, pico } from '../billing/decimal.ts'
import { describe } from '../billing/description.ts'
import { rateFurther } from '../billing/further.ts'
import { type RatedLine, type RatedPrice, rate, roundedLine } from '../billing/rating.ts'
import { amountsIn, type Price } from '../catalogue/price.ts'
import type { Product } from '../catalogue/product.ts'
import type { DiscountAmount } from '../discounts/apply.ts'
import { refuse } from '../http/errors.ts'
import type { Metadata } from '../http/params.ts'
import { newId } from '../identifier.ts'
import type { Meter } from '../metering/usage.ts'
import type { Subscription, SubscriptionItem } from '../subscriptions/subscription.ts'

export interface Line {
  id: string
  object: 'line_item'
  amount: number
  currency: string
  description: string | null
  discount_amounts: DiscountAmount[]
  discountable: boolean
  discounts: []
  invoice: string | null
  livemode: false
  metadata: Metadata
  parent: LineParent | null
  period: { start: number; end: number }
  pretax_credit_amounts: PretaxCredit[]
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
  /** How much of that usage was counted when the line was made. */
  _used?: string
}
/** What a billing credit takes off; in a preview no transaction stands for it yet. */
export interface PretaxCredit {
  amount: number
  credit_balance_transaction: string | null
  type: 'credit_balance_transaction'
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
  /** What earlier invoices have billed of the span's usage, in units of 10^-12: tiers and packages go on from there. */
  billed?: string
  /** What of the span's usage the period before has billed; it counts neither for an amount nor for a tier. */
  skipped?: string
}

export const lineItem: Kind = {
  type: 'line_item',
  noun: 'line item',
  references: {
    subscription: 'subscription',
    'pricing.price_details.price': 'price',
    'pretax_credit_amounts.credit_balance_transaction': 'billing.credit_balance_transaction',
  },
}

/** The lines of a metered item for a span of usage; `part` is where the invoice remembers the span. */
export function usageLines(account: Account, owner: Subscription, usage: UsagePart, part?: number): Line[] {
  const price = account.get<Price>('price', usage.price)
  const used = usedOf(account, owner, price, usage)
  return pricedLines(account, price, used, owner.currency, BigInt(usage.billed ?? 0)).map((line) => ({
    ...line,
    metadata: owner.metadata,
    parent: itemParent(owner.id, usage.item),
    period: { start: usage.start, end: usage.end },
    subscription: owner.id,
    ...(part !== undefined && { _usage: part, _used: formatPico(used) }),
  }))
}

/** The usage of a span that counts, in units of 10^-12. */
export function usedOf(account: Account, owner: Subscription, price: Price, usage: UsagePart): bigint {
  return usageOf(account, owner.customer, price, usage) - BigInt(usage.skipped ?? 0)
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
  owner: Subscription,
  item: SubscriptionItem,
  period: { start: number; end: number },
): Line[] {
  const price = account.get<Price>('price', item.price)
  const quantity = BigInt(item.quantity ?? 1) * PICO
  return pricedLines(account, price, quantity, owner.currency).map((line) => ({
    ...line,
    metadata: owner.metadata,
    parent: itemParent(owner.id, item.id),
    period,
    subscription: owner.id,
  }))
}

/** What a quantity costs beyond what was billed of it, as the lines Stripe prints; whose they are is left open. */
function pricedLines(account: Account, price: Price, quantity: bigint, currency: string, billed = 0n): Line[] {
  const product = account.get<Product>('product', price.product)
  const described = { ...price, currency }
  const rated = rateFurther(ratedPrice(price, currency), quantity, billed, account.readings.lineRounding)
  const lines: Line[] = rated.lines.map((line) => ({
    ...blankLine(currency),
    amount: Number(line.amount),
    subtotal: Number(line.amount),
    description: describe(line, described, product, account.readings.packageDivisor),
    pricing: pricingOf(price, line.unitAmount),
    ...quantities(line.quantity),
  }))
  if (!rated.previously) return lines
  const { amount, unitAmount } = rated.previously
  const taken: Line = {
    ...blankLine(currency),
    amount: Number(amount),
    subtotal: Number(amount),
    description: `Amount previously billed (at ${formatAmount(unitAmount, currency)} per unit)`,
    pricing: pricingOf(price, null),
    ...quantities(0n),
  }
  return [...lines, taken]
}

/** A quantity at a price, in one of the price's currencies: the one place where the account's rounding is asked for. */
export function rateIn(account: Account, price: Price, quantity: bigint, currency = price.currency): RatedLine[] {
  return rate(ratedPrice(price, currency), quantity, account.readings.lineRounding)
}

/** A decimal unit amount times a quantity, rounded as a line is. */
export function amountOf(account: Account, unitAmount: string, quantity: bigint, currency: string): bigint {
  return roundedLine(pico(unitAmount) * quantity, currency, account.readings.lineRounding)
}

/** What of a price decides an amount. @throws ApiError for a currency the price does not have */
export function ratedPrice(price: Price, currency = price.currency): RatedPrice {
  const amounts = amountsIn(price, currency)
  if (!amounts)
    throw refuse(`The price \`${price.id}\` does not support currency \`${currency}\`.`, { param: 'currency' })
  const { billing_scheme, transform_quantity, tiers_mode } = price
  const { unit_amount_decimal, tiers } = amounts
  return { currency, billing_scheme, transform_quantity, tiers_mode, unit_amount_decimal, tiers }
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
