import { type Database, rows } from '../database/database.ts'
import type { PlannedReport } from '../reports/report.ts'
import { segmentsIn } from '../subscriptions/segments.ts'
import type { Period, Segment, Subscription } from '../subscriptions/subscription.ts'

/** Usage of one meter in one segment of the period and on one day. */
export interface UsageCell {
  /** Position in the segments asked for. */
  segment: number
  meter: string
  /** UTC, `2026-11-24`. */
  date: string
  quantity: string
  events: number
  lastEventAt: Date | null
  /** Happened in an earlier period and is billed in this one. */
  late: boolean
}

/**
 * What is billed in a period. A segment that Stripe has still to price counts by its rollups; one that Stripe has priced,
 * at a plan switch, by what was reported for it until then. Besides, in the segment they are reported into: late usage
 * already reported, and late usage that the next reports will bring. A few index reads, whatever the number of events.
 *
 * @param planned  the customer's reports to come
 */
export async function usageCells(
  db: Database,
  { customerId, id }: Pick<Subscription, 'customerId' | 'id'>,
  all: readonly Segment[],
  period: Period,
  planned: readonly PlannedReport[],
): Promise<UsageCell[]> {
  const segments = segmentsIn(all, period)
  if (segments.length === 0) return []
  const bounds = [
    segments.map((segment) => segment.start),
    segments.map((segment) => segment.end),
    segments.map((segment) => segment.closedAt !== null),
  ]
  const cells = await rows<UsageCell>(
    db,
    /* sql */ `
    with bound as (
      select * from unnest($3::timestamptz[], $4::timestamptz[], $5::boolean[])
        with ordinality as bound (starts, ends, closed, ordinal)
    )
    select (bound.ordinal - 1)::int as segment, meter.event_name as meter,
      to_char(rollup.since at time zone 'UTC', 'YYYY-MM-DD') as date,
      sum(rollup.quantity) as quantity, sum(rollup.events)::int as events, max(rollup.last_event_at) as "lastEventAt",
      false as late
    from bound
    join billing.rollups as rollup
      on rollup.customer_id = $1 and rollup.subscription_id = $2
      and rollup.since >= bound.starts and rollup.since < bound.ends
    join billing.meters as meter on meter.id = rollup.meter
    where not bound.closed
    group by 1, 2, 3
    union all
    select (bound.ordinal - 1)::int, meter.event_name, to_char(report.since at time zone 'UTC', 'YYYY-MM-DD'),
      sum(report.value), sum(report.events)::int, null, false
    from bound
    join billing.reports as report
      on report.customer_id = $1 and report.subscription_id = $2 and not report.late
      and report.status in ('pending', 'accepted', 'unsure')
      and report.since >= bound.starts and report.since < bound.ends
    join billing.meters as meter on meter.id = report.meter
    where bound.closed
    group by 1, 2, 3
    union all
    select (bound.ordinal - 1)::int, meter.event_name, to_char(report.reported_for at time zone 'UTC', 'YYYY-MM-DD'),
      sum(report.value), sum(report.events)::int, null, true
    from bound
    join billing.reports as report
      on report.customer_id = $1 and report.subscription_id = $2 and report.late and report.kind = 'usage'
      and report.status in ('pending', 'accepted', 'unsure')
      and report.reported_for >= bound.starts and report.reported_for < bound.ends
      -- too old for its own timestamp but of a segment still open: its rollup counts there already
      and not exists (
        select 1 from bound as own where not own.closed and report.since >= own.starts and report.since < own.ends
      )
    join billing.meters as meter on meter.id = report.meter
    group by 1, 2, 3
    order by 1, 2, 3`,
    [customerId, id, ...bounds],
  )
  return [...cells, ...lateToCome(id, segments, planned)]
}

function lateToCome(
  id: string,
  segments: readonly (Segment & { end: Date })[],
  planned: readonly PlannedReport[],
): UsageCell[] {
  return planned.flatMap(({ subscriptionId, meter, since, value, events, timestamp, late, credit, unbillable }) => {
    const countsInItsOwn = segments.some((own) => own.closedAt === null && since >= own.start && since < own.end)
    if (subscriptionId !== id || !late || credit || unbillable || countsInItsOwn) return []
    const segment = segments.findLastIndex((candidate) => candidate.start <= timestamp)
    if (segment === -1) return []
    return [
      { segment, meter, date: timestamp.toISOString().slice(0, 10), quantity: value, events, lastEventAt: null, late },
    ]
  })
}
