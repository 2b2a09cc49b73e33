import { drain } from './drain.ts'
import { ingest } from './ingest.ts'
import { memory } from './memory.ts'
import { recordEvent } from './record-event.ts'
import { loadNow, type Run, writeResults } from './results.ts'
import { stripeCalls } from './stripe-calls.ts'
import { stripeLocalCustomers } from './stripe-local-customers.ts'
import { stripeLocalRequests } from './stripe-local-requests.ts'
import { stripeLocalYear } from './stripe-local-year.ts'
import { usageRead, usageReadTenMillion } from './usage-read.ts'
import { visible } from './visible.ts'
import type { Row } from './world.ts'

const benchmarks: Record<string, () => Promise<Row[]>> = {
  'record-event': recordEvent,
  ingest,
  drain,
  visible,
  memory,
  'usage-read': usageRead,
  'usage-read-10m': usageReadTenMillion,
  'stripe-calls': stripeCalls,
  'stripe-local-customers': stripeLocalCustomers,
  'stripe-local-year': stripeLocalYear,
  // The last: it keeps this process to one core.
  'stripe-local-requests': stripeLocalRequests,
}
/** Takes minutes and gigabytes: when it is named, or with `--all`. */
const LARGE = ['usage-read-10m']
const OPTIONS = ['--all', '--write']

/**
 * `npm run bench`, or `npm run bench -- ingest` for one; `--all` with the large ones, `--write` into `RESULTS.md`. Ratios
 * hold on any machine; the numbers beside them do not.
 */
const words = process.argv.slice(2)
const named = words.filter((word) => !OPTIONS.includes(word))
const unknown = named.filter((name) => !(name in benchmarks))
if (unknown.length > 0) {
  const known = [...Object.keys(benchmarks), ...OPTIONS].join(', ')
  console.error(`bench: there is no ${unknown.join(', ')}. There are: ${known}`)
  process.exit(1)
}
const isWanted = (name: string) =>
  named.length > 0 ? named.includes(name) : words.includes('--all') || !LARGE.includes(name)

let broken = 0
const runs: Run[] = []
for (const [name, run] of Object.entries(benchmarks)) {
  if (!isWanted(name)) continue
  const begun = { name, at: new Date(), load: loadNow() }
  const rows = await run()
  runs.push({ ...begun, rows })
  for (const { what, promised, measured, kept } of rows) {
    if (!kept) broken += 1
    console.log(`${kept ? '✓' : '✗'} ${what}: ${measured} — promised ${promised}`)
  }
  if (words.includes('--write')) writeResults(runs, Object.keys(benchmarks))
}
if (broken > 0) console.log(`\n${broken} not as promised on this machine, in this run.`)
