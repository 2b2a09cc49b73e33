import type { Account } from '../account.ts'
import { divideFloor, formatPico, PICO } from '../billing/decimal.ts'
import { proratedFrom } from '../billing/proration.ts'
import { rate } from '../billing/rating.ts'
import type { createInvoiceItem } from '../invoices/items.ts'
import { pricingOf, quantities, ratedPrice, usageLines } from '../invoices/line.ts'
import type { Price } from '../resources/prices.ts'
import type { Product } from '../resources/products.ts'
import type { Subscription, SubscriptionItem } from './subscription.ts'

type NewItem = Parameters<typeof createInvoiceItem>[1]

/**
 * The usage of a metered item up to a switch, at the price in force until then: one invoice item for each line the price
 * makes of it, packages and tiers by themselves. Lines of zero are suppressed.
 */
export function segmentItems(account: Account, stored: Subscription, item: SubscriptionItem, at: number): NewItem[] {
  if (item._usage_from === null || item._usage_from >= at) return []
  const lines = usageLines(account, stored, { item: item.id, price: item.price, start: item._usage_from, end: at })
  return lines
    .filter((line) => line.amount !== 0)
    .map((line) => ({
      amount: line.amount,
      currency: line.currency,
      customer: stored.customer,
      description: line.description,
      metadata: stored.metadata,
      parent: parentOf(stored, item),
      period: line.period,
      pricing: line.pricing,
      proration: true,
      quantity: line.quantity ?? 0,
      quantity_decimal: line.quantity_decimal ?? '0',
      test_clock: stored.test_clock,
    }))
}

/** Unused time of a licensed item as a credit, or the rest of the period as a debit; each rounded down. */
export function prorationItems(
  account: Account,
  stored: Subscription,
  item: SubscriptionItem,
  price: Price,
  at: number,
  side: 'credit' | 'debit',
): NewItem[] {
  const quantity = BigInt(item.quantity ?? 1)
  const whole = rate(ratedPrice(price), quantity * PICO).reduce((sum, line) => sum + line.amount, 0n)
  const period = { start: item.current_period_start, end: item.current_period_end }
  const amount = proratedFrom(side === 'credit' ? -whole : whole, at, period)
  if (amount === 0n) return []
  const product = account.get<Product>('product', price.product)
  const day = new Date(at * 1000).toLocaleDateString('en-GB', {
    day: '2-digit',
    month: 'short',
    year: 'numeric',
    timeZone: 'UTC',
  })
  const name = quantity === 1n ? product.name : `${quantity} × ${product.name}`
  return [
    {
      amount: Number(amount),
      currency: price.currency,
      customer: stored.customer,
      description: `${side === 'credit' ? 'Unused time on' : 'Remaining time on'} ${name} after ${day}`,
      metadata: stored.metadata,
      parent: parentOf(stored, item),
      period: { start: at, end: period.end },
      pricing: pricingOf(price, formatPico(divideFloor(amount * PICO, quantity === 0n ? 1n : quantity))),
      proration: true,
      ...quantities(quantity * PICO),
      test_clock: stored.test_clock,
    },
  ]
}

function parentOf(stored: Subscription, item: SubscriptionItem): NonNullable<NewItem['parent']> {
  return {
    subscription_details: { subscription: stored.id, subscription_item: item.id },
    type: 'subscription_details',
  }
}
