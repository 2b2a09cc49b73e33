import { Stripe } from 'stripe'
import { lockCustomer } from '../customers/store.ts'
import { transaction } from '../database/database.ts'
import { MeterkitError } from '../errors.ts'
import type { SwitchPreview } from '../invoices/charges.ts'
import { type InvoiceContext, takeInvoice } from '../invoices/flush.ts'
import { chargeLines, type PeriodSheet, periodSheet, total } from '../invoices/period-sheet.ts'
import type { Catalog, Plan } from '../plans/config.ts'
import { priceUsage } from '../pricing/price-usage.ts'
import { countUnsettled, unreported } from '../reports/outstanding.ts'
import { type PlanContext, planOf, stripePricesOf } from './checkout.ts'
import { wholeSecond } from './segments.ts'
import { getSubscription, noteChanging, segmentAt, segmentsOf, storeSegments } from './store.ts'
import { isLive, type Subscription } from './subscription.ts'
import { CHANGED_METADATA, idOf, syncSubscription } from './sync.ts'

export interface ChangeContext extends InvoiceContext, PlanContext {
  /** Works while nothing of a customer is reported, by any process. */
  withoutReports: <Result>(customerId: string, work: () => Promise<Result>) => Promise<Result>
}

/** What switching does, in numbers, without doing it. Nothing is asked of Stripe. */
export async function previewSwitch(
  { pool, catalog, clock }: ChangeContext,
  input: { subscriptionId: string; plan: string },
): Promise<SwitchPreview> {
  const subscription = await liveSubscription({ pool }, input.subscriptionId)
  const plan = planOf(catalog, input.plan)
  refuseSamePlan(subscription, plan.key)
  const now = clock()
  const sheet = await periodSheet(pool, subscription, now)
  const lines = sheet ? chargeLines(sheet, catalog, sheet.cells) : []
  return {
    subscriptionId: subscription.id,
    from: subscription.plan,
    to: plan.key,
    at: wholeSecond(now),
    currency: sheet?.currency ?? 'usd',
    soFar: { lines, amount: total(lines) },
    rest: sheet && restOfPeriod(sheet, catalog, plan, now),
    unreported: (await unreported(pool, subscription.customerId, subscription.id)).quantity,
  }
}

const DAY_MS = 24 * 60 * 60 * 1000

/**
 * What the rest of the period would cost on either plan, each priced by itself: packages and tiers start afresh. At the
 * pace so far, or, before a day of it is known, if as much again is used.
 */
function restOfPeriod(sheet: PeriodSheet, catalog: Catalog, plan: Plan, now: Date): SwitchPreview['rest'] {
  const segment = sheet.segments.at(-1)
  if (!segment || now >= segment.end) return null
  const prices = segment.items.flatMap((item) => sheet.prices.get(item.stripePriceId) ?? [])
  const oldPrice = prices.find((price) => price.meter !== null)
  const newModel = plan.prices.find((price) => price.meter === oldPrice?.meter)?.model
  if (!oldPrice?.model || !newModel) return null
  const used = chargeLines(sheet, catalog, sheet.cells)
    .filter((line) => line.current && line.meter === oldPrice.meter)
    .reduce((sum, line) => sum + BigInt(line.quantity.split('.')[0]!), 0n)
  if (used <= 0n) return null
  const elapsedMs = now.getTime() - segment.start.getTime()
  const basis = elapsedMs < DAY_MS ? 'as_much_again' : 'pace'
  const leftMs = segment.end.getTime() - now.getTime()
  const quantity = (basis === 'pace' ? (used * BigInt(leftMs)) / BigInt(elapsedMs) : used).toString()
  return {
    basis,
    quantity,
    onCurrentPlan: priceUsage(oldPrice.model, quantity).amount,
    onNewPlan: priceUsage(newModel, quantity).amount,
  }
}

/**
 * Changes the plan at once. All usage so far is reported and accepted first, so that none of it falls under the new
 * price; Stripe then bills the old segment as an item of the coming invoice.
 * @throws MeterkitError `usage_unreported` where Stripe cannot take the usage now; nothing was changed then
 * @see https://docs.stripe.com/billing/subscriptions/usage-based/manage-billing (update prices mid-cycle)
 */
export async function switchPlan(
  context: ChangeContext,
  input: { subscriptionId: string; plan: string },
): Promise<Subscription> {
  const subscription = await liveSubscription(context, input.subscriptionId)
  const plan = planOf(context.catalog, input.plan)
  refuseSamePlan(subscription, plan.key)
  if (subscription.problem)
    throw new MeterkitError('subscription_problem', `switchPlan: ${subscription.problem}`, {
      field: 'subscriptionId',
      value: subscription.id,
    })
  const prices = await stripePricesOf(context, plan)
  const changedAt = await nextWholeSecond(context)
  await cutAt(context, subscription, changedAt)
  await flushBefore(context, subscription, `the plan stays ${subscription.plan}`)

  const change: Stripe.SubscriptionUpdateParams = {
    items: itemChanges(subscription, plan, prices),
    // never `none`: the usage before the switch would not be billed
    proration_behavior: 'create_prorations',
    proration_date: changedAt.getTime() / 1000,
    // read back by whoever hears of the switch, also where this process dies on the next line
    metadata: { [CHANGED_METADATA]: String(changedAt.getTime() / 1000) },
  }
  const ask = () => context.stripe.subscriptions.update(subscription.stripeId, change)
  return changeAtStripe(context, subscription, ask)
}

/**
 * Asks Stripe for a change while nothing of the customer is reported: usage that reaches Stripe after a change is billed
 * otherwise, or not at all. Where the process dies, or no answer comes, it may still come about: `refreshEndedPeriods`
 * waits until it cannot any more, and asks.
 */
async function changeAtStripe(
  context: ChangeContext,
  subscription: Subscription,
  ask: () => Promise<unknown>,
): Promise<Subscription> {
  const { pool, clock, inTurn } = context
  return context.withoutReports(subscription.customerId, async () => {
    const error = await inTurn(subscription.stripeId, async () => {
      await noteChanging(pool, subscription.id, clock())
      return ask().then(() => null, asStripeError)
    })
    // An error that Stripe has answered may have come after the work, but no work comes after it.
    if (error && error.statusCode === undefined) throw error
    const stored = await syncSubscription(context, subscription.stripeId)
    await noteChanging(pool, subscription.id, null)
    if (error) throw error
    return stored!
  })
}

function asStripeError(error: unknown): InstanceType<typeof Stripe.errors.StripeError> {
  if (error instanceof Stripe.errors.StripeError) return error
  throw error
}

/** Stripe knows whole seconds only: a switch in the middle of one would cut its usage apart. */
async function nextWholeSecond({ clock }: ChangeContext): Promise<Date> {
  const now = clock().getTime()
  const next = Math.ceil(now / 1000) * 1000
  if (next > now) await new Promise((resolve) => setTimeout(resolve, next - now))
  return new Date(next)
}

/**
 * Stripe ends a subscription at the start of the second in which it is cancelled: usage of that second, and late usage
 * reported under it, would be after the end and on no invoice.
 */
async function secondIsOver({ clock }: ChangeContext): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1000 - (clock().getTime() % 1000)))
}

/** Cuts the rollups where the old price will end, so that the flush reports each side under its own time. */
async function cutAt({ pool }: ChangeContext, subscription: Subscription, at: Date): Promise<void> {
  await transaction(pool, async (client) => {
    await lockCustomer(client, subscription.customerId)
    const known = (await segmentsOf(client, subscription.customerId, [subscription.id])).get(subscription.id) ?? []
    const current = segmentAt(known, at)
    if (!current || current.start.getTime() === at.getTime()) return
    await storeSegments(client, subscription, [...known, { ...current, start: at }])
  })
}

/** Items are matched by their meter; what the new plan does not have goes, what it has besides comes. */
function itemChanges(
  subscription: Subscription,
  plan: ReturnType<typeof planOf>,
  prices: Map<string, string>,
): Stripe.SubscriptionUpdateParams.Item[] {
  const left = [...subscription.items]
  const changes: Stripe.SubscriptionUpdateParams.Item[] = plan.prices.map((price) => {
    const at = left.findIndex((item) => item.meter === price.meter)
    const [item] = at === -1 ? [] : left.splice(at, 1)
    return {
      ...(item ? { id: item.stripeId } : {}),
      price: prices.get(price.lookupKey)!,
      ...(price.meter === null ? { quantity: 1 } : {}),
    }
  })
  return [...changes, ...left.map((item) => ({ id: item.stripeId, deleted: true }))]
}

/**
 * Cancels at the period's end, or now with the last usage billed at once.
 * @throws MeterkitError `usage_unreported` for `now` while Stripe cannot take the last usage: it would be discarded
 */
export async function cancelSubscription(
  context: ChangeContext,
  { subscriptionId, when }: { subscriptionId: string; when: 'period_end' | 'now' },
): Promise<Subscription> {
  const subscription = await liveSubscription(context, subscriptionId)
  if (!subscription.reportable) {
    await endUnreported(context, subscription, when)
  } else if (when === 'period_end') {
    await context.stripe.subscriptions.update(subscription.stripeId, { cancel_at_period_end: true })
  } else {
    await flushBefore(context, subscription, 'the subscription goes on')
    await secondIsOver(context)
    const ask = () => context.stripe.subscriptions.cancel(subscription.stripeId, { invoice_now: true, prorate: true })
    await changeAtStripe(context, subscription, ask)
    await takeLastInvoice(context, subscription)
  }
  return (await syncSubscription(context, subscription.stripeId))!
}

/** A second subscription on a meter ends without an invoice: Stripe would put all of the customer's usage on it again. */
async function endUnreported(
  { stripe }: ChangeContext,
  subscription: Subscription,
  when: 'period_end' | 'now',
): Promise<void> {
  if (when === 'period_end') {
    const sentence = `cancel: ${subscription.problem} It can only be cancelled now, without an invoice.`
    throw new MeterkitError('subscription_problem', sentence, { field: 'when', value: when })
  }
  await stripe.subscriptions.cancel(subscription.stripeId, { invoice_now: false, prorate: false })
}

/** So that what comes later finds its period closed, whenever the webhook arrives. */
async function takeLastInvoice(context: ChangeContext, subscription: Subscription): Promise<void> {
  const { latest_invoice } = await context.stripe.subscriptions.retrieve(subscription.stripeId)
  if (latest_invoice) await takeInvoice(context, idOf(latest_invoice))
}

export async function resumeSubscription(context: ChangeContext, subscriptionId: string): Promise<Subscription> {
  const subscription = await liveSubscription(context, subscriptionId)
  await context.stripe.subscriptions.update(subscription.stripeId, { cancel_at_period_end: false })
  return (await syncSubscription(context, subscription.stripeId))!
}

/** A report Stripe refuses would be lost just as one it cannot take now: both must be mended first. */
async function flushBefore(context: ChangeContext, subscription: Subscription, unchanged: string): Promise<void> {
  await context.drained()
  const result = await context.flush(subscription.customerId)
  const since = subscription.currentPeriod?.start ?? subscription.startedAt
  const unsettled = await countUnsettled(context.pool, subscription.customerId, subscription.id, since)
  if (result.postponed === 0 && unsettled === 0) return
  const why = result.reason ?? (result.postponed > 0 ? 'another worker is at it' : 'Stripe refused some of it')
  const wayOut = result.postponed > 0 ? 'try again in a minute' : 'an operator has to mend the failed reports first'
  const sentence = `The usage so far could not be reported to Stripe (${why}), and it must be before this change. Nothing is lost and ${unchanged}; ${wayOut}.`
  throw new MeterkitError('usage_unreported', sentence, { field: 'subscriptionId', value: subscription.id })
}

async function liveSubscription({ pool }: Pick<ChangeContext, 'pool'>, id: string): Promise<Subscription> {
  const subscription = await getSubscription(pool, id)
  if (!subscription) {
    throw new MeterkitError(
      'unknown_subscription',
      `subscriptionId ${JSON.stringify(id)} is not a subscription here.`,
      { field: 'subscriptionId', value: id },
    )
  }
  if (!isLive(subscription)) {
    throw new MeterkitError(
      'subscription_not_live',
      `Subscription ${subscription.stripeId} is ${subscription.status}; only a live one can be changed. Subscribe anew by a checkout.`,
      { field: 'subscriptionId', value: id },
    )
  }
  return subscription
}

function refuseSamePlan(subscription: Subscription, plan: string): void {
  if (subscription.plan !== plan) return
  throw new MeterkitError('same_plan', `The subscription is on ${JSON.stringify(plan)} already.`, {
    field: 'plan',
    value: plan,
  })
}
