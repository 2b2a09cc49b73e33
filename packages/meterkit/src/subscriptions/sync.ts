import type { Pool } from 'pg'
import type { Stripe } from 'stripe'
import { customerByStripeId, getCustomer, setStripeId, subscriptionId } from '../customers/store.ts'
import { type Database, transaction } from '../database/database.ts'
import type { Directory } from '../directory.ts'
import type { Logger } from '../meterkit.ts'
import { knownPrices } from '../plans/prices.ts'
import { segmentStarts } from './segments.ts'
import { segmentsOf, storeSegments, storeSubscription, subscriptionsOf } from './store.ts'
import { isLive, type Price, type Subscription, type SubscriptionStatus } from './subscription.ts'

/** The metadata of a Stripe customer that names ours. */
export const CUSTOMER_METADATA = 'meterkit_customer'

export interface SyncContext {
  pool: Pool
  stripe: Stripe
  directory: Directory
  clock: () => Date
  log: Logger
}

/** First part of the advisory lock of a subscription's sync; the second is a hash of its id. */
const SYNC_LOCK = 720_462

/**
 * Stores a subscription as Stripe has it now, with its segments. Any order and number of calls ends in the same state:
 * what is stored is Stripe's present word and not an event's payload, and it is asked for while no other sync of the
 * same subscription is under way, so that an older answer never overwrites a newer one.
 *
 * @param changedAt  when a change of prices, if there is one, took effect: a webhook's `created`, a switch's own instant
 * @returns null where the customer is none of ours
 */
export async function syncSubscription(
  context: SyncContext,
  stripeId: string,
  { changedAt = null }: { changedAt?: Date | null } = {},
): Promise<Subscription | null> {
  const { pool, stripe, directory, clock, log } = context
  const stored = await transaction(pool, async (client) => {
    await client.query('select pg_advisory_xact_lock($1, hashtext($2))', [SYNC_LOCK, stripeId])
    const fetched = await stripe.subscriptions.retrieve(stripeId)
    const customer = await customerOf({ db: client, stripe }, fetched)
    if (!customer) return null
    const prices = await knownPrices(
      { db: client, stripe },
      fetched.items.data.map((item) => item.price.id),
    )
    const read = subscriptionFromStripe(fetched, customer, prices)
    const others = await subscriptionsOf(client, [customer])
    const subscription = { ...read, problem: problemOf(read, others, fetched) }
    const known = (await segmentsOf(client, customer, [read.id])).get(read.id) ?? []
    const now = clock()
    await storeSubscription(client, subscription)
    await storeSegments(
      client,
      subscription,
      segmentStarts(read, known, { now, changedAt: changedAt ?? wholeSecond(now) }),
    )
    return subscription
  })
  if (!stored) {
    log.warn({ subscription: stripeId }, 'a subscription of a customer that is none of ours; left alone')
    return null
  }
  directory.add(stored.customerId, stored.id)
  if (stored.problem) log.error({ subscription: stored.id, stripe: stripeId }, stored.problem)
  return stored
}

async function customerOf(
  { db, stripe }: { db: Database; stripe: Stripe },
  subscription: Stripe.Subscription,
): Promise<string | null> {
  const stripeId = idOf(subscription.customer)
  const known = await customerByStripeId(db, stripeId)
  if (known) return known.id
  const customer = await stripe.customers.retrieve(stripeId)
  const ours = customer.deleted ? undefined : customer.metadata[CUSTOMER_METADATA]
  if (!ours || !/^[0-9a-f-]{36}$/.test(ours) || !(await getCustomer(db, ours))) return null
  await setStripeId(db, ours, stripeId)
  return ours
}

function subscriptionFromStripe(
  subscription: Stripe.Subscription,
  customerId: string,
  prices: Map<string, Price>,
): Omit<Subscription, 'problem'> {
  const items = subscription.items.data
  const pricesOfItems = items.map((item) => prices.get(item.price.id)!)
  const metered = items.find((item) => prices.get(item.price.id)?.meter) ?? items[0]
  return {
    id: subscriptionId(subscription.id),
    customerId,
    stripeId: subscription.id,
    status: subscription.status as SubscriptionStatus,
    plan: pricesOfItems.find((price) => price.plan)?.plan ?? null,
    items: items.map((item) => ({
      stripeId: item.id,
      stripePriceId: item.price.id,
      meter: prices.get(item.price.id)?.meter ?? null,
    })),
    currentPeriod: metered?.current_period_start
      ? { start: instant(metered.current_period_start), end: instant(metered.current_period_end) }
      : null,
    startedAt: instant(subscription.start_date),
    trialEnd: subscription.trial_end === null ? null : instant(subscription.trial_end),
    cancelAtPeriodEnd: subscription.cancel_at_period_end,
    cancelAt: subscription.cancel_at === null ? null : instant(subscription.cancel_at),
    endedAt: subscription.ended_at === null ? null : instant(subscription.ended_at),
  }
}

/** Why this subscription cannot be billed safely, if so. */
function problemOf(
  subscription: Omit<Subscription, 'problem'>,
  others: readonly Subscription[],
  { billing_mode }: Stripe.Subscription,
): string | null {
  if (!isLive(subscription)) return null
  const meters = subscription.items.flatMap((item) => item.meter ?? [])
  if (meters.length !== new Set(meters).size) {
    return `Two items of subscription ${subscription.stripeId} are on one meter, so Stripe would bill its usage twice. Remove one of them; until then its usage is kept here and not reported.`
  }
  const clash = others.find(
    (other) =>
      other.id !== subscription.id &&
      isLive(other) &&
      other.startedAt <= subscription.startedAt &&
      other.items.some((item) => item.meter && meters.includes(item.meter)),
  )
  if (clash) {
    return `The customer's subscriptions ${clash.stripeId} and ${subscription.stripeId} are on one meter, so Stripe would bill all usage twice. Cancel one of them; until then the usage of ${subscription.stripeId} is kept here and not reported.`
  }
  if (billing_mode?.type === 'classic' && meters.length > 0) {
    return `Subscription ${subscription.stripeId} has the billing mode classic, which loses usage at a plan switch. Migrate it to flexible at Stripe; until then its plan cannot be switched here.`
  }
  return null
}

export function instant(unixSeconds: number): Date {
  return new Date(unixSeconds * 1000)
}

export function wholeSecond(at: Date): Date {
  return new Date(Math.floor(at.getTime() / 1000) * 1000)
}

export function idOf(reference: string | { id: string }): string {
  return typeof reference === 'string' ? reference : reference.id
}

/** Stripe's "there is no such object". */
export function isMissing(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'resource_missing'
}
