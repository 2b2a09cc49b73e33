import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { Stripe } from 'stripe'
import { MeterkitError } from '../errors.ts'

/** What an app tells of itself in `running.json` of its data directory while it runs. */
interface RunningApp {
  pid: number
  /** Where it can be asked from this machine. */
  localUrl: string | null
  databaseUrl: string | null
  /** Of the local Stripe; null with a real one. */
  stripe: { url: string; secret: string } | null
}

export interface Settings {
  databaseUrl: string | null
  stripeSecret: string | null
  stripeUrl: string | null
  productionMode: boolean
  journalDirectory: string
  /** An app that runs beside, whose clock may not be the machine's. */
  running: RunningApp | null
}

const DATABASE_ADDRESS = /^postgres(ql)?:\/\/./

/** From the environment, from `.env`, and for what neither says from the app that runs beside. */
export function readSettings(): Settings {
  if (existsSync('.env')) process.loadEnvFile('.env')
  const { env } = process
  const dataDirectory = path.resolve(env.METERKIT_DATA_DIR || '.meterkit')
  const running = readRunning(path.join(dataDirectory, 'running.json'))
  const stripe = env.STRIPE_SECRET ? null : running?.stripe
  return {
    databaseUrl: env.DATABASE_URL || running?.databaseUrl || null,
    stripeSecret: env.STRIPE_SECRET || stripe?.secret || null,
    stripeUrl: stripe?.url ?? (env.STRIPE_URL || null),
    productionMode: env.STRIPE_PRODUCTION_MODE === 'true',
    journalDirectory: path.resolve(env.METERKIT_JOURNAL || path.join(dataDirectory, 'journal')),
    running,
  }
}

/** @throws MeterkitError `invalid_config`, without the value: it may hold a password */
export function databaseAddress({ databaseUrl }: Settings): string {
  if (databaseUrl && DATABASE_ADDRESS.test(databaseUrl)) return databaseUrl
  const sentence = databaseUrl
    ? 'DATABASE_URL is not an address PostgreSQL understands; it looks like postgresql://user:password@host:5432/database.'
    : 'DATABASE_URL is not set, and no app runs here that would tell. Set it, or start the app.'
  throw new MeterkitError('invalid_config', sentence, { field: 'DATABASE_URL' })
}

/** Null where there is none, or where its process has ended without removing it. */
function readRunning(file: string): RunningApp | null {
  try {
    const told = JSON.parse(readFileSync(file, 'utf8')) as Partial<RunningApp> & { pid: number }
    if (!isAlive(told.pid)) return null
    return { localUrl: null, databaseUrl: null, stripe: null, ...told }
  } catch {
    return null
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** @throws MeterkitError `invalid_config` without a key, `mode_mismatch` where key and mode do not go together */
export function stripeClient({ stripeSecret: secret, stripeUrl: url, productionMode }: Settings): Stripe {
  if (!secret) {
    throw new MeterkitError(
      'invalid_config',
      'STRIPE_SECRET is not set. Take the secret key from https://dashboard.stripe.com/apikeys.',
      { field: 'STRIPE_SECRET' },
    )
  }
  const live = /^[rs]k_live_/.test(secret)
  if (live !== productionMode) {
    const sentence = live
      ? 'STRIPE_SECRET is a live key, but STRIPE_PRODUCTION_MODE is not true. Set it to work on the live account.'
      : 'STRIPE_PRODUCTION_MODE is true, but STRIPE_SECRET is a test key. Give it the live key, or remove STRIPE_PRODUCTION_MODE.'
    throw new MeterkitError('mode_mismatch', sentence, { field: 'STRIPE_PRODUCTION_MODE', value: productionMode })
  }
  if (!url) return new Stripe(secret)
  if (!URL.canParse(url)) {
    const sentence = `STRIPE_URL is ${JSON.stringify(url)}; it must be an address such as http://127.0.0.1:12111, or absent for api.stripe.com.`
    throw new MeterkitError('invalid_config', sentence, { field: 'STRIPE_URL', value: url })
  }
  const { hostname, port, protocol } = new URL(url)
  return new Stripe(secret, {
    host: hostname,
    port: port || (protocol === 'https:' ? 443 : 80),
    protocol: protocol === 'https:' ? 'https' : 'http',
  })
}
