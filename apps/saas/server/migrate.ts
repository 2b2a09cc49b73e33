import { readdirSync, readFileSync } from 'node:fs'
import { getMigrations } from 'better-auth/db/migration'
import type pg from 'pg'
import type { Auth } from './auth.ts'

const MIGRATIONS = new URL('./migrations/', import.meta.url)

/** One number for every process that might migrate the same database at once. */
const LOCK = 4_071_977

/**
 * Brings the schemas `auth` (better-auth's tables) and `app` (ours) up to date, one process at a time.
 *
 * @throws Error naming the file when a migration fails (nothing of it stays), or was changed after it had run
 */
export async function migrate(pool: pg.Pool, auth: Auth): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK])
    await client.query('create schema if not exists auth')
    await (await getMigrations(auth.options)).runMigrations()
    await migrateApp(client)
  } finally {
    await client.query('select pg_advisory_unlock($1)', [LOCK]).catch(() => {})
    client.release()
  }
}

async function migrateApp(client: pg.PoolClient): Promise<void> {
  await client.query('create schema if not exists app')
  await client.query(
    'create table if not exists app.migrations (name text primary key, sql text not null, applied_at timestamptz not null default now())',
  )
  const { rows } = await client.query<{ name: string; sql: string }>('select name, sql from app.migrations')
  const applied = new Map(rows.map(({ name, sql }) => [name, sql]))
  for (const name of migrationFiles()) {
    const sql = readFileSync(new URL(name, MIGRATIONS), 'utf8')
    if (!applied.has(name)) await apply(client, name, sql)
    else if (applied.get(name) !== sql)
      throw new Error(
        `Migration ${name} has run in this database and was changed since. Undo the change and add a new file instead.`,
      )
  }
}

function migrationFiles(): string[] {
  return readdirSync(MIGRATIONS)
    .filter((name) => /^\d{4}_\w+\.sql$/.test(name))
    .sort()
}

async function apply(client: pg.PoolClient, name: string, sql: string): Promise<void> {
  try {
    await client.query('begin')
    await client.query(sql)
    await client.query('insert into app.migrations (name, sql) values ($1, $2)', [name, sql])
    await client.query('commit')
  } catch (cause) {
    await client.query('rollback').catch(() => {})
    throw new Error(`Migration ${name} failed: ${(cause as Error).message}`, { cause })
  }
}
