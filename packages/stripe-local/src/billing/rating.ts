import { stepOf } from './currency.ts'
import { divideCeil, divideFloor, divideRounded, PICO, pico } from './decimal.ts'

export interface RatedTier {
  up_to: number | null
  unit_amount_decimal: string | null
  flat_amount_decimal: string | null
}

/** What of a price decides the amount. Unit prices are decimals in minor units. */
export interface RatedPrice {
  currency: string
  billing_scheme: 'per_unit' | 'tiered'
  unit_amount_decimal: string | null
  transform_quantity: { divide_by: number; round: 'up' | 'down' } | null
  tiers_mode: 'graduated' | 'volume' | null
  tiers: RatedTier[] | null
}

/** One line of an invoice, rounded by itself. `quantity` in units of 10^-12, `amount` in minor units. */
export interface RatedLine {
  kind: 'unit' | 'package' | 'tier' | 'flat'
  /** Counted from 1; null without tiers. */
  tier: number | null
  quantity: bigint
  unitAmount: string
  amount: bigint
}

/**
 * What a quantity costs, as the lines Stripe prints: one for a unit or package price; for each graduated tier reached one
 * for its units and, where the price has flat amounts, one for its flat amount; for volume the same for the one tier.
 * A negative quantity counts as 0. A first tier with a flat amount costs that amount even at 0.
 */
export function rate(price: RatedPrice, quantity: bigint, rounding: LineRounding = 'nearest'): RatedLine[] {
  const units = quantity < 0n ? 0n : quantity
  if (price.billing_scheme === 'tiered')
    return price.tiers_mode === 'volume' ? volume(price, units, rounding) : graduated(price, units, rounding)
  const unitAmount = price.unit_amount_decimal ?? '0'
  if (!price.transform_quantity) return [unitLine('unit', null, units, units, unitAmount, price.currency, rounding)]
  const { divide_by: size, round } = price.transform_quantity
  const packages = (round === 'up' ? divideCeil : divideFloor)(units, BigInt(size) * PICO)
  return [unitLine('package', null, units, packages * PICO, unitAmount, price.currency, rounding)]
}

function graduated(price: RatedPrice, units: bigint, rounding: LineRounding): RatedLine[] {
  const tiers = price.tiers ?? []
  const hasFlat = tiers.some((tier) => tier.flat_amount_decimal !== null)
  const lines: RatedLine[] = []
  let floor = 0n
  for (const [index, tier] of tiers.entries()) {
    if (index > 0 && units <= floor) break
    const ceiling = tier.up_to === null ? units : BigInt(tier.up_to) * PICO
    const within = (units < ceiling ? units : ceiling) - floor
    lines.push(unitLine('tier', index + 1, within, within, tier.unit_amount_decimal ?? '0', price.currency, rounding))
    if (hasFlat) lines.push(flatLine(index + 1, tier, price.currency, rounding))
    floor = ceiling
  }
  return lines
}

function volume(price: RatedPrice, units: bigint, rounding: LineRounding): RatedLine[] {
  const tiers = price.tiers ?? []
  const index = tiers.findIndex((tier) => tier.up_to === null || units <= BigInt(tier.up_to) * PICO)
  const tier = tiers[index]
  if (!tier) return []
  const lines = [unitLine('tier', index + 1, units, units, tier.unit_amount_decimal ?? '0', price.currency, rounding)]
  if (tiers.some((each) => each.flat_amount_decimal !== null))
    lines.push(flatLine(index + 1, tier, price.currency, rounding))
  return lines
}

function unitLine(
  kind: RatedLine['kind'],
  tier: number | null,
  quantity: bigint,
  charged: bigint,
  unitAmount: string,
  currency: string,
  rounding: LineRounding,
): RatedLine {
  return { kind, tier, quantity, unitAmount, amount: roundedLine(charged * pico(unitAmount), currency, rounding) }
}

function flatLine(
  tier: number,
  { flat_amount_decimal: flat }: RatedTier,
  currency: string,
  rounding: LineRounding,
): RatedLine {
  return {
    kind: 'flat',
    tier,
    quantity: 0n,
    unitAmount: flat ?? '0',
    amount: roundedLine(PICO * pico(flat ?? '0'), currency, rounding),
  }
}

/** A line's fraction of a minor unit goes to the nearest, half away from zero, or (one page of Stripe's) always up. */
export type LineRounding = 'nearest' | 'up'

/** The one place where an invoice line is rounded. Unit amount times quantity, both in units of 10^-12. */
export function roundedLine(picoSquared: bigint, currency: string, rounding: LineRounding = 'nearest'): bigint {
  const step = stepOf(currency)
  const unit = PICO * PICO * step
  if (rounding === 'nearest') return divideRounded(picoSquared, unit) * step
  return (picoSquared < 0n ? -divideCeil(-picoSquared, unit) : divideCeil(picoSquared, unit)) * step
}
