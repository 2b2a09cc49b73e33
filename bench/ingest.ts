import type { Pool } from 'pg'
import { copyLines, linesOf, usesOf } from './copy.ts'
import { type Engine, grouped, inWorld, median, type Row, type World } from './world.ts'

const EVENTS = 200_000
const SINGLE_EVENTS = 2_000
const ROUNDS = 5
/** As a server would that is asked as fast as it can keep up: the recorder is never further ahead of the database. */
const AHEAD_EVENTS_MAX = 40_000
/** An engine keeps one connection to hear of new customers. */
const LISTENING = 1

/**
 * Events a second from `recordEvent` to durable, deduplicated and rolled up, beside baselines of the same rows in the
 * same table in the same run: text COPY (indexes, but no journal, no deduplication, no rollups), and an insert per event.
 * COPY writes its lines as it goes, from ids that are there already; what it does with lines that are there, too, is shown.
 */
export async function ingest(): Promise<Row[]> {
  return inWorld(1_000, async (world) => {
    const one = await world.another({ connections: 1 + LISTENING })
    const rates = {
      copy: [] as number[],
      ready: [] as number[],
      one: [] as number[],
      two: [] as number[],
      single: [] as number[],
    }
    for (let round = 0; round < ROUNDS; round++) {
      const uses = usesOf(world.subscribers, EVENTS)
      rates.copy.push(await rate(world.pool, EVENTS, () => copyLines(world.pool, linesOf(uses))))
      rates.two.push(await rate(world.pool, EVENTS, () => recordAll(world, world.meterkit)))
      rates.one.push(await rate(world.pool, EVENTS, () => recordAll(world, one)))
      const batches = [...linesOf(uses)]
      rates.ready.push(await rate(world.pool, EVENTS, () => copyLines(world.pool, batches)))
      rates.single.push(await rate(world.pool, SINGLE_EVENTS, () => insertEach(world)))
    }
    const [copy, ready, oneRate, two, single] = [rates.copy, rates.ready, rates.one, rates.two, rates.single].map(
      median,
    ) as [number, number, number, number, number]
    return [
      ratioRow('recordEvent → stored over one connection, to COPY of the same rows', oneRate, copy, 0.65),
      ratioRow('recordEvent → stored over two connections (as it is set), to COPY of the same rows', two, copy, 0.9),
      ratioRow('recordEvent → stored, to an insert per event', two, single, 25),
      ratioRow('recordEvent → stored, to COPY of lines that are ready', two, ready, null),
    ]
  })
}

function ratioRow(what: string, ours: number, baseline: number, least: number | null): Row {
  const ratio = ours / baseline
  return {
    what,
    promised: least === null ? 'shown' : `≥ ${least}`,
    measured: `${ratio.toFixed(ratio < 10 ? 2 : 1)} (${grouped(ours)}/s to ${grouped(baseline)}/s)`,
    kept: least === null || ratio >= least,
  }
}

async function rate(pool: Pool, events: number, work: () => Promise<void>): Promise<number> {
  await pool.query('truncate billing.meter_events, billing.rollups')
  await pool.query('checkpoint')
  const began = performance.now()
  await work()
  return events / ((performance.now() - began) / 1_000)
}

async function recordAll({ subscribers }: World, engine: Engine): Promise<void> {
  const before = engine.events.pipeline().stored
  for (let index = 0; index < EVENTS; index++) {
    engine.recordEvent({
      meter: 'ai_tokens',
      ...subscribers[index % subscribers.length]!,
      quantity: 1_250,
      properties: { model: 'demo', feature: 'ai-chat' },
    })
    if (index % 1_000 > 0) continue
    await new Promise((resolve) => setImmediate(resolve))
    while (index - (engine.events.pipeline().stored - before) > AHEAD_EVENTS_MAX) {
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
  await engine.events.drained()
}

async function insertEach({ pool, subscribers }: World): Promise<void> {
  for (const { id, customerId, subscriptionId, occurredAt } of usesOf(subscribers, SINGLE_EVENTS)) {
    await pool.query({
      name: 'bench_insert',
      text: `insert into billing.meter_events (customer_id, id, subscription_id, meter, quantity, occurred_at, properties)
        values ($1, $2, $3, 1, 1250, $4, '{"model":"demo","feature":"ai-chat"}')`,
      values: [customerId, id, subscriptionId, occurredAt],
    })
  }
}
