import type { Catalog } from '../plans/config.ts'
import { formatDecimal, parseDecimal, sum } from '../pricing/decimal.ts'
import type { UsageCell } from '../usage/store.ts'
import type { UpcomingCharges } from './charges.ts'
import { chargeLines, hasUsage, type PeriodSheet, total } from './period-sheet.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/**
 * What the period will have cost at its end: at the pace of the current segment so far, and, as a range, if the days
 * left are like the quieter half or like the busier half of the days so far.
 * @returns null in the first day of a segment and without usage, when there is nothing to go by
 */
export function project(sheet: PeriodSheet, catalog: Catalog, now: Date): UpcomingCharges['projection'] {
  const index = sheet.segments.length - 1
  const segment = sheet.segments[index]
  if (segment?.kind !== 'billable' || now >= segment.end) return null
  const elapsedMs = now.getTime() - segment.start.getTime()
  const cells = sheet.cells.filter((cell) => cell.segment === index)
  if (elapsedMs < DAY_MS || !hasUsage(cells)) return null
  const leftMs = segment.end.getTime() - now.getTime()

  const averages = dailyAverages(cells, Math.max(1, Math.round(elapsedMs / DAY_MS)))
  const ahead = (quantityPerMeter: Map<string, bigint>, perMs: number): UsageCell[] =>
    [...quantityPerMeter].map(([meter, quantity]) => ({
      segment: index,
      meter,
      date: now.toISOString().slice(0, 10),
      quantity: wholeQuantity((quantity * BigInt(leftMs)) / BigInt(perMs)),
      events: 0,
      lastEventAt: null,
      late: false,
    }))
  const costWith = (extra: UsageCell[]) => total(chargeLines(sheet, catalog, [...sheet.cells, ...extra]))

  const used = new Map(averages.map(({ meter, used }) => [meter, used]))
  const expected = ahead(used, elapsedMs)
  const amount = costWith(expected)
  const low = costWith(ahead(new Map(averages.map(({ meter, quiet }) => [meter, quiet])), DAY_MS))
  const high = costWith(ahead(new Map(averages.map(({ meter, busy }) => [meter, busy])), DAY_MS))
  const quantity = sum([...sheet.cells, ...expected].map((cell) => cell.quantity))
  return { amount, low: low < amount ? low : amount, high: high > amount ? high : amount, quantity }
}

/** Quantities scaled to whole 10⁻¹² of a unit. */
const SCALE = 12

function dailyAverages(
  cells: readonly UsageCell[],
  days: number,
): { meter: string; used: bigint; quiet: bigint; busy: bigint }[] {
  return [...new Set(cells.map((cell) => cell.meter))].map((meter) => {
    const perDay = new Map<string, bigint>()
    for (const cell of cells.filter((candidate) => candidate.meter === meter)) {
      const { digits, scale } = parseDecimal(cell.quantity)
      perDay.set(cell.date, (perDay.get(cell.date) ?? 0n) + digits * 10n ** BigInt(SCALE - scale))
    }
    const sorted = [...perDay.values(), ...Array<bigint>(Math.max(0, days - perDay.size)).fill(0n)].sort((a, b) =>
      a < b ? -1 : 1,
    )
    const half = Math.ceil(sorted.length / 2)
    return {
      meter,
      used: sorted.reduce((a, b) => a + b, 0n),
      quiet: average(sorted.slice(0, half)),
      busy: average(sorted.slice(-half)),
    }
  })
}

function average(values: readonly bigint[]): bigint {
  return values.reduce((a, b) => a + b, 0n) / BigInt(values.length)
}

/** A guess needs no fractions of a token. */
function wholeQuantity(scaled: bigint): string {
  const positive = scaled < 0n ? 0n : scaled
  return formatDecimal({ digits: positive / 10n ** BigInt(SCALE), scale: 0 })
}
