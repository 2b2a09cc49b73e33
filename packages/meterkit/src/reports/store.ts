import type { Pool, PoolClient } from 'pg'
import { v7 as newUuid } from 'uuid'
import { type Database, firstRow, rows, transaction } from '../database/database.ts'
import { type Decimal, formatDecimal, parseDecimal, significantDigits, subtract, sum } from '../pricing/decimal.ts'
import { lockSegmentsShared } from '../subscriptions/segment-lock.ts'
import { segmentsOf } from '../subscriptions/store.ts'
import type { Period, Segment } from '../subscriptions/subscription.ts'
import { type Difference, type Given, movedToBilled, type Part, partsOf } from './parts.ts'
import { type Placement, placement } from './placement.ts'
import type { Backlog, PlannedReport, Report, ReportRow, ReportStatus } from './report.ts'

const SIGNIFICANT_DIGITS_MAX = 15

const COLUMNS = `report.id, report.customer_id as "customerId", report.subscription_id as "subscriptionId",
  meter.event_name as meter, report.since, report.value, report.events::int as events, report.identifier,
  report.reported_for as "timestamp", report.late, report.status, report.attempts, report.created_at as "createdAt",
  report.accepted_at as "acceptedAt", report.error, report.kind, report.priced_in as "pricedIn", report.amount, report.currency`

/** A report with what sending it needs. */
export interface OpenReport extends Report {
  definiteAnswers: number
  firstAttemptAt: Date | null
  lastAttemptAt: Date | null
  /** Of the segment it was written for: set once its invoice is final. */
  closedAt: Date | null
  stripeSubscriptionId: string
}

interface DueRow extends Difference {
  events: string
  reportable: boolean
  /** Of its reports that failed: billed by nobody. */
  failed: string
}

/** Customers with usage that may be unreported, or with reports to send. @param now  null: also those that wait for a back-off */
export async function customersToReport(db: Database, now: Date | null): Promise<string[]> {
  const found = await rows<{ id: string }>(
    db,
    /* sql */ `
    select customer_id as id from billing.rollups where due
    union
    select customer_id from billing.reports where status in ('pending', 'unsure') and ($1::timestamptz is null or next_attempt_at <= $1)`,
    [now],
  )
  return found.map((row) => row.id)
}

const DUE_ROLLUPS = /* sql */ `
  select rollup.customer_id as "customerId", rollup.subscription_id as "subscriptionId", rollup.meter as "meterId",
    meter.event_name as meter, rollup.since, trim_scale(rollup.quantity - rollup.reported) as value, trim_scale(rollup.moved) as moved,
    rollup.events - rollup.reported_events as events, subscription.reportable,
    (select coalesce(sum(report.value), 0) from billing.reports as report
     where report.customer_id = rollup.customer_id and report.subscription_id = rollup.subscription_id
       and report.meter = rollup.meter and report.since = rollup.since and report.status = 'failed') as failed
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
  const due = await rows<DueRow>(db, `${DUE_ROLLUPS} ${lock}`, [customerId])
  const segments = await segmentsOf(db, customerId, [...new Set(due.map((row) => row.subscriptionId))])
  return { due: movedToBilled(due, segments, now), segments }
}

/** What `writeReports` would write now, and writes nothing. */
export async function plannedReports(db: Database, customerId: string, now: Date): Promise<PlannedReport[]> {
  const { due, segments } = await dueRollups(db, customerId, now)
  const given: Given = new Map()
  const planned: PlannedReport[] = []
  for (const row of due.filter((candidate) => candidate.reportable)) {
    const parts = await partsOf(db, withoutFailed(row), segments.get(row.subscriptionId)!, { now, given })
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

/** Usage that shrank: what Stripe never took of it needs no taking back. */
function withoutFailed(row: DueRow): DueRow {
  if (!row.value.startsWith('-') || Number(row.failed) === 0) return row
  return { ...row, value: sum([row.value, row.failed]) }
}

/**
 * Writes down, for one customer, each difference between what is known and what was reported: the report and the
 * rollup's new `reported` in one transaction, before anything is sent.
 * @returns how many reports were written
 */
export async function writeReports(pool: Pool, customerId: string, now: Date): Promise<number> {
  return transaction(pool, async (client) => {
    await lockSegmentsShared(client)
    const { due, segments } = await dueRollups(client, customerId, now, 'for update of rollup')
    let written = 0
    for (const row of due) {
      if (!row.reportable) continue
      const known = segments.get(row.subscriptionId)!
      const change = withoutFailed(row)
      if (change !== row) await clearFailedOf(client, row)
      const parts = await partsOf(client, change, known, { now, given: new Map() })
      let { events } = row
      for (const { value, place } of parts) {
        for (const piece of place.to === 'period' ? sendable(value) : [value]) {
          await insertReport(client, { ...row, value: piece, events }, place, now)
          events = '0'
          written += 1
        }
      }
      await settleRollup(client, row, placement(known, row.since, now).to !== 'nobody')
    }
    return written
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

/** A credit on a coming invoice: written down, or what the next sync will write. */
export interface PeriodCredit {
  meter: string
  since: Date
  /** Negative, in the meter's unit. */
  value: string
  /** Minor units, negative. */
  amount: bigint
  pricedIn: Date
}

/**
 * Credits that the invoice of the current period will carry: Stripe took them in it, or has not taken them yet.
 * @param planned  the customer's reports to come
 */
export async function creditsOf(
  db: Database,
  { customerId, subscriptionId, period }: { customerId: string; subscriptionId: string; period: Period },
  planned: readonly PlannedReport[],
): Promise<PeriodCredit[]> {
  const written = await rows<Omit<PeriodCredit, 'amount'> & { amount: string }>(
    db,
    /* sql */ `
    select meter.event_name as meter, since, value, amount, priced_in as "pricedIn"
    from billing.reports as report join billing.meters as meter on meter.id = report.meter
    where customer_id = $1 and subscription_id = $2 and kind = 'credit' and amount <> 0
      and (status in ('pending', 'unsure')
        or status = 'accepted' and accepted_at >= $3 and accepted_at < $4)
    order by report.id`,
    [customerId, subscriptionId, period.start, period.end],
  )
  const toCome = planned.flatMap(({ subscriptionId: of, meter, since, value, credit }) =>
    credit && credit.amount !== 0n && of === subscriptionId
      ? { meter, since, value, amount: credit.amount, pricedIn: credit.pricedIn }
      : [],
  )
  return [...written.map((row) => ({ ...row, amount: BigInt(row.amount) })), ...toCome]
}

/** Reports of a customer that have no final answer, oldest first. */
export async function openReports(db: Database, customerId: string, now: Date | null): Promise<OpenReport[]> {
  return rows<OpenReport>(
    db,
    /* sql */ `
    select ${COLUMNS}, report.definite_answers as "definiteAnswers", report.first_attempt_at as "firstAttemptAt",
      report.last_attempt_at as "lastAttemptAt", segment.closed_at as "closedAt",
      subscription.stripe_id as "stripeSubscriptionId"
    from billing.reports as report
    join billing.meters as meter on meter.id = report.meter
    join billing.subscriptions as subscription
      on subscription.customer_id = report.customer_id and subscription.id = report.subscription_id
    left join lateral (
      select closed_at from billing.segments
      where customer_id = report.customer_id and subscription_id = report.subscription_id
        and starts_at <= report.reported_for
      order by starts_at desc limit 1
    ) as segment on true
    where report.customer_id = $1 and report.status in ('pending', 'unsure')
      and ($2::timestamptz is null or report.next_attempt_at <= $2)
    order by report.id`,
    [customerId, now],
  )
}

/** Before sending: after a crash this is how we know that an answer may have been lost. */
export async function noteAttempt(db: Database, { customerId, id }: Report, now: Date): Promise<void> {
  await db.query(
    /* sql */ `
    update billing.reports
    set attempts = attempts + 1, first_attempt_at = coalesce(first_attempt_at, $3), last_attempt_at = $3
    where customer_id = $1 and id = $2`,
    [customerId, id, now],
  )
}

export async function acceptReport(db: Database, { customerId, id }: Report, now: Date): Promise<void> {
  await db.query(
    /* sql */ `
    update billing.reports set status = 'accepted', accepted_at = $3, error = null
    where customer_id = $1 and id = $2 and status in ('pending', 'unsure')`,
    [customerId, id, now],
  )
}

export async function failReport(db: Database, { customerId, id }: Report, error: string): Promise<void> {
  await db.query(
    /* sql */ `
    update billing.reports set status = 'failed', error = $3
    where customer_id = $1 and id = $2 and status in ('pending', 'unsure')`,
    [customerId, id, error],
  )
}

/** To be tried again. @param definite  Stripe has answered, so that its idempotency key is used up */
export async function postponeReport(
  db: Database,
  { customerId, id }: Report,
  { until, error, definite }: { until: Date; error: string; definite: boolean },
): Promise<void> {
  await db.query(
    /* sql */ `
    update billing.reports
    set next_attempt_at = $3, error = $4, definite_answers = definite_answers + $5
    where customer_id = $1 and id = $2 and status = 'pending'`,
    [customerId, id, until, error, definite ? 1 : 0],
  )
}

/** Nothing proves whether Stripe has it: an operator decides. */
export async function markUnsure(
  db: Database,
  { customerId, id }: Report,
  { until, error }: { until: Date; error: string },
): Promise<void> {
  await db.query(
    /* sql */ `
    update billing.reports set status = 'unsure', error = $4, next_attempt_at = $3
    where customer_id = $1 and id = $2 and status in ('pending', 'unsure')`,
    [customerId, id, until, error],
  )
}

/** Stripe does not have it and never will under this timestamp: its usage is unreported again, and written down anew. */
export async function rewriteReport(pool: Pool, report: Report): Promise<void> {
  await transaction(pool, async (client) => {
    // rollup first, then report: the order of locks of every writer
    await client.query(
      /* sql */ `
      select 1 from billing.rollups as rollup join billing.reports as report
        on report.customer_id = rollup.customer_id and report.subscription_id = rollup.subscription_id
        and report.meter = rollup.meter and report.since = rollup.since
      where report.customer_id = $1 and report.id = $2 for update of rollup`,
      [report.customerId, report.id],
    )
    await failReport(client, report, 'Stripe does not have it, and its period is closed; written down anew')
    await client.query('select billing.clear_report($1, $2)', [report.customerId, report.id])
  })
}

/** A report Stripe took and refused later, found by its identifier. @returns whether it was one of ours and accepted */
export async function rejectAccepted(db: Database, identifier: string, error: string): Promise<boolean> {
  const result = await db.query(
    /* sql */ `
    update billing.reports set status = 'failed', error = $2, accepted_at = null
    where identifier = $1 and status in ('accepted', 'pending', 'unsure')`,
    [identifier, error],
  )
  return (result.rowCount ?? 0) > 0
}

/** Reports with a permanent error, by their events, by their message, or all. @returns how many were cleared */
export async function clearFailed(
  pool: Pool,
  which: { eventIds: string[] } | { error: string } | 'all',
): Promise<number> {
  const ids = await failedReports(pool, which)
  let cleared = 0
  for (const { customer_id, id } of ids) {
    const row = await firstRow<{ done: boolean }>(pool, 'select billing.clear_report($1, $2) as done', [
      customer_id,
      id,
    ])
    if (row?.done) cleared += 1
  }
  return cleared
}

async function failedReports(
  db: Database,
  which: { eventIds: string[] } | { error: string } | 'all',
): Promise<{ customer_id: string; id: string }[]> {
  if (which !== 'all' && 'eventIds' in which) {
    return rows(
      db,
      /* sql */ `
      select distinct customer_id, report_id as id from billing.billing_meter_events
      where id = any ($1::uuid[]) and error_message is not null`,
      [which.eventIds],
    )
  }
  return rows(
    db,
    /* sql */ `
    select customer_id, id from billing.reports
    where status in ('failed', 'unsure') and ($1::text is null or error = $1)
    order by id`,
    [which === 'all' ? null : which.error],
  )
}

/** What of a customer's usage Stripe has not accepted yet, per meter: due rollups and open reports. Plain decimals. */
export async function unreported(
  db: Database,
  customerId: string,
  subscriptionId: string,
): Promise<{ quantity: string; reports: number }> {
  const row = await firstRow<{ quantity: string; reports: number }>(
    db,
    /* sql */ `
    select trim_scale(
      coalesce((select sum(quantity - reported) from billing.rollups
        where customer_id = $1 and subscription_id = $2 and due), 0)
      + coalesce((select sum(value) from billing.reports
        where customer_id = $1 and subscription_id = $2 and status in ('pending', 'unsure', 'failed')), 0)) as quantity,
      (select count(*)::int from billing.reports
        where customer_id = $1 and subscription_id = $2 and status in ('pending', 'unsure', 'failed')) as reports`,
    [customerId, subscriptionId],
  )
  return row!
}

/**
 * Reports of an ended period that its invoice still waits for: not with Stripe, in segments Stripe has not priced.
 * @param endedBy  the period's end, at the latest
 */
export async function countAwaited(
  db: Database,
  customerId: string,
  subscriptionId: string,
  endedBy: Date,
): Promise<number> {
  const row = await firstRow<{ count: number }>(
    db,
    /* sql */ `
    select count(*)::int as count
    from billing.reports as report
    join lateral (
      select period_end, closed_at from billing.segments
      where customer_id = $1 and subscription_id = $2 and starts_at <= report.reported_for
      order by starts_at desc limit 1
    ) as segment on segment.closed_at is null and segment.period_end <= $3
    where report.customer_id = $1 and report.subscription_id = $2 and report.kind = 'usage'
      and report.status in ('pending', 'unsure', 'failed')`,
    [customerId, subscriptionId, endedBy],
  )
  return row!.count
}

/** Reports that must be settled before a subscription's prices may change: not with Stripe, and of a period still open. */
export async function countUnsettled(
  db: Database,
  customerId: string,
  subscriptionId: string,
  since: Date,
): Promise<number> {
  const row = await firstRow<{ count: number }>(
    db,
    /* sql */ `
    select count(*)::int as count from billing.reports
    where customer_id = $1 and subscription_id = $2 and reported_for >= $3 and kind = 'usage'
      and status in ('pending', 'unsure', 'failed')`,
    [customerId, subscriptionId, since],
  )
  return row!.count
}

export async function listReports(
  db: Database,
  {
    status,
    search,
    before,
    after,
    limit,
  }: { status: ReportStatus | null; search: string | null; before: string | null; after: string | null; limit: number },
): Promise<ReportRow[]> {
  return rows<ReportRow>(
    db,
    /* sql */ `
    select ${COLUMNS}, customer.name as "customerName", customer.stripe_id as "stripeCustomerId"
    from billing.reports as report
    join billing.meters as meter on meter.id = report.meter
    join billing.customers as customer on customer.id = report.customer_id
    where ($1::text is null or report.status = $1)
      and ($2::text is null or report.identifier = $2 or report.id::text = $2 or customer.name ilike '%' || $2 || '%'
        or report.error ilike '%' || $2 || '%')
      and ($3::uuid is null or report.id < $3)
      and ($4::uuid is null or report.id > $4)
    order by case when $4::uuid is not null then report.id end asc, report.id desc
    limit $5`,
    [status, search, before, after, limit],
  )
}

export async function countReports(
  db: Database,
): Promise<Record<ReportStatus, number> & { oldestUnreportedAt: Date | null }> {
  const counted = await rows<{ status: ReportStatus; count: number }>(
    db,
    'select status, count(*)::int as count from billing.reports group by status',
    [],
  )
  const none = { pending: 0, accepted: 0, failed: 0, unsure: 0, cleared: 0 }
  return {
    ...none,
    ...Object.fromEntries(counted.map((row) => [row.status, row.count])),
    oldestUnreportedAt: await oldestUnreportedAt(db),
  }
}

/** Since when the first usage waits that Stripe does not have; its cost grows with what waits alone. */
async function oldestUnreportedAt(db: Database): Promise<Date | null> {
  const oldest = await firstRow<{ at: Date | null }>(
    db,
    /* sql */ `
    select least(
      (select min(coalesce(waiting.at, last.created_at, rollup.since))
       from billing.rollups as rollup
       left join lateral (
         select max(created_at) as created_at from billing.reports as report
         where report.customer_id = rollup.customer_id and report.subscription_id = rollup.subscription_id
           and report.meter = rollup.meter and report.since = rollup.since
       ) as last on true
       left join lateral ( -- a rollup is an hour wide: what waits is the first event after its last report
         select event.occurred_at as at from billing.meter_events as event
         where event.subscription_id = rollup.subscription_id and event.meter = rollup.meter
           and event.occurred_at >= rollup.since and (last.created_at is null or event.occurred_at > last.created_at)
         order by event.occurred_at limit 1
       ) as waiting on true
       where rollup.due and rollup.quantity <> rollup.reported),
      (select min(created_at) from billing.reports where status in ('pending', 'unsure'))
    ) as at`,
    [],
  )
  return oldest?.at ?? null
}

/** What is not with Stripe yet. Reads what is open alone, whatever has been reported before. */
export async function readBacklog(db: Database): Promise<Backlog> {
  const counted = await firstRow<Omit<Backlog, 'oldestUnreportedAt'>>(
    db,
    /* sql */ `
    select (select count(*)::int from billing.rollups where due) as due,
      (select count(*)::int from billing.reports where status in ('pending', 'unsure') and status = 'pending') as pending,
      (select count(*)::int from billing.reports where status in ('failed', 'unsure') and status = 'unsure') as unsure,
      (select count(*)::int from billing.reports where status in ('failed', 'unsure') and status = 'failed') as failed,
      (select coalesce(sum(events), 0)::float8 from billing.reports
        where late and kind = 'usage' and status <> 'cleared') as "lateEvents"`,
    [],
  )
  return { ...counted!, oldestUnreportedAt: await oldestUnreportedAt(db) }
}

/** A report with what comparing it with Stripe's summaries needs. */
export interface ComparedReport {
  id: string
  identifier: string
  value: string
  timestamp: Date
  status: ReportStatus
  acceptedAt: Date | null
  createdAt: Date
  /** Null: never sent. */
  firstAttemptAt: Date | null
  lastAttemptAt: Date | null
}

/** Of one customer and meter, whose timestamps at Stripe lie in a span. */
export async function reportsFor(
  db: Database,
  { customerId, meter, start, end }: { customerId: string; meter: string; start: Date; end: Date },
): Promise<ComparedReport[]> {
  return rows<ComparedReport>(
    db,
    /* sql */ `
    select report.id, identifier, trim_scale(value) as value, reported_for as "timestamp", status,
      accepted_at as "acceptedAt", created_at as "createdAt", first_attempt_at as "firstAttemptAt",
      last_attempt_at as "lastAttemptAt"
    from billing.reports as report join billing.meters as meter on meter.id = report.meter
    where customer_id = $1 and event_name = $2 and kind = 'usage' and reported_for >= $3 and reported_for < $4
    order by report.id`,
    [customerId, meter, start, end],
  )
}

/** By UTC day of their timestamps at Stripe, what Stripe has accepted. Days without reports are left out. */
export async function acceptedByDay(
  db: Database,
  { customerId, meter, start, end }: { customerId: string; meter: string; start: Date; end: Date },
): Promise<Map<string, string>> {
  const found = await rows<{ day: string; quantity: string }>(
    db,
    /* sql */ `
    select to_char(reported_for at time zone 'UTC', 'YYYY-MM-DD') as day,
      trim_scale(coalesce(sum(value) filter (where status = 'accepted'), 0)) as quantity
    from billing.reports as report join billing.meters as meter on meter.id = report.meter
    where customer_id = $1 and event_name = $2 and kind = 'usage' and reported_for >= $3 and reported_for < $4
    group by 1`,
    [customerId, meter, start, end],
  )
  return new Map(found.map((row) => [row.day, row.quantity]))
}

/** A customer known at Stripe with a meter that it is charged by, or was. */
export interface MeteredCustomer {
  customerId: string
  customerName: string
  stripeCustomerId: string
  meter: string
  meterId: number
}

const METERED_CUSTOMERS = /* sql */ `
  from billing.customers as customer cross join billing.meters as meter
  where customer.stripe_id is not null and ($1::uuid is null or customer.id = $1)
    and (
      exists (select 1 from billing.subscriptions as subscription where subscription.customer_id = customer.id
        and subscription.items @> jsonb_build_array(jsonb_build_object('meter', meter.event_name)))
      or exists (select 1 from billing.reports as report where report.customer_id = customer.id
        and report.meter = meter.id and report.reported_for >= $2 and report.reported_for < $3)
    )`

export async function countMeteredCustomers(
  db: Database,
  { customerId, start, end }: { customerId: string | null; start: Date; end: Date },
): Promise<number> {
  const row = await firstRow<{ count: number }>(db, `select count(*)::int as count ${METERED_CUSTOMERS}`, [
    customerId,
    start,
    end,
  ])
  return row!.count
}

/** In the order of their ids, those after `after`. */
export async function meteredCustomers(
  db: Database,
  { customerId, start, end }: { customerId: string | null; start: Date; end: Date },
  after: MeteredCustomer | null,
  limit: number,
): Promise<MeteredCustomer[]> {
  return rows<MeteredCustomer>(
    db,
    /* sql */ `
    select customer.id as "customerId", customer.name as "customerName", customer.stripe_id as "stripeCustomerId",
      meter.event_name as meter, meter.id as "meterId"
    ${METERED_CUSTOMERS}
      and ($4::uuid is null or (customer.id, meter.id) > ($4, $5::int))
    order by customer.id, meter.id
    limit $6`,
    [customerId, start, end, after?.customerId ?? null, after?.meterId ?? null, limit],
  )
}

/**
 * A report that Stripe accepted and does not have: it failed for this reason, and its usage is among the unreported again.
 * @returns false where it is no longer accepted, because somebody else has mended it
 */
export async function takeBackAccepted(
  pool: Pool,
  { customerId, id }: { customerId: string; id: string },
  error: string,
): Promise<boolean> {
  return transaction(pool, async (client) => {
    // rollup first, then report: the order of locks of every writer
    await client.query(
      /* sql */ `
      select 1 from billing.rollups as rollup join billing.reports as report
        on report.customer_id = rollup.customer_id and report.subscription_id = rollup.subscription_id
        and report.meter = rollup.meter and report.since = rollup.since
      where report.customer_id = $1 and report.id = $2 for update of rollup`,
      [customerId, id],
    )
    const failed = await client.query(
      /* sql */ `
      update billing.reports set status = 'failed', error = $3, accepted_at = null
      where customer_id = $1 and id = $2 and status = 'accepted'`,
      [customerId, id, error],
    )
    if (failed.rowCount === 0) return false
    await client.query('select billing.clear_report($1, $2)', [customerId, id])
    return true
  })
}
