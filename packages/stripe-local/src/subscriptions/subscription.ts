import type { Account, Kind, Wire } from '../account.ts'
import { visible } from '../account.ts'
import type { Metadata } from '../http/params.ts'
import type { Stored } from '../objects.ts'
import { type Price, planOf } from '../resources/prices.ts'

export type Status =
  | 'incomplete'
  | 'incomplete_expired'
  | 'trialing'
  | 'active'
  | 'past_due'
  | 'canceled'
  | 'unpaid'
  | 'paused'

export interface Subscription extends Stored {
  object: 'subscription'
  billing_cycle_anchor: number
  billing_cycle_anchor_config: {
    day_of_month: number
    hour: number | null
    minute: number | null
    month: number | null
    second: number | null
  } | null
  billing_mode: {
    type: 'flexible' | 'classic'
    flexible: { proration_discounts: 'included' | 'itemized' } | null
    updated_at?: number
  }
  cancel_at: number | null
  cancel_at_period_end: boolean
  canceled_at: number | null
  cancellation_details: {
    comment: string | null
    feedback: string | null
    feedback_option: null
    reason: string | null
  }
  collection_method: 'charge_automatically' | 'send_invoice'
  currency: string
  customer: string
  days_until_due: number | null
  default_payment_method: string | null
  description: string | null
  ended_at: number | null
  latest_invoice: string | null
  livemode: false
  metadata: Metadata
  pause_collection: { behavior: 'keep_as_draft' | 'mark_uncollectible' | 'void'; resumes_at: number | null } | null
  payment_settings: {
    payment_method_options: null
    payment_method_types: null
    save_default_payment_method: 'off' | 'on_subscription'
  }
  start_date: number
  status: Status
  test_clock: string | null
  trial_end: number | null
  trial_settings: { end_behavior: { missing_payment_method: 'cancel' | 'create_invoice' | 'pause' } }
  trial_start: number | null
  /** trial_will_end was sent. */
  _trial_warned: boolean
  /** The period end that invoice.upcoming was last sent for. */
  _upcoming_sent: number | null
}

export interface SubscriptionItem extends Stored {
  object: 'subscription_item'
  current_period_end: number
  current_period_start: number
  metadata: Metadata
  price: string
  quantity?: number
  subscription: string
  /** Where the usage begins that no invoice or invoice item has billed yet. Null for licensed items. */
  _usage_from: number | null
}

export const subscription: Kind = {
  type: 'subscription',
  noun: 'subscription',
  references: {
    customer: 'customer',
    default_payment_method: 'payment_method',
    latest_invoice: 'invoice',
    test_clock: 'test_helpers.test_clock',
  },
  present: presentSubscription,
}

export const subscriptionItem: Kind = {
  type: 'subscription_item',
  noun: 'subscription_item',
  present: presentItem,
}

function presentSubscription(account: Account, stored: Subscription): Wire {
  const items = itemsOf(account, stored.id).map((item) => presentItem(account, item))
  return {
    ...visible(stored),
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_schedules: [],
    billing_thresholds: null,
    customer_account: null,
    default_source: null,
    default_tax_rates: [],
    discounts: [],
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: 'self' },
    },
    items: {
      object: 'list',
      data: items,
      has_more: false,
      total_count: items.length,
      url: `/v1/subscription_items?subscription=${stored.id}`,
    },
    managed_payments: null,
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    transfer_data: null,
  }
}

/** A metered item has no `quantity` at all. */
function presentItem(account: Account, stored: SubscriptionItem): Wire {
  const price = account.get<Price>('price', stored.price)
  return {
    ...visible(stored),
    billed_until: stored._usage_from ?? stored.current_period_end,
    billing_thresholds: null,
    current_trial: null,
    discounts: [],
    plan: planOf(price),
    price: account.present(price),
    tax_rates: [],
  }
}

/** In the order they were added. */
export function itemsOf(account: Account, subscription: string): SubscriptionItem[] {
  return account.objects.all<SubscriptionItem>('subscription_item', { '$.subscription': subscription })
}

export function subscriptionOf(account: Account, id: string): Subscription {
  return account.get<Subscription>('subscription', id)
}

export function isMetered(price: Price): boolean {
  return price.recurring?.usage_type === 'metered'
}

export function isOver(stored: Subscription): boolean {
  return stored.status === 'canceled' || stored.status === 'incomplete_expired'
}

const DAY = 86_400
const INCOMPLETE_SECONDS = 23 * 3600
const TRIAL_WARNING_SECONDS = 3 * DAY
/** How long before a renewal Stripe announces it; an account's setting there. */
const UPCOMING_SECONDS = 7 * DAY

/** Plans the next thing the subscription has to do by itself. */
export function planNext(account: Account, id: string): void {
  const stored = subscriptionOf(account, id)
  const at = nextOf(stored, itemsOf(account, id))
  account.timeline.schedule('subscription', id, at === null ? null : at * 1000, stored.test_clock)
}

function nextOf(stored: Subscription, items: SubscriptionItem[]): number | null {
  if (isOver(stored) || stored.status === 'paused') return null
  if (stored.status === 'incomplete') return stored.created + INCOMPLETE_SECONDS
  const instants = items.map((item) => item.current_period_end)
  const notice = upcomingNotice(stored, items)
  if (notice !== null) instants.push(notice)
  if (stored.cancel_at !== null) instants.push(stored.cancel_at)
  if (stored.status === 'trialing' && stored.trial_end !== null) {
    instants.push(stored.trial_end)
    if (!stored._trial_warned) instants.push(Math.max(stored.start_date, stored.trial_end - TRIAL_WARNING_SECONDS))
  }
  return Math.min(...instants)
}

/** When invoice.upcoming is due for the period that runs, or null: it was sent, nothing renews, or the period is short. */
export function upcomingNotice(stored: Subscription, items: SubscriptionItem[]): number | null {
  const end = Math.min(...items.map((item) => item.current_period_end))
  const start = Math.max(...items.map((item) => item.current_period_start))
  const isShort = end - start <= 2 * UPCOMING_SECONDS
  if (isShort || stored._upcoming_sent === end || stored.status === 'trialing') return null
  return end - UPCOMING_SECONDS
}
