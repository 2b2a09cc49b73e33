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

/**
 * Gives up after a while: a caller's own transaction with an event in it may stay open long, and whoever waits here for
 * it holds up every writer behind. @throws 55P03; trying again later helps
 */
export async function lockSegments(client: PoolClient): Promise<void> {
  await client.query(
    `set local lock_timeout = '3s'; select pg_advisory_xact_lock(${SEGMENT_LOCK}); set local lock_timeout = 0`,
  )
}
