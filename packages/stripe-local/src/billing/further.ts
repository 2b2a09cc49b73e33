import { type LineRounding, type RatedLine, type RatedPrice, rate } from './rating.ts'

/** What usage costs beyond the part of the same period that was billed before. */
export interface Further {
  lines: RatedLine[]
  /** Taken off again: a volume price is rated anew for the whole usage. `amount` is negative. */
  previously: { amount: bigint; unitAmount: string } | null
}

/**
 * Rates `total` when `billed` of it is on earlier invoices (both in units of 10^-12). Unit, package and graduated prices go
 * on where they stopped, so that the invoices of a period add up to what one invoice would have been.
 *
 * @see https://docs.stripe.com/billing/subscriptions/usage-based/thresholds "Stripe maintains tiers across threshold invoices"
 */
export function rateFurther(price: RatedPrice, total: bigint, billed: bigint, rounding?: LineRounding): Further {
  const lines = rate(price, total, rounding)
  if (billed === 0n) return { lines, previously: null }
  const before = rate(price, billed, rounding)
  if (price.tiers_mode === 'volume') {
    const amount = -before.reduce((sum, line) => sum + line.amount, 0n)
    return { lines, previously: { amount, unitAmount: before[0]?.unitAmount ?? '0' } }
  }
  const more = lines.map((line) => {
    const old = before.find((each) => each.kind === line.kind && each.tier === line.tier)
    return old ? { ...line, quantity: line.quantity - old.quantity, amount: line.amount - old.amount } : line
  })
  const news = more.filter((line) => line.quantity !== 0n || line.amount !== 0n)
  return { lines: news.length > 0 ? news : more.slice(-1), previously: null }
}
