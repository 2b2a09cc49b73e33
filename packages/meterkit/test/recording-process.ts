import pg from 'pg'
import { Stripe } from 'stripe'
import { createMeterkit } from '../src/index.ts'
import { billing } from './database.ts'

/** A process that records as fast as it can and prints the id of every event whose `durable` has resolved. */
const [url, directory, customerId, subscriptionId] = process.argv.slice(2) as [string, string, string, string]
const pool = new pg.Pool({ connectionString: url })
pool.on('error', () => {})
const meterkit = createMeterkit({ config: billing, pool, stripe: new Stripe('sk_test_unused'), journal: { directory } })
await meterkit.start()
process.stdout.write('started\n')
for (;;) {
  const events = Array.from({ length: 20 }, () =>
    meterkit.recordEvent({ meter: 'ai_tokens', customerId, subscriptionId, quantity: 3 }),
  )
  for (const event of events) void event.durable.then(() => process.stdout.write(`${event.id}\n`))
  await new Promise((resolve) => setTimeout(resolve, 1))
}
