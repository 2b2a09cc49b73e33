import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLocalPostgres } from 'local-postgres'
import { createMeterkit, defineBilling, type Meterkit } from 'meterkit'
import pg from 'pg'
import { Stripe } from 'stripe'
import { type StripeLocal, startStripeLocal } from 'stripe-local'

/** What every benchmark runs on: the embedded PostgreSQL with its durable settings, and a local Stripe. */
export interface World {
  pool: pg.Pool
  stripe: Stripe
  stripeLocal: StripeLocal
  meterkit: Engine
  /** Another engine on the same database and Stripe, with a journal of its own; stopped when the benchmark ends. */
  another: (options: { connections: number; reportsPerSecond?: number }) => Promise<Engine>
  /** The database goes away, and comes back. */
  postgres: { stop: () => Promise<void>; start: () => Promise<void> }
  /** Puts the engine's clock ahead of the machine's. */
  setClockAhead: (milliseconds: number) => void
  /** Subscriptions that events may name. */
  subscribers: { customerId: string; subscriptionId: string }[]
}

export type Engine = Meterkit<'ai_tokens', 'essential'>

export const billing = defineBilling({
  meters: { ai_tokens: { displayName: 'AI tokens', unit: 'tokens' } },
  plans: { essential: { name: 'Essential', prices: [{ meter: 'ai_tokens', unitAmount: 5, perUnits: 1_000 }] } },
})

const CONNECTIONS = 16
/** Subscriptions made at once, where there are many. */
const SUBSCRIBERS_AT_ONCE = 8

/** Runs `work` in a world of its own, and clears it away. */
export async function inWorld<Result>(subscribers: number, work: (world: World) => Promise<Result>): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'meterkit-bench-'))
  const startPostgres = () =>
    startLocalPostgres({ dataDir: join(directory, 'postgres'), settings: { max_wal_size: '4GB' } })
  let postgres = await startPostgres()
  await postgres.createDatabase('bench')
  const url = postgres.url('bench')
  const stripeLocal = await startStripeLocal({ aggregationDelayMs: 0 })
  const stripe = new Stripe(stripeLocal.secretKey, { ...stripeLocal.clientConfig, telemetry: false })
  const closers: (() => Promise<void>)[] = []
  let aheadMs = 0

  function connect(connections: number): pg.Pool {
    const pool = new pg.Pool({ connectionString: url, max: connections })
    pool.on('error', () => {})
    return pool
  }

  async function startEngine(pool: pg.Pool, reportsPerSecond: number): Promise<Engine> {
    const engine = createMeterkit({
      config: billing,
      pool,
      stripe,
      clock: () => new Date(Date.now() + aheadMs),
      journal: { directory: join(directory, `journal-${closers.length}`) },
      reportsPerSecond,
    })
    closers.push(async () => {
      await engine.stop()
      await pool.end()
    })
    await engine.start()
    return engine
  }

  try {
    const pool = connect(CONNECTIONS)
    const meterkit = await startEngine(pool, 100_000)
    await meterkit.provision()
    const made = await subscribe({ stripe, meterkit }, subscribers)
    return await work({
      pool,
      stripe,
      stripeLocal,
      meterkit,
      subscribers: made,
      another: ({ connections, reportsPerSecond = 100_000 }) => startEngine(connect(connections), reportsPerSecond),
      postgres: {
        stop: () => postgres.stop(),
        start: async () => {
          postgres = await startPostgres()
        },
      },
      setClockAhead: (milliseconds) => {
        aheadMs = milliseconds
      },
    })
  } finally {
    for (const close of closers.toReversed()) await close()
    await stripeLocal.close()
    await postgres.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function subscribe(
  { stripe, meterkit }: Pick<World, 'stripe' | 'meterkit'>,
  count: number,
): Promise<World['subscribers']> {
  const prices = await stripe.prices.list({ lookup_keys: ['essential_ai_tokens_month'] })
  const made: World['subscribers'] = []
  let next = 0
  const worker = async () => {
    while (next < count) {
      const number = next
      next += 1
      const input = {
        source: 'organization' as const,
        sourceId: `org-${number}`,
        name: `Organization ${number}`,
        email: null,
      }
      const customer = await meterkit.customers.ensure(input)
      const { id } = await stripe.customers.create({ name: input.name, metadata: { meterkit_customer: customer.id } })
      const subscription = await stripe.subscriptions.create({
        customer: id,
        items: [{ price: prices.data[0]!.id }],
        billing_mode: { type: 'flexible' },
      })
      const { id: subscriptionId } = await meterkit.subscriptions.refresh(subscription.id)
      made[number] = { customerId: customer.id, subscriptionId }
    }
  }
  await Promise.all(Array.from({ length: SUBSCRIBERS_AT_ONCE }, worker))
  return made
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}

/** One line of the result: what was promised, what was measured. */
export interface Row {
  what: string
  promised: string
  measured: string
  kept: boolean
}

export function grouped(count: number): string {
  return Math.round(count).toLocaleString('en-US')
}
