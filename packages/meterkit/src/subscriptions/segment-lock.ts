import type { PoolClient } from 'pg'

/*
 * Which rollup an event belongs to depends on where its segment starts. Writers of rollups share this lock; who adds a
 * segment start holds it alone, for a few milliseconds. It is taken before the statement that reads segments, because a
 * statement sees the database as of its own beginning.
 */
const SEGMENT_LOCK = 7_204_614_002

/** Held until the transaction ends, as all of these. */
export async function lockSegmentsShared(client: PoolClient): Promise<void> {
  await client.query(`select pg_advisory_xact_lock_shared(${SEGMENT_LOCK})`)
}

export async function lockSegments(client: PoolClient): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(${SEGMENT_LOCK})`)
}
