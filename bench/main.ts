import { drain } from './drain.ts'
import { ingest } from './ingest.ts'
import { memory } from './memory.ts'
import { recordEvent } from './record-event.ts'
import { stripeCalls } from './stripe-calls.ts'
import { stripeLocalCustomers } from './stripe-local-customers.ts'
import { stripeLocalRequests } from './stripe-local-requests.ts'
import { stripeLocalYear } from './stripe-local-year.ts'
import { usageRead } from './usage-read.ts'
import { visible } from './visible.ts'
import type { Row } from './world.ts'

const benchmarks: Record<string, () => Promise<Row[]>> = {
  'record-event': recordEvent,
  ingest,
  drain,
  visible,
  memory,
  'usage-read': usageRead,
  'stripe-calls': stripeCalls,
  'stripe-local-requests': stripeLocalRequests,
  'stripe-local-customers': stripeLocalCustomers,
  'stripe-local-year': stripeLocalYear,
}

/** `npm run bench`, or `npm run bench -- ingest` for one. Ratios hold on any machine; the numbers beside them do not. */
const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in benchmarks))
if (unknown.length > 0) {
  console.error(`bench: there is no ${unknown.join(', ')}. There are: ${Object.keys(benchmarks).join(', ')}`)
  process.exit(1)
}
let broken = 0
for (const [name, run] of Object.entries(benchmarks)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  for (const { what, promised, measured, kept } of await run()) {
    if (!kept) broken += 1
    console.log(`${kept ? '✓' : '✗'} ${what}: ${measured} — promised ${promised}`)
  }
}
if (broken > 0) console.log(`\n${broken} not as promised on this machine, in this run.`)
