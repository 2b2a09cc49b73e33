import type { Meter, Plan, PlanPrice } from 'meterkit'
import { formatAmount, formatQuantity, priceUsage, type Tier } from 'meterkit/pricing'

/** A plan as the panels show it, everything worked out and written as text. */
export interface Offer {
  key: string
  name: string
  description: string
  features: string[]
  mostPopular: boolean
  interval: PlanPrice['interval']
  trialDays: number | null
  prices: OfferedPrice[]
}

export interface OfferedPrice {
  /** `$0.05` */
  amount: string
  /** `per 1,000 tokens` */
  per: string
  /** `100,000 tokens → $5.00`; null for a flat price. */
  example: string | null
  /** One sentence a tier; empty where the price has none. */
  tiers: string[]
}

/** Packages in an example of usage; of the smallest package any plan has, so that all panels speak of the same usage. */
const EXAMPLE_PACKAGES = 100n

export function offersOf(plans: Plan[], meters: Meter[]): Offer[] {
  const unitOf = (meter: string) => meters.find(({ eventName }) => eventName === meter)?.unit ?? 'units'
  return plans.map((plan) => ({
    key: plan.key,
    name: plan.name,
    description: plan.description,
    features: plan.features,
    mostPopular: plan.mostPopular,
    interval: plan.prices[0]?.interval ?? 'month',
    trialDays: plan.trialDays,
    prices: plan.prices.map((price) =>
      price.meter === null
        ? flatPrice(price)
        : meteredPrice(price, unitOf(price.meter), exampleQuantity(plans, price.meter)),
    ),
  }))
}

/** @param usage  quantity by meter, plain decimals; a meter without an entry counts as unused */
export function costOf(plan: Plan, usage: Map<string, string>): bigint {
  return plan.prices.reduce((total, { meter, model, flatAmount }) => {
    if (meter === null || model === null) return total + (flatAmount ?? 0n)
    return total + priceUsage(model, usage.get(meter) ?? '0').amount
  }, 0n)
}

function flatPrice({ flatAmount, currency, interval }: PlanPrice): OfferedPrice {
  return { amount: formatAmount(flatAmount ?? 0n, currency), per: `per ${interval}`, example: null, tiers: [] }
}

function meteredPrice(price: PlanPrice, unit: string, quantity: string): OfferedPrice {
  const { model, currency } = price
  if (!model) return flatPrice(price)
  const cost = formatAmount(priceUsage(model, quantity).amount, currency)
  const example = `${formatQuantity(quantity)} ${unit} → ${cost}`
  switch (model.type) {
    case 'per_unit':
      return { amount: formatAmount(model.unitAmount, currency), per: `per ${one(unit)}`, example, tiers: [] }
    case 'package':
      return {
        amount: formatAmount(model.unitAmount, currency),
        per: `per ${formatQuantity(model.perUnits)} ${unit}`,
        example,
        tiers: [],
      }
    case 'graduated':
    case 'volume':
      return {
        amount: formatAmount(model.tiers[0]?.unitAmount ?? '0', currency),
        per: `per ${one(unit)} to begin with`,
        example,
        tiers: model.tiers.map((tier) => describeTier(tier, model.type, unit, currency)),
      }
  }
}

function describeTier(tier: Tier, type: 'graduated' | 'volume', unit: string, currency: string): string {
  const reach = tier.upTo === null ? 'Beyond' : `Up to ${formatQuantity(tier.upTo)} ${unit}`
  const each = tier.unitAmount === null ? null : `${formatAmount(tier.unitAmount, currency)} per ${one(unit)}`
  const flat = tier.flatAmount === null ? null : `${formatAmount(tier.flatAmount, currency)} flat`
  const price = [each, flat].filter(Boolean).join(' + ')
  return type === 'volume' ? `${reach}: ${price} for all of them` : `${reach}: ${price}`
}

function exampleQuantity(plans: Plan[], meter: string): string {
  const sizes = plans
    .flatMap(({ prices }) => prices)
    .filter((price) => price.meter === meter)
    .map(({ model }) => (model?.type === 'package' ? BigInt(model.perUnits) : 1n))
  return ((least(sizes) ?? 1n) * EXAMPLE_PACKAGES).toString()
}

/** Math.min knows no bigints. */
export function least(amounts: bigint[]): bigint | undefined {
  return amounts.toSorted((a, b) => (a < b ? -1 : 1))[0]
}

function one(unit: string): string {
  return unit.replace(/s$/, '')
}
