import type { Pool, PoolClient, QueryResultRow } from 'pg'

/** A pool, or a client inside a transaction: whatever can answer one statement. */
export type Database = Pick<Pool, 'query'> | Pick<PoolClient, 'query'>

/**
 * Lends one connection. A server that ends it while it is lent out emits an error besides the one its statement throws;
 * unheard, that would end the process.
 */
export async function withConnection<Result>(
  pool: Pool,
  work: (client: PoolClient) => Promise<Result>,
): Promise<Result> {
  let broken: Error | undefined
  const lost = (error: Error) => {
    broken = error
  }
  const client = await connect(pool, lost)
  try {
    return await work(client)
  } finally {
    client.off('error', lost)
    client.release(broken)
  }
}

/**
 * A connection whose loss is heard from its first moment: a server that is ending sends its farewell right behind its
 * greeting, before a promise of the pool's has told anybody of the connection.
 */
export function connect(pool: Pool, lost: (error: Error) => void): Promise<PoolClient> {
  return new Promise((resolve, reject) => {
    pool.connect((error, client) => {
      if (!client) return reject(error)
      client.on('error', lost)
      resolve(client)
    })
  })
}

/** Commits what `work` did, or nothing of it. */
export async function transaction<Result>(pool: Pool, work: (client: PoolClient) => Promise<Result>): Promise<Result> {
  return withConnection(pool, async (client) => {
    await client.query('begin')
    try {
      const result = await work(client)
      await client.query('commit')
      return result
    } catch (error) {
      // where this fails the connection is gone, and the server has rolled back by itself
      await client.query('rollback').catch((lost: Error) => client.emit('error', lost))
      throw error
    }
  })
}

export async function rows<Row extends QueryResultRow>(db: Database, text: string, values: unknown[]): Promise<Row[]> {
  return (await db.query<Row>(text, values)).rows
}

export async function firstRow<Row extends QueryResultRow>(
  db: Database,
  text: string,
  values: unknown[],
): Promise<Row | null> {
  return (await db.query<Row>(text, values)).rows[0] ?? null
}

/**
 * True where the connection or the server failed rather than the statement: trying again later may help.
 * @see https://www.postgresql.org/docs/18/errcodes-appendix.html
 */
export function isTransient(error: unknown): boolean {
  const { code, severity } = error as { code?: unknown; severity?: unknown }
  // Only the server's own errors have a severity: EPIPE, of a connection lost while writing, looks like one of its codes.
  if (typeof code !== 'string' || typeof severity !== 'string') return true
  return ['08', '40', '53', '55', '57', '58', 'XX'].includes(code.slice(0, 2))
}
