import { type Database, firstRow, rows } from '../database/database.ts'
import { getPrices } from '../plans/prices.ts'
import { add, compare, type Decimal, formatDecimal, parseDecimal, subtract } from '../pricing/decimal.ts'
import { formatAmount } from '../pricing/describe.ts'
import { priceUsage } from '../pricing/price-usage.ts'
import { segmentsIn, wholeSecond } from '../subscriptions/segments.ts'
import { segmentAt } from '../subscriptions/store.ts'
import type { Price, Segment } from '../subscriptions/subscription.ts'
import { type Placement, placement } from './placement.ts'

/*
 * Usage that is taken back after Stripe has priced its segment cannot be taken back by a meter: a negative value in the
 * open period would be worth another price there, and nothing at all once the period's total is negative. So it is given
 * back in money, at the price it was billed at: what the segment's invoice says less what it would have said.
 */

/** What was billed of one rollup in one segment. */
interface Portion {
  segment: Segment
  value: Decimal
  /** The latest timestamp it was reported under. */
  reportedFor: Date
}

/** One part of a difference, and where it goes. */
export interface Part {
  /** In the meter's unit. */
  value: string
  place: Exclude<Placement, { to: 'nobody' }>
}

/** What a rollup knows, less what was reported of it. */
export interface Difference {
  customerId: string
  subscriptionId: string
  /** Our id of the meter, and its name. */
  meterId: number
  meter: string
  since: Date
  value: string
  /** Of `value`, what cuts have moved here from the other side of its hour; negative: what they have moved there. */
  moved: string
}

/** Given back in this run and not written down yet, by segment; one of its own for each customer. */
export type Given = Map<string, Decimal>

const HOUR_MS = 60 * 60 * 1000
const ZERO: Decimal = { digits: 0n, scale: 0 }

/**
 * Where a difference goes. One that shrank after its segment was priced is parted by where it was billed, latest first:
 * what lies in a segment that is still open is taken back there, as usage; what Stripe has priced becomes a credit.
 *
 * @param segments  of its subscription, oldest first
 * @returns nothing for a difference of nothing, and for usage that nobody pays
 */
export async function partsOf(
  db: Database,
  difference: Difference,
  segments: readonly Segment[],
  { now, given }: { now: Date; given: Given },
): Promise<Part[]> {
  const { since, value } = difference
  const place = placement(segments, since, now)
  const change = compare(parseDecimal(value), ZERO)
  if (change === 0 || place.to === 'nobody') return []
  const segment = segmentAt(segments, since)!
  if (segment.closedAt === null) return [{ value, place }]
  if (change > 0) return besidesUnpriced(db, difference, segments, { segment, place, now })

  const moved = least(ZERO, greatest(parseDecimal(difference.moved), parseDecimal(value)))
  // Stripe has priced it where it was: taken off where it stands now, so that it is not billed there again.
  const parts: Part[] = compare(moved, ZERO) < 0 ? [{ value: formatDecimal(moved), place }] : []
  let left = subtract(moved, parseDecimal(value))
  for (const portion of await billedPortions(db, difference, segments)) {
    const taken = compare(portion.value, left) < 0 ? portion.value : left
    if (compare(taken, ZERO) <= 0) continue
    left = subtract(left, taken)
    parts.push({
      value: formatDecimal(subtract(ZERO, taken)),
      place:
        portion.segment.closedAt === null
          ? { to: 'period', timestamp: portion.reportedFor, late: true }
          : await creditFor(db, difference, segments, { segment: portion.segment, taken, now, given }),
    })
  }
  if (compare(left, ZERO) > 0) parts.push({ value: formatDecimal(subtract(ZERO, left)), place })
  return parts
}

/**
 * Stripe prices a segment whose total is negative at nothing. Where something was taken back there of which it had never
 * had the usage, so much of what comes later is worth nothing either.
 */
async function besidesUnpriced(
  db: Database,
  difference: Difference,
  segments: readonly Segment[],
  { segment, place, now }: { segment: Segment; place: Part['place']; now: Date },
): Promise<Part[]> {
  const priced = segment.period && segmentsIn(segments, segment.period).find((one) => holds(one, segment.start))
  const missing = priced ? subtract(ZERO, await billedIn(db, difference, priced)) : ZERO
  if (compare(missing, ZERO) <= 0) return [{ value: difference.value, place }]
  const currency = (
    await getPrices(
      db,
      segment.items.map((item) => item.stripePriceId),
    )
  )
    .values()
    .next().value?.currency
  const value = parseDecimal(difference.value)
  const unpriced = least(missing, value)
  const nothing = { to: 'credit', timestamp: wholeSecond(now), pricedIn: priced!.start, amount: 0n } as const
  const rest = subtract(value, unpriced)
  return [
    { value: formatDecimal(unpriced), place: { ...nothing, currency: currency ?? 'usd' } },
    ...(compare(rest, ZERO) > 0 ? [{ value: formatDecimal(rest), place }] : []),
  ]
}

/**
 * Usage that left one side of an hour and is billed on the other is no usage taken back. What left for where nobody pays,
 * is: of each difference it tells how much has moved to where it is billed.
 */
export function movedToBilled<D extends Difference>(
  differences: readonly D[],
  segments: ReadonlyMap<string, readonly Segment[]>,
  now: Date,
): D[] {
  const keyOf = ({ subscriptionId, meter, since }: D) =>
    [subscriptionId, meter, Math.floor(since.getTime() / HOUR_MS)].join()
  const arrived = new Map<string, Decimal>()
  for (const difference of differences) {
    const moved = greatest(parseDecimal(difference.moved), ZERO)
    if (placement(segments.get(difference.subscriptionId)!, difference.since, now).to === 'nobody') continue
    arrived.set(keyOf(difference), add(arrived.get(keyOf(difference)) ?? ZERO, moved))
  }
  return differences.map((difference) => {
    const here = arrived.get(keyOf(difference)) ?? ZERO
    const moved = parseDecimal(difference.moved)
    if (compare(moved, ZERO) >= 0) return difference
    const billed = greatest(moved, subtract(ZERO, here))
    arrived.set(keyOf(difference), add(here, billed))
    return { ...difference, moved: formatDecimal(billed) }
  })
}

function greatest(a: Decimal, b: Decimal): Decimal {
  return compare(a, b) < 0 ? b : a
}

function least(a: Decimal, b: Decimal): Decimal {
  return compare(a, b) < 0 ? a : b
}

/** Latest segment first. */
async function billedPortions(db: Database, difference: Difference, segments: readonly Segment[]): Promise<Portion[]> {
  const reports = await rows<{ billed_at: Date; reported_for: Date; value: string }>(
    db,
    /* sql */ `
    select case when kind = 'credit' then priced_in when late then reported_for else since end as billed_at,
      reported_for, value
    from billing.reports
    where customer_id = $1 and subscription_id = $2 and meter = $3 and since = $4
      and status in ('pending', 'accepted', 'unsure')`,
    [difference.customerId, difference.subscriptionId, difference.meterId, difference.since],
  )
  const portions = new Map<Segment, Portion>()
  for (const { billed_at, reported_for, value } of reports) {
    const segment = segmentAt(segments, billed_at)
    if (!segment) continue
    const known = portions.get(segment) ?? { segment, value: ZERO, reportedFor: billed_at }
    const reportedFor = reported_for > known.reportedFor ? reported_for : known.reportedFor
    portions.set(segment, { segment, value: add(known.value, parseDecimal(value)), reportedFor })
  }
  return [...portions.values()].sort((a, b) => b.segment.start.getTime() - a.segment.start.getTime())
}

/** What a segment's invoice says less what it would have said, for a part of what stands on it. */
async function creditFor(
  db: Database,
  difference: Difference,
  segments: readonly Segment[],
  { segment, taken, now, given }: { segment: Segment; taken: Decimal; now: Date; given: Given },
): Promise<Part['place']> {
  const item = segment.items.find((candidate) => candidate.meter === difference.meter)
  const price = item && (await getPrices(db, [item.stripePriceId])).get(item.stripePriceId)
  const priced = segment.period && segmentsIn(segments, segment.period).find((one) => holds(one, segment.start))
  if (!price?.model || !priced) {
    return { to: 'nowhere', reason: 'The price it was billed at is not known: give the amount back at Stripe by hand.' }
  }
  const key = [difference.subscriptionId, difference.meter, priced.start.getTime()].join()
  const before = given.get(key) ?? ZERO
  given.set(key, add(before, taken))
  const billed = subtract(await billedIn(db, difference, priced), before)
  const amount = amountOf(price, subtract(billed, taken)) - amountOf(price, billed)
  const open = segmentAt(segments, now)
  if (amount !== 0n && (open?.kind !== 'billable' || open.closedAt !== null)) {
    const due = formatAmount(-amount, price.currency)
    return {
      to: 'nowhere',
      reason: `A credit of ${due} is due: ${formatDecimal(taken)} units of it were taken back after their invoice was final, and the subscription has no invoice to come. Issue a credit note of ${due} for that invoice at Stripe.`,
    }
  }
  return { to: 'credit', timestamp: wholeSecond(now), pricedIn: priced.start, amount, currency: price.currency }
}

/** What stands on the invoice of a segment for this meter, after the credits given for it. */
async function billedIn(
  db: Database,
  { customerId, subscriptionId, meterId }: Difference,
  { start, end }: { start: Date; end: Date },
): Promise<Decimal> {
  const row = await firstRow<{ value: string }>(
    db,
    /* sql */ `
    select coalesce(sum(value), 0) as value from billing.reports
    where customer_id = $1 and subscription_id = $2 and meter = $3 and status in ('pending', 'accepted', 'unsure')
      and case when kind = 'credit' then priced_in when late then reported_for else since end >= $4
      and case when kind = 'credit' then priced_in when late then reported_for else since end < $5`,
    [customerId, subscriptionId, meterId, start, end],
  )
  return parseDecimal(row!.value)
}

function amountOf({ model }: Price, quantity: Decimal): bigint {
  return priceUsage(model!, formatDecimal(quantity)).amount
}

function holds(period: { start: Date; end: Date }, at: Date): boolean {
  return period.start <= at && at < period.end
}
