import type { Pool, PoolClient } from 'pg'
import { withConnection } from '../database/database.ts'

/** First part of the advisory lock of a customer's reports; the second is a hash of its id. */
const REPORT_LOCK = 720_461

/** Works while nobody else sends or mends this customer's reports, in any process; waits for who is at it. */
export async function withReportLock<Result>(
  pool: Pool,
  customerId: string,
  work: () => Promise<Result>,
): Promise<Result> {
  return withConnection(pool, async (client) => {
    await client.query('select pg_advisory_lock($1, hashtext($2))', [REPORT_LOCK, customerId])
    return thenUnlock(client, customerId, work)
  })
}

/** As `withReportLock`, but leaves the work to who is at it. @returns null where it was left to them */
export async function withFreeReportLock<Result>(
  pool: Pool,
  customerId: string,
  work: () => Promise<Result>,
): Promise<Result | null> {
  return withConnection(pool, async (client) => {
    const attempt = 'select pg_try_advisory_lock($1, hashtext($2)) as locked'
    const { rows } = await client.query<{ locked: boolean }>(attempt, [REPORT_LOCK, customerId])
    return rows[0]!.locked ? thenUnlock(client, customerId, work) : null
  })
}

async function thenUnlock<Result>(
  client: PoolClient,
  customerId: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work()
  } finally {
    // A connection that is gone has let go of its lock by itself.
    await client
      .query('select pg_advisory_unlock($1, hashtext($2))', [REPORT_LOCK, customerId])
      .catch((lost: Error) => client.emit('error', lost))
  }
}
