import { grouped, inWorld, type Row, type World } from './world.ts'

const EVENTS = 1_000_000
const METER_EVENTS = '/v1/billing/meter_events'
/** The engine's own setting for live mode. */
const DEFAULT_PER_SECOND = 80
/** At 80 a second the many subscriptions would take more than two minutes. */
const FASTER_PER_SECOND = 200
const SAMPLE_MS = 10
const SECOND_MS = 1_000

/** How often Stripe is called for a million events within an hour, and how fast, as the local Stripe counts it. */
export async function stripeCalls(): Promise<Row[]> {
  return [...(await calls(100, DEFAULT_PER_SECOND)), ...(await calls(10_000, FASTER_PER_SECOND))]
}

async function calls(subscriptions: number, perSecond: number): Promise<Row[]> {
  return inWorld(subscriptions, async (world) => {
    await record(world)
    const reporter = await world.another({ connections: 16, reportsPerSecond: perSecond })
    const arrivals = countArrivals(world)
    await reporter.reports.sync()
    const { count, seconds, busiest } = arrivals.stop()
    const told = world.stripeLocal.receivedMeterEvents().reduce((sum, { value }) => sum + Number(value), 0)
    return [
      {
        what: `Stripe calls for ${grouped(EVENTS)} events of ${grouped(subscriptions)} subscriptions in an hour`,
        promised: `≤ ${grouped(subscriptions)}`,
        measured: `${grouped(count)}, in ${seconds.toFixed(1)} s; they told of ${grouped(told)} units`,
        kept: count <= subscriptions && told === EVENTS,
      },
      {
        what: `calls in the busiest second, set to ${perSecond} a second`,
        promised: `≤ ${perSecond}`,
        measured: `${busiest} (${(count / seconds).toFixed(1)} a second on the whole)`,
        kept: busiest <= perSecond,
      },
    ]
  })
}

async function record({ meterkit, subscribers }: World): Promise<void> {
  const timestamp = new Date()
  for (let index = 0; index < EVENTS; index++) {
    meterkit.recordEvent({ meter: 'ai_tokens', ...subscribers[index % subscribers.length]!, quantity: 1, timestamp })
    if (index % 20_000 === 0) await meterkit.events.drained()
  }
  await meterkit.events.drained()
}

/** Looks at the local Stripe's count until it is told to stop. */
function countArrivals({ stripeLocal }: World): { stop: () => { count: number; seconds: number; busiest: number } } {
  const before = stripeLocal.requestCount(METER_EVENTS)
  const samples = [{ at: performance.now(), count: 0 }]
  const look = () => samples.push({ at: performance.now(), count: stripeLocal.requestCount(METER_EVENTS) - before })
  const timer = setInterval(look, SAMPLE_MS)
  return {
    stop: () => {
      clearInterval(timer)
      look()
      const count = samples.at(-1)!.count
      const last = samples.find((sample) => sample.count === count)!
      return { count, seconds: (last.at - samples[0]!.at) / SECOND_MS, busiest: busiestSecond(samples) }
    },
  }
}

function busiestSecond(samples: readonly { at: number; count: number }[]): number {
  let most = 0
  let begin = 0
  for (const { at, count } of samples) {
    while (at - samples[begin]!.at > SECOND_MS) begin += 1
    most = Math.max(most, count - samples[begin]!.count)
  }
  return most
}
