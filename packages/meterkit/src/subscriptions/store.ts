import type { PoolClient } from 'pg'
import { type Database, firstRow, rows } from '../database/database.ts'
import { announce } from '../directory.ts'
import { lockSegments } from './segment-lock.ts'
import type { SegmentStart } from './segments.ts'
import type { Segment, SegmentKind, Subscription, SubscriptionItem, SubscriptionStatus } from './subscription.ts'

const COLUMNS = `id, customer_id, stripe_id, status, plan, items, period_start, period_end, started_at, trial_end,
  cancel_at_period_end, cancel_at, ended_at, problem, reportable`

interface SubscriptionRow {
  id: string
  customer_id: string
  stripe_id: string
  status: SubscriptionStatus
  plan: string | null
  items: SubscriptionItem[]
  period_start: Date | null
  period_end: Date | null
  started_at: Date
  trial_end: Date | null
  cancel_at_period_end: boolean
  cancel_at: Date | null
  ended_at: Date | null
  problem: string | null
  reportable: boolean
}

function fromRow(row: SubscriptionRow): Subscription {
  return {
    id: row.id,
    customerId: row.customer_id,
    stripeId: row.stripe_id,
    status: row.status,
    plan: row.plan,
    items: row.items,
    currentPeriod: row.period_start && row.period_end ? { start: row.period_start, end: row.period_end } : null,
    startedAt: row.started_at,
    trialEnd: row.trial_end,
    cancelAtPeriodEnd: row.cancel_at_period_end,
    cancelAt: row.cancel_at,
    endedAt: row.ended_at,
    problem: row.problem,
    reportable: row.reportable,
  }
}

export async function getSubscription(db: Database, id: string): Promise<Subscription | null> {
  const row = await firstRow<SubscriptionRow>(db, `select ${COLUMNS} from billing.subscriptions where id = $1`, [id])
  return row && fromRow(row)
}

/** Live ones first, then the latest. */
export async function subscriptionsOf(db: Database, customerIds: readonly string[]): Promise<Subscription[]> {
  const found = await rows<SubscriptionRow>(
    db,
    /* sql */ `
    select ${COLUMNS} from billing.subscriptions
    where customer_id = any ($1::uuid[])
    order by status in ('trialing', 'active', 'past_due') desc, started_at desc, id`,
    [customerIds],
  )
  return found.map(fromRow)
}

/**
 * From here on Stripe may have changed a subscription without our knowing: nothing of it is reported before that is known.
 * @param at  null: it is known
 */
export async function noteChanging(db: Database, id: string, at: Date | null): Promise<void> {
  await db.query('update billing.subscriptions set changing_at = $2 where id = $1', [id, at])
}

/** When a change was asked for whose outcome is not known, of each subscription that has one; the latest first. */
export async function changesUnderWay(
  db: Database,
  customerId: string,
): Promise<{ id: string; stripeId: string; at: Date }[]> {
  return rows(
    db,
    /* sql */ `
    select id, stripe_id as "stripeId", changing_at as at from billing.subscriptions
    where customer_id = $1 and changing_at is not null
    order by changing_at desc`,
    [customerId],
  )
}

/** Grows with every store; null for one never stored. */
export async function subscriptionVersion(db: Database, id: string): Promise<number | null> {
  const row = await firstRow<{ version: number }>(db, 'select version from billing.subscriptions where id = $1', [id])
  return row?.version ?? null
}

export async function storeSubscription(client: PoolClient, subscription: Subscription): Promise<void> {
  const { currentPeriod } = subscription
  await client.query(
    /* sql */ `
    insert into billing.subscriptions (${COLUMNS})
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
    on conflict (customer_id, id) do update
    set status = excluded.status, plan = excluded.plan, items = excluded.items,
        period_start = excluded.period_start, period_end = excluded.period_end,
        started_at = excluded.started_at, trial_end = excluded.trial_end,
        cancel_at_period_end = excluded.cancel_at_period_end, cancel_at = excluded.cancel_at,
        ended_at = excluded.ended_at, problem = excluded.problem, reportable = excluded.reportable,
        version = subscriptions.version + 1`,
    [
      subscription.id,
      subscription.customerId,
      subscription.stripeId,
      subscription.status,
      subscription.plan,
      JSON.stringify(subscription.items),
      currentPeriod?.start ?? null,
      currentPeriod?.end ?? null,
      subscription.startedAt,
      subscription.trialEnd,
      subscription.cancelAtPeriodEnd,
      subscription.cancelAt,
      subscription.endedAt,
      subscription.problem,
      subscription.reportable,
    ],
  )
  await announce(client, subscription.customerId, subscription.id)
}

interface SegmentRow {
  customer_id: string
  subscription_id: string
  starts_at: Date
  kind: SegmentKind
  period_start: Date | null
  period_end: Date | null
  items: SubscriptionItem[]
  closed_at: Date | null
}

/** Of each subscription, oldest first. */
export async function segmentsOf(
  db: Database,
  customerId: string,
  subscriptionIds: readonly string[],
): Promise<Map<string, Segment[]>> {
  const found = await rows<SegmentRow>(
    db,
    /* sql */ `
    select customer_id, subscription_id, starts_at, kind, period_start, period_end, items, closed_at
    from billing.segments
    where customer_id = $1 and subscription_id = any ($2::uuid[])
    order by subscription_id, starts_at`,
    [customerId, subscriptionIds],
  )
  const segments = new Map<string, Segment[]>(subscriptionIds.map((id) => [id, []]))
  for (const row of found) {
    const list = segments.get(row.subscription_id)!
    const before = list.at(-1)
    if (before) before.end = row.starts_at
    const period = row.period_start && row.period_end ? { start: row.period_start, end: row.period_end } : null
    list.push({ start: row.starts_at, end: null, kind: row.kind, period, items: row.items, closedAt: row.closed_at })
  }
  return segments
}

/** The segment an instant falls into; null before the first. */
export function segmentAt(segments: readonly Segment[], at: Date): Segment | null {
  return segments.findLast((segment) => segment.start <= at) ?? null
}

/**
 * Replaces a subscription's segment starts. Rollups are cut at a new start and rebuilt where one is gone, in this very
 * transaction and with nobody else writing, so that at every instant a rollup equals the aggregate of its events.
 */
export async function storeSegments(
  client: PoolClient,
  { customerId, id }: Pick<Subscription, 'customerId' | 'id'>,
  starts: readonly SegmentStart[],
): Promise<void> {
  await lockSegments(client)
  const before = await rows<{ starts_at: Date }>(
    client,
    'select starts_at from billing.segments where customer_id = $1 and subscription_id = $2',
    [customerId, id],
  )
  await client.query(
    'delete from billing.segments where customer_id = $1 and subscription_id = $2 and starts_at <> all ($3::timestamptz[])',
    [customerId, id, starts.map((segment) => segment.start)],
  )
  for (const { start, kind, period, items, closedAt } of starts) {
    await client.query(
      /* sql */ `
      insert into billing.segments (customer_id, subscription_id, starts_at, kind, period_start, period_end, items,
        closed_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8)
      on conflict (customer_id, subscription_id, starts_at) do update
      set kind = excluded.kind, period_start = excluded.period_start, period_end = excluded.period_end,
          items = excluded.items, closed_at = coalesce(segments.closed_at, excluded.closed_at)`,
      [customerId, id, start, kind, period?.start ?? null, period?.end ?? null, JSON.stringify(items), closedAt],
    )
  }
  const known = new Set(before.map((row) => row.starts_at.getTime()))
  const now = new Set(starts.map((segment) => segment.start.getTime()))
  const moved = [...known.symmetricDifference(now)].map((time) => new Date(time))
  for (const at of moved) await rebuildHour(client, customerId, id, at)
}

/**
 * Recomputes the rollups of the hour around `at` from its events. What was reported stays with the row it was reported
 * for; the differences that arise are reported like any others, and each row tells what of it has only moved.
 */
async function rebuildHour(client: PoolClient, customerId: string, subscriptionId: string, at: Date): Promise<void> {
  await client.query(
    /* sql */ `
    with hour as (
      select date_trunc('hour', $3::timestamptz, 'UTC') as starts,
             date_trunc('hour', $3::timestamptz, 'UTC') + interval '1 hour' as ends
    ),
    actual as (
      select event.meter, greatest(hour.starts, cut.starts_at) as since,
        sum(event.quantity) as quantity, count(*) as events, max(event.occurred_at) as last_event_at
      from hour, billing.meter_events as event
      left join lateral (
        select max(starts_at) as starts_at from billing.segments
        where customer_id = $1 and subscription_id = $2 and starts_at <= event.occurred_at
      ) as cut on true
      where event.customer_id = $1 and event.subscription_id = $2
        and event.occurred_at >= hour.starts and event.occurred_at < hour.ends
        and not exists (
          select 1 from billing.event_voids as void where void.customer_id = $1 and void.id = event.id
        )
      group by 1, 2
    ),
    emptied as (
      update billing.rollups as rollup
      set quantity = 0, events = 0, moved = moved - quantity, due = true
      from hour
      where rollup.customer_id = $1 and rollup.subscription_id = $2
        and rollup.since >= hour.starts and rollup.since < hour.ends
        and not exists (select 1 from actual where actual.meter = rollup.meter and actual.since = rollup.since)
    )
    insert into billing.rollups (customer_id, subscription_id, meter, since, quantity, moved, events, last_event_at)
    select $1, $2, meter, since, quantity, quantity, events, last_event_at from actual
    order by meter, since
    on conflict (customer_id, subscription_id, meter, since) do update
    set moved = rollups.moved + excluded.quantity - rollups.quantity, quantity = excluded.quantity, events = excluded.events, last_event_at = excluded.last_event_at, due = true`,
    [customerId, subscriptionId, at],
  )
}

/** When Stripe priced what it closed at a change of prices made there. */
export async function notePriced(
  client: PoolClient,
  { customerId, id }: Pick<Subscription, 'customerId' | 'id'>,
  { closedAt, pricedAt }: { closedAt: Date; pricedAt: Date },
): Promise<void> {
  await client.query(
    'update billing.segments set priced_at = $4 where customer_id = $1 and subscription_id = $2 and closed_at = $3 and priced_at is null',
    [customerId, id, closedAt, pricedAt],
  )
}

/**
 * The invoice of these periods is final: what comes later is billed in the open one.
 * @param endedBy  their ends, at the latest; null closes all there are, because nothing will be invoiced any more
 */
export async function closePeriods(
  client: PoolClient,
  { customerId, id }: Pick<Subscription, 'customerId' | 'id'>,
  { endedBy, closedAt, pricedAt }: { endedBy: Date | null; closedAt: Date; pricedAt: Date | null },
): Promise<void> {
  await lockSegments(client)
  await client.query(
    /* sql */ `
    update billing.segments set closed_at = $4, priced_at = $5
    where customer_id = $1 and subscription_id = $2 and kind <> 'ended' and closed_at is null
      and ($3::timestamptz is null or period_end <= $3)`,
    [customerId, id, endedBy, closedAt, pricedAt],
  )
}
