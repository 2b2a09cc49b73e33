import type { Pool } from 'pg'
import { type Database, firstRow, rows } from '../database/database.ts'
import type { ReportStatus } from './report.ts'

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
    select report.id, identifier, trim_scale(value) as value, reported_for as "timestamp",
      -- what Stripe never bills it counts all the same
      case when unbilled then 'accepted' else status end as status,
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
      trim_scale(coalesce(sum(value) filter (where status = 'accepted' or unbilled), 0)) as quantity
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

/** Deliveries about refused events that wait or failed: what seems lost may only be late. */
export async function hasSilentWebhook(pool: Pool): Promise<boolean> {
  const row = await firstRow<{ waits: boolean }>(
    pool,
    /* sql */ `
    select exists (
      select 1 from billing.webhooks where status in ('received', 'failed') and type like 'v1.billing.meter.%'
    ) as waits`,
    [],
  )
  return row!.waits
}
