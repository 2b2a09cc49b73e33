import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { inWorld, type Row } from './world.ts'

const EVENTS_PER_SECOND = 50_000
const SECONDS = 20
/** By then all buffers have found their size. */
const WARM_UP_SECONDS = 5
const TICK_MS = 20

/** Memory in use while events come faster than the database may take them: what waits, waits in the journal. */
export async function memory(): Promise<Row[]> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  return inWorld(1_000, async ({ meterkit, subscribers }) => {
    const used: number[] = []
    const began = performance.now()
    let recorded = 0
    for (let second = 1; second <= SECONDS; second++) {
      while (performance.now() - began < second * 1_000) {
        const due = Math.min((performance.now() - began) / 1_000, second) * EVENTS_PER_SECOND
        for (; recorded < due; recorded++) {
          meterkit.recordEvent({ meter: 'ai_tokens', ...subscribers[recorded % subscribers.length]!, quantity: 1_250 })
        }
        await new Promise((resolve) => setTimeout(resolve, TICK_MS))
      }
      collect()
      used.push(process.memoryUsage().heapUsed + process.memoryUsage().external)
    }
    const { stored } = meterkit.events.pipeline()
    await meterkit.events.drained()
    const ratio = used.at(-1)! / used[WARM_UP_SECONDS - 1]!
    const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`
    const measured = `${ratio.toFixed(2)} (${megabytes(used[WARM_UP_SECONDS - 1]!)} → ${megabytes(used.at(-1)!)}; ${stored.toLocaleString('en-US')} of ${recorded.toLocaleString('en-US')} stored by the end)`
    return [
      {
        what: `memory at ${EVENTS_PER_SECOND.toLocaleString('en-US')} events/s, second ${SECONDS} to second ${WARM_UP_SECONDS}`,
        promised: '≤ 1.25',
        measured,
        kept: ratio <= 1.25,
      },
    ]
  })
}
