import { type Database, firstRow, rows } from '../database/database.ts'
import type { Backlog, ReportStatus } from './report.ts'

/** Usage of a subscription that Stripe has not accepted: what is due, and what is in open reports. */
export interface Unreported {
  /** A plain decimal, of all meters. */
  quantity: string
  /** Written, and not accepted. */
  reports: number
  /** Of them those that no sync sends again: a person must settle them. */
  failed: number
}

export async function unreported(db: Database, customerId: string, subscriptionId: string): Promise<Unreported> {
  const row = await firstRow<Unreported>(
    db,
    /* sql */ `
    select trim_scale(due.quantity + open.quantity) as quantity, open.reports, open.failed
    from (
      select coalesce(sum(quantity - reported), 0) as quantity from billing.rollups
      where customer_id = $1 and subscription_id = $2 and due
    ) as due, (
      select coalesce(sum(value), 0) as quantity, count(*)::int as reports,
        count(*) filter (where status = 'failed')::int as failed
      from billing.reports
      where customer_id = $1 and subscription_id = $2 and status in ('pending', 'unsure', 'failed')
    ) as open`,
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
