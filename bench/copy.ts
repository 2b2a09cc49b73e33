import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Pool } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { v7 as newUuid } from 'uuid'

const BATCH = 5_000
const COLUMNS = 'customer_id, id, subscription_id, meter, quantity, occurred_at, properties'

/** An event as the benchmarks record it. */
export interface Use {
  id: string
  customerId: string
  subscriptionId: string
  occurredAt: string
}

export function usesOf(subscribers: readonly Pick<Use, 'customerId' | 'subscriptionId'>[], count: number): Use[] {
  return Array.from({ length: count }, (_, index) => ({
    id: newUuid(),
    ...subscribers[index % subscribers.length]!,
    occurredAt: new Date().toISOString(),
  }))
}

/** What COPY reads, a batch at a time. */
export function* linesOf(uses: readonly Use[]): Generator<string> {
  for (let begin = 0; begin < uses.length; begin += BATCH) {
    yield uses
      .slice(begin, begin + BATCH)
      .map(
        ({ id, customerId, subscriptionId, occurredAt }) =>
          `${customerId}\t${id}\t${subscriptionId}\t1\t1250\t${occurredAt}\t{"model":"demo","feature":"ai-chat"}\n`,
      )
      .join('')
  }
}

/** Text COPY into the table of events over one connection, a transaction for each batch: the baseline of what is stored. */
export async function copyLines(pool: Pool, batches: Iterable<string>): Promise<void> {
  const client = await pool.connect()
  try {
    for (const lines of batches) {
      const copy = client.query(copyFrom(`copy billing.meter_events (${COLUMNS}) from stdin`))
      await pipeline(Readable.from([lines]), copy)
    }
  } finally {
    client.release()
  }
}
