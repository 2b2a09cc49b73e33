import { refuse } from '../http/errors.ts'
import {
  decimal,
  either,
  flag,
  integer,
  list,
  metadata,
  oneOf,
  onlyShown,
  type Params,
  type Rule,
  required,
  shape,
  text,
  timestamp,
  unsettable,
} from '../http/params.ts'
import { type InvoiceSettings, NO_INVOICE_SETTINGS, type Subscription } from '../subscriptions/subscription.ts'
import { checkTrialEnd } from '../subscriptions/trial.ts'

// What subscriptions, their items, their schedules, Checkout and previews understand alike.

export const billingMode = shape({
  type: required(oneOf('classic', 'flexible')),
  flexible: shape({ proration_discounts: onlyShown(oneOf('included', 'itemized')) }),
})

export const anchorConfig = shape({
  day_of_month: required(integer({ min: 1, max: 31 })),
  hour: integer({ min: 0, max: 23 }),
  minute: integer({ min: 0, max: 59 }),
  month: integer({ min: 1, max: 12 }),
  second: integer({ min: 0, max: 59 }),
})

export const trialSettings = shape({
  end_behavior: required(
    shape({
      billing_cycle_anchor: oneOf('now', 'unchanged'),
      missing_payment_method: oneOf('cancel', 'create_invoice', 'pause'),
    }),
  ),
})

const interval = oneOf('day', 'month', 'week', 'year')
export const prorationBehavior = oneOf('always_invoice', 'create_prorations', 'none')
export const paymentBehavior = oneOf(
  'allow_incomplete',
  'default_incomplete',
  'error_if_incomplete',
  'pending_if_incomplete',
)
export const collectionMethod = oneOf('charge_automatically', 'send_invoice')
export const cancelAt = either(oneOf('max_billed_until', 'max_period_end', 'min_period_end'), timestamp())

/** Nothing here reckons taxes: they can only be left off. */
const neverOn: Rule<false> = {
  read(value, name) {
    if (value === 'false' || value === false) return false
    throw refuse('stripe-local does not calculate taxes: `automatic_tax[enabled]` can only be false.', { param: name })
  },
}
export const automaticTax = shape({ enabled: required(neverOn) })

export const priceData = shape({
  currency: required(text({ max: 3 })),
  product: required(text()),
  recurring: required(shape({ interval: required(interval), interval_count: integer({ min: 1 }) })),
  tax_behavior: onlyShown(oneOf('exclusive', 'inclusive', 'unspecified')),
  unit_amount: integer({ min: 0 }),
  unit_amount_decimal: decimal(),
})

const oneTimePriceData = shape({
  currency: required(text({ max: 3 })),
  product: required(text()),
  tax_behavior: onlyShown(oneOf('exclusive', 'inclusive', 'unspecified')),
  unit_amount: integer(),
  unit_amount_decimal: decimal({ negative: true }),
})

const oneTime = {
  discountable: onlyShown(flag()),
  metadata: metadata(),
  price: text(),
  price_data: oneTimePriceData,
  quantity: integer({ min: 0 }),
}
export const oneTimeItems = list(
  shape({
    ...oneTime,
    period: shape({
      end: required(shape({ type: required(oneOf('min_item_period_end', 'timestamp')), timestamp: timestamp() })),
      start: required(
        shape({ type: required(oneOf('max_item_period_start', 'now', 'timestamp')), timestamp: timestamp() }),
      ),
    }),
  }),
  { max: 20 },
)
export const phaseOneTimeItems = list(
  shape({
    ...oneTime,
    period: shape({
      end: required(
        shape({ type: required(oneOf('min_item_period_end', 'phase_end', 'timestamp')), timestamp: timestamp() }),
      ),
      start: required(
        shape({ type: required(oneOf('max_item_period_start', 'phase_start', 'timestamp')), timestamp: timestamp() }),
      ),
    }),
  }),
  { max: 20 },
)

export const itemThresholds = unsettable(shape({ usage_gte: required(integer({ min: 1 })) }))
export const thresholds = unsettable(shape({ amount_gte: integer({ min: 50 }), reset_billing_cycle_anchor: flag() }))

/** An item as it begins. */
export const newItem = {
  billing_thresholds: itemThresholds,
  metadata: metadata(),
  plan: text(),
  price: text(),
  price_data: priceData,
  quantity: integer({ min: 0 }),
}
/** One entry of an update's `items`. */
export const itemChange = shape({ ...newItem, clear_usage: flag(), deleted: flag(), id: text() })

export const invoiceSettings = {
  custom_fields: unsettable(
    list(shape({ name: required(text({ max: 40 })), value: required(text({ max: 140 })) }), { max: 4 }),
  ),
  description: unsettable(text()),
  footer: unsettable(text({ max: 5000 })),
  issuer: shape({ type: required(oneOf('self')) }),
}

export const pendingInterval = unsettable(shape({ interval: required(interval), interval_count: integer({ min: 1 }) }))

export const cancellationDetails = shape({
  comment: unsettable(text({ max: 5000 })),
  feedback: unsettable(
    oneOf(
      'customer_service',
      'low_quality',
      'missing_features',
      'other',
      'switched_service',
      'too_complex',
      'too_expensive',
      'unused',
    ),
  ),
})

const INTERVALS_MAX = { day: 365, week: 52, month: 12, year: 1 }

/** @throws ApiError for more than a year */
export function pendingIntervalFrom(
  given: { interval: keyof typeof INTERVALS_MAX; interval_count?: number } | null,
): Subscription['pending_invoice_item_interval'] {
  if (!given) return null
  const count = given.interval_count ?? 1
  if (count > INTERVALS_MAX[given.interval]) {
    throw refuse('The maximum of `pending_invoice_item_interval` is one year: 1 year, 12 months, or 52 weeks.', {
      param: 'pending_invoice_item_interval[interval_count]',
    })
  }
  return { interval: given.interval, interval_count: count }
}

export function invoiceSettingsFrom(
  kept: InvoiceSettings = NO_INVOICE_SETTINGS,
  given: Params<typeof invoiceSettings>,
): InvoiceSettings {
  const { custom_fields = kept.custom_fields, description = kept.description, footer = kept.footer } = given
  return { account_tax_ids: null, custom_fields, description, footer, issuer: { type: 'self' } }
}

export function thresholdsFrom(
  given: { amount_gte?: number; reset_billing_cycle_anchor?: boolean } | null,
): Subscription['billing_thresholds'] {
  if (!given) return null
  return {
    amount_gte: given.amount_gte ?? null,
    reset_billing_cycle_anchor: given.reset_billing_cycle_anchor ?? (given.amount_gte === undefined ? null : false),
  }
}

export function trialSettingsFrom(given: Params<{ end_behavior: Rule<TrialEnd> }>): Subscription['trial_settings'] {
  const { billing_cycle_anchor = null, missing_payment_method = 'create_invoice' } = given.end_behavior ?? {}
  return { end_behavior: { billing_cycle_anchor, missing_payment_method } }
}
interface TrialEnd {
  billing_cycle_anchor?: 'now' | 'unchanged'
  missing_payment_method?: 'cancel' | 'create_invoice' | 'pause'
}

const DAY = 86_400

/** The end of a new subscription's trial, if it has one. @throws ApiError */
export function trialEnd(
  params: { trial_end?: 'now' | number; trial_period_days?: number; trial_from_plan?: boolean },
  now: number,
): number | undefined {
  const { trial_end: end, trial_period_days: days, trial_from_plan: fromPlan } = params
  if (end !== undefined && days !== undefined) {
    throw refuse('You may only specify one of these parameters: trial_end, trial_period_days.', { param: 'trial_end' })
  }
  if (end !== undefined && fromPlan) {
    throw refuse('You may only specify one of these parameters: trial_end, trial_from_plan.', { param: 'trial_end' })
  }
  if (days !== undefined) return now + days * DAY
  if (end === undefined || end === 'now') return undefined
  checkTrialEnd(end, now)
  return end
}

/** @throws ApiError for an instant that has passed */
export function futureAnchor(anchor: number | undefined, now: number): number | undefined {
  if (anchor !== undefined && anchor < now) {
    throw refuse('`billing_cycle_anchor` must be a future timestamp.', { param: 'billing_cycle_anchor' })
  }
  return anchor
}

export function anchorConfigFrom(
  config: { day_of_month: number; hour?: number; minute?: number; month?: number; second?: number } | undefined,
): Subscription['billing_cycle_anchor_config'] {
  if (!config) return null
  const { day_of_month, hour = null, minute = null, month = null, second = null } = config
  return { day_of_month, hour, minute, month, second }
}

export function billingModeFrom(mode: {
  type: 'classic' | 'flexible'
  flexible?: { proration_discounts?: 'included' | 'itemized' }
}): Subscription['billing_mode'] {
  if (mode.type === 'classic') return { type: 'classic', flexible: null }
  return { type: 'flexible', flexible: { proration_discounts: mode.flexible?.proration_discounts ?? 'included' } }
}
