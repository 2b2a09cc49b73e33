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
  meterkit: Meterkit<'ai_tokens', 'essential'>
  /** Subscriptions that events may name. */
  subscribers: { customerId: string; subscriptionId: string }[]
}

export const billing = defineBilling({
  meters: { ai_tokens: { displayName: 'AI tokens', unit: 'tokens' } },
  plans: { essential: { name: 'Essential', prices: [{ meter: 'ai_tokens', unitAmount: 5, perUnits: 1_000 }] } },
})

/** Runs `work` in a world of its own, and clears it away. */
export async function inWorld<Result>(subscribers: number, work: (world: World) => Promise<Result>): Promise<Result> {
  const directory = mkdtempSync(join(tmpdir(), 'meterkit-bench-'))
  const postgres = await startLocalPostgres({ dataDir: join(directory, 'postgres'), settings: { max_wal_size: '4GB' } })
  await postgres.createDatabase('bench')
  const pool = new pg.Pool({ connectionString: postgres.url('bench'), max: 16 })
  pool.on('error', () => {})
  const stripeLocal = await startStripeLocal({ aggregationDelayMs: 0 })
  const stripe = new Stripe(stripeLocal.secretKey, { ...stripeLocal.clientConfig, telemetry: false })
  const meterkit = createMeterkit({
    config: billing,
    pool,
    stripe,
    journal: { directory: join(directory, 'journal') },
    reportsPerSecond: 100_000,
  })
  try {
    await meterkit.start()
    await meterkit.provision()
    const made = await subscribe({ stripe, meterkit }, subscribers)
    return await work({ pool, stripe, stripeLocal, meterkit, subscribers: made })
  } finally {
    await meterkit.stop()
    await stripeLocal.close()
    await pool.end()
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
  for (let number = 0; number < count; number++) {
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
    made.push({ customerId: customer.id, subscriptionId: (await meterkit.subscriptions.refresh(subscription.id)).id })
  }
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
