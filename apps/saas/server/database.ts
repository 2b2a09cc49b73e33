import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LocalPostgresError, startLocalPostgres } from 'local-postgres'
import pg from 'pg'
import type { Logger } from 'pino'
import { type Config, StartupError } from './config.ts'

export interface Database {
  url: string
  pool: pg.Pool
  /** The PostgreSQL that comes with the project, rather than one somebody configured. */
  embedded: boolean
  stop: () => Promise<void>
}

const CONNECT_MS_MAX = 5000
const POOL_END_MS_MAX = 3000

/**
 * The configured database, or the PostgreSQL that comes with the project.
 *
 * @throws StartupError when it cannot be reached; never with a password in it
 */
export async function openDatabase(config: Config, log: Logger): Promise<Database> {
  const server = config.databaseUrl === null ? await startEmbedded(config, log) : null
  const url = server?.url('meterkit') ?? config.databaseUrl!
  const pool = new pg.Pool({
    connectionString: url,
    max: 20,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    application_name: 'meterkit app',
  })
  pool.on('error', (error) => log.warn({ error: error.message }, 'the database closed a connection'))
  const stop = async () => {
    // Whoever failed to give a connection back must not keep the server running.
    await Promise.race([pool.end(), sleep(POOL_END_MS_MAX, undefined, { ref: false })])
    await server?.stop()
  }
  try {
    await checkVersion(pool)
  } catch (error) {
    await stop()
    throw error instanceof StartupError ? error : unreachable(url, error as NodeJS.ErrnoException)
  }
  return { url, pool, embedded: server !== null, stop }
}

async function startEmbedded(config: Config, log: Logger) {
  mkdirSync(config.dataDirectory, { recursive: true, mode: 0o700 })
  try {
    const server = await startLocalPostgres({
      dataDir: join(config.dataDirectory, 'postgres'),
      log: (line) => log.debug({}, `postgres: ${line}`),
    })
    await server.createDatabase('meterkit')
    return server
  } catch (error) {
    if (error instanceof LocalPostgresError) throw new StartupError([error.message], { cause: error })
    throw error
  }
}

async function checkVersion(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ server_version_num: string }>('show server_version_num')
  const major = Math.floor(Number(rows[0]?.server_version_num) / 10_000)
  if (major < 17)
    throw new StartupError([
      `DATABASE_URL names a PostgreSQL ${major}; Meterkit needs 17 or newer. Upgrade it, or remove DATABASE_URL to use the one that comes with Meterkit.`,
    ])
}

function unreachable(url: string, error: NodeJS.ErrnoException): StartupError {
  const reason = (error.code === 'ECONNREFUSED' ? 'connection refused' : error.message) || error.code
  return new StartupError(
    [
      `DATABASE_URL names a database that cannot be reached (${place(url)}: ${reason}). Start it or correct the address, or remove DATABASE_URL to use the PostgreSQL that comes with Meterkit.`,
    ],
    { cause: error },
  )
}

/** Host, port and database: all of the address that may be shown. */
function place(url: string): string {
  const { host, port, database } = new pg.Client({ connectionString: url })
  return `${database ?? ''} on ${host}${host.startsWith('/') ? '' : `:${port}`}`
}
