import type { Account, Kind, Wire } from '../account.ts'
import { visible } from '../account.ts'
import { type Price, planOf } from '../catalogue/price.ts'
import type { Metadata } from '../http/params.ts'
import type { Stored } from '../objects.ts'

export type Status =
  | 'incomplete'
  | 'incomplete_expired'
  | 'trialing'
  | 'active'
  | 'past_due'
  | 'canceled'
  | 'unpaid'
  | 'paused'

export interface Interval {
  interval: 'day' | 'week' | 'month' | 'year'
  interval_count: number
}

export interface InvoiceSettings {
  account_tax_ids: null
  custom_fields: { name: string; value: string }[] | null
  description: string | null
  footer: string | null
  issuer: { type: 'self' }
}

export interface BillingThresholds {
  amount_gte: number | null
  reset_billing_cycle_anchor: boolean | null
}

/**
 * Changes that wait until their invoice is paid: of an update with `payment_behavior=pending_if_incomplete`, or of a
 * resumption. `items` and `fields` are what the subscription becomes then.
 */
export interface PendingUpdate {
  cause: 'update' | 'resumption'
  expires_at: number
  invoice: string
  fields: Partial<Subscription>
  items: SubscriptionItem[]
  /** How a resumption treats a charge that fails. */
  payment_behavior?: 'resume_on_payment_attempt' | 'resume_on_payment_success'
}

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
  billing_thresholds: BillingThresholds | null
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
  /** Absent in states kept from before there were discounts. */
  discounts?: string[]
  ended_at: number | null
  invoice_settings: InvoiceSettings
  latest_invoice: string | null
  livemode: false
  metadata: Metadata
  next_pending_invoice_item_invoice: number | null
  pause_collection: { behavior: 'keep_as_draft' | 'mark_uncollectible' | 'void'; resumes_at: number | null } | null
  payment_settings: {
    payment_method_options: null
    payment_method_types: null
    save_default_payment_method: 'off' | 'on_subscription'
  }
  pending_invoice_item_interval: Interval | null
  schedule: string | null
  start_date: number
  status: Status
  /** Why it is paused; there only while it is. */
  status_details?: {
    paused: { subscription: { type: PauseReason }; transitioned_at: number; type: 'subscription' }
  }
  test_clock: string | null
  trial_end: number | null
  trial_settings: {
    end_behavior: {
      billing_cycle_anchor: 'now' | 'unchanged' | null
      missing_payment_method: 'cancel' | 'create_invoice' | 'pause'
    }
  }
  trial_start: number | null
  _pending?: PendingUpdate | null
  /** False when no share of a period is billed that the anchor cuts short (`proration_behavior=none` at the start). */
  _bills_stub?: boolean
  /** trial_will_end was sent. */
  _trial_warned: boolean
  /** The period end that invoice.upcoming was last sent for. */
  _upcoming_sent: number | null
}

export type PauseReason = 'pause_requested' | 'trial_end_without_payment_method'

export interface SubscriptionItem extends Stored {
  object: 'subscription_item'
  billing_thresholds?: { usage_gte: number } | null
  current_period_end: number
  current_period_start: number
  metadata: Metadata
  price: string
  quantity?: number
  subscription: string
  /** Where the usage begins that no invoice or invoice item has billed yet. Null for licensed items. */
  _usage_from: number | null
  /** What threshold invoices have billed of the usage since then, in units of 10^-12. */
  _billed?: string
  /** What of a licensed item the running period was billed for, where changes without proration left that behind. */
  _debited?: { price: string; quantity: number }
  /** Usage of the second in which a threshold began this period, billed with the one before. */
  _skipped?: string
}

export const subscription: Kind = {
  type: 'subscription',
  noun: 'subscription',
  references: {
    customer: 'customer',
    default_payment_method: 'payment_method',
    discounts: 'discount',
    latest_invoice: 'invoice',
    schedule: 'subscription_schedule',
    test_clock: 'test_helpers.test_clock',
  },
  present: presentSubscription,
}

export const subscriptionItem: Kind = {
  type: 'subscription_item',
  noun: 'subscription_item',
  present: presentItem,
}

export const NO_INVOICE_SETTINGS: InvoiceSettings = {
  account_tax_ids: null,
  custom_fields: null,
  description: null,
  footer: null,
  issuer: { type: 'self' },
}

/** What every subscription has and nothing here sets; also what one kept by an earlier version lacks. */
const FIXED = {
  application: null,
  application_fee_percent: null,
  automatic_tax: { disabled_reason: null, enabled: false, liability: null },
  billing_schedules: [],
  billing_thresholds: null,
  customer_account: null,
  default_source: null,
  default_tax_rates: [],
  discounts: [],
  invoice_settings: NO_INVOICE_SETTINGS,
  managed_payments: null,
  next_pending_invoice_item_invoice: null,
  on_behalf_of: null,
  pending_invoice_item_interval: null,
  pending_setup_intent: null,
  schedule: null,
  transfer_data: null,
}

/** @param items the subscription's, where they are at hand */
export function presentSubscription(account: Account, stored: Subscription, items?: SubscriptionItem[]): Wire {
  // During a rehearsal nobody looks.
  if (account.rehearsing) return { id: stored.id, object: stored.object }
  const shown = (items ?? itemsOf(account, stored.id)).map((item) => presentItem(account, item))
  return {
    ...FIXED,
    ...visible(stored),
    items: {
      object: 'list',
      data: shown,
      has_more: false,
      total_count: shown.length,
      url: `/v1/subscription_items?subscription=${stored.id}`,
    },
    pending_update: stored._pending ? presentPending(account, stored._pending) : null,
  }
}

function presentPending(account: Account, { cause, expires_at, fields, items }: PendingUpdate): Wire {
  return {
    billing_cycle_anchor: fields.billing_cycle_anchor ?? null,
    cancel_at_period_end: null,
    discount: null,
    discounts: null,
    expires_at,
    metadata: null,
    subscription_items: cause === 'update' ? items.map((item) => presentItem(account, item)) : null,
    trial_end: fields.trial_end ?? null,
    trial_from_plan: null,
  }
}

/** A metered item has no `quantity` at all. */
export function presentItem(account: Account, stored: SubscriptionItem): Wire {
  const price = account.get<Price>('price', stored.price)
  return {
    billing_thresholds: null,
    ...visible(stored),
    billed_until: stored._usage_from ?? stored.current_period_end,
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
export const TRIAL_WARNING_SECONDS = 3 * DAY
/** How long before a renewal Stripe announces it; an account's setting there. */
const UPCOMING_SECONDS = 7 * DAY

/** Plans the next thing the subscription has to do by itself. */
export function planNext(account: Account, id: string): void {
  const stored = subscriptionOf(account, id)
  plan(account, stored, itemsOf(account, id))
}

/** As `planNext`, where subscription and items are at hand. */
export function plan(account: Account, stored: Subscription, items: SubscriptionItem[]): void {
  const at = nextOf(stored, items)
  account.timeline.schedule('subscription', stored.id, at === null ? null : at * 1000, stored.test_clock)
}

function nextOf(stored: Subscription, items: SubscriptionItem[]): number | null {
  if (isOver(stored)) return null
  if (stored.status === 'incomplete') return stored.created + INCOMPLETE_SECONDS
  const instants: number[] = []
  if (stored.cancel_at !== null) instants.push(stored.cancel_at)
  if (stored._pending) instants.push(stored._pending.expires_at)
  if (stored.status === 'paused') return instants.length === 0 ? null : Math.min(...instants)
  for (const item of items) instants.push(item.current_period_end)
  const notice = upcomingNotice(stored, items)
  if (notice !== null) instants.push(notice)
  if (stored.pause_collection?.resumes_at) instants.push(stored.pause_collection.resumes_at)
  if (stored.next_pending_invoice_item_invoice) instants.push(stored.next_pending_invoice_item_invoice)
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
  return stored.pause_collection ? null : end - UPCOMING_SECONDS
}
