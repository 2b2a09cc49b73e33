import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Pool } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { v7 as newUuid } from 'uuid'
import { inWorld, median, type Row, type World } from './world.ts'

const EVENTS = 200_000
const BATCH = 5_000
const SINGLE_EVENTS = 2_000
const ROUNDS = 3

interface Use {
  id: string
  customerId: string
  subscriptionId: string
  occurredAt: string
}

/**
 * Events a second from `recordEvent` to durable, deduplicated and rolled up, beside two baselines of the same rows in
 * the same table in the same run: text COPY (indexes, but neither deduplication nor rollups), and an insert per event.
 */
export async function ingest(): Promise<Row[]> {
  return inWorld(1_000, async (world) => {
    const copies: number[] = []
    const ours: number[] = []
    const singles: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      copies.push(await rate(world.pool, EVENTS, () => copyAll(world)))
      ours.push(await rate(world.pool, EVENTS, () => recordAll(world)))
      singles.push(await rate(world.pool, SINGLE_EVENTS, () => insertEach(world)))
    }
    const toCopy = median(ours) / median(copies)
    const toSingle = median(ours) / median(singles)
    const perSecond = (value: number) => `${Math.round(value).toLocaleString('en-US')}/s`
    return [
      {
        what: 'recordEvent → stored, to COPY of the same rows',
        promised: '≥ 0.65',
        measured: `${toCopy.toFixed(2)} (${perSecond(median(ours))} to ${perSecond(median(copies))})`,
        kept: toCopy >= 0.65,
      },
      {
        what: 'recordEvent → stored, to an insert per event',
        promised: '≥ 25',
        measured: `${toSingle.toFixed(0)} (${perSecond(median(singles))})`,
        kept: toSingle >= 25,
      },
    ]
  })
}

async function rate(pool: Pool, events: number, work: () => Promise<void>): Promise<number> {
  await pool.query('truncate billing.meter_events, billing.rollups')
  await pool.query('checkpoint')
  const began = performance.now()
  await work()
  return events / ((performance.now() - began) / 1_000)
}

function use({ subscribers }: World, index: number): Use {
  const subscriber = subscribers[index % subscribers.length]!
  return { id: newUuid(), ...subscriber, occurredAt: new Date().toISOString() }
}

async function copyAll(world: World): Promise<void> {
  const client = await world.pool.connect()
  try {
    for (let done = 0; done < EVENTS; done += BATCH) {
      const lines = Array.from({ length: BATCH }, (_, index) => {
        const { id, customerId, subscriptionId, occurredAt } = use(world, done + index)
        return `${customerId}\t${id}\t${subscriptionId}\t1\t1250\t${occurredAt}\t{"model":"demo","feature":"ai-chat"}\n`
      })
      const columns = 'customer_id, id, subscription_id, meter, quantity, occurred_at, properties'
      await pipeline(
        Readable.from([lines.join('')]),
        client.query(copyFrom(`copy billing.meter_events (${columns}) from stdin`)),
      )
    }
  } finally {
    client.release()
  }
}

async function recordAll({ meterkit, subscribers }: World): Promise<void> {
  for (let index = 0; index < EVENTS; index++) {
    meterkit.recordEvent({
      meter: 'ai_tokens',
      ...subscribers[index % subscribers.length]!,
      quantity: 1_250,
      properties: { model: 'demo', feature: 'ai-chat' },
    })
    if (index % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await meterkit.events.drained()
}

async function insertEach(world: World): Promise<void> {
  for (let index = 0; index < SINGLE_EVENTS; index++) {
    const { id, customerId, subscriptionId, occurredAt } = use(world, index)
    await world.pool.query({
      name: 'bench_insert',
      text: `insert into billing.meter_events (customer_id, id, subscription_id, meter, quantity, occurred_at, properties)
        values ($1, $2, $3, 1, 1250, $4, '{"model":"demo","feature":"ai-chat"}')`,
      values: [customerId, id, subscriptionId, occurredAt],
    })
  }
}
