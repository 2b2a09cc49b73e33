import type { Pool, PoolClient } from 'pg'
import { rows, withConnection } from '../database/database.ts'
import { formatDecimal, parseDecimal, subtract } from '../pricing/decimal.ts'
import { type Unreported, unreported } from '../reports/outstanding.ts'

/**
 * `rollup`: it is not the sum and the number of its events. `void`: it still holds what a void took back.
 * `reported`: what it notes as reported is not the sum of its reports. `due`: it owes usage and is not marked, so that
 * no sync would send it. `key`: an event has a key nobody holds, or a key is held for an event that is not there.
 */
export type DisagreementKind = 'rollup' | 'void' | 'reported' | 'due' | 'key'

export interface Disagreement {
  kind: DisagreementKind
  /** Null for keys. */
  meter: string | null
  /** The rollup: the start of hour ∩ segment. Null for keys. */
  since: Date | null
  /** By the events, or by the reports. */
  expected: string
  found: string
  /** In a sentence. */
  explanation: string
}

/** One subscription, all of it at one instant. */
export interface SubscriptionCheck {
  customerId: string
  customerName: string
  subscriptionId: string
  stripeSubscriptionId: string
  events: number
  rollups: number
  agrees: boolean
  /** The first 1,000. */
  disagreements: Disagreement[]
  /** How many there are. */
  disagreementCount: number
  /** No disagreement: usage that waits for a sync, or that Stripe has not accepted. */
  unreported: Unreported
}

const SHOWN_MAX = 1_000
const PAGE_SUBSCRIPTIONS = 200

/**
 * Recomputes rollups from events, and compares what they note as reported with the reports. One subscription after the
 * other, each in a snapshot of its own and summed up by the database: neither memory nor locks grow with what there is.
 */
export async function* verifyUsage(
  pool: Pool,
  { customerId = null, subscriptionId = null }: { customerId?: string | null; subscriptionId?: string | null } = {},
): AsyncGenerator<SubscriptionCheck> {
  let after: SubscriptionName | null = null
  for (;;) {
    const page: SubscriptionName[] = await subscriptionsAfter(pool, { customerId, subscriptionId, after })
    for (const subscription of page) yield await inSnapshot(pool, (client) => check(client, subscription))
    after = page.at(-1) ?? null
    if (page.length < PAGE_SUBSCRIPTIONS) return
  }
}

interface SubscriptionName {
  customerId: string
  customerName: string
  subscriptionId: string
  stripeSubscriptionId: string
}

async function subscriptionsAfter(
  pool: Pool,
  scope: { customerId: string | null; subscriptionId: string | null; after: SubscriptionName | null },
): Promise<SubscriptionName[]> {
  return rows<SubscriptionName>(
    pool,
    /* sql */ `
    select customer_id as "customerId", customer.name as "customerName", subscription.id as "subscriptionId",
      subscription.stripe_id as "stripeSubscriptionId"
    from billing.subscriptions as subscription
    join billing.customers as customer on customer.id = subscription.customer_id
    where ($1::uuid is null or customer_id = $1) and ($2::uuid is null or subscription.id = $2)
      and ($3::uuid is null or (customer_id, subscription.id) > ($3, $4::uuid))
    order by customer_id, subscription.id
    limit $5`,
    [
      scope.customerId,
      scope.subscriptionId,
      scope.after?.customerId ?? null,
      scope.after?.subscriptionId ?? null,
      PAGE_SUBSCRIPTIONS,
    ],
  )
}

/** All statements see the same instant: what is recorded meanwhile is no disagreement. */
async function inSnapshot<Result>(pool: Pool, work: (client: PoolClient) => Promise<Result>): Promise<Result> {
  return withConnection(pool, async (client) => {
    await client.query('begin isolation level repeatable read read only')
    try {
      return await work(client)
    } finally {
      await client.query('rollback').catch((lost: Error) => client.emit('error', lost))
    }
  })
}

async function check(client: PoolClient, subscription: SubscriptionName): Promise<SubscriptionCheck> {
  const { customerId, subscriptionId } = subscription
  const counts = await rows<{ events: number; rollups: number }>(
    client,
    /* sql */ `
    select coalesce(sum(events), 0)::float8 as events, count(*)::int as rollups
    from billing.rollups where customer_id = $1 and subscription_id = $2`,
    [customerId, subscriptionId],
  )
  const found = [
    await wrongRollups(client, subscription),
    await wrongReported(client, subscription),
    await wrongKeys(client, subscription),
  ]
  const disagreementCount = found.reduce((total, { count }) => total + count, 0)
  return {
    ...subscription,
    ...counts[0]!,
    agrees: disagreementCount === 0,
    disagreements: found.flatMap(({ shown }) => shown).slice(0, SHOWN_MAX),
    disagreementCount,
    unreported: await unreported(client, customerId, subscriptionId),
  }
}

interface Found {
  shown: Disagreement[]
  count: number
}

interface RollupRow {
  meter: string
  since: Date
  expected: string
  expectedEvents: string
  found: string
  foundEvents: string
  voided: string
  voidedEvents: string
  total: string
}

/** Per hour ∩ segment and meter, quantity and count: rollups against the events that are not void. */
async function wrongRollups(client: PoolClient, { customerId, subscriptionId }: SubscriptionName): Promise<Found> {
  const wrong = await rows<RollupRow>(
    client,
    /* sql */ `
    with used as (
      select event.meter, greatest(date_trunc('hour', event.occurred_at, 'UTC'), (
          select max(starts_at) from billing.segments
          where customer_id = $1 and subscription_id = $2 and starts_at <= event.occurred_at
        )) as since, event.quantity, void.id is not null as void
      from billing.meter_events as event
      left join billing.event_voids as void on void.customer_id = $1 and void.id = event.id
      where event.customer_id = $1 and event.subscription_id = $2
    ),
    expected as (
      select meter, since, coalesce(sum(quantity) filter (where not void), 0) as quantity,
        count(*) filter (where not void) as events, coalesce(sum(quantity) filter (where void), 0) as voided,
        count(*) filter (where void) as voided_events
      from used group by meter, since
    ),
    rollup as (
      select meter, since, quantity, events from billing.rollups where customer_id = $1 and subscription_id = $2
    )
    select coalesce(named.event_name, meter::text) as meter, since, trim_scale(coalesce(expected.quantity, 0)) as expected,
      coalesce(expected.events, 0) as "expectedEvents", trim_scale(coalesce(rollup.quantity, 0)) as found,
      coalesce(rollup.events, 0) as "foundEvents", trim_scale(coalesce(voided, 0)) as voided,
      coalesce(voided_events, 0) as "voidedEvents", count(*) over () as total
    from expected full join rollup using (meter, since)
    left join billing.meters as named on named.id = meter
    where coalesce(expected.quantity, 0) <> coalesce(rollup.quantity, 0)
      or coalesce(expected.events, 0) <> coalesce(rollup.events, 0)
    order by since, 1
    limit ${SHOWN_MAX}`,
    [customerId, subscriptionId],
  )
  return { shown: wrong.map(rollupDisagreement), count: Number(wrong[0]?.total ?? 0) }
}

function rollupDisagreement(row: RollupRow): Disagreement {
  const excess = formatDecimal(subtract(parseDecimal(row.found), parseDecimal(row.expected)))
  const excessEvents = Number(row.foundEvents) - Number(row.expectedEvents)
  const keepsVoid = row.voidedEvents !== '0' && excess === row.voided && excessEvents === Number(row.voidedEvents)
  const expected = `${row.expected} in ${row.expectedEvents} events`
  const found = `${row.found} in ${row.foundEvents} events`
  const explanation = keepsVoid
    ? `${row.voidedEvents} events of this hour are void, and their ${row.voided} have not left the rollup.`
    : `The events of this hour come to ${expected}; the rollup holds ${found}.`
  return { kind: keepsVoid ? 'void' : 'rollup', meter: row.meter, since: row.since, expected, found, explanation }
}

interface ReportedRow {
  meter: string
  since: Date
  quantity: string
  reported: string
  sum: string
  forgotten: boolean
  total: string
}

/** What a rollup notes as reported is the sum of its reports; where it owes something that somebody would pay, it is due. */
async function wrongReported(client: PoolClient, { customerId, subscriptionId }: SubscriptionName): Promise<Found> {
  const wrong = await rows<ReportedRow>(
    client,
    /* sql */ `
    with sent as (
      select meter, since, sum(value) as value from billing.reports
      where customer_id = $1 and subscription_id = $2 and status <> 'cleared'
      group by meter, since
    ),
    rollup as (
      select meter, since, quantity, reported, due from billing.rollups
      where customer_id = $1 and subscription_id = $2
    ),
    compared as (
      select meter as meter_id, since, coalesce(quantity, 0) as quantity, coalesce(reported, 0) as reported,
        coalesce(sent.value, 0) as sum,
        coalesce(quantity <> reported and not due and (
          select kind from billing.segments
          where customer_id = $1 and subscription_id = $2 and starts_at <= since
          order by starts_at desc limit 1
        ) = 'billable', false) as forgotten
      from rollup full join sent using (meter, since)
    )
    select coalesce(meter.event_name, meter_id::text) as meter, since, trim_scale(quantity) as quantity,
      trim_scale(reported) as reported, trim_scale(sum) as sum, forgotten, count(*) over () as total
    from compared left join billing.meters as meter on meter.id = meter_id
    where reported <> sum or forgotten
    order by since, meter_id
    limit ${SHOWN_MAX}`,
    [customerId, subscriptionId],
  )
  return { shown: wrong.flatMap(reportedDisagreements), count: Number(wrong[0]?.total ?? 0) }
}

function reportedDisagreements({ meter, since, quantity, reported, sum, forgotten }: ReportedRow): Disagreement[] {
  const found: Disagreement[] = []
  if (reported !== sum) {
    const explanation = `The reports of this hour that were not cleared come to ${sum}; the rollup notes ${reported} as reported.`
    found.push({ kind: 'reported', meter, since, expected: sum, found: reported, explanation })
  }
  if (forgotten) {
    const explanation = `${quantity} was used and ${reported} reported, and the rollup is not marked as due: no sync would send the rest.`
    found.push({ kind: 'due', meter, since, expected: quantity, found: reported, explanation })
  }
  return found
}

interface KeyRow {
  key: string
  id: string
  missing: 'key' | 'event'
  total: string
}

/** A keyed event holds its key. A key held for an event that is nowhere is shown with each of the customer's subscriptions. */
async function wrongKeys(client: PoolClient, { customerId, subscriptionId }: SubscriptionName): Promise<Found> {
  const wrong = await rows<KeyRow>(
    client,
    /* sql */ `
    with wrong as (
      select event.key, event.id, 'key' as missing
      from billing.meter_events as event
      left join billing.event_keys as held on held.customer_id = $1 and held.key = event.key
      where event.customer_id = $1 and event.subscription_id = $2 and event.key is not null
        and held.id is distinct from event.id
      union all
      select held.key, held.id, 'event'
      from billing.event_keys as held
      where held.customer_id = $1
        and not exists (select 1 from billing.meter_events as event where event.id = held.id and event.customer_id = $1)
    )
    select key, id, missing, count(*) over () as total from wrong order by id limit ${SHOWN_MAX}`,
    [customerId, subscriptionId],
  )
  return { shown: wrong.map(keyDisagreement), count: Number(wrong[0]?.total ?? 0) }
}

function keyDisagreement({ key, id, missing }: KeyRow): Disagreement {
  const shown = JSON.stringify(key)
  const explanation =
    missing === 'key'
      ? `Event ${id} has the key ${shown}, which is not held for it: the same key could be counted again.`
      : `The key ${shown} is held for event ${id}, which is not there: an event of that key would be taken for a repeat.`
  const [expected, found] = missing === 'key' ? [id, 'nothing held'] : [id, 'no event']
  return { kind: 'key', meter: null, since: null, expected, found, explanation }
}
