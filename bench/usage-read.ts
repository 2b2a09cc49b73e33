import { inWorld, percentile, type Row, type World } from './world.ts'

const FEW = 10_000
const MANY = 1_000_000
const READS = 400

/** Usage and upcoming charges of one subscription, with few and with many events in the same hours of the table. */
export async function usageRead(): Promise<Row[]> {
  return inWorld(100, async (world) => {
    await fill(world, FEW)
    const few = await reads(world)
    await fill(world, MANY - FEW)
    const many = await reads(world)
    const ratio = percentile(many, 0.99) / percentile(few, 0.99)
    const measured = `${ratio.toFixed(2)} (99th percentile ${percentile(few, 0.99).toFixed(1)} → ${percentile(many, 0.99).toFixed(1)} ms)`
    return [
      {
        what: `usage + upcoming charges, ${MANY.toLocaleString('en-US')} events to ${FEW.toLocaleString('en-US')}`,
        promised: '≤ 1.5',
        measured,
        kept: ratio <= 1.5,
      },
    ]
  })
}

async function fill({ meterkit, subscribers, pool }: World, events: number): Promise<void> {
  for (let index = 0; index < events; index++) {
    meterkit.recordEvent({ meter: 'ai_tokens', ...subscribers[index % subscribers.length]!, quantity: 1_250 })
    if (index % 20_000 === 0) await meterkit.events.drained()
  }
  await meterkit.events.drained()
  await pool.query('vacuum analyze billing.rollups')
  await pool.query('analyze billing.meter_events')
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
  return times.slice(READS / 10)
}
