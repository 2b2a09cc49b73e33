import { type Database, firstRow, rows } from '../database/database.ts'
import { formatAmount } from '../pricing/describe.ts'
import type { EventDetail, EventFilter, EventRow, EventStatus, EventStep, Page } from './event.ts'

const COLUMNS = `event.id, event.key, event.meter, event.customer_id as "customerId", customer.name as "customerName",
  event.subscription_id as "subscriptionId", event.quantity, event."timestamp", event.recorded_at as "recordedAt",
  event.status, event.late, event.processed_at as "processedAt", event.error_message as "errorMessage",
  event.properties, event.report_id as "reportId"`

const EVENTS_OF_HOUR = /* sql */ `
  join billing.meter_events as candidate
    on candidate.customer_id = hour.customer_id and candidate.subscription_id = hour.subscription_id
    and candidate.meter = hour.meter
    and candidate.occurred_at >= hour.since and candidate.occurred_at < hour.since + interval '1 hour'`

/** Where the events of a rare status are to be found without reading all events. The view then tells exactly. */
const CANDIDATES: Partial<Record<EventStatus | 'late', string>> = {
  pending: /* sql */ `
    select candidate.id from (
      select customer_id, subscription_id, meter, since from billing.rollups where due
      union
      select customer_id, subscription_id, meter, since from billing.reports where status in ('pending', 'unsure')
    ) as hour ${EVENTS_OF_HOUR}`,
  failed: /* sql */ `
    select candidate.id from billing.reports as hour ${EVENTS_OF_HOUR}
    where hour.status in ('failed', 'unsure')`,
  late: `select candidate.id from billing.reports as hour ${EVENTS_OF_HOUR} where hour.late`,
  void: 'select id from billing.event_voids',
}

/** Newest first. A cursor is the id a page ends (`b`, before) or begins (`a`, after) with. */
export async function listEvents(db: Database, filter: EventFilter): Promise<Page<EventRow>> {
  const { status, customerId = null, subscriptionId = null, search = null, cursor, limit = 50 } = filter
  const { before, after } = parseCursor(cursor)
  const candidates = status && CANDIDATES[status]
  const found = await rows<EventRow>(
    db,
    /* sql */ `
    select ${COLUMNS}
    from billing.billing_meter_events as event
    join billing.customers as customer on customer.id = event.customer_id
    where ($1::uuid is null or event.id < $1)
      and ($2::uuid is null or event.id > $2)
      and ($3::uuid is null or event.customer_id = $3)
      and ($4::uuid is null or event.subscription_id = $4)
      and ($5::text is null or event.key = $5 or event.id::text like $5 || '%' or customer.name ilike '%' || $5 || '%'
        or event.error_message ilike '%' || $5 || '%')
      and ($6::text is null or case when $6 = 'late' then event.late else event.status = $6 end)
      ${candidates ? `and event.id in (${candidates})` : ''}
    order by event.id ${after ? 'asc' : 'desc'}
    limit $7`,
    [before, after, customerId, subscriptionId, search, status ?? null, limit + 1],
  )
  return paged(found, { limit, before, after, id: (row) => row.id })
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** A cursor that is none, because somebody wrote it into the address, is the first page. */
export function parseCursor(cursor: string | undefined): { before: string | null; after: string | null } {
  const id = cursor?.slice(1) ?? ''
  if (!UUID.test(id)) return { before: null, after: null }
  return { before: cursor!.startsWith('b') ? id : null, after: cursor!.startsWith('a') ? id : null }
}

/** Cuts the row too many off, and says where the pages beside this one begin. */
export function paged<Row>(
  found: readonly Row[],
  {
    limit,
    before,
    after,
    id,
  }: { limit: number; before: string | null; after: string | null; id: (row: Row) => string },
): Page<Row> {
  const more = found.length > limit
  const kept = found.slice(0, limit)
  if (after) kept.reverse()
  const [first, last] = [kept[0], kept.at(-1)]
  const hasNext = last && (after ? true : more)
  const hasPrevious = first && (after ? more : before !== null)
  return {
    rows: kept,
    next: hasNext ? `b${id(last)}` : null,
    previous: hasPrevious ? `a${id(first)}` : null,
  }
}

/** From rollups and reports, so that its cost does not grow with the number of events. */
export async function countEvents(db: Database): Promise<Record<EventStatus | 'late' | 'all', number>> {
  const counts = await firstRow<Record<EventStatus | 'late' | 'all', number>>(
    db,
    /* sql */ `
    with rolled as (
      select coalesce(sum(events), 0) as all,
        -- a void of an event that was reported makes its rollup owe one event less
        coalesce(sum(greatest(events - reported_events, 0)) filter (where due), 0) as due,
        coalesce(sum(least(events - reported_events, 0)) filter (where due), 0) as taken_back,
        coalesce(sum(events - reported_events) filter (where not due), 0) as free
      from billing.rollups
    ),
    sent as (
      select coalesce(sum(events) filter (where status = 'accepted'), 0) as processed,
        coalesce(sum(events) filter (where status = 'pending'), 0) as pending,
        coalesce(sum(events) filter (where status in ('failed', 'unsure')), 0) as failed,
        coalesce(sum(events) filter (where late and kind = 'usage' and status <> 'cleared'), 0) as late
      from billing.reports
    ),
    voided as (select count(*) as void from billing.event_voids)
    select (rolled.all + voided.void)::float8 as all, (rolled.due + sent.pending)::float8 as pending,
      (sent.processed + rolled.taken_back)::float8 as processed, sent.failed::float8 as failed, rolled.free::float8 as free,
      sent.late::float8 as late, voided.void::float8 as void
    from rolled, sent, voided`,
    [],
  )
  return counts!
}

export async function getEvent(db: Database, id: string): Promise<EventDetail | null> {
  if (!UUID.test(id)) return null
  const event = await firstRow<EventRow>(
    db,
    /* sql */ `
    select ${COLUMNS} from billing.billing_meter_events as event
    join billing.customers as customer on customer.id = event.customer_id
    where event.id = $1::uuid`,
    [id],
  )
  return event && { ...event, steps: await stepsOf(db, event) }
}

interface ReportOfEvent {
  identifier: string
  value: string
  events: number
  status: string
  created_at: Date
  accepted_at: Date | null
  last_attempt_at: Date | null
  error: string | null
  chosen: boolean
}

async function stepsOf(db: Database, event: EventRow): Promise<EventStep[]> {
  const reports = await rows<ReportOfEvent>(
    db,
    /* sql */ `
    select report.identifier, report.value, report.events::int as events, report.status, report.created_at,
      report.accepted_at, report.last_attempt_at, report.error, report.id = $4::uuid as chosen
    from billing.reports as report
    where report.customer_id = $1 and report.subscription_id = $2
      and (report.id = $4::uuid or (report.status = 'cleared' and report.written_at >= $5
        and report.since > $3::timestamptz - interval '1 hour' and report.since <= $3))
    order by report.id`,
    [event.customerId, event.subscriptionId, event.timestamp, event.reportId, event.recordedAt],
  )
  const voided = await firstRow<{ voided_at: Date; voided_by: string; reason: string }>(
    db,
    'select voided_at, voided_by, reason from billing.event_voids where customer_id = $1 and id = $2',
    [event.customerId, event.id],
  )
  const invoice = await firstRow<{
    number: string | null
    stripe_id: string
    status: string
    finalized_at: Date | null
  }>(
    db,
    /* sql */ `
    select invoice.number, invoice.stripe_id, invoice.status, invoice.finalized_at
    from billing.reports as report
    join billing.invoices as invoice
      on invoice.customer_id = report.customer_id and invoice.subscription_id = report.subscription_id
      and report.reported_for >= invoice.period_start and report.reported_for < invoice.period_end
    where report.customer_id = $1 and report.id = $2::uuid and report.status = 'accepted'
    order by invoice.created_at limit 1`,
    [event.customerId, event.reportId],
  )
  const steps: EventStep[] = [
    { kind: 'occurred', at: event.timestamp, detail: `${event.quantity} on meter ${event.meter}` },
    { kind: 'recorded', at: event.recordedAt, detail: 'in the database, counted in its rollup' },
    ...reports.flatMap(reportSteps),
  ]
  if (invoice) {
    steps.push({
      kind: 'invoiced',
      at: invoice.finalized_at,
      detail: `invoice ${invoice.number ?? invoice.stripe_id} (${invoice.status})`,
    })
  }
  if (voided) {
    steps.push({ kind: 'voided', at: voided.voided_at, detail: `by ${voided.voided_by}: ${voided.reason}` })
    steps.push(...(await creditSteps(db, event, voided.voided_at)))
  }
  return steps
}

/** What was given back for usage of the event's hour since it was voided: one credit is for all of an hour. */
async function creditSteps(db: Database, event: EventRow, voidedAt: Date): Promise<EventStep[]> {
  const credits = await rows<{ amount: string; currency: string; value: string; accepted_at: Date | null }>(
    db,
    /* sql */ `
    select credit.amount, credit.currency, trim_scale(credit.value) as value, credit.accepted_at
    from billing.reports as report
    join billing.reports as credit
      on credit.customer_id = report.customer_id and credit.subscription_id = report.subscription_id
      and credit.meter = report.meter and credit.since = report.since
    where report.customer_id = $1 and report.id = $2::uuid
      and credit.kind = 'credit' and credit.status <> 'cleared' and credit.created_at >= $3
    order by credit.id limit 1`,
    [event.customerId, event.reportId, voidedAt],
  )
  return credits.map(({ amount, currency, value, accepted_at }) => ({
    kind: 'credited',
    at: accepted_at,
    detail: `${value} of its hour, worth ${formatAmount(amount, currency)}, on the next invoice`,
  }))
}

function reportSteps(report: ReportOfEvent): EventStep[] {
  const together = report.events === 1 ? '1 event' : `${report.events} events`
  const steps: EventStep[] = [
    {
      kind: 'reported',
      at: report.created_at,
      detail: `report ${report.identifier}: ${report.value} from ${together}`,
    },
  ]
  if (report.status === 'accepted')
    steps.push({ kind: 'accepted', at: report.accepted_at, detail: 'its meter counts it for the invoice' })
  if (report.error && report.status !== 'accepted' && report.status !== 'pending') {
    steps.push({ kind: 'failed', at: report.last_attempt_at ?? report.created_at, detail: report.error })
  }
  if (report.status === 'cleared') steps.push({ kind: 'cleared', at: null, detail: 'its usage was queued again' })
  return steps
}
