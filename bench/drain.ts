import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { copyLines, linesOf, usesOf } from './copy.ts'
import { grouped, inWorld, type Row, type World } from './world.ts'

const EVENTS = 1_000_000
const COPIED_EVENTS = 200_000
/** Recorded and not yet on disk: the recorder refuses more than 200,000. */
const UNDURABLE_EVENTS_MAX = 50_000
const SAMPLE_MS = 500
const PER_SECOND_MIN = 50_000

/** PostgreSQL is away while a million events are recorded, and comes back: how fast the journal runs empty, in how much memory. */
export async function drain(): Promise<Row[]> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  return inWorld(1_000, async (world) => {
    const copied = await copyRate(world)
    await world.postgres.stop()
    await record(world)
    const journalBytes = world.meterkit.events.pipeline().journalBytes
    await world.postgres.start()

    const back = performance.now()
    const memory: number[] = []
    let first = 0
    let storedFirst = 0
    for (let sampled = 0; ; ) {
      const { stored } = world.meterkit.events.pipeline()
      if (stored > 0 && first === 0) {
        first = performance.now()
        storedFirst = stored
      }
      if (stored >= EVENTS) break
      if (first > 0 && performance.now() - sampled >= SAMPLE_MS) {
        collect()
        const { heapUsed, external } = process.memoryUsage()
        memory.push(heapUsed + external)
        sampled = performance.now()
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const drained = performance.now()
    const { rows } = await world.pool.query<{ events: string; rolled: string }>(
      'select (select count(*) from billing.meter_events) as events, (select sum(events) from billing.rollups) as rolled',
    )
    const perSecond = (EVENTS - storedFirst) / ((drained - first) / 1_000)
    const [early, late] = [memory.slice(0, memory.length / 2), memory.slice(memory.length / 2)].map((samples) =>
      Math.max(...samples),
    ) as [number, number]
    const growth = late / early
    const inTable = Number(rows[0]!.events)
    const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`
    return [
      {
        what: `drain of ${grouped(EVENTS)} events recorded while PostgreSQL was away (${megabytes(journalBytes)} of journal)`,
        promised: `> ${grouped(PER_SECOND_MIN)} events/s`,
        measured: `${grouped(perSecond)}/s, ${(perSecond / copied).toFixed(2)} of COPY (${grouped(copied)}/s); begun ${((first - back) / 1_000).toFixed(1)} s after PostgreSQL was back`,
        kept: perSecond > PER_SECOND_MIN,
      },
      {
        what: 'memory while it drains, its most in the second half to that in the first',
        promised: '≤ 1.25',
        measured: `${growth.toFixed(2)} (${megabytes(early)} → ${megabytes(late)})`,
        kept: growth <= 1.25,
      },
      {
        what: 'events in the table afterwards, and in its rollups',
        promised: grouped(EVENTS),
        measured: `${grouped(inTable)}, ${grouped(Number(rows[0]!.rolled))}`,
        kept: inTable === EVENTS && Number(rows[0]!.rolled) === EVENTS,
      },
    ]
  })
}

async function record({ meterkit, subscribers }: World): Promise<void> {
  for (let index = 0; index < EVENTS; index++) {
    meterkit.recordEvent({
      meter: 'ai_tokens',
      ...subscribers[index % subscribers.length]!,
      quantity: 1_250,
      properties: { model: 'demo', feature: 'ai-chat' },
    })
    if (index % 1_000 > 0) continue
    await new Promise((resolve) => setImmediate(resolve))
    while (waitsForDisk(meterkit) > UNDURABLE_EVENTS_MAX) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  while (waitsForDisk(meterkit) > 0) await new Promise((resolve) => setTimeout(resolve, 5))
}

function waitsForDisk({ events }: World['meterkit']): number {
  const { recorded, durable } = events.pipeline()
  return recorded - durable
}

async function copyRate({ pool, subscribers }: World): Promise<number> {
  const uses = usesOf(subscribers, COPIED_EVENTS)
  const began = performance.now()
  await copyLines(pool, linesOf(uses))
  const seconds = (performance.now() - began) / 1_000
  await pool.query('truncate billing.meter_events')
  await pool.query('checkpoint')
  return COPIED_EVENTS / seconds
}
