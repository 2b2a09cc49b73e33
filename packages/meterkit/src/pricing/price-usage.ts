import {
  add,
  compare,
  type Decimal,
  divideWhole,
  formatDecimal,
  multiply,
  parseDecimal,
  roundHalfAway,
  subtract,
} from './decimal.ts'

/**
 * How a quantity becomes money. Amounts are decimal strings in the currency's minor unit ("5" is five cents of a
 * dollar, "0.25" a quarter of one), quantities decimal strings in the meter's unit (tokens).
 * @see https://docs.stripe.com/products-prices/pricing-models
 */
export type PriceModel =
  | { type: 'per_unit'; unitAmount: string }
  | { type: 'package'; unitAmount: string; perUnits: string; round: 'up' | 'down' }
  | { type: 'graduated'; tiers: Tier[] }
  | { type: 'volume'; tiers: Tier[] }

/** `upTo` is inclusive; the last tier has none. Either amount may be missing, not both. */
export interface Tier {
  upTo: string | null
  unitAmount: string | null
  flatAmount: string | null
}

/** One line as Stripe's invoice has it, rounded by itself. */
export interface PricedLine {
  kind: 'usage' | 'flat'
  /** Raw usage of the line, not its packages; 0 on the line of a tier's flat amount. */
  quantity: string
  /** For packages: how many are charged. */
  packages: string | null
  /** Counted from 1; null where the price has no tiers. */
  tier: number | null
  unitAmount: string
  /** Minor units. */
  amount: bigint
}

export interface PricedUsage {
  lines: PricedLine[]
  /** The sum of the lines, minor units. */
  amount: bigint
}

const ZERO: Decimal = { digits: 0n, scale: 0 }

/**
 * What `quantity` costs, line by line. A negative total of a period counts as nothing, as at Stripe. Zero usage
 * costs nothing, except that the first tier's flat amount is always billed.
 * @see https://docs.stripe.com/subscriptions/pricing-models/tiered-pricing
 */
export function priceUsage(model: PriceModel, quantity: string): PricedUsage {
  const parsed = parseDecimal(quantity)
  const used = parsed.digits < 0n ? ZERO : parsed
  const lines = linesOf(model, used)
  return { lines, amount: lines.reduce((total, line) => total + line.amount, 0n) }
}

function linesOf(model: PriceModel, used: Decimal): PricedLine[] {
  switch (model.type) {
    case 'per_unit':
      return [usageLine(used, model.unitAmount, null)]
    case 'package':
      return [packageLine(model, used)]
    case 'graduated':
      return graduatedLines(model.tiers, used)
    case 'volume':
      return volumeLines(model.tiers, used)
  }
}

function packageLine(model: Extract<PriceModel, { type: 'package' }>, used: Decimal): PricedLine {
  const packages = divideWhole(used, parseDecimal(model.perUnits), model.round)
  const amount = roundHalfAway(multiply({ digits: packages, scale: 0 }, parseDecimal(model.unitAmount)))
  return {
    kind: 'usage',
    quantity: formatDecimal(used),
    packages: packages.toString(),
    tier: null,
    unitAmount: model.unitAmount,
    amount,
  }
}

function graduatedLines(tiers: Tier[], used: Decimal): PricedLine[] {
  const hasFlat = tiers.some((tier) => tier.flatAmount !== null)
  const lines: PricedLine[] = []
  let from = ZERO
  for (const [index, tier] of tiers.entries()) {
    if (index > 0 && compare(used, from) <= 0) break
    const to = tier.upTo === null ? used : smaller(used, parseDecimal(tier.upTo))
    lines.push(usageLine(subtract(to, from), tier.unitAmount ?? '0', index + 1))
    if (hasFlat) lines.push(flatLine(tier.flatAmount ?? '0', index + 1))
    from = to
    if (tier.upTo === null) break
    from = parseDecimal(tier.upTo)
  }
  return lines
}

function volumeLines(tiers: Tier[], used: Decimal): PricedLine[] {
  const index = tiers.findIndex((tier) => tier.upTo === null || compare(used, parseDecimal(tier.upTo)) <= 0)
  const tier = tiers[index]
  if (!tier) throw new RangeError('the last tier of a price must have no upper bound')
  const usage = usageLine(used, tier.unitAmount ?? '0', index + 1)
  return tier.flatAmount === null ? [usage] : [usage, flatLine(tier.flatAmount, index + 1)]
}

function usageLine(quantity: Decimal, unitAmount: string, tier: number | null): PricedLine {
  const amount = roundHalfAway(multiply(quantity, parseDecimal(unitAmount)))
  return { kind: 'usage', quantity: formatDecimal(add(quantity, ZERO)), packages: null, tier, unitAmount, amount }
}

function flatLine(flatAmount: string, tier: number): PricedLine {
  const amount = roundHalfAway(parseDecimal(flatAmount))
  return { kind: 'flat', quantity: '0', packages: null, tier, unitAmount: flatAmount, amount }
}

function smaller(a: Decimal, b: Decimal): Decimal {
  return compare(a, b) <= 0 ? a : b
}
