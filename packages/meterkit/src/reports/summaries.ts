import type { Pool } from 'pg'
import type { Stripe } from 'stripe'
import { firstRow } from '../database/database.ts'
import { add, compare, parseDecimal } from '../pricing/decimal.ts'
import type { OpenReport } from './store.ts'

const MINUTE_MS = 60_000

/**
 * Whether Stripe counted a report, read from its summary of the report's minute: what it has there is either what it
 * confirmed to us, or that and the reports in doubt.
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
  const ours = await firstRow<{ confirmed: string; others: string }>(
    pool,
    /* sql */ `
    select coalesce(sum(value) filter (where status = 'accepted'), 0) as confirmed,
      coalesce(sum(abs(value)) filter (where status in ('pending', 'unsure') and reports.id <> $5), 0) as others
    from billing.reports
    join billing.meters on meters.id = reports.meter
    where customer_id = $1 and event_name = $2 and reported_for >= $3 and reported_for < $4`,
    [report.customerId, report.meter, new Date(start), new Date(start + MINUTE_MS), report.id],
  )
  const confirmed = parseDecimal(ours!.confirmed)
  const clear = compare(parseDecimal(ours!.others), { digits: 0n, scale: 0 }) === 0
  if (clear && compare(theirs, add(confirmed, parseDecimal(report.value))) === 0) return 'delivered'
  if (compare(theirs, confirmed) === 0) return 'absent'
  return {
    explanation: `they show ${summaries.data[0]?.aggregated_value ?? 0} where ${ours!.confirmed} is confirmed and ${report.value} in doubt`,
  }
}

/** A summary is a JSON number; those of 15 digits or fewer print exactly, and never need an exponent between these bounds. */
function plain(value: number): string {
  const text = String(value)
  return text.includes('e') ? value.toFixed(12) : text
}
