import { createMeterkit } from 'meterkit'
import pg from 'pg'
import { Stripe } from 'stripe'
import billing from '../billing.config.ts'

/**
 * Records usage the way another process of the product would: with an engine of its own on the same database.
 *
 * @param slug  the organization that pays
 * @returns when it was stored, in milliseconds since 1970
 */
export async function recordUsage(databaseUrl: string, slug: string, quantity: number): Promise<number> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 })
  pool.on('error', () => {}) // the statement's own error says it
  const stripe = new Stripe('sk_test_unused')
  const meterkit = createMeterkit({ config: billing, pool, stripe, journal: false })
  try {
    await meterkit.start()
    const { rows } = await pool.query<{ id: string }>('select id from auth.organization where slug = $1', [slug])
    const customer = await meterkit.customers.find('organization', rows[0]?.id ?? '')
    const subscription = customer && (await meterkit.subscriptions.ofCustomer(customer.id))
    if (!subscription) throw new Error(`The organization ${slug} has no subscription to record usage for.`)
    const { customerId, id: subscriptionId } = subscription
    await meterkit.recordEvent({ meter: 'ai_tokens', customerId, subscriptionId, quantity }).durable
    return Date.now()
  } finally {
    await meterkit.stop()
    await pool.end()
  }
}
