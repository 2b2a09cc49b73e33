import type { Meter, Plan } from 'meterkit'
import { describeLine, type PriceModel, priceUsage } from 'meterkit/pricing'

/** What the slider needs of a plan: its monthly prices on one meter. Sent to the browser as it is. */
export interface ComparedPlan {
  key: string
  name: string
  currency: string
  models: PriceModel[]
  /** Minor units a month, beside what is used. */
  flatAmount: bigint
}

export interface Quote {
  key: string
  name: string
  currency: string
  /** Minor units. */
  amount: bigint
  /** The arithmetic, line by line: `12,345 tokens → 13 packages of 1,000 × $0.05`. */
  lines: string[]
  /** No other plan costs less. */
  cheapest: boolean
}

/** The plans that can be set side by side: those with a monthly price on this meter. */
export function comparedPlans(plans: readonly Plan[], meter: Meter): ComparedPlan[] {
  return plans.flatMap(({ key, name, prices }) => {
    const monthly = prices.filter(({ interval }) => interval === 'month')
    const models = monthly.flatMap((price) => (price.meter === meter.eventName && price.model ? [price.model] : []))
    const flatAmount = monthly.reduce((total, price) => total + (price.flatAmount ?? 0n), 0n)
    const [first] = monthly
    return first && models.length > 0 ? [{ key, name, currency: first.currency, models, flatAmount }] : []
  })
}

/** What a month with this usage costs on each plan, by the same code that charges for it. */
export function quotesFor(plans: readonly ComparedPlan[], quantity: string, unit: string): Quote[] {
  const quotes = plans.map((plan) => {
    const priced = plan.models.map((model) => ({ model, usage: priceUsage(model, quantity) }))
    return {
      key: plan.key,
      name: plan.name,
      currency: plan.currency,
      amount: priced.reduce((total, { usage }) => total + usage.amount, plan.flatAmount),
      lines: priced.flatMap(({ model, usage }) =>
        usage.lines.map((line) => describeLine(model, line, unit, plan.currency)),
      ),
    }
  })
  const lowest = quotes
    .map(({ amount }) => amount)
    .reduce((low, amount) => (amount < low ? amount : low), quotes[0]?.amount ?? 0n)
  const differ = quotes.some(({ amount }) => amount !== lowest)
  return quotes.map((quote) => ({ ...quote, cheapest: differ && quote.amount === lowest }))
}

/** Where the slider stops: eleven places in each power of ten, from a thousand to ten million. */
export const stops: readonly number[] = [
  ...[1000, 10_000, 100_000, 1_000_000].flatMap((power) =>
    [1, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9].map((factor) => factor * power),
  ),
  10_000_000,
]

/** The place of the slider for a quantity: the last stop it reaches. */
export function stopFor(quantity: string): number {
  const value = Number(quantity)
  return Math.max(
    stops.findLastIndex((stop) => stop <= value),
    0,
  )
}

/**
 * A whole number as typed, with or without commas, spaces or dots between the thousands; at most twelve digits. Any
 * other dot begins a fraction, which is cut. Null: no number.
 */
export function quantityFrom(text: string | null): string | null {
  const plain = (text ?? '').replace(/[\s,_']/g, '')
  const digits = /^\d{1,3}(\.\d{3})+$/.test(plain) ? plain.replaceAll('.', '') : plain.replace(/\.\d*$/, '')
  return /^\d{1,12}$/.test(digits) ? String(BigInt(digits)) : null
}
