import { randomBytes } from 'node:crypto'
import { statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { type LocalPostgres, startLocalPostgres } from './start.ts'

/** Names the test run's PostgreSQL: the address of its database `postgres`. Unset: each test file starts its own. */
const SERVER_VARIABLE = 'METERKIT_TEST_POSTGRES'

/** A cluster and the databases of four test files at once need about half of this. */
const MEMORY_BYTES_MIN = 1024 ** 3

/**
 * A PostgreSQL for one test run, in memory where there is room; it is gone, folder and all, when this process ends.
 *
 * @throws LocalPostgresError when it cannot start
 */
export function startTestPostgres(log?: (line: string) => void): Promise<LocalPostgres> {
  const name = `test-postgres-${process.pid}-${randomBytes(4).toString('hex')}`
  const dataDir = path.join(roomyFolder(), name)
  return startLocalPostgres({ dataDir, throwaway: true, ...(log ? { log } : {}) })
}

/**
 * A database of its own for one test (or suite), empty or a copy of a template; dropped some time after the test.
 *
 * @param t        the test's context
 * @param template a database without connections, such as `templateDatabase` makes
 * @returns its address
 */
export async function testDatabase(
  t: { after(release: () => void): void },
  { template }: { template?: string } = {},
): Promise<string> {
  const server = await testServer()
  sequence += 1
  const name = `test_${process.pid}_${sequence}`
  await query(server, `create database ${name}${template ? ` template ${pg.escapeIdentifier(template)}` : ''}`)
  t.after(() => {
    // Not awaited: the test's own releases run after this one, and a pool that still closes would fail it.
    query(server, `drop database if exists ${name}`).catch(() => {})
  })
  return databaseUrl(server, name)
}

/**
 * A database to copy others from, prepared once in a test run whoever asks first, in whatever process.
 *
 * @param name    names what it holds; a copy of it is made by `testDatabase(t, { template: name })`
 * @param prepare fills the database at this address, and closes its connections
 * @returns the name
 */
export async function templateDatabase(name: string, prepare: (url: string) => Promise<void>): Promise<string> {
  const server = await testServer()
  const quoted = pg.escapeIdentifier(name)
  const client = await connect(server)
  try {
    await client.query('select pg_advisory_lock(hashtext($1))', [name])
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name])
    if (rowCount !== 0) return name
    const draft = pg.escapeIdentifier(`${name}_draft`)
    await client.query(`drop database if exists ${draft} with (force)`)
    await client.query(`create database ${draft}`)
    await prepare(databaseUrl(server, `${name}_draft`))
    await client.query(`alter database ${draft} rename to ${quoted}`)
    return name
  } finally {
    await client.end()
  }
}

let sequence = 0
let own: Promise<LocalPostgres> | undefined

/** The address of the run's server, or of one for this process alone: a single test file run by hand. */
async function testServer(): Promise<string> {
  const given = process.env[SERVER_VARIABLE]
  if (given) return given
  own ??= startTestPostgres()
  return (await own).url('postgres')
}

function databaseUrl(server: string, name: string): string {
  return server.replace(/^(\w+:\/\/[^/?]*\/)[^?]*/, `$1${encodeURIComponent(name)}`)
}

async function query(server: string, sql: string): Promise<void> {
  const client = await connect(server)
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

async function connect(server: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server })
  client.on('error', () => {}) // the statement's own error says it
  await client.connect()
  return client
}

/** For a cluster that need not last: in memory where there is room. */
export function roomyFolder(): string {
  return roomInMemory() ? '/dev/shm' : tmpdir()
}

function roomInMemory(): boolean {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm')
    return bavail * bsize > MEMORY_BYTES_MIN
  } catch {
    return false
  }
}
