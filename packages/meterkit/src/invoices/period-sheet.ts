import { balanceOf } from '../customers/store.ts'
import type { Database } from '../database/database.ts'
import type { Catalog } from '../plans/config.ts'
import { getPrices } from '../plans/prices.ts'
import { compare, parseDecimal, sum } from '../pricing/decimal.ts'
import { describeLine, formatAmount, formatQuantity } from '../pricing/describe.ts'
import { priceUsage } from '../pricing/price-usage.ts'
import { creditsOf, type PeriodCredit } from '../reports/credit.ts'
import { plannedReports } from '../reports/write.ts'
import { segmentsIn } from '../subscriptions/segments.ts'
import { segmentsOf } from '../subscriptions/store.ts'
import type { Period, Price, Segment, Subscription } from '../subscriptions/subscription.ts'
import { type UsageCell, usageCells } from '../usage/store.ts'
import type { ChargeLine } from './charges.ts'

/** A period laid out for pricing: its segments, their prices and what was used in each. */
export interface PeriodSheet {
  subscription: Subscription
  period: Period
  segments: (Segment & { end: Date })[]
  prices: Map<string, Price>
  cells: UsageCell[]
  credits: PeriodCredit[]
  currency: string
  /** Minor units on the customer's balance at Stripe; owed is positive. */
  carried: bigint
}

export async function periodSheet(db: Database, subscription: Subscription, now: Date): Promise<PeriodSheet | null> {
  const period = subscription.currentPeriod
  if (!period) return null
  const all = (await segmentsOf(db, subscription.customerId, [subscription.id])).get(subscription.id)!
  const segments = segmentsIn(all, period)
  const ids = [...subscription.items, ...segments.flatMap((segment) => segment.items)].map((item) => item.stripePriceId)
  const prices = await getPrices(db, [...new Set(ids)])
  const planned = await plannedReports(db, subscription.customerId, now)
  const cells = await usageCells(db, subscription, all, period, planned)
  const credits = await creditsOf(db, { ...subscription, subscriptionId: subscription.id, period }, planned)
  const carried = await balanceOf(db, subscription.customerId)
  return {
    subscription,
    period,
    segments,
    prices,
    cells,
    credits,
    currency: [...prices.values()][0]?.currency ?? 'usd',
    carried,
  }
}

/** Segment by segment, price by price; ended segments without usage are left out, as on Stripe's invoice. */
export function chargeLines(sheet: PeriodSheet, catalog: Catalog, cells: readonly UsageCell[]): ChargeLine[] {
  const { segments, period } = sheet
  const metered = segments.flatMap((segment, index) => {
    const current = segment.end.getTime() === period.end.getTime()
    const ofSegment = cells.filter((cell) => cell.segment === index)
    return segment.items.flatMap((item) => {
      const price = sheet.prices.get(item.stripePriceId)
      if (!price?.model || !price.meter) return []
      const used = ofSegment.filter((cell) => cell.meter === price.meter)
      if (used.length === 0 && !current) return []
      return segmentLines(catalog, price, segment, { current, used })
    })
  })
  return [...metered, ...flatLines(sheet, catalog)]
}

function segmentLines(
  catalog: Catalog,
  price: Price,
  segment: Segment & { end: Date },
  { current, used }: { current: boolean; used: UsageCell[] },
): ChargeLine[] {
  const model = price.model!
  const meter = catalog.meters.get(price.meter!)
  const unit = meter?.unit ?? 'units'
  const quantity = sum(used.map((cell) => cell.quantity))
  const common = {
    plan: price.plan,
    planName: planName(catalog, price),
    meter: price.meter,
    meterName: meter?.displayName ?? price.meter!,
    unit,
    segment: { start: segment.start, end: segment.end },
    current,
    lateQuantity: sum(used.filter((cell) => cell.late).map((cell) => cell.quantity)),
    perUnits: model.type === 'package' ? model.perUnits : null,
    credit: false,
  }
  if (segment.kind === 'free') {
    const formula = `${formatQuantity(quantity)} ${unit} in the trial → free`
    return [{ ...common, quantity, packages: null, unitAmount: '0', formula, amount: 0n }]
  }
  return priceUsage(model, quantity).lines.map((line) => ({
    ...common,
    quantity: line.quantity,
    packages: line.packages,
    unitAmount: line.unitAmount,
    formula: describeLine(model, line, unit, price.currency),
    amount: line.amount,
  }))
}

/** Flat amounts are paid ahead: the coming invoice has those of the period to come, unless there is none. */
export function flatLines({ subscription, prices, period }: PeriodSheet, catalog: Catalog): ChargeLine[] {
  if (subscription.cancelAtPeriodEnd || (subscription.cancelAt && subscription.cancelAt <= period.end)) return []
  return subscription.items.flatMap((item) => {
    const price = prices.get(item.stripePriceId)
    if (!price || price.flatAmount === null) return []
    return {
      plan: price.plan,
      planName: planName(catalog, price),
      meter: null,
      meterName: planName(catalog, price),
      unit: '',
      segment: period,
      current: true,
      quantity: '1',
      lateQuantity: '0',
      packages: null,
      perUnits: null,
      unitAmount: price.flatAmount.toString(),
      formula: `${planName(catalog, price)}, the coming ${price.interval}: ${formatAmount(price.flatAmount, price.currency)}`,
      amount: price.flatAmount,
      credit: false,
    }
  })
}

/** Each credit is an item of its own on the invoice. */
export function creditLines({ subscription, credits, period, currency }: PeriodSheet, catalog: Catalog): ChargeLine[] {
  return credits.map(({ meter, since, value, amount }) => {
    const { displayName = meter, unit = 'units' } = catalog.meters.get(meter) ?? {}
    const taken = formatQuantity(value.replace('-', ''))
    return {
      plan: subscription.plan,
      planName: 'Credit',
      meter,
      meterName: displayName,
      unit,
      segment: period,
      current: false,
      quantity: value,
      lateQuantity: '0',
      packages: null,
      perUnits: null,
      unitAmount: '0',
      formula: `${taken} ${unit} of ${since.toISOString().slice(0, 10)} taken back → ${formatAmount(amount, currency)}`,
      amount,
      credit: true,
    }
  })
}

export function total(lines: readonly ChargeLine[]): bigint {
  return lines.reduce((amount, line) => amount + line.amount, 0n)
}

function planName(catalog: Catalog, { plan, lookupKey, stripeId }: Price): string {
  return (plan && catalog.plans.get(plan)?.name) ?? lookupKey ?? stripeId
}

export function hasUsage(cells: readonly UsageCell[]): boolean {
  return cells.some((cell) => compare(parseDecimal(cell.quantity), { digits: 0n, scale: 0 }) > 0)
}
