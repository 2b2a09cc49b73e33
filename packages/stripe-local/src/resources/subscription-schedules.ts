import type { Account } from '../account.ts'
import { addIntervals } from '../billing/cycle.ts'
import { refuse } from '../http/errors.ts'
import {
  either,
  flag,
  integer,
  list,
  mergedMetadata,
  metadata,
  oneOf,
  type Params,
  range,
  required,
  shape,
  text,
  timestamp,
  unsettable,
} from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { randomLetters } from '../identifier.ts'
import type { PhaseWish } from '../subscriptions/phases.ts'
import type { PauseSchedule, ScheduledInvoiceSettings, SubscriptionSchedule } from '../subscriptions/schedule.ts'
import {
  actNow,
  cancelSchedule,
  createSchedule,
  releaseSchedule,
  scheduleFrom,
  updateSchedule,
} from '../subscriptions/scheduling.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { customerParameter } from './customers.ts'
import { ownMethod } from './payment-methods.ts'
import {
  automaticTax,
  billingMode,
  billingModeFrom,
  collectionMethod,
  invoiceSettings,
  invoiceSettingsFrom,
  newItem,
  phaseOneTimeItems,
  prorationBehavior,
  thresholds,
  thresholdsFrom,
} from './subscription-parameters.ts'

/** What a schedule sets for all its phases, and a phase for itself. */
const settings = {
  automatic_tax: automaticTax,
  billing_cycle_anchor: oneOf('automatic', 'phase_start'),
  billing_thresholds: thresholds,
  collection_method: collectionMethod,
  default_payment_method: text(),
  description: unsettable(text({ max: 500 })),
  invoice_settings: shape({ ...invoiceSettings, days_until_due: integer({ min: 0 }) }),
}
type Settings = Params<typeof settings>

const phase = {
  ...settings,
  add_invoice_items: phaseOneTimeItems,
  currency: text({ max: 3 }),
  duration: shape({ interval: required(oneOf('day', 'month', 'week', 'year')), interval_count: integer({ min: 1 }) }),
  items: required(list(shape(newItem), { max: 20 })),
  metadata: metadata(),
  proration_behavior: prorationBehavior,
  trial: flag(),
}

const pauseSettings = shape({
  bill_for: shape({
    outstanding_usage_through: shape({ type: oneOf('none', 'pause_at') }),
    unused_time_from: shape({ type: oneOf('item_current_period_start', 'none', 'pause_at') }),
  }),
  invoicing_behavior: oneOf('invoice', 'pending_invoice_item'),
  type: oneOf('subscription'),
})
const resumption = shape({
  resume_at: required(
    shape({
      type: required(oneOf('duration', 'now', 'timestamp')),
      duration: shape({
        interval: required(oneOf('day', 'month', 'week', 'year')),
        interval_count: integer({ min: 1 }),
      }),
      timestamp: timestamp(),
    }),
  ),
  settings: shape({
    billing_cycle_anchor: oneOf('resume_at', 'unchanged'),
    payment_behavior: oneOf('resume_on_payment_attempt', 'resume_on_payment_success'),
    proration_behavior: prorationBehavior,
  }),
})
const pausePlan = {
  key: text({ max: 200 }),
  pause: shape({
    pause_at: required(shape({ type: required(oneOf('now', 'timestamp')), timestamp: timestamp() })),
    settings: pauseSettings,
  }),
}
const pausePlans = list(shape({ ...pausePlan, resume: resumption }), { max: 1 })
const changedPausePlans = list(shape({ ...pausePlan, resume: unsettable(resumption) }), { max: 1 })

const nowOr = either(oneOf('now'), timestamp())

export const subscriptionScheduleRoutes = [
  route(
    'POST',
    '/v1/subscription_schedules',
    {
      billing_mode: billingMode,
      customer: text(),
      default_settings: shape(settings),
      end_behavior: oneOf('cancel', 'release'),
      from_subscription: text(),
      metadata: metadata(),
      pause_schedules: pausePlans,
      phases: list(shape({ ...phase, end_date: timestamp(), trial_end: timestamp() })),
      start_date: nowOr,
    },
    (account, params) => {
      if (params.from_subscription !== undefined) return account.present(fromSubscription(account, params))
      if (params.customer === undefined)
        throw refuse('Missing required param: customer.', { code: 'parameter_missing', param: 'customer' })
      const customer = customerParameter(account, params.customer)
      const now = account.seconds(customer.test_clock)
      const made = createSchedule(account, {
        customer,
        billingMode: billingModeFrom(params.billing_mode ?? { type: 'flexible' }),
        defaults: settingsFrom(account, customer.id, params.default_settings ?? {}),
        endBehavior: params.end_behavior ?? 'release',
        metadata: mergedMetadata({}, params.metadata),
        phases: (params.phases ?? []).map((wish) => phaseFrom(account, customer.id, wish)),
        start: params.start_date === undefined || params.start_date === 'now' ? now : params.start_date,
        pause: pauseFrom(params.pause_schedules?.[0], now),
      })
      return account.present(actNow(account, made.id))
    },
  ),

  route('GET', '/v1/subscription_schedules/:id', {}, (account, _params, { id }) =>
    account.present(account.get<SubscriptionSchedule>('subscription_schedule', id!)),
  ),

  route(
    'POST',
    '/v1/subscription_schedules/:id',
    {
      default_settings: shape(settings),
      end_behavior: oneOf('cancel', 'release'),
      metadata: metadata(),
      pause_schedules: unsettable(changedPausePlans),
      phases: list(shape({ ...phase, end_date: nowOr, start_date: nowOr, trial_end: nowOr })),
      proration_behavior: prorationBehavior,
    },
    (account, params, { id }) => {
      const before = account.get<SubscriptionSchedule>('subscription_schedule', id!)
      const now = account.seconds(before.test_clock)
      const plans = params.pause_schedules
      updateSchedule(account, before, {
        defaults: params.default_settings && settingsFrom(account, before.customer, params.default_settings),
        endBehavior: params.end_behavior,
        metadata: params.metadata,
        phases: params.phases?.map((wish) => phaseFrom(account, before.customer, wish)),
        prorationBehavior: params.proration_behavior,
        ...(plans !== undefined && { pause: plans === null ? null : changedPause(before._pause, plans[0], now) }),
      })
      return account.present(actNow(account, before.id))
    },
  ),

  route(
    'POST',
    '/v1/subscription_schedules/:id/cancel',
    { invoice_now: flag(), prorate: flag() },
    (account, params, { id }) =>
      account.present(
        cancelSchedule(account, account.get<SubscriptionSchedule>('subscription_schedule', id!), {
          invoiceNow: params.invoice_now ?? true,
          prorate: params.prorate ?? true,
        }),
      ),
  ),

  route('POST', '/v1/subscription_schedules/:id/release', { preserve_cancel_date: flag() }, (account, params, { id }) =>
    account.present(
      releaseSchedule(account, account.get<SubscriptionSchedule>('subscription_schedule', id!), {
        keepsCancelDate: params.preserve_cancel_date ?? false,
      }),
    ),
  ),

  route(
    'GET',
    '/v1/subscription_schedules',
    {
      ...paging,
      canceled_at: range(),
      completed_at: range(),
      created: range(),
      customer: text(),
      released_at: range(),
      scheduled: flag(),
    },
    (account, params) => {
      if (params.customer !== undefined) account.reference('customer', params.customer, 'customer')
      const scheduled = params.scheduled === undefined ? undefined : params.scheduled ? '=' : '<>'
      const conditions = scheduled ? [`json_extract(data, '$.status') ${scheduled} 'not_started'`] : []
      const values: number[] = []
      for (const field of ['canceled_at', 'completed_at', 'released_at'] as const) {
        for (const [bound, sign] of [
          ['gt', '>'],
          ['gte', '>='],
          ['lt', '<'],
          ['lte', '<='],
        ] as const) {
          const limit = params[field]?.[bound]
          if (limit === undefined) continue
          conditions.push(`json_extract(data, '$.${field}') ${sign} ?`)
          values.push(limit)
        }
      }
      return listPage<SubscriptionSchedule>(account, 'subscription_schedule', '/v1/subscription_schedules', params, {
        where: {
          '$.customer': params.customer,
          ...(params.customer === undefined && { '$.test_clock': null }),
        },
        ...(conditions.length > 0 && { also: { sql: conditions.join(' and '), values } }),
        ...(params.created && { created: params.created }),
      })
    },
  ),
]

/** A schedule around a running subscription takes its phase from it, and nothing else from the request. */
function fromSubscription(
  account: Account,
  params: { from_subscription?: string; pause_schedules?: Params<{ plans: typeof pausePlans }>['plans'] },
): SubscriptionSchedule {
  const others = Object.keys(params).filter((name) => name !== 'from_subscription' && name !== 'pause_schedules')
  if (others.length > 0) {
    throw refuse(`You cannot set \`${others[0]}\` if \`from_subscription\` is set.`, { param: others[0]! })
  }
  const stored = account.reference<Subscription>('subscription', params.from_subscription!, 'from_subscription')
  const now = account.seconds(stored.test_clock)
  return actNow(account, scheduleFrom(account, stored, pauseFrom(params.pause_schedules?.[0], now)).id)
}

/** Only what was sent: an update leaves the rest of the default settings as it is. */
function settingsFrom(
  account: Account,
  customer: string,
  given: Settings,
): Partial<SubscriptionSchedule['default_settings']> {
  return {
    ...(given.billing_cycle_anchor && { billing_cycle_anchor: given.billing_cycle_anchor }),
    ...(given.billing_thresholds !== undefined && { billing_thresholds: thresholdsFrom(given.billing_thresholds) }),
    ...(given.collection_method && { collection_method: given.collection_method }),
    ...(given.default_payment_method !== undefined && {
      default_payment_method: ownMethod(account, customer, given.default_payment_method, 'default_payment_method'),
    }),
    ...(given.description !== undefined && { description: given.description }),
    ...(given.invoice_settings && { invoice_settings: scheduledSettings(given.invoice_settings) }),
  }
}

function scheduledSettings(given: NonNullable<Settings['invoice_settings']>): ScheduledInvoiceSettings {
  const { days_until_due = null, ...shown } = given
  return { ...invoiceSettingsFrom(undefined, shown), days_until_due }
}

type GivenPhase = Params<typeof phase> & {
  end_date?: number | 'now'
  start_date?: number | 'now'
  trial_end?: number | 'now'
}

function phaseFrom(account: Account, customer: string, given: GivenPhase): PhaseWish {
  const { add_invoice_items, currency, duration, items, metadata: sent, proration_behavior, trial } = given
  return {
    ...settingsFrom(account, customer, given),
    add_invoice_items,
    currency,
    duration,
    items,
    metadata: sent,
    proration_behavior,
    trial,
    end_date: given.end_date,
    start_date: given.start_date,
    trial_end: given.trial_end,
  }
}

type GivenPause = Params<typeof pausePlan> & { resume?: Params<{ resume: typeof resumption }>['resume'] | null }

function pauseFrom(given: GivenPause | undefined, now: number): PauseSchedule | null {
  return given ? changedPause(null, given, now) : null
}

function changedPause(kept: PauseSchedule | null, given: GivenPause | undefined, now: number): PauseSchedule | null {
  if (!given) return kept
  if (given.key !== undefined && kept && given.key !== kept.key) {
    throw refuse(`No such pause schedule: '${given.key}'`, { param: 'pause_schedules[0][key]' })
  }
  if (!given.pause && !kept) {
    throw refuse('Missing required param: pause_schedules[0][pause].', {
      code: 'parameter_missing',
      param: 'pause_schedules[0][pause]',
    })
  }
  const billFor = given.pause?.settings?.bill_for
  const through = billFor?.outstanding_usage_through?.type
  const from = billFor?.unused_time_from?.type
  const pause_at = given.pause ? instantOf(given.pause.pause_at, now, 'pause[pause_at]') : kept!.pause_at
  const begun: PauseSchedule = {
    key: given.key ?? kept?.key ?? randomLetters(16),
    pause_at,
    terms: {
      usageThrough: through === undefined ? (kept?.terms.usageThrough ?? 'now') : through === 'none' ? 'none' : 'now',
      unusedTimeFrom: from === undefined ? (kept?.terms.unusedTimeFrom ?? 'now') : from === 'pause_at' ? 'now' : from,
      invoicing: given.pause?.settings?.invoicing_behavior ?? kept?.terms.invoicing ?? 'pending_invoice_item',
    },
    pause_status: given.pause ? 'scheduled' : kept!.pause_status,
    resume_at: kept?.resume_at ?? null,
    resume_terms: kept?.resume_terms ?? {
      anchor: 'now',
      payment: 'resume_on_payment_success',
      behavior: 'create_prorations',
    },
    resume_status: kept?.resume_status ?? 'scheduled',
  }
  if (given.resume === undefined) return begun
  if (given.resume === null) return { ...begun, resume_at: null }
  const { resume_at: at, settings: how } = given.resume
  return {
    ...begun,
    resume_at: instantOf(at, at.type === 'duration' ? pause_at : now, 'resume[resume_at]'),
    resume_terms: {
      anchor:
        how?.billing_cycle_anchor === undefined
          ? begun.resume_terms.anchor
          : how.billing_cycle_anchor === 'unchanged'
            ? 'unchanged'
            : 'now',
      payment: how?.payment_behavior ?? begun.resume_terms.payment,
      behavior: how?.proration_behavior ?? begun.resume_terms.behavior,
    },
    resume_status: 'scheduled',
  }
}

function instantOf(
  when: {
    type: string
    timestamp?: number
    duration?: { interval: 'day' | 'month' | 'week' | 'year'; interval_count?: number }
  },
  from: number,
  name: string,
): number {
  if (when.type === 'now') return from
  const param = `pause_schedules[0][${name.replace('[', '][')}[${when.type}]`
  if (when.type === 'duration' && when.duration) {
    const { interval, interval_count = 1 } = when.duration
    return addIntervals(from, { interval, interval_count }, 1)
  }
  if (when.type === 'timestamp' && when.timestamp !== undefined) return when.timestamp
  throw refuse(`Missing required param: ${param}.`, { code: 'parameter_missing', param })
}
