import { createHash } from 'node:crypto'
import type { Pool } from 'pg'
import type { Stripe } from 'stripe'
import type { Customer } from '../customers/customer.ts'
import { getCustomer, setStripeId } from '../customers/store.ts'
import { MeterkitError } from '../errors.ts'
import type { Catalog, Plan } from '../plans/config.ts'
import { PLAN_METADATA, priceFromStripe, storePrices } from '../plans/prices.ts'
import { subscriptionsOf } from './store.ts'
import { isLive, type Subscription } from './subscription.ts'
import { CUSTOMER_METADATA, idOf, isMissing, type SyncContext, syncSubscription } from './sync.ts'

export interface PlanContext extends SyncContext {
  catalog: Catalog
}

export interface CheckoutInput {
  customerId: string
  plan: string
  successUrl: string
  cancelUrl: string
}

/**
 * A hosted Checkout page for a plan. No quantity is ever sent for a metered price, and the billing mode is said
 * explicitly: the classic one would lose usage at a plan switch.
 * @see https://docs.stripe.com/api/checkout/sessions/create
 */
export async function checkout(
  context: PlanContext,
  input: CheckoutInput,
): Promise<{ url: string; sessionId: string }> {
  const plan = planOf(context.catalog, input.plan)
  const customer = await knownCustomer(context.pool, input.customerId)
  await refuseSecondSubscription(context.pool, plan, customer.id)
  const prices = await stripePricesOf(context, plan)
  const stripeCustomer = await ensureStripeCustomer(context, customer)
  await expireOpenSessions(context.stripe, stripeCustomer)
  const session = await context.stripe.checkout.sessions.create({
    mode: 'subscription',
    customer: stripeCustomer,
    client_reference_id: customer.id,
    line_items: plan.prices.map((price) => ({
      price: prices.get(price.lookupKey)!,
      ...(price.meter === null ? { quantity: 1 } : {}),
    })),
    subscription_data: {
      billing_mode: { type: 'flexible' },
      metadata: { [PLAN_METADATA]: plan.key, [CUSTOMER_METADATA]: customer.id },
      ...(plan.trialDays === null ? {} : { trial_period_days: plan.trialDays }),
    },
    success_url: input.successUrl,
    cancel_url: input.cancelUrl,
  })
  return { url: session.url!, sessionId: session.id }
}

/** Two tabs paid one after the other would make two subscriptions. */
async function expireOpenSessions(stripe: Stripe, customer: string): Promise<void> {
  for await (const { id } of stripe.checkout.sessions.list({ customer, status: 'open', limit: 100 })) {
    await stripe.checkout.sessions.expire(id)
  }
}

/** @returns null while the session is not complete, or where it is another customer's */
export async function completeCheckout(
  context: SyncContext,
  { customerId, sessionId }: { customerId: string; sessionId: string },
): Promise<Subscription | null> {
  try {
    const session = await context.stripe.checkout.sessions.retrieve(sessionId)
    if (session.client_reference_id !== customerId || session.status !== 'complete' || !session.subscription)
      return null
    return await syncSubscription(context, idOf(session.subscription))
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** Stripe aggregates usage per customer: a second subscription on a meter would be billed for all of it again. */
async function refuseSecondSubscription(pool: Pool, plan: Plan, customerId: string): Promise<void> {
  const meters = plan.prices.flatMap((price) => price.meter ?? [])
  const live = (await subscriptionsOf(pool, [customerId])).filter(isLive)
  const clash = live.find((subscription) =>
    subscription.items.some((item) => item.meter && meters.includes(item.meter)),
  )
  if (!clash) return
  const sentence = `checkout: the customer has a live subscription (${clash.stripeId}) on the same meter, and Stripe would bill its usage twice. Switch its plan instead: subscriptions.switchPlan(…).`
  throw new MeterkitError('meter_in_use', sentence, { field: 'plan', value: plan.key })
}

/** Stripe's price of each lookup key of a plan. @throws MeterkitError `unknown_plan` where it was never provisioned */
export async function stripePricesOf(
  { stripe, pool }: { stripe: Stripe; pool: Pool },
  plan: Plan,
): Promise<Map<string, string>> {
  const lookupKeys = plan.prices.map((price) => price.lookupKey)
  const { data } = await stripe.prices.list({ lookup_keys: lookupKeys, expand: ['data.tiers'], limit: 100 })
  await storePrices(pool, data.map(priceFromStripe))
  const found = new Map(data.map((price) => [price.lookup_key ?? '', price.id]))
  const missing = lookupKeys.filter((key) => !found.has(key))
  if (missing.length > 0) {
    const sentence = `plan ${JSON.stringify(plan.key)}: Stripe has no price with the lookup key ${missing.join(', ')}. Run: npx meterkit provision.`
    throw new MeterkitError('unknown_plan', sentence, { field: 'plan', value: plan.key })
  }
  return found
}

export function planOf(catalog: Catalog, key: string): Plan {
  const plan = catalog.plans.get(key)
  if (plan) return plan
  const known = [...catalog.plans.keys()].join(', ')
  throw new MeterkitError('unknown_plan', `plan ${JSON.stringify(key)} is not in the config. Its plans: ${known}.`, {
    field: 'plan',
    value: key,
  })
}

export async function knownCustomer(pool: Pool, id: string): Promise<Customer> {
  const customer = await getCustomer(pool, id)
  if (customer) return customer
  throw new MeterkitError(
    'unknown_customer',
    `customerId ${JSON.stringify(id)} is not a customer here. Create it with customers.ensure(…).`,
    { field: 'customerId', value: id },
  )
}

/** The customer's id at Stripe, made there on first use. The idempotency key keeps two at once from making two. */
async function ensureStripeCustomer({ pool, stripe }: SyncContext, customer: Customer): Promise<string> {
  if (customer.stripeId && (await existsAtStripe(stripe, customer.stripeId))) return customer.stripeId
  const created = await stripe.customers.create(
    {
      name: customer.name,
      ...(customer.email ? { email: customer.email } : {}),
      metadata: { [CUSTOMER_METADATA]: customer.id, source: customer.source, source_id: customer.sourceId },
    },
    {
      idempotencyKey: creationKey(customer),
    },
  )
  await setStripeId(pool, customer.id, created.id)
  return created.id
}

/** The same for the same facts; hashed, because a key is a header and names are not always Latin. */
function creationKey({ id, name, email, stripeId }: Customer): string {
  const facts = createHash('sha256')
    .update(JSON.stringify([name, email, stripeId]))
    .digest('hex')
  return `meterkit-customer-${id}-${facts}`
}

async function existsAtStripe(stripe: Stripe, stripeId: string): Promise<boolean> {
  try {
    const customer = await stripe.customers.retrieve(stripeId)
    return !customer.deleted
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

/** Stripe's own pages for card, invoices and cancelling; plans are switched on ours. */
export async function portal(
  { pool, stripe }: SyncContext,
  { customerId, returnUrl, flow }: { customerId: string; returnUrl: string; flow?: 'payment_method_update' },
): Promise<{ url: string }> {
  const customer = await knownCustomer(pool, customerId)
  if (!customer.stripeId) {
    const sentence = `portal: customer ${customerId} is not known at Stripe yet; it becomes so at its first checkout.`
    throw new MeterkitError('unknown_customer', sentence, { field: 'customerId', value: customerId })
  }
  const session = await stripe.billingPortal.sessions.create({
    customer: customer.stripeId,
    return_url: returnUrl,
    ...(flow ? { flow_data: { type: flow } } : {}),
  })
  return { url: session.url }
}
