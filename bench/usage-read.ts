import { grouped, inWorld, percentile, type Row, type World } from './world.ts'

const FEW = 10_000
const MANY = 1_000_000
const VERY_MANY = 10_000_000
const SUBSCRIPTIONS = 100
/** With few events and with many: what is read is a row for each hour with usage. */
const HOURS = 100
const READS = 2_000
const WARM_UP_READS = 200
const HOUR_MS = 3_600_000

/** Usage and upcoming charges of one subscription, with few and with many events in the same hours of the table. */
export function usageRead(): Promise<Row[]> {
  return readsWith(MANY)
}

export function usageReadTenMillion(): Promise<Row[]> {
  return readsWith(VERY_MANY)
}

async function readsWith(events: number): Promise<Row[]> {
  return inWorld(SUBSCRIPTIONS, async (world) => {
    const begin = new Date(Math.ceil(Date.now() / HOUR_MS) * HOUR_MS)
    world.setClockAhead((HOURS + 1) * HOUR_MS)
    await world.meterkit.housekeeping()
    await fill(world, begin, FEW)
    const few = await reads(world)
    await fill(world, begin, events)
    const many = await reads(world)
    const ratio = percentile(many, 0.99) / percentile(few, 0.99)
    const shown = (share: number) => `${percentile(few, share).toFixed(2)} → ${percentile(many, share).toFixed(2)} ms`
    return [
      {
        what: `usage + upcoming charges of one subscription, 99th percentile with ${grouped(events)} events in the table to that with ${grouped(FEW)}`,
        promised: '≤ 1.5',
        measured: `${ratio.toFixed(2)} (${shown(0.99)}; median ${shown(0.5)}; ${HOURS} hours with usage)`,
        kept: ratio <= 1.5,
      },
    ]
  })
}

/**
 * Fills the emptied table by sets, spread evenly over subscriptions and hours, from two connections. The engine's own
 * check then says for a subscription that its rollups are those of its events.
 */
async function fill({ pool, subscribers, meterkit }: World, begin: Date, events: number): Promise<void> {
  await pool.query('truncate billing.meter_events, billing.rollups')
  const { rows } = await pool.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'billing.meter_events'::regclass`,
  )
  // What is read is no other for it, and no disk has to take the log of it.
  for (const { name } of rows) await pool.query(`alter table ${name} set unlogged`)
  const half = events / 2
  await Promise.all([
    insert(pool, { subscribers, begin, events, from: 0, until: half }),
    insert(pool, { subscribers, begin, events, from: half, until: events }),
  ])
  await pool.query(`
    insert into billing.rollups (customer_id, subscription_id, meter, since, quantity, events, last_event_at)
    select customer_id, subscription_id, meter, date_trunc('hour', occurred_at, 'UTC'), sum(quantity), count(*), max(occurred_at)
    from billing.meter_events group by 1, 2, 3, 4`)
  await pool.query('vacuum analyze billing.rollups')
  await pool.query('vacuum analyze billing.meter_events')
  await pool.query('checkpoint')
  const { subscriptionId } = subscribers[SUBSCRIPTIONS / 2]!
  for await (const check of meterkit.verify({ subscriptionId })) {
    if (check.agrees && check.events === events / SUBSCRIPTIONS && check.rollups === HOURS) continue
    throw new Error(`The table was filled wrong: ${JSON.stringify(check)}`)
  }
}

interface Filling {
  subscribers: World['subscribers']
  begin: Date
  events: number
  from: number
  until: number
}

async function insert(pool: World['pool'], { subscribers, begin, events, from, until }: Filling): Promise<void> {
  await pool.query(
    /* sql */ `
    insert into billing.meter_events (customer_id, id, subscription_id, meter, quantity, occurred_at, properties)
    select customers[1 + number % cardinality(customers)],
      (lpad(to_hex(ms), 12, '0') || '7' || substr(hash, 1, 3) || '8' || substr(hash, 4, 15))::uuid,
      subscriptions[1 + number % cardinality(customers)],
      1, 1250, to_timestamp(ms / 1000.0), '{"model":"demo","feature":"ai-chat"}'
    from (select $1::uuid[] as customers, $2::uuid[] as subscriptions) as subscribers
    cross join lateral (
      select number, $3::bigint + number * $4::bigint / $5::bigint as ms, md5(number::text) as hash
      from generate_series($6::bigint, $7::bigint - 1) as number
    ) as event`,
    [
      subscribers.map(({ customerId }) => customerId),
      subscribers.map(({ subscriptionId }) => subscriptionId),
      begin.getTime(),
      HOURS * HOUR_MS,
      events,
      from,
      until,
    ],
  )
}

async function reads({ meterkit, subscribers }: World): Promise<number[]> {
  const times: number[] = []
  for (let index = 0; index < READS; index++) {
    const { subscriptionId } = subscribers[index % subscribers.length]!
    const began = performance.now()
    await meterkit.usage.current(subscriptionId)
    await meterkit.invoices.upcoming(subscriptionId)
    times.push(performance.now() - began)
  }
  return times.slice(WARM_UP_READS)
}
