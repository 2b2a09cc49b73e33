import type { PriceModel } from '../pricing/price-usage.ts'

/** @see https://docs.stripe.com/api/subscriptions/object#subscription_object-status */
export type SubscriptionStatus =
  | 'incomplete'
  | 'incomplete_expired'
  | 'trialing'
  | 'active'
  | 'past_due'
  | 'canceled'
  | 'unpaid'
  | 'paused'

/** Start inclusive, end exclusive, UTC instants as Stripe gave them. */
export interface Period {
  start: Date
  end: Date
}

export interface SubscriptionItem {
  stripeId: string
  stripePriceId: string
  /** Event name; null for a flat price. */
  meter: string | null
}

export interface Subscription {
  id: string
  customerId: string
  stripeId: string
  status: SubscriptionStatus
  /** Null where Stripe has a price that no plan of the config names. */
  plan: string | null
  items: SubscriptionItem[]
  currentPeriod: Period | null
  startedAt: Date
  trialEnd: Date | null
  cancelAtPeriodEnd: boolean
  /** When it will end, if that is known. */
  cancelAt: Date | null
  endedAt: Date | null
  /** What the engine refuses to do blindly, in a sentence: two live subscriptions on one meter, classic billing mode. */
  problem: string | null
  /** False where the problem is such that Stripe would bill its usage twice: it is kept, and not reported. */
  reportable: boolean
}

/** A subscription as Stripe tells it, before it is judged beside the customer's others. */
export type SubscriptionFacts = Omit<Subscription, 'problem' | 'reportable'>

/** A price as it stands at Stripe, also one that no plan of today's config names any more. */
export interface Price {
  stripeId: string
  lookupKey: string | null
  plan: string | null
  meter: string | null
  currency: string
  interval: string
  /** Null for a flat price. */
  model: PriceModel | null
  /** Minor units; null for a metered price. */
  flatAmount: bigint | null
}

/** A part of a period under one set of prices. The next segment's start ends it. */
export interface Segment {
  start: Date
  /** Null for the last one known. */
  end: Date | null
  kind: SegmentKind
  period: Period | null
  items: SubscriptionItem[]
  /**
   * Once Stripe has priced it, by the final invoice of its period or at a plan switch: whatever comes later is billed in
   * the segment that is open then.
   */
  closedAt: Date | null
}

/** `free`: usage is kept and shown, and costs nothing (trial, pause). `ended`: nothing can be billed any more. */
export type SegmentKind = 'billable' | 'free' | 'ended'

/** Statuses under which the customer may use what it pays for. */
export function isLive(subscription: Pick<Subscription, 'status'>): boolean {
  return ['trialing', 'active', 'past_due'].includes(subscription.status)
}
