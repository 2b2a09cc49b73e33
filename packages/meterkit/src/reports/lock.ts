import type { Pool, PoolClient } from 'pg'
import { withConnection } from '../database/database.ts'

/** First part of the advisory lock of a customer's reports; the second is a hash of its id. */
const REPORT_LOCK = 720_461

/**
 * Works while nobody else sends or mends this customer's reports, in any process.
 * @param wait  where somebody is at it: wait for them, or leave it to them
 * @returns null where it was left to them
 */
export async function withReportLock<Result>(
  pool: Pool,
  customerId: string,
  { wait }: { wait: boolean },
  work: () => Promise<Result>,
): Promise<Result | null> {
  return withConnection(pool, async (client) => {
    if (!(await lock(client, customerId, wait))) return null
    try {
      return await work()
    } finally {
      await unlock(client, customerId)
    }
  })
}

async function lock(client: PoolClient, customerId: string, wait: boolean): Promise<boolean> {
  if (wait) {
    await client.query('select pg_advisory_lock($1, hashtext($2))', [REPORT_LOCK, customerId])
    return true
  }
  const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1, hashtext($2)) as locked', [
    REPORT_LOCK,
    customerId,
  ])
  return rows[0]!.locked
}

/** A connection that is gone has let go of its lock by itself. */
async function unlock(client: PoolClient, customerId: string): Promise<void> {
  await client
    .query('select pg_advisory_unlock($1, hashtext($2))', [REPORT_LOCK, customerId])
    .catch((lost: Error) => client.emit('error', lost))
}
