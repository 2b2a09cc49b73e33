import type { Pool } from 'pg'
import type { Stripe } from 'stripe'
import { type Database, firstRow } from '../database/database.ts'
import { type Decimal, formatDecimal, parseDecimal, subtract, sum } from '../pricing/decimal.ts'
import type { OpenReport } from './store.ts'

export const MINUTE_MS = 60_000
/** Reports of one minute that may or may not be there; each doubles the sums to be tried, in two halves. */
const IN_DOUBT_MAX = 32
/** A double carries no more. */
const SIGNIFICANT_DIGITS = 15

export interface SummaryContext {
  stripe: Stripe
  meterStripeId: (eventName: string) => Promise<string>
}

/** What Stripe counted for a customer, of one meter: in the whole span, or by the windows that have usage. */
export interface SummarySpan {
  meter: string
  stripeCustomerId: string
  /** Inclusive; minutes, or hours or UTC days where it is cut by them. */
  start: Date
  end: Date
  window?: 'hour' | 'day'
}

/**
 * One page of Stripe's summaries. They are doubles and eventually consistent: what is not there may come yet.
 * @param after  the last id of the page before
 * @see https://docs.stripe.com/api/billing/meter-event-summary/list
 */
export async function summaryPage(
  { stripe, meterStripeId }: SummaryContext,
  { meter, stripeCustomerId, start, end, window }: SummarySpan,
  after: string | null = null,
): Promise<{ rows: { id: string; start: Date; quantity: string }[]; hasMore: boolean }> {
  const page = await stripe.billing.meters.listEventSummaries(await meterStripeId(meter), {
    customer: stripeCustomerId,
    start_time: start.getTime() / 1000,
    end_time: end.getTime() / 1000,
    ...(window ? { value_grouping_window: window, limit: 100 } : {}),
    ...(after ? { starting_after: after } : {}),
  })
  const rows = page.data.map((summary) => ({
    id: summary.id,
    start: new Date(summary.start_time * 1000),
    quantity: plain(summary.aggregated_value),
  }))
  return { rows, hasMore: page.has_more }
}

/** What Stripe counted in a whole span: it may answer a span without usage by nothing, or by 0. */
export async function spanSummary(
  context: SummaryContext,
  { meter, stripeCustomerId, start, end }: Omit<SummarySpan, 'window'>,
): Promise<string> {
  const { rows } = await summaryPage(context, { meter, stripeCustomerId, start, end })
  return rows[0]?.quantity ?? '0'
}

/** What Stripe counted in the minute that begins at `start`. */
export function minuteSummary(context: SummaryContext, span: Omit<SummarySpan, 'window' | 'end'>): Promise<string> {
  return spanSummary(context, { ...span, end: new Date(span.start.getTime() + MINUTE_MS) })
}

/**
 * Whether Stripe counted a report, read from its summary of the report's minute: what it has there is what it
 * confirmed to us and some of the reports in doubt. Where every way to reach its number agrees on this report, that is
 * what became of it.
 */
export async function summarizedReport(
  { pool, ...context }: SummaryContext & { pool: Pool },
  report: OpenReport,
  stripeCustomerId: string,
): Promise<'delivered' | 'absent' | { explanation: string }> {
  const start = minuteOf(report.timestamp)
  const theirs = await minuteSummary(context, { meter: report.meter, stripeCustomerId, start })
  const ours = await firstRow<{ confirmed: string; others: string[] }>(
    pool,
    /* sql */ `
    select coalesce(sum(value) filter (where status = 'accepted' or unbilled), 0) as confirmed,
      coalesce(array_agg(value::text) filter (
        where status in ('pending', 'unsure') and first_attempt_at is not null and reports.id <> $5
      ), '{}') as others
    from billing.reports
    join billing.meters on meters.id = reports.meter
    where customer_id = $1 and event_name = $2 and kind = 'usage' and reported_for >= $3 and reported_for < $4`,
    [report.customerId, report.meter, start, new Date(start.getTime() + MINUTE_MS), report.id],
  )
  const [verdict] = verdicts({ theirs, certain: ours!.confirmed, inDoubt: [report.value, ...ours!.others] }) ?? []
  if (verdict === 'delivered' || verdict === 'absent') return verdict
  return { explanation: `they show ${theirs} where ${ours!.confirmed} is confirmed and ${report.value} in doubt` }
}

/** When the last report of a report's minute was sent, of those that may be in Stripe's summary of it; this one among them. */
export async function lastSentInMinute(db: Database, report: OpenReport): Promise<Date | null> {
  const start = minuteOf(report.timestamp)
  const row = await firstRow<{ at: Date | null }>(
    db,
    /* sql */ `
    select max(last_attempt_at) as at from billing.reports join billing.meters on meters.id = reports.meter
    where customer_id = $1 and event_name = $2 and kind = 'usage' and reported_for >= $3 and reported_for < $4`,
    [report.customerId, report.meter, start, new Date(start.getTime() + MINUTE_MS)],
  )
  return row?.at ?? null
}

export function minuteOf(timestamp: Date): Date {
  return new Date(Math.floor(timestamp.getTime() / MINUTE_MS) * MINUTE_MS)
}

/** `unclear`: some ways to reach Stripe's number have it, and some do not. */
export type Verdict = 'delivered' | 'absent' | 'unclear'

/**
 * What became of each value in doubt, given Stripe's sum: in every way to reach it by the certain part and some of those
 * in doubt, in none, or in some. Null where there is no way at all, or too many values to tell.
 */
export function verdicts({
  theirs,
  certain,
  inDoubt,
}: {
  theirs: string
  certain: string
  inDoubt: readonly string[]
}): Verdict[] | null {
  const wanted = formatDecimal(subtract(parseDecimal(theirs), parseDecimal(certain)))
  if (inDoubt.length > IN_DOUBT_MAX) return allOrNothing(wanted, inDoubt)
  const scale = Math.max(...[wanted, ...inDoubt].map((text) => parseDecimal(text).scale))
  const [target, ...values] = [wanted, ...inDoubt].map((text) => wholeOf(parseDecimal(text), scale))
  const half = Math.ceil(values.length / 2)
  const [first, second] = [waysOf(values.slice(0, half)), waysOf(values.slice(half))]
  let always: number[] | null = null
  let ever = [0, 0]
  for (const [sumOfSecond, b] of second) {
    const a = first.get(target! - sumOfSecond)
    if (!a) continue
    always = always ? [always[0]! & a.always, always[1]! & b.always] : [a.always, b.always]
    ever = [ever[0]! | a.ever, ever[1]! | b.ever]
  }
  if (!always) return null
  return values.map((_, index) => {
    const [part, bit] = index < half ? [0, 1 << index] : [1, 1 << (index - half)]
    if (always[part]! & bit) return 'delivered'
    return ever[part]! & bit ? 'unclear' : 'absent'
  })
}

/** Of values that are all positive, zero means none of them and the whole sum all. */
function allOrNothing(wanted: string, values: readonly string[]): Verdict[] | null {
  if (values.some((value) => parseDecimal(value).digits <= 0n)) return null
  if (wanted === '0') return values.map(() => 'absent')
  return wanted === sum(values) ? values.map(() => 'delivered') : null
}

/** Every sum that some of the values make: which of them are in each way to make it, and which in any (bit by bit). */
function waysOf(values: readonly bigint[]): Map<bigint, { always: number; ever: number }> {
  const ways = new Map([[0n, { always: 0, ever: 0 }]])
  for (const [index, value] of values.entries()) {
    const bit = 1 << index
    for (const [before, way] of [...ways]) {
      const total = before + value
      const added = { always: way.always | bit, ever: way.ever | bit }
      const known = ways.get(total)
      ways.set(total, known ? { always: known.always & added.always, ever: known.ever | added.ever } : added)
    }
  }
  return ways
}

function wholeOf({ digits, scale }: Decimal, to: number): bigint {
  return digits * 10n ** BigInt(to - scale)
}

/** A summary is a JSON number: of its digits those are told that a double carries. */
function plain(value: number): string {
  const text = String(Number(value.toPrecision(SIGNIFICANT_DIGITS)))
  return formatDecimal(parseDecimal(text.includes('e') ? value.toFixed(12) : text))
}
