import { inWorld, median, percentile, type Row } from './world.ts'

const EVENTS = 200_000
/** Events between two looks at the clock: one call is too short to be timed by itself. */
const GROUP = 100

/** How long `recordEvent` keeps its caller, with a database that works and with one that does not. */
export async function recordEvent(): Promise<Row[]> {
  return inWorld(10, async ({ meterkit, subscribers, pool }) => {
    const working = await time(() => meterkit.recordEvent({ meter: 'ai_tokens', ...subscribers[0]!, quantity: 1_250 }))
    await meterkit.events.drained()
    // every insert waits from here on, as if the database were away
    const blocker = await pool.connect()
    await blocker.query('begin; lock table billing.meter_events in access exclusive mode')
    const blocked = await time(() => meterkit.recordEvent({ meter: 'ai_tokens', ...subscribers[0]!, quantity: 1_250 }))
    await blocker.query('rollback')
    blocker.release()
    await meterkit.events.drained()
    return [
      row('recordEvent, median of a call', working, median),
      row('recordEvent, median with a database that does not answer', blocked, median),
      {
        ...row('recordEvent, 99th percentile', working, (all) => percentile(all, 0.99)),
        promised: 'shown',
        kept: true,
      },
    ]
  })
}

async function time(call: () => void): Promise<number[]> {
  const perCall: number[] = []
  for (let done = 0; done < EVENTS; done += GROUP) {
    const began = performance.now()
    for (let index = 0; index < GROUP; index++) call()
    perCall.push(((performance.now() - began) * 1_000) / GROUP)
    // as a server would: other work has its turn
    if ((done / GROUP) % 5 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return perCall
}

function row(what: string, perCall: number[], pick: (values: readonly number[]) => number): Row {
  const microseconds = pick(perCall)
  return { what, promised: '≤ 5 µs', measured: `${microseconds.toFixed(2)} µs`, kept: microseconds <= 5 }
}
