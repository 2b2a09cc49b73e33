import type { TestContext } from 'node:test'
import { templateDatabase, testDatabase } from 'local-postgres/testing'
import pg from 'pg'
import { customerId, ensureCustomer, setStripeId, subscriptionId } from '../src/customers/store.ts'
import { transaction } from '../src/database/database.ts'
import { createMonths, migrate } from '../src/database/migrate.ts'
import { storeMeters } from '../src/meters/store.ts'
import { catalogOf, defineBilling } from '../src/plans/config.ts'
import { storePrices } from '../src/plans/prices.ts'
import { type SegmentStart, segmentStarts } from '../src/subscriptions/segments.ts'
import { storeSegments, storeSubscription } from '../src/subscriptions/store.ts'
import type { Subscription, SubscriptionItem } from '../src/subscriptions/subscription.ts'

/** The plans of the design: three on one meter. */
export const billing = defineBilling({
  meters: { ai_tokens: { displayName: 'AI tokens', unit: 'tokens' } },
  plans: {
    essential: { name: 'Essential', prices: [{ meter: 'ai_tokens', unitAmount: 5, perUnits: 1_000 }] },
    business: {
      name: 'Business',
      mostPopular: true,
      prices: [{ meter: 'ai_tokens', unitAmount: 50, perUnits: 15_000 }],
    },
    enterprise: { name: 'Enterprise', prices: [{ meter: 'ai_tokens', unitAmount: 500, perUnits: 200_000 }] },
  },
})

/**
 * A migrated database of its own for one test.
 * @param users  to be stopped before the pool ends; may be filled in later
 */
export async function database(t: TestContext, users: (() => Promise<void>)[] = []): Promise<pg.Pool> {
  const template = await templateDatabase('meterkit_migrated', async (url) => {
    const pool = new pg.Pool({ connectionString: url })
    await migrate(pool)
    await storeMeters(pool, catalogOf(billing).meters.values())
    await pool.end()
  })
  const pool = new pg.Pool({ connectionString: await testDatabase(t, { template }), max: 12 })
  pool.on('error', () => {})
  t.after(async () => {
    for (const stop of users) await stop()
    await pool.end()
  })
  await createMonths(pool, new Date('2026-11-24T00:00:00Z'), new Date('2026-11-24T00:00:00Z'))
  await createMonths(pool, new Date(), new Date())
  return pool
}

export const METER_ID = 1

/** A subscription on Essential as Stripe would have told us, its period November 10th 08:30 to December 10th 08:30. */
export async function subscribed(
  pool: pg.Pool,
  {
    organization = 'acme',
    now = new Date('2026-11-24T12:00:00Z'),
    ...facts
  }: Partial<Subscription> & { organization?: string; now?: Date } = {},
): Promise<Subscription> {
  const customer = await ensureCustomer(pool, {
    source: 'organization',
    sourceId: organization,
    name: organization,
    email: null,
  })
  await setStripeId(pool, customer.id, `cus_${organization}`)
  await storePrices(pool, [
    price('price_essential', 'essential', '5', '1000'),
    price('price_business', 'business', '50', '15000'),
  ])
  const stripeId = `sub_${organization}`
  const subscription: Subscription = {
    id: subscriptionId(stripeId),
    customerId: customerId('organization', organization),
    stripeId,
    status: 'active',
    plan: 'essential',
    items: [essentialItem],
    currentPeriod: { start: new Date('2026-11-10T08:30:00Z'), end: new Date('2026-12-10T08:30:00Z') },
    startedAt: new Date('2026-11-10T08:30:00Z'),
    trialEnd: null,
    cancelAtPeriodEnd: false,
    cancelAt: null,
    endedAt: null,
    problem: null,
    reportable: true,
    ...facts,
  }
  await restate(pool, subscription, [], { now, changedAt: now })
  return subscription
}

export const essentialItem: SubscriptionItem = {
  stripeId: 'si_1',
  stripePriceId: 'price_essential',
  meter: 'ai_tokens',
}
export const businessItem: SubscriptionItem = { stripeId: 'si_1', stripePriceId: 'price_business', meter: 'ai_tokens' }

/** Stores a subscription with the segments that follow from it. */
export async function restate(
  pool: pg.Pool,
  subscription: Subscription,
  known: SegmentStart[],
  at: { now: Date; changedAt: Date },
): Promise<SegmentStart[]> {
  const starts = segmentStarts(subscription, known, at)
  await transaction(pool, async (client) => {
    await storeSubscription(client, subscription)
    await storeSegments(client, subscription, starts)
  })
  return starts
}

function price(stripeId: string, plan: string, unitAmount: string, perUnits: string) {
  return {
    stripeId,
    plan,
    lookupKey: `${plan}_ai_tokens_month`,
    meter: 'ai_tokens',
    currency: 'usd',
    interval: 'month',
    model: { type: 'package' as const, unitAmount, perUnits, round: 'up' as const },
    flatAmount: null,
  }
}
