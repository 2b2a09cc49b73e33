import { readdirSync, readFileSync } from 'node:fs'
import type { Pool } from 'pg'
import { transaction } from './database.ts'

const DIRECTORY = new URL('./migrations/', import.meta.url)

/** Any number: it only has to be the same in every process, and nobody else's. */
const MIGRATION_LOCK = 7_204_614_001

/**
 * Brings the schema `billing` up to date: each file of `migrations/` once, in order, all in one transaction and
 * under a lock, so that many processes may start at once.
 * @returns the names of the files applied now
 */
export async function migrate(pool: Pool): Promise<string[]> {
  return transaction(pool, async (client) => {
    await client.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK])
    await client.query('create schema if not exists billing')
    await client.query(`create table if not exists billing.migrations (
      name text primary key,
      applied_at timestamptz not null default now()
    )`)
    const { rows } = await client.query<{ name: string }>('select name from billing.migrations')
    const applied = new Set(rows.map((row) => row.name))
    const missing = migrationFiles().filter((name) => !applied.has(name))
    for (const name of missing) {
      await client.query(readFileSync(new URL(name, DIRECTORY), 'utf8'))
      await client.query('insert into billing.migrations (name) values ($1)', [name])
    }
    return missing
  })
}

/** Files that were not applied yet; nothing is changed. */
export async function missingMigrations(pool: Pool): Promise<string[]> {
  const { rows: known } = await pool.query(`select 1 from pg_class where oid = to_regclass('billing.migrations')`)
  if (known.length === 0) return migrationFiles()
  const { rows } = await pool.query<{ name: string }>('select name from billing.migrations')
  const applied = new Set(rows.map((row) => row.name))
  return migrationFiles().filter((name) => !applied.has(name))
}

function migrationFiles(): string[] {
  return readdirSync(DIRECTORY)
    .filter((name) => /^\d{4}_\w+\.sql$/.test(name))
    .sort()
}

/**
 * Creates the partitions of the months from the one before `from` to two after `until`, where missing.
 * An event's month is that of its id, that is of the clock that recorded it.
 */
export async function createMonths(pool: Pool, from: Date, until: Date): Promise<void> {
  const first = Date.UTC(from.getUTCFullYear(), from.getUTCMonth() - 1)
  const last = Date.UTC(until.getUTCFullYear(), until.getUTCMonth() + 2)
  const months: Date[] = []
  for (let month = new Date(first); month.getTime() <= last; month = nextMonth(month)) months.push(month)
  const missing = await missingMonths(pool, months)
  if (missing.length === 0) return
  await transaction(pool, async (client) => {
    await client.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK])
    for (const month of missing) {
      const range = await client.query<{ low: string; high: string }>(
        'select billing.first_id($1)::text as low, billing.first_id($2)::text as high',
        [month, nextMonth(month)],
      )
      const { low, high } = range.rows[0]!
      await client.query(`create table if not exists billing.${partitionName(month)}
        partition of billing.meter_events for values from ('${low}') to ('${high}')`)
    }
  })
}

async function missingMonths(pool: Pool, months: Date[]): Promise<Date[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'billing'::regnamespace and relname = any ($1)`,
    [months.map(partitionName)],
  )
  const there = new Set(rows.map((row) => row.name))
  return months.filter((month) => !there.has(partitionName(month)))
}

function partitionName(month: Date): string {
  return `meter_events_${month.toISOString().slice(0, 7).replace('-', '_')}`
}

function nextMonth(month: Date): Date {
  return new Date(Date.UTC(month.getUTCFullYear(), month.getUTCMonth() + 1))
}
