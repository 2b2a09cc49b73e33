import { type Amount, formatMoney } from './money.ts'
import { formatQuantity } from './quantity.ts'

export interface UsageDay {
  /** UTC, `2026-11-24`. */
  date: string
  quantity: Amount
  /** What the period cost at the end of this day, minor units. */
  amount: Amount
}

export interface Projection {
  /** At the period's end, minor units. */
  amount: Amount
  low: Amount
  high: Amount
}

export interface ChartDay {
  date: string
  /** For heights only; the exact values stay in `day`. */
  quantity: number
  /** Null on days that have not come. */
  cost: number | null
  day: UsageDay | null
}

const dayMs = 86_400_000

/** Every day of the period from its first to its last, those without usage and those to come as well. */
export function daysOfPeriod(days: readonly UsageDay[], period: { start: Date; end: Date } | null): ChartDay[] {
  const known = new Map(days.map((day) => [day.date, day]))
  const dates = [...known.keys()].sort()
  const latest = dates.at(-1)
  let cost = 0
  return datesBetween(period, dates).map((date) => {
    const day = known.get(date) ?? null
    if (day) cost = Number(day.amount)
    return { date, quantity: day ? Number(day.quantity) : 0, cost: latest && date <= latest ? cost : null, day }
  })
}

function datesBetween(period: { start: Date; end: Date } | null, dates: string[]): string[] {
  const first = period ? isoDate(period.start) : dates[0]
  // The end is exclusive: a period that ends at midnight does not touch that day.
  const last = period ? isoDate(new Date(period.end.getTime() - 1)) : dates.at(-1)
  if (!first || !last) return []
  const start = Date.parse(first)
  const count = Math.max(Math.round((Date.parse(last) - start) / dayMs) + 1, 0)
  return Array.from({ length: count }, (_, index) => isoDate(new Date(start + index * dayMs)))
}

/** The chart in words. */
export function describeUsage(
  days: readonly UsageDay[],
  { unit, currency, projection }: { unit: string; currency: string; projection: Projection | null },
): string {
  const used = days.filter(({ quantity }) => Number(quantity) > 0)
  const latest = days.at(-1)
  if (used.length === 0 || !latest) return 'No usage in this period yet.'
  const most = used.reduce((best, day) => (Number(day.quantity) > Number(best.quantity) ? day : best))
  const sentences = [
    `Usage on ${used.length} ${used.length === 1 ? 'day' : 'days'}; most on ${shortDate(most.date)} with ${formatQuantity(most.quantity, unit)}.`,
    `Cost so far ${formatMoney(latest.amount, currency)}.`,
  ]
  if (projection) {
    const [low, high] = [formatMoney(projection.low, currency), formatMoney(projection.high, currency)]
    const range = low === high ? '' : `, between ${low} and ${high}`
    sentences.push(`At this pace ${formatMoney(projection.amount, currency)} at the period's end${range}.`)
  }
  return sentences.join(' ')
}

/** `Nov 24`, of a UTC date. */
export function shortDate(date: string): string {
  return shortDateFormat.format(new Date(`${date}T00:00:00Z`))
}

const shortDateFormat = new Intl.DateTimeFormat('en-US', { month: 'short', day: 'numeric', timeZone: 'UTC' })

function isoDate(at: Date): string {
  return at.toISOString().slice(0, 10)
}
