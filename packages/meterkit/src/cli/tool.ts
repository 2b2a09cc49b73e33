import { hostname, userInfo } from 'node:os'
import pg from 'pg'
import { Stripe } from 'stripe'
import { createMeterkit } from '../create-meterkit.ts'
import { customerByStripeId, customersByName, customerId as idOfCustomer } from '../customers/store.ts'
import { firstRow } from '../database/database.ts'
import { MeterkitError } from '../errors.ts'
import { isInCalendar } from '../events/validate.ts'
import type { Logger } from '../logger.ts'
import type { Meterkit } from '../meterkit.ts'
import { UsageError } from './outcome.ts'
import { databaseAddress, readSettings, type Settings, stripeClient } from './settings.ts'

const CONNECT_MS_MAX = 5_000
const ANSWER_MS_MAX = 2_000

export interface Tool {
  meterkit: Meterkit
  pool: pg.Pool
  now: () => Date
}

/**
 * Works with an engine beside the app's: it migrates nothing, opens no journal and records nothing.
 * @param stripe  whether the work asks Stripe; else no key is needed
 */
export async function withTool<Result>(
  { stripe }: { stripe: boolean },
  work: (tool: Tool) => Promise<Result>,
): Promise<Result> {
  const settings = readSettings()
  const pool = openPool(settings)
  try {
    const now = await clockOf(settings)
    const meterkit = createMeterkit<string, string>({
      config: { meters: {}, plans: {} }, // the meters are those the app has stored
      pool,
      stripe: stripe ? stripeClient(settings) : new Stripe('sk_test_never_used'),
      log: onlyTrouble,
      journal: false,
      tool: true,
      productionMode: stripe ? settings.productionMode : await modeOf(pool),
      clock: now,
    })
    await meterkit.start()
    try {
      return await work({ meterkit, pool, now })
    } finally {
      await meterkit.stop()
    }
  } finally {
    await pool.end()
  }
}

function openPool(settings: Settings): pg.Pool {
  const pool = new pg.Pool({
    connectionString: databaseAddress(settings),
    max: 6,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    application_name: 'meterkit tool',
  })
  pool.on('error', () => {}) // the statement that meets it says so
  return pool
}

/** Whoever only reads the database takes it as it is. */
async function modeOf(pool: pg.Pool): Promise<boolean> {
  const mode = await firstRow<{ value: string }>(
    pool,
    `select value #>> '{}' as value from billing.settings where name = 'stripe_mode'`,
    [],
  ).catch(() => null) // what is wrong with the database is said when the engine starts
  return mode?.value === 'live'
}

/** The local Stripe's time can be advanced, and its app's with it. */
async function clockOf({ running }: Settings): Promise<() => Date> {
  if (!running?.stripe || !running.localUrl) return () => new Date()
  const answer = await fetch(new URL('/healthz', running.localUrl), { signal: AbortSignal.timeout(ANSWER_MS_MAX) })
    .then((response) => response.json() as Promise<{ time?: string }>)
    .catch(() => ({ time: undefined }))
  const ahead = answer.time ? new Date(answer.time).getTime() - Date.now() : 0
  return () => new Date(Date.now() + ahead)
}

const onlyTrouble: Logger = {
  info: () => {},
  warn: (facts, message) => console.error(`meterkit: ${message} ${JSON.stringify(facts)}`),
  error: (facts, message) => console.error(`meterkit: ${message} ${JSON.stringify(facts)}`),
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** A customer by our id, by Stripe's (`cus_…`), by its source (`organization:acme`, `user:…`), or by a name that only one has. */
export async function customerNamed({ meterkit, pool }: Tool, name: string | undefined): Promise<string | undefined> {
  if (name === undefined) return undefined
  const [source, sourceId] = name.split(/:(.*)/s)
  const isSource = (source === 'organization' || source === 'user') && sourceId
  const id = isSource ? idOfCustomer(source, sourceId) : name
  const found = name.startsWith('cus_')
    ? await customerByStripeId(pool, name)
    : UUID.test(id)
      ? await meterkit.customers.get(id)
      : null
  if (found) return found.id
  const [named, another] = await customersByName(pool, name)
  if (named && !another) return named.id
  const what = another ? 'is the name of more than one customer' : 'is no customer here'
  const sentence = `--customer ${JSON.stringify(name)} ${what}. Give its name, its id, Stripe's cus_…, or organization:… or user:… with the id that customers.ensure(…) was given.`
  throw new MeterkitError('unknown_customer', sentence, { field: 'customer', value: name })
}

export function uuidNamed(option: string, text: string): string {
  if (UUID.test(text)) return text
  throw new UsageError(`${option} is ${JSON.stringify(text)}; it must be an id such as those that --json shows.`)
}

/** A day or an instant with its zone. */
export function dateNamed(option: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined
  const at = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text) ? new Date(text) : new Date(Number.NaN)
  if (!Number.isNaN(at.getTime()) && isInCalendar(text)) return at
  throw new UsageError(
    `${option} is ${JSON.stringify(text)}; it must be a day such as 2026-11-24 (UTC), or an instant with its zone.`,
  )
}

export function wholeNumber(option: string, text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new UsageError(`${option} is ${JSON.stringify(text)}; it must be a whole number from 1 on.`)
}

/** Whoever works at the terminal, for the trace of a correction. */
export function operator(): string {
  return `${userInfo().username}@${hostname()}`
}
