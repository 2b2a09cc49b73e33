import type { Pool, PoolClient } from 'pg'
import { v7 as newUuid } from 'uuid'
import { type Database, rows, transaction } from '../database/database.ts'
import { type Decimal, formatDecimal, parseDecimal, significantDigits, subtract, sum } from '../pricing/decimal.ts'
import { lockSegmentsShared } from '../subscriptions/segment-lock.ts'
import { segmentsOf } from '../subscriptions/store.ts'
import type { Segment } from '../subscriptions/subscription.ts'
import { type Difference, type Given, movedToBilled, type Part, partsOf } from './parts.ts'
import { type Placement, placement } from './placement.ts'
import type { PlannedReport } from './report.ts'

const SIGNIFICANT_DIGITS_MAX = 15

interface DueRow extends Difference {
  events: string
  reportable: boolean
  /** Its value is without that of reports that failed: they are cleared where it is written. */
  hasFailed?: boolean
}

const DUE_ROLLUPS = /* sql */ `
  select rollup.customer_id as "customerId", rollup.subscription_id as "subscriptionId", rollup.meter as "meterId",
    meter.event_name as meter, rollup.since, trim_scale(rollup.quantity - rollup.reported) as value, trim_scale(rollup.moved) as moved,
    rollup.events - rollup.reported_events as events, subscription.reportable
  from billing.rollups as rollup
  join billing.meters as meter on meter.id = rollup.meter
  join billing.subscriptions as subscription
    on subscription.customer_id = rollup.customer_id and subscription.id = rollup.subscription_id
  where rollup.customer_id = $1 and rollup.due
  order by rollup.subscription_id, rollup.meter, rollup.since`

async function dueRollups(
  db: Database,
  customerId: string,
  now: Date,
  lock: 'for update of rollup' | '' = '',
): Promise<{ due: DueRow[]; segments: Map<string, Segment[]> }> {
  const rollups = await rows<DueRow>(db, `${DUE_ROLLUPS} ${lock}`, [customerId])
  const due = await withoutFailed(db, rollups)
  const segments = await segmentsOf(db, customerId, [...new Set(due.map((row) => row.subscriptionId))])
  return { due: movedToBilled(due, segments, now), segments }
}

/** What `writeReports` would write now, and writes nothing. */
export async function plannedReports(db: Database, customerId: string, now: Date): Promise<PlannedReport[]> {
  const { due, segments } = await dueRollups(db, customerId, now)
  const given: Given = new Map()
  const planned: PlannedReport[] = []
  for (const row of due.filter((candidate) => candidate.reportable)) {
    const parts = await partsOf(db, row, segments.get(row.subscriptionId)!, { now, given })
    for (const [index, part] of parts.entries()) {
      planned.push(plannedReport(row, part, index === 0 ? Number(row.events) : 0))
    }
  }
  return planned
}

function plannedReport(row: DueRow, { value, place }: Part, events: number): PlannedReport {
  const { customerId, subscriptionId, meter, since } = row
  const timestamp = place.to === 'period' || place.to === 'credit' ? place.timestamp : since
  return {
    customerId,
    subscriptionId,
    meter,
    since,
    value,
    events,
    timestamp,
    late: place.to === 'credit' || (place.to === 'period' && place.late),
    credit: place.to === 'credit' ? { amount: place.amount, currency: place.currency, pricedIn: place.pricedIn } : null,
    unbillable: place.to === 'nowhere' ? place.reason : null,
  }
}

/**
 * Usage that shrank: what Stripe never took of it needs no taking back. Read after the rollups are locked, by a statement
 * of its own: theirs would see the reports as they were before it waited for the lock.
 */
async function withoutFailed(db: Database, due: DueRow[]): Promise<DueRow[]> {
  const shrunk = due.filter(({ value }) => value.startsWith('-'))
  if (shrunk.length === 0) return due
  const failed = await rows<Pick<DueRow, 'subscriptionId' | 'meterId' | 'since' | 'value' | 'events'>>(
    db,
    /* sql */ `
    select subscription_id as "subscriptionId", meter as "meterId", since, trim_scale(sum(value)) as value,
      sum(events)::text as events
    from billing.reports where customer_id = $1 and status = 'failed'
    group by subscription_id, meter, since`,
    [shrunk[0]!.customerId],
  )
  return due.map((row) => {
    const known = row.value.startsWith('-') && failed.find((other) => keyOf(other) === keyOf(row))
    if (!known) return row
    return { ...row, value: sum([row.value, known.value]), events: sum([row.events, known.events]), hasFailed: true }
  })
}

function keyOf({ subscriptionId, meterId, since }: Pick<DueRow, 'subscriptionId' | 'meterId' | 'since'>): string {
  return [subscriptionId, meterId, since.getTime()].join()
}

/**
 * Writes down, for one customer, each difference between what is known and what was reported: the report and the
 * rollup's new `reported` in one transaction, before anything is sent.
 * @returns how many reports were written, and how many of them no invoice can carry
 */
export async function writeReports(
  pool: Pool,
  customerId: string,
  now: Date,
): Promise<{ written: number; failed: number }> {
  return transaction(pool, async (client) => {
    await lockSegmentsShared(client)
    const { due, segments } = await dueRollups(client, customerId, now, 'for update of rollup')
    let written = 0
    let failed = 0
    for (const row of due) {
      if (!row.reportable) continue
      const known = segments.get(row.subscriptionId)!
      if (row.hasFailed) await clearFailedOf(client, row)
      const parts = await partsOf(client, row, known, { now, given: new Map() })
      let { events } = row
      for (const { value, place } of parts) {
        for (const piece of place.to === 'period' ? sendable(value) : [value]) {
          await insertReport(client, { ...row, value: piece, events }, place, now)
          events = '0'
          written += 1
          if (place.to === 'nowhere') failed += 1
        }
      }
      await settleRollup(client, row, placement(known, row.since, now).to !== 'nobody')
    }
    return { written, failed }
  })
}

/** Their usage is among the unreported again; the rollup is locked already. */
async function clearFailedOf(client: PoolClient, row: DueRow): Promise<void> {
  await client.query(
    /* sql */ `
    select billing.clear_report(customer_id, id) from billing.reports
    where customer_id = $1 and subscription_id = $2 and meter = $3 and since = $4 and status = 'failed'`,
    [row.customerId, row.subscriptionId, row.meterId, row.since],
  )
}

/**
 * A value in parts of at most 15 significant digits: the sum of an hour may have more than Stripe takes.
 * @see https://docs.stripe.com/changelog/dahlia/2026-04-22/billing-meter-event-values-validation
 */
export function sendable(value: string): string[] {
  const left = parseDecimal(value)
  if (significantDigits(left) <= SIGNIFICANT_DIGITS_MAX) return [value]
  const head = largestPart(left)
  return [formatDecimal(head), ...sendable(formatDecimal(subtract(left, head)))]
}

/** The first digits of a value; of a whole number too long for that, as much as one report can carry. */
function largestPart({ digits, scale }: Decimal): Decimal {
  const excess = digits.toString().replace('-', '').length - SIGNIFICANT_DIGITS_MAX
  const unit = 10n ** BigInt(excess)
  if (excess <= scale) return { digits: (digits / unit) * unit, scale }
  const most = 10n ** BigInt(SIGNIFICANT_DIGITS_MAX) - 1n
  return { digits: digits < 0n ? -most : most, scale: 0 }
}

async function insertReport(
  client: PoolClient,
  row: DueRow,
  place: Exclude<Placement, { to: 'nobody' }>,
  now: Date,
): Promise<void> {
  const id = newUuid()
  const unbillable = place.to === 'nowhere' ? place.reason : null
  const credit = place.to === 'credit' ? place : null
  // A credit of nothing has nobody to be told to.
  const status = unbillable ? 'failed' : credit?.amount === 0n ? 'accepted' : 'pending'
  await client.query(
    /* sql */ `
    insert into billing.reports (customer_id, id, subscription_id, meter, since, value, events, identifier,
      reported_for, late, status, created_at, next_attempt_at, error, accepted_at, kind, priced_in, amount, currency)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14, $15, $16, $17, $18)`,
    [
      row.customerId,
      id,
      row.subscriptionId,
      row.meterId,
      row.since,
      row.value,
      row.events,
      `meterkit_${id}`,
      place.to === 'nowhere' ? row.since : place.timestamp,
      credit !== null || (place.to === 'period' && place.late),
      status,
      now,
      unbillable,
      status === 'accepted' ? now : null,
      credit ? 'credit' : 'usage',
      credit?.pricedIn ?? null,
      credit?.amount ?? null,
      credit?.currency ?? null,
    ],
  )
}

async function settleRollup(client: PoolClient, row: DueRow, reported: boolean): Promise<void> {
  await client.query(
    /* sql */ `
    update billing.rollups
    set due = false, moved = 0,
        reported = case when $5 then quantity else reported end,
        reported_events = case when $5 then events else reported_events end
    where customer_id = $1 and subscription_id = $2 and meter = $3 and since = $4`,
    [row.customerId, row.subscriptionId, row.meterId, row.since, reported],
  )
}
