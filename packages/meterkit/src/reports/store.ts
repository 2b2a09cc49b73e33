import type { Pool, PoolClient } from 'pg'
import { type Database, firstRow, rows, transaction } from '../database/database.ts'
import type { Report, ReportRow, ReportStatus } from './report.ts'

const COLUMNS = `report.id, report.customer_id as "customerId", report.subscription_id as "subscriptionId",
  meter.event_name as meter, report.since, report.value, report.events::int as events, report.identifier,
  report.reported_for as "timestamp", report.late, report.status, report.attempts, report.created_at as "createdAt",
  report.accepted_at as "acceptedAt", report.error, report.kind, report.priced_in as "pricedIn", report.amount, report.currency`

/** A report with what sending it needs. */
export interface OpenReport extends Report {
  definiteAnswers: number
  firstAttemptAt: Date | null
  lastAttemptAt: Date | null
  /** How old the first attempt was when this was read, by the database's clock; null before it. */
  sentMsAgo: number | null
  /** Of the segment it was written for: set once its invoice is final. */
  closedAt: Date | null
  stripeSubscriptionId: string
}

/** Customers with usage that may be unreported, reports to send, or a change that Stripe has not answered. @param now  null: also those that wait for a back-off */
export async function customersToReport(db: Database, now: Date | null): Promise<string[]> {
  const found = await rows<{ id: string }>(
    db,
    /* sql */ `
    select customer_id as id from billing.rollups where due
    union
    select customer_id from billing.reports where status in ('pending', 'unsure') and ($1::timestamptz is null or next_attempt_at <= $1)
    union
    select customer_id from billing.subscriptions where changing_at is not null`,
    [now],
  )
  return found.map((row) => row.id)
}

/** Reports of a customer that have no final answer, oldest first. */
export async function openReports(db: Database, customerId: string, now: Date | null): Promise<OpenReport[]> {
  return rows<OpenReport>(
    db,
    /* sql */ `
    select ${COLUMNS}, report.definite_answers as "definiteAnswers", report.first_attempt_at as "firstAttemptAt",
      report.last_attempt_at as "lastAttemptAt", segment.closed_at as "closedAt",
      extract(epoch from clock_timestamp() - report.first_sent_at)::float8 * 1000 as "sentMsAgo",
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
    set attempts = attempts + 1, first_attempt_at = coalesce(first_attempt_at, $3), last_attempt_at = $3,
        first_sent_at = coalesce(first_sent_at, clock_timestamp())
    where customer_id = $1 and id = $2`,
    [customerId, id, now],
  )
}

/** A credit for what nobody has paid. */
export async function noteWorthless(db: Database, { customerId, id }: Report): Promise<void> {
  await db.query('update billing.reports set amount = 0 where customer_id = $1 and id = $2', [customerId, id])
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
    await lockRollupOf(client, report)
    await failReport(client, report, 'Stripe does not have it, and its period is closed; written down anew')
    await client.query('select billing.clear_report($1, $2)', [report.customerId, report.id])
  })
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
  return transaction(pool, (client) => failAccepted(client, { customerId, id }, { error, unbilled: false }))
}

/** The same, for who is in a transaction. @param unbilled  Stripe has it, and will never bill it */
export async function failAccepted(
  client: PoolClient,
  { customerId, id }: { customerId: string; id: string },
  { error, unbilled }: { error: string; unbilled: boolean },
): Promise<boolean> {
  await lockRollupOf(client, { customerId, id })
  const failed = await client.query(
    /* sql */ `
    update billing.reports set status = 'failed', error = $3, unbilled = $4, accepted_at = null
    where customer_id = $1 and id = $2 and status = 'accepted'`,
    [customerId, id, error, unbilled],
  )
  if (failed.rowCount === 0) return false
  await client.query('select billing.clear_report($1, $2)', [customerId, id])
  return true
}

/** Rollup first, then report: the order of locks of every writer. */
async function lockRollupOf(client: PoolClient, { customerId, id }: { customerId: string; id: string }): Promise<void> {
  await client.query(
    /* sql */ `
    select 1 from billing.rollups as rollup join billing.reports as report
      on report.customer_id = rollup.customer_id and report.subscription_id = rollup.subscription_id
      and report.meter = rollup.meter and report.since = rollup.since
    where report.customer_id = $1 and report.id = $2 for update of rollup`,
    [customerId, id],
  )
}

/** A report Stripe took and refused later, found by its identifier. @returns whether it was one of ours and accepted */
export async function rejectAccepted(pool: Pool, identifier: string, error: string): Promise<boolean> {
  return transaction(pool, async (client) => {
    const report = await firstRow<{ id: string; customerId: string }>(
      client,
      'select id, customer_id as "customerId" from billing.reports where identifier = $1',
      [identifier],
    )
    if (!report) return false
    // so that no report of the same hour is written meanwhile, which reads what failed
    await lockRollupOf(client, report)
    const result = await client.query(
      /* sql */ `
      update billing.reports set status = 'failed', error = $3, accepted_at = null
      where customer_id = $1 and id = $2 and status in ('accepted', 'pending', 'unsure')`,
      [report.customerId, report.id, error],
    )
    return (result.rowCount ?? 0) > 0
  })
}

/**
 * Reports with a permanent error: by their events, by their message, or all but those in doubt, which are cleared where
 * they are named. @returns how many were cleared
 */
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
    where status in ('failed', 'unsure') and ($1::text is null and status = 'failed' or error = $1)
    order by id`,
    [which === 'all' ? null : which.error],
  )
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
