import type { Catalog } from '../plans/config.ts'
import { sum } from '../pricing/decimal.ts'
import { minimumCharge } from '../pricing/money.ts'
import type { DayUsage } from '../usage/usage.ts'
import type { UpcomingCharges } from './charges.ts'
import { chargeLines, creditLines, flatLines, type PeriodSheet, total } from './period-sheet.ts'
import { project } from './projection.ts'

/** What the current period would cost now, segment by segment as Stripe will invoice it. */
export function upcomingCharges(sheet: PeriodSheet, catalog: Catalog, now: Date): UpcomingCharges {
  const { subscription, period, currency } = sheet
  const credits = creditLines(sheet, catalog)
  const lines = [...chargeLines(sheet, catalog, sheet.cells), ...credits]
  const amount = total(lines)
  const minimum = minimumCharge(currency)
  const due = amount + sheet.carried
  return {
    subscriptionId: subscription.id,
    currency,
    period,
    asOf: now,
    lines,
    amount,
    carried: sheet.carried,
    belowMinimum: minimum !== null && due > 0n && due < minimum ? minimum : null,
    days: days(sheet, catalog, now),
    projection: withCredits(project(sheet, catalog, now), total(credits)),
  }
}

function withCredits(projection: UpcomingCharges['projection'], credit: bigint): UpcomingCharges['projection'] {
  if (!projection) return null
  const { amount, low, high } = projection
  return { ...projection, amount: amount + credit, low: low + credit, high: high + credit }
}

/** Each day of the period so far: its usage, and what the period had cost by its end. */
function days(sheet: PeriodSheet, catalog: Catalog, now: Date): DayUsage[] {
  const flat = total(flatLines(sheet, catalog))
  const listed: DayUsage[] = []
  for (const date of datesBetween(
    sheet.period.start,
    now < sheet.period.end ? now : new Date(sheet.period.end.getTime() - 1),
  )) {
    const soFar = sheet.cells.filter((cell) => cell.date <= date)
    const quantity = sum(sheet.cells.filter((cell) => cell.date === date).map((cell) => cell.quantity))
    listed.push({ date, quantity, amountSoFar: total(chargeLines(sheet, catalog, soFar)) - flat })
  }
  return listed
}

function datesBetween(first: Date, last: Date): string[] {
  const dates: string[] = []
  const end = last.toISOString().slice(0, 10)
  for (let at = first.getTime(); dates.at(-1) !== end && dates.length < 400; at += 24 * 60 * 60 * 1000) {
    const date = new Date(at).toISOString().slice(0, 10)
    if (date > end) break
    dates.push(date)
  }
  if (dates.at(-1) !== end && last >= first) dates.push(end)
  return dates
}
