import type { Account, Kind, Wire } from '../account.ts'
import { visible } from '../account.ts'
import type { Metadata } from '../http/params.ts'
import type { Stored } from '../objects.ts'
import type { PauseTerms, ResumeTerms } from './pause.ts'
import type { BillingThresholds, InvoiceSettings, Subscription } from './subscription.ts'

/** Invoice settings of a schedule also say how long an invoice may stay unpaid. */
export interface ScheduledInvoiceSettings extends InvoiceSettings {
  days_until_due: number | null
}

/** What a phase can set, and the schedule for all its phases. Null: not set here. */
export interface PhaseSettings {
  billing_cycle_anchor: 'automatic' | 'phase_start' | null
  billing_thresholds: BillingThresholds | null
  collection_method: 'charge_automatically' | 'send_invoice' | null
  default_payment_method: string | null
  description: string | null
  invoice_settings: ScheduledInvoiceSettings | null
}

export interface PhaseItem {
  billing_thresholds: { usage_gte: number } | null
  discounts: []
  metadata: Metadata
  plan: string
  price: string
  quantity?: number
  tax_rates: []
}

export interface PhaseOneTime {
  discountable: boolean | null
  discounts: []
  metadata: Metadata
  period: {
    end: { type: 'min_item_period_end' | 'phase_end' | 'timestamp'; timestamp?: number }
    start: { type: 'max_item_period_start' | 'phase_start' | 'timestamp'; timestamp?: number }
  }
  price: string
  quantity: number | null
  tax_rates: []
}

export interface Phase extends PhaseSettings {
  add_invoice_items: PhaseOneTime[]
  application_fee_percent: null
  currency: string
  default_tax_rates: []
  discounts: []
  end_date: number
  items: PhaseItem[]
  metadata: Metadata
  on_behalf_of: null
  proration_behavior: 'always_invoice' | 'create_prorations' | 'none'
  start_date: number
  transfer_data: null
  trial_end: number | null
}

export interface PauseSchedule {
  key: string
  pause_at: number
  terms: PauseTerms
  pause_status: 'error' | 'scheduled' | 'succeeded'
  pause_error?: string
  resume_at: number | null
  resume_terms: ResumeTerms
  resume_status: 'error' | 'pending' | 'scheduled' | 'succeeded'
  resume_error?: string
}

/**
 * Changes of a subscription that are planned: phase after phase, each begun by the timeline.
 * not_started → active (the first phase begins) → released or completed (after the last) · released, canceled (by hand).
 */
export interface SubscriptionSchedule extends Stored {
  object: 'subscription_schedule'
  billing_mode: Subscription['billing_mode']
  canceled_at: number | null
  completed_at: number | null
  current_phase: { end_date: number; start_date: number } | null
  customer: string
  default_settings: PhaseSettings & { billing_cycle_anchor: 'automatic' | 'phase_start' }
  end_behavior: 'cancel' | 'release'
  livemode: false
  metadata: Metadata
  phases: Phase[]
  released_at: number | null
  released_subscription: string | null
  status: 'active' | 'canceled' | 'completed' | 'not_started' | 'released'
  subscription: string | null
  test_clock: string | null
  _pause: PauseSchedule | null
  /** subscription_schedule.expiring was sent. */
  _expiring_sent: boolean
}

export const subscriptionSchedule: Kind = {
  type: 'subscription_schedule',
  noun: 'subscription schedule',
  references: {
    customer: 'customer',
    subscription: 'subscription',
    test_clock: 'test_helpers.test_clock',
    'default_settings.default_payment_method': 'payment_method',
    'phases.default_payment_method': 'payment_method',
    'phases.items.price': 'price',
    'phases.items.plan': 'plan',
    'phases.add_invoice_items.price': 'price',
  },
  present: presentSchedule,
}

export const NO_SETTINGS: SubscriptionSchedule['default_settings'] = {
  billing_cycle_anchor: 'automatic',
  billing_thresholds: null,
  collection_method: 'charge_automatically',
  default_payment_method: null,
  description: null,
  invoice_settings: null,
}

const NO_INVOICE_SETTINGS: ScheduledInvoiceSettings = {
  account_tax_ids: null,
  custom_fields: null,
  days_until_due: null,
  description: null,
  footer: null,
  issuer: { type: 'self' },
}

function presentSchedule(_account: Account, stored: SubscriptionSchedule): Wire {
  const { invoice_settings: settings, ...defaults } = stored.default_settings
  return {
    ...visible(stored),
    application: null,
    customer_account: null,
    default_settings: {
      application_fee_percent: null,
      automatic_tax: { disabled_reason: null, enabled: false, liability: null },
      ...defaults,
      invoice_settings: settings ?? NO_INVOICE_SETTINGS,
      on_behalf_of: null,
      transfer_data: null,
    },
    pause_schedules: stored._pause ? [presentPause(stored._pause)] : [],
  }
}

function presentPause(planned: PauseSchedule): Wire {
  const at = (type: string) => (type === 'now' ? 'pause_at' : type)
  const resume = planned.resume_terms
  return {
    key: planned.key,
    pause: {
      pause_at: planned.pause_at,
      settings: {
        bill_for: {
          outstanding_usage_through: { type: at(planned.terms.usageThrough) },
          unused_time_from: { type: at(planned.terms.unusedTimeFrom) },
        },
        invoicing_behavior: planned.terms.invoicing,
        type: 'subscription',
      },
      status: statusOf(planned.pause_status, planned.pause_error),
    },
    resume:
      planned.resume_at === null
        ? null
        : {
            resume_at: planned.resume_at,
            settings: {
              billing_cycle_anchor: resume.anchor === 'now' ? 'resume_at' : 'unchanged',
              payment_behavior: resume.payment,
              proration_behavior: resume.behavior,
            },
            status: statusOf(planned.resume_status, planned.resume_error),
          },
  }
}

function statusOf(type: string, message: string | undefined): Wire {
  return { ...(message !== undefined && { error: { message } }), type }
}

/** The phase that runs at an instant; none before the first and after the last. */
export function phaseAt(stored: SubscriptionSchedule, at: number): Phase | undefined {
  return stored.phases.find((phase) => phase.start_date <= at && at < phase.end_date)
}

export function isOpen(stored: SubscriptionSchedule): boolean {
  return stored.status === 'not_started' || stored.status === 'active'
}

/** The subscription under a schedule has ended: for want of money the schedule is aborted, else it is done or canceled. */
export function closeSchedule(account: Account, id: string, end: { at: number; reason: string | null }): void {
  const stored = account.objects.find<SubscriptionSchedule>('subscription_schedule', id)
  if (!stored || !isOpen(stored)) return
  const lastEnd = stored.phases.at(-1)?.end_date ?? end.at
  const isDone = stored.end_behavior === 'cancel' && end.at >= lastEnd
  const closed = account.objects.save<SubscriptionSchedule>({
    ...stored,
    current_phase: null,
    ...(isDone
      ? { status: 'completed' as const, completed_at: end.at }
      : { status: 'canceled' as const, canceled_at: end.at }),
  })
  account.timeline.schedule('schedule', id, null)
  const event = isDone ? 'completed' : end.reason === 'payment_failed' ? 'aborted' : 'canceled'
  account.events.emit(`subscription_schedule.${event}`, account.present(closed))
}
