import { MeterkitError } from '../errors.ts'
import { compare, parseDecimal } from '../pricing/decimal.ts'
import type { PriceModel } from '../pricing/price-usage.ts'

/**
 * How a meter's events add up. Both are reported to Stripe as sums: a count is a sum of ones, so that one
 * report can carry any number of events.
 */
export type Aggregation = 'sum' | 'count'

export interface MeterConfig {
  displayName: string
  /** Default `sum`. */
  aggregation?: Aggregation
  /** What is counted, in the plural: "tokens". Default "units". */
  unit?: string
}

export interface TierConfig {
  /** The last unit of the tier, inclusive; `'inf'` for the last tier. */
  upTo: number | 'inf'
  /** Minor units per unit of usage. */
  unitAmount?: number | string
  /** Minor units, once the tier is reached. */
  flatAmount?: number | string
}

/** Amounts are in the currency's minor unit (cents); a string allows up to 12 decimals: `'0.0125'`. */
export type PriceConfig<Meter extends string = string> = {
  /** Default `usd`. */
  currency?: string
  /** Default `month`. */
  interval?: 'day' | 'week' | 'month' | 'year'
} & (
  | {
      meter: Meter
      unitAmount: number | string
      /** The amount buys this many units; default 1. */
      perUnits?: number
      /** What a package begun but not used up costs: `up` (default) charges it whole, `down` not at all. */
      round?: 'up' | 'down'
    }
  | { meter: Meter; tiersMode: 'graduated' | 'volume'; tiers: TierConfig[] }
  /** A flat recurring amount beside the metered prices. */
  | { flatAmount: number }
)

export interface PlanConfig<Meter extends string = string> {
  name: string
  description?: string
  features?: string[]
  mostPopular?: boolean
  /** Only for plans without metered prices: Stripe's trials give usage away. */
  trialDays?: number
  prices: PriceConfig<Meter>[]
}

export interface BillingConfig<Meter extends string = string, Plan extends string = string> {
  meters: Record<Meter, MeterConfig>
  plans: Record<Plan, PlanConfig<NoInfer<Meter>>>
}

export interface Meter {
  /** Small and stable; the database's own number. 0 until the database has been started once. */
  id: number
  /** Also the event name at Stripe. */
  eventName: string
  displayName: string
  aggregation: Aggregation
  unit: string
}

export interface PlanPrice {
  /** How the price is found again at Stripe, e.g. `essential_ai_tokens_month`. */
  lookupKey: string
  /** Event name; null for a flat price. */
  meter: string | null
  currency: string
  interval: 'day' | 'week' | 'month' | 'year'
  /** Null for a flat price. */
  model: PriceModel | null
  /** Minor units; null for a metered price. */
  flatAmount: bigint | null
}

export interface Plan {
  key: string
  name: string
  description: string
  features: string[]
  mostPopular: boolean
  trialDays: number | null
  prices: PlanPrice[]
}

/** The checked form of a config, which everything else reads. */
export interface Catalog {
  meters: Map<string, Meter>
  plans: Map<string, Plan>
}

/**
 * Keeps the literal names of meters and plans, so that `recordEvent({ meter: 'ai_tokns' })` does not compile.
 * Checks nothing yet: `createMeterkit` does, and `catalogOf` by itself.
 */
export function defineBilling<const Meter extends string, const Plan extends string>(
  config: BillingConfig<Meter, Plan>,
): BillingConfig<Meter, Plan> {
  return config
}

/** @throws MeterkitError `invalid_config` or `invalid_price`, naming the plan and the field. */
export function catalogOf(config: BillingConfig): Catalog {
  const meters = new Map(Object.entries(config.meters).map(([name, meter]) => [name, checkedMeter(name, meter)]))
  const plans = new Map(Object.entries(config.plans).map(([key, plan]) => [key, checkedPlan(key, plan, meters)]))
  const popular = [...plans.values()].filter((plan) => plan.mostPopular)
  if (popular.length > 1) {
    refuse('mostPopular', popular.map((plan) => plan.key).join(', '), 'marks more than one plan; mark one at most')
  }
  return { meters, plans }
}

function checkedMeter(eventName: string, { displayName, aggregation = 'sum', unit = 'units' }: MeterConfig): Meter {
  const field = `meters.${eventName}`
  if (!/^[a-z][a-z0-9_]{0,99}$/.test(eventName)) {
    refuse(field, eventName, 'must be a name of 1 to 100 lower-case letters, digits and underscores')
  }
  if (!displayName) refuse(`${field}.displayName`, displayName, 'must not be empty')
  if (aggregation !== 'sum' && aggregation !== 'count') {
    refuse(`${field}.aggregation`, aggregation, 'must be "sum" or "count"')
  }
  return { id: 0, eventName, displayName, aggregation, unit }
}

function checkedPlan(key: string, plan: PlanConfig, meters: Map<string, Meter>): Plan {
  const field = `plans.${key}`
  if (!/^[a-z][a-z0-9_-]{0,39}$/.test(key)) {
    refuse(field, key, 'must be a key of 1 to 40 lower-case letters, digits, dashes and underscores')
  }
  if (!plan.name) refuse(`${field}.name`, plan.name, 'must not be empty')
  if (plan.prices.length === 0) refuse(`${field}.prices`, '[]', 'needs at least one price')
  const prices = plan.prices.map((price, index) => checkedPrice(`${field}.prices[${index}]`, key, price, meters))
  refuseRepeats(field, prices)
  if (plan.trialDays !== undefined) checkTrial(field, plan.trialDays, prices)
  return {
    key,
    name: plan.name,
    description: plan.description ?? '',
    features: plan.features ?? [],
    mostPopular: plan.mostPopular ?? false,
    trialDays: plan.trialDays ?? null,
    prices,
  }
}

function checkTrial(field: string, trialDays: number, prices: PlanPrice[]): void {
  if (!Number.isInteger(trialDays) || trialDays < 1 || trialDays > 730) {
    refuse(`${field}.trialDays`, trialDays, 'must be a whole number from 1 to 730')
  }
  if (prices.some((price) => price.meter !== null)) {
    const rule = 'cannot be honoured on a metered plan: usage in a trial is free and without limit. Remove trialDays'
    refuse(`${field}.trialDays`, trialDays, rule)
  }
}

/** Stripe would bill the customer's whole usage once for each item on the same meter. */
function refuseRepeats(field: string, prices: PlanPrice[]): void {
  const seen = new Set<string>()
  for (const { lookupKey, meter } of prices) {
    if (seen.has(lookupKey))
      refuse(`${field}.prices`, meter ?? 'flat', 'has two prices for the same meter and interval')
    seen.add(lookupKey)
  }
  if (new Set(prices.map((price) => price.currency)).size > 1) {
    refuse(`${field}.prices`, prices.map((price) => price.currency).join(', '), 'must all be in one currency')
  }
}

function checkedPrice(field: string, plan: string, price: PriceConfig, meters: Map<string, Meter>): PlanPrice {
  const currency = price.currency ?? 'usd'
  const interval = price.interval ?? 'month'
  if (!/^[a-z]{3}$/.test(currency))
    refuse(`${field}.currency`, currency, 'must be three lower-case letters, e.g. "usd"')
  if ('flatAmount' in price) {
    const flatAmount = BigInt(positive(`${field}.flatAmount`, price.flatAmount, 0))
    return { lookupKey: `${plan}_flat_${interval}`, meter: null, currency, interval, model: null, flatAmount }
  }
  const { meter } = price
  if (!meters.has(meter)) {
    const known = [...meters.keys()].join(', ')
    refusePrice(`${field}.meter`, meter, `is not a meter of this config. Its meters: ${known}`)
  }
  const model = 'tiers' in price ? tieredModel(field, price.tiersMode, price.tiers) : unitModel(field, price)
  return { lookupKey: `${plan}_${meter}_${interval}`, meter, currency, interval, model, flatAmount: null }
}

function unitModel(
  field: string,
  price: { unitAmount: number | string; perUnits?: number; round?: 'up' | 'down' },
): PriceModel {
  const unitAmount = positive(`${field}.unitAmount`, price.unitAmount, 12)
  const { perUnits = 1, round = 'up' } = price
  if (!Number.isSafeInteger(perUnits) || perUnits < 1) {
    refusePrice(`${field}.perUnits`, perUnits, 'must be a whole number of 1 or more')
  }
  if (perUnits === 1) return { type: 'per_unit', unitAmount }
  return { type: 'package', unitAmount, perUnits: String(perUnits), round }
}

function tieredModel(field: string, tiersMode: 'graduated' | 'volume', tiers: TierConfig[]): PriceModel {
  let previous = '0'
  const checked = tiers.map((tier, index) => {
    const at = `${field}.tiers[${index}]`
    const last = index === tiers.length - 1
    if (last !== (tier.upTo === 'inf'))
      refusePrice(`${at}.upTo`, tier.upTo, `must be "inf" on the last tier, and only there`)
    const upTo = tier.upTo === 'inf' ? null : String(tier.upTo)
    if (upTo !== null && (!/^\d+$/.test(upTo) || compare(parseDecimal(upTo), parseDecimal(previous)) <= 0)) {
      refusePrice(`${at}.upTo`, tier.upTo, 'must be a whole number above the tier before')
    }
    previous = upTo ?? previous
    const unitAmount = tier.unitAmount === undefined ? null : notNegative(`${at}.unitAmount`, tier.unitAmount, 12)
    const flatAmount = tier.flatAmount === undefined ? null : notNegative(`${at}.flatAmount`, tier.flatAmount, 12)
    if (unitAmount === null && flatAmount === null) refusePrice(at, '{}', 'needs a unitAmount, a flatAmount or both')
    return { upTo, unitAmount, flatAmount }
  })
  if (checked.length === 0) refusePrice(`${field}.tiers`, '[]', 'needs at least one tier')
  return { type: tiersMode, tiers: checked }
}

function positive(field: string, amount: number | string, decimals: number): string {
  const text = notNegative(field, amount, decimals)
  if (parseDecimal(text).digits === 0n) refusePrice(field, amount, 'must be more than 0')
  return text
}

function notNegative(field: string, amount: number | string, decimals: number): string {
  if (typeof amount === 'number' && !Number.isSafeInteger(amount)) {
    refusePrice(field, amount, `must be a whole number of minor units (cents), or a string such as "0.0125"`)
  }
  const text = String(amount)
  const fraction = /^\d+(?:\.(\d+))?$/.exec(text)
  if (!fraction || (fraction[1]?.length ?? 0) > decimals) {
    refusePrice(field, amount, `must be an amount of 0 or more in minor units with at most ${decimals} decimals`)
  }
  return text
}

function refuse(field: string, value: unknown, rule: string): never {
  throw new MeterkitError('invalid_config', `billing config: ${field} (${JSON.stringify(value)}) ${rule}.`, {
    field,
    value,
  })
}

function refusePrice(field: string, value: unknown, rule: string): never {
  throw new MeterkitError('invalid_price', `billing config: ${field} (${JSON.stringify(value)}) ${rule}.`, {
    field,
    value,
  })
}
