import type { Pool } from 'pg'
import type { Stripe } from 'stripe'
import { firstRow } from '../database/database.ts'
import { add, compare, type Decimal, formatDecimal, parseDecimal } from '../pricing/decimal.ts'
import type { OpenReport } from './store.ts'

const MINUTE_MS = 60_000
/** Others in doubt in the same minute; each doubles the sums to be tried. */
const IN_DOUBT_MAX = 12

/**
 * Whether Stripe counted a report, read from its summary of the report's minute: what it has there is what it
 * confirmed to us and some of the reports in doubt. Where every way to reach its number agrees on this report, that is
 * what became of it.
 * @see https://docs.stripe.com/api/billing/meter-event-summary/list
 */
export async function summarizedReport(
  {
    pool,
    stripe,
    meterStripeId,
  }: { pool: Pool; stripe: Stripe; meterStripeId: (eventName: string) => Promise<string> },
  report: OpenReport,
  stripeCustomerId: string,
): Promise<'delivered' | 'absent' | { explanation: string }> {
  const start = Math.floor(report.timestamp.getTime() / MINUTE_MS) * MINUTE_MS
  const summaries = await stripe.billing.meters.listEventSummaries(await meterStripeId(report.meter), {
    customer: stripeCustomerId,
    start_time: start / 1000,
    end_time: (start + MINUTE_MS) / 1000,
  })
  const theirs = parseDecimal(plain(summaries.data[0]?.aggregated_value ?? 0))
  const ours = await firstRow<{ confirmed: string; others: string[] }>(
    pool,
    /* sql */ `
    select coalesce(sum(value) filter (where status = 'accepted'), 0) as confirmed,
      coalesce(array_agg(value::text) filter (
        where status in ('pending', 'unsure') and first_attempt_at is not null and reports.id <> $5
      ), '{}') as others
    from billing.reports
    join billing.meters on meters.id = reports.meter
    where customer_id = $1 and event_name = $2 and reported_for >= $3 and reported_for < $4`,
    [report.customerId, report.meter, new Date(start), new Date(start + MINUTE_MS), report.id],
  )
  const confirmed = parseDecimal(ours!.confirmed)
  const possible = ours!.others.length <= IN_DOUBT_MAX ? sumsOf(confirmed, ours!.others.map(parseDecimal)) : []
  const without = possible.some((sum) => compare(theirs, sum) === 0)
  const within = possible.some((sum) => compare(theirs, add(sum, parseDecimal(report.value))) === 0)
  if (within && !without) return 'delivered'
  if (without && !within) return 'absent'
  const shown = formatDecimal(theirs)
  return { explanation: `they show ${shown} where ${ours!.confirmed} is confirmed and ${report.value} in doubt` }
}

/** Every sum that some of the reports in doubt, added to what is confirmed, could make. */
function sumsOf(confirmed: Decimal, inDoubt: readonly Decimal[]): Decimal[] {
  const sums = [confirmed]
  for (const value of inDoubt) sums.push(...sums.map((sum) => add(sum, value)))
  return sums
}

/** A summary is a JSON number; those of 15 digits or fewer print exactly, and never need an exponent between these bounds. */
function plain(value: number): string {
  const text = String(value)
  return text.includes('e') ? value.toFixed(12) : text
}
