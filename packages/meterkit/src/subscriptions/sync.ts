import type { Pool } from 'pg'
import type { Stripe } from 'stripe'
import { customerByStripeId, getCustomer, lockCustomer, setStripeId, subscriptionId } from '../customers/store.ts'
import { type Database, transaction } from '../database/database.ts'
import type { TurnsByKey } from '../database/turns.ts'
import type { Directory } from '../directory.ts'
import type { Logger } from '../logger.ts'
import { knownPrices } from '../plans/prices.ts'
import { releaseUnbilled } from '../reports/accept.ts'
import { REPORT_METADATA } from '../reports/credit.ts'
import { sameItems, segmentStarts, sinceWithItems, wholeSecond } from './segments.ts'
import {
  closePeriods,
  notePriced,
  segmentsOf,
  storeSegments,
  storeSubscription,
  subscriptionsOf,
  subscriptionVersion,
} from './store.ts'
import {
  isLive,
  type Price,
  type Subscription,
  type SubscriptionFacts,
  type SubscriptionStatus,
} from './subscription.ts'

/** The metadata of a Stripe customer that names ours. */
export const CUSTOMER_METADATA = 'meterkit_customer'

export interface SyncContext {
  pool: Pool
  stripe: Stripe
  directory: Directory
  clock: () => Date
  log: Logger
  /** Within this process one sync of a subscription follows another, so that only another process can overtake. */
  inTurn: TurnsByKey
}

/** The metadata of a Stripe subscription that says when its prices last changed by us; unix seconds. */
export const CHANGED_METADATA = 'meterkit_changed_at'

/** Answers that another sync has overtaken; more in a row would mean that something else is wrong. */
const OVERTAKEN_MAX = 10

/**
 * Stores a subscription as Stripe has it now, with its segments. Any order and number of calls ends in the same state:
 * what is stored is Stripe's present word and not an event's payload. No connection is held while Stripe is asked; an
 * answer that another sync has overtaken meanwhile is thrown away and asked for again.
 *
 * @param changedBy  when Stripe told of a change of prices: where nothing dates it better, it was made then
 * @returns null where the customer is none of ours
 */
export async function syncSubscription(
  context: SyncContext,
  stripeId: string,
  { changedBy = null }: { changedBy?: Date | null } = {},
): Promise<Subscription | null> {
  for (let overtaken = 0; overtaken < OVERTAKEN_MAX; overtaken++) {
    const stored = await context.inTurn(stripeId, () => syncOnce(context, stripeId, changedBy))
    if (stored === 'overtaken') continue
    if (stored && !isLive(stored)) await releaseOthers(context, stored)
    return stored
  }
  throw new Error(`subscription ${stripeId} is stored by others faster than it can be fetched`)
}

/** What clashed with a subscription that has ended may be reported now. */
async function releaseOthers(context: SyncContext, ended: Subscription): Promise<void> {
  const others = await subscriptionsOf(context.pool, [ended.customerId])
  for (const other of others) {
    if (other.id !== ended.id && isLive(other) && !other.reportable) await syncSubscription(context, other.stripeId)
  }
}

async function syncOnce(
  context: SyncContext,
  stripeId: string,
  changedBy: Date | null,
): Promise<Subscription | null | 'overtaken'> {
  const { pool, stripe, directory, clock, log } = context
  const id = subscriptionId(stripeId)
  const version = await subscriptionVersion(pool, id)
  const fetched = await stripe.subscriptions.retrieve(stripeId)
  const customer = await customerOf({ db: pool, stripe }, fetched)
  if (!customer) {
    log.warn({ subscription: stripeId }, 'a subscription of a customer that is none of ours; left alone')
    return null
  }
  const itemPrices = fetched.items.data.map((item) => item.price.id)
  const prices = await knownPrices({ db: pool, stripe }, itemPrices)
  const read = subscriptionFromStripe(fetched, customer, prices)
  const change = await changeOfPrices(context, fetched, read, changedBy)
  const end = read.endedAt === null ? null : await endOf(context, read)

  const stored = await transaction(pool, async (client) => {
    // so that its subscriptions are judged beside each other
    await lockCustomer(client, customer)
    if ((await subscriptionVersion(client, id)) !== version) return 'overtaken' as const
    const others = await subscriptionsOf(client, [customer])
    const subscription = { ...read, ...judgement(read, others, fetched) }
    const known = (await segmentsOf(client, customer, [id])).get(id) ?? []
    await storeSubscription(client, subscription)
    await storeSegments(client, subscription, segmentStarts(read, known, { now: clock(), changedAt: change.at }))
    if (change.pricedAt) await notePriced(client, subscription, { closedAt: change.at, pricedAt: change.pricedAt })
    if (end) await closePeriods(client, subscription, { endedBy: null, closedAt: read.endedAt!, ...end })
    await releaseUnbilled(client, subscription, clock())
    return subscription
  })
  if (stored === 'overtaken') return stored
  directory.add(stored.customerId, stored.id)
  if (stored.problem) log.error({ subscription: stored.id, stripe: stripeId }, stored.problem)
  return stored
}

/**
 * When the prices changed: as our own switch wrote it down, else where the usage that Stripe has priced for the old ones
 * ends, else when Stripe told of it, else now. And when Stripe priced what was used until then, but for a switch of ours,
 * before which all was reported. What is not later than the last change known is of that one.
 */
async function changeOfPrices(
  { pool, stripe, clock }: SyncContext,
  fetched: Stripe.Subscription,
  read: SubscriptionFacts,
  changedBy: Date | null,
): Promise<{ at: Date; pricedAt: Date | null }> {
  const now = { at: wholeSecond(clock()), pricedAt: null }
  const known = (await segmentsOf(pool, read.customerId, [read.id])).get(read.id) ?? []
  const past = known.filter((segment) => segment.start <= now.at)
  const since = sinceWithItems(past)
  if (!since || sameItems(past.at(-1)!.items, read.items)) return now
  const ours = instant(Number(fetched.metadata[CHANGED_METADATA] ?? 0))
  if (ours > since) return { at: ours, pricedAt: null }
  const pending = await stripe.invoiceItems.list({ customer: idOf(fetched.customer), pending: true, limit: 100 })
  const ends = pending.data
    .filter((item) => item.parent?.subscription_details?.subscription === fetched.id)
    .filter((item) => item.metadata?.[REPORT_METADATA] === undefined)
    .map((item) => ({ at: instant(item.period.end), pricedAt: instant(item.date) }))
    .filter(({ at }) => at > since && at <= now.at)
    .sort((a, b) => b.at.getTime() - a.at.getTime())
  if (ends[0]) return ends[0]
  return changedBy && changedBy > since && changedBy < now.at ? { at: changedBy, pricedAt: changedBy } : now
}

/** How long after its end a subscription may still get its last invoice: Stripe writes those of a period's end later. */
const LAST_INVOICE_MS_MAX = 2 * 60 * 60 * 1000

/**
 * Ended, and no invoice is to come: usage that no invoice has billed never will be, and must not be sent in silence. Null
 * while one may come. In mid-period Stripe prices it then, else by the invoice of which we have not heard.
 */
async function endOf(
  { stripe, clock }: SyncContext,
  { stripeId, endedAt, currentPeriod }: SubscriptionFacts,
): Promise<{ pricedAt: Date | null } | null> {
  const inMidPeriod = currentPeriod !== null && endedAt! < currentPeriod.end
  const longAgo = clock().getTime() - endedAt!.getTime() > LAST_INVOICE_MS_MAX
  if (!inMidPeriod && !longAgo) return null
  const drafts = await stripe.invoices.list({ subscription: stripeId, status: 'draft', limit: 1 })
  return drafts.data.length === 0 ? { pricedAt: inMidPeriod ? endedAt : null } : null
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
): SubscriptionFacts {
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

/** Why this subscription cannot be billed, or not be changed, safely. */
function judgement(
  subscription: SubscriptionFacts,
  others: readonly Subscription[],
  { billing_mode }: Stripe.Subscription,
): Pick<Subscription, 'problem' | 'reportable'> {
  if (!isLive(subscription)) return { problem: null, reportable: true }
  const { stripeId } = subscription
  const meters = subscription.items.flatMap((item) => item.meter ?? [])
  if (meters.length !== new Set(meters).size) {
    const problem = `Two items of subscription ${stripeId} are on one meter, so Stripe would bill its usage twice. Remove one of them; until then its usage is kept here and not reported.`
    return { problem, reportable: false }
  }
  const clash = others.find((other) => clashes(other, subscription, meters))
  if (clash) {
    const problem = `The customer's subscriptions ${clash.stripeId} and ${stripeId} are on one meter, so Stripe would bill all usage twice. Cancel ${stripeId} now; until then its usage is kept here and not reported.`
    return { problem, reportable: false }
  }
  if (billing_mode?.type === 'classic' && meters.length > 0) {
    const problem = `Subscription ${stripeId} has the billing mode classic, which loses usage at a plan switch. Migrate it to flexible at Stripe; until then its plan cannot be switched here.`
    return { problem, reportable: true }
  }
  return { problem: null, reportable: true }
}

/** Of two on one meter the one that began first goes on. */
function clashes(other: Subscription, subscription: SubscriptionFacts, meters: readonly string[]): boolean {
  if (other.id === subscription.id || !isLive(other)) return false
  const earlier =
    other.startedAt < subscription.startedAt ||
    (other.startedAt.getTime() === subscription.startedAt.getTime() && other.id < subscription.id)
  return earlier && other.items.some((item) => item.meter !== null && meters.includes(item.meter))
}

export function instant(unixSeconds: number): Date {
  return new Date(unixSeconds * 1000)
}

export function idOf(reference: string | { id: string }): string {
  return typeof reference === 'string' ? reference : reference.id
}

/** Stripe's "there is no such object". */
export function isMissing(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'resource_missing'
}
