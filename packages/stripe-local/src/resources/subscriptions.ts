import type { Account } from '../account.ts'
import { discountsFrom, removeDiscount } from '../discounts/subscription.ts'
import { missing, refuse } from '../http/errors.ts'
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
import { cancelNow } from '../subscriptions/cancel.ts'
import { after, createSubscription } from '../subscriptions/create.ts'
import { migrate } from '../subscriptions/migrate.ts'
import { pause, resume } from '../subscriptions/pause.ts'
import { splitPhase } from '../subscriptions/scheduling.ts'
import { isOver, type Subscription, subscriptionOf } from '../subscriptions/subscription.ts'
import { checkChangeable, checkPendable, type Update, updateSubscription } from '../subscriptions/update.ts'
import { customerParameter } from './customers.ts'
import { ownMethod } from './payment-methods.ts'
import {
  anchorConfig,
  anchorConfigFrom,
  automaticTax,
  billingMode,
  billingModeFrom,
  cancelAt,
  cancellationDetails,
  collectionMethod,
  futureAnchor,
  invoiceSettings,
  invoiceSettingsFrom,
  itemChange,
  newItem,
  oneTimeItems,
  paymentBehavior,
  pendingInterval,
  pendingIntervalFrom,
  prorationBehavior,
  thresholds,
  thresholdsFrom,
  trialEnd,
  trialSettings,
  trialSettingsFrom,
} from './subscription-parameters.ts'

/** One of them. */
const redemption = { coupon: text(), discount: text(), promotion_code: text() }

/** What create and update share. */
const common = {
  add_invoice_items: oneTimeItems,
  automatic_tax: automaticTax,
  billing_thresholds: thresholds,
  cancel_at_period_end: flag(),
  collection_method: collectionMethod,
  days_until_due: integer({ min: 0 }),
  default_payment_method: text(),
  discounts: unsettable(list(shape(redemption), { max: 20 })),
  invoice_settings: shape(invoiceSettings),
  metadata: metadata(),
  off_session: flag(),
  payment_behavior: paymentBehavior,
  payment_settings: shape({ save_default_payment_method: oneOf('off', 'on_subscription') }),
  pending_invoice_item_interval: pendingInterval,
  proration_behavior: prorationBehavior,
  trial_end: either(oneOf('now'), timestamp()),
  trial_from_plan: flag(),
  trial_settings: trialSettings,
}
type Common = Params<typeof common>

const updatable = {
  ...common,
  billing_cycle_anchor: shape({ type: required(oneOf('now', 'unchanged')) }),
  cancel_at: unsettable(cancelAt),
  cancellation_details: cancellationDetails,
  description: unsettable(text({ max: 500 })),
  items: list(itemChange, { max: 20 }),
  pause_collection: unsettable(
    shape({ behavior: required(oneOf('keep_as_draft', 'mark_uncollectible', 'void')), resumes_at: timestamp() }),
  ),
  proration_date: timestamp(),
}

export const subscriptionRoutes = [
  route(
    'POST',
    '/v1/subscriptions',
    {
      ...common,
      customer: required(text()),
      description: text({ max: 500 }),
      items: required(list(shape(newItem), { max: 20 })),
      backdate_start_date: timestamp(),
      billing_cycle_anchor: timestamp(),
      billing_cycle_anchor_config: anchorConfig,
      billing_mode: billingMode,
      cancel_at: cancelAt,
      currency: text({ max: 3 }),
      trial_period_days: integer({ min: 1, max: 730 }),
    },
    (account, params) => {
      const customer = customerParameter(account, params.customer)
      const now = account.seconds(customer.test_clock)
      if (params.billing_cycle_anchor !== undefined && params.billing_cycle_anchor_config) {
        throw refuse(
          'You may only specify one of these parameters: billing_cycle_anchor, billing_cycle_anchor_config.',
          {
            param: 'billing_cycle_anchor',
          },
        )
      }
      const made = createSubscription(account, {
        customer,
        items: params.items,
        anchor: futureAnchor(params.billing_cycle_anchor, now),
        anchorConfig: anchorConfigFrom(params.billing_cycle_anchor_config),
        backdateStart: params.backdate_start_date,
        currency: params.currency,
        discounts: params.discounts ?? undefined,
        // Not to end is what a subscription does anyway.
        ending: { atPeriodEnd: params.cancel_at_period_end || undefined, cancelAt: params.cancel_at },
        oneTimeItems: params.add_invoice_items,
        trialEnd: trialEnd(params, now),
        trialFromPlan: params.trial_from_plan && params.trial_period_days === undefined,
        prorationBehavior: params.proration_behavior,
        paymentBehavior: params.payment_behavior,
        presence: presenceOf(params),
        fields: {
          ...commonFields(account, customer.id, params),
          ...(params.description !== undefined && { description: params.description }),
          ...(params.billing_mode && { billing_mode: billingModeFrom(params.billing_mode) }),
        },
      })
      return account.present(made)
    },
  ),

  route('GET', '/v1/subscriptions/:id', {}, (account, _params, { id }) =>
    account.present(subscriptionOf(account, id!)),
  ),

  route('POST', '/v1/subscriptions/:id', updatable, (account, params, { id }) => {
    const before = subscriptionOf(account, id!)
    const names = Object.keys(params)
    checkChangeable(before, names)
    if (params.payment_behavior === 'pending_if_incomplete') checkPendable(names, before)
    const after = updateSubscription(account, before, updateFrom(account, before, params))
    splitPhase(account, after, names)
    return account.present(after)
  }),

  route(
    'DELETE',
    '/v1/subscriptions/:id',
    { invoice_now: flag(), prorate: flag(), cancellation_details: cancellationDetails },
    (account, params, { id }) => {
      const before = subscriptionOf(account, id!)
      if (isOver(before)) throw missing('subscription', before.id)
      const details = { ...before.cancellation_details, ...params.cancellation_details }
      account.objects.save<Subscription>({ ...before, cancellation_details: details })
      const options = { invoiceNow: params.invoice_now ?? false, prorate: params.prorate ?? false }
      return account.present(cancelNow(account, before.id, options))
    },
  ),

  route('DELETE', '/v1/subscriptions/:id/discount', {}, (account, _params, { id }) =>
    removeDiscount(account, subscriptionOf(account, id!)),
  ),

  route(
    'POST',
    '/v1/subscriptions/:id/pause',
    {
      bill_for: shape({
        outstanding_usage_through: shape({ type: required(oneOf('none', 'now')) }),
        unused_time_from: shape({ type: required(oneOf('item_current_period_start', 'none', 'now')) }),
      }),
      invoicing_behavior: oneOf('invoice', 'pending_invoice_item'),
      type: oneOf('subscription'),
    },
    (account, params, { id }) =>
      account.present(
        pause(account, subscriptionOf(account, id!), {
          usageThrough: params.bill_for?.outstanding_usage_through?.type ?? 'now',
          unusedTimeFrom: params.bill_for?.unused_time_from?.type ?? 'now',
          invoicing: params.invoicing_behavior ?? 'pending_invoice_item',
        }),
      ),
  ),

  route(
    'POST',
    '/v1/subscriptions/:id/resume',
    {
      billing_cycle_anchor: shape({ type: required(oneOf('now', 'unchanged')) }),
      payment_behavior: oneOf('resume_on_payment_attempt', 'resume_on_payment_success'),
      proration_behavior: prorationBehavior,
      proration_date: timestamp(),
    },
    (account, params, { id }) =>
      account.present(
        resume(account, subscriptionOf(account, id!), {
          anchor: params.billing_cycle_anchor?.type ?? 'now',
          payment: params.payment_behavior ?? 'resume_on_payment_attempt',
          behavior: params.proration_behavior ?? 'create_prorations',
          at: params.proration_date,
        }),
      ),
  ),

  route(
    'POST',
    '/v1/subscriptions/:id/migrate',
    {
      billing_mode: required(
        shape({
          type: required(oneOf('flexible')),
          flexible: shape({ proration_discounts: oneOf('included', 'itemized') }),
        }),
      ),
    },
    (account, params, { id }) =>
      account.present(migrate(account, subscriptionOf(account, id!), billingModeFrom(params.billing_mode))),
  ),

  route(
    'GET',
    '/v1/subscriptions',
    {
      ...paging,
      customer: text(),
      plan: text(),
      price: text(),
      status: oneOf(
        'active',
        'all',
        'canceled',
        'ended',
        'incomplete',
        'incomplete_expired',
        'past_due',
        'paused',
        'trialing',
        'unpaid',
      ),
      collection_method: collectionMethod,
      created: range(),
      current_period_end: range(),
      current_period_start: range(),
      test_clock: text(),
    },
    (account, params) => {
      if (params.customer !== undefined) account.reference('customer', params.customer, 'customer')
      const isPlain = params.status !== undefined && params.status !== 'all' && params.status !== 'ended'
      return listPage<Subscription>(account, 'subscription', '/v1/subscriptions', params, {
        where: {
          '$.customer': params.customer,
          '$.collection_method': params.collection_method,
          '$.test_clock': params.customer === undefined ? (params.test_clock ?? null) : params.test_clock,
          '$.status': isPlain ? params.status : undefined,
        },
        also: conditionOf(params),
        ...(params.created && { created: params.created }),
      })
    },
  ),
]

type Listed = {
  status?: string
  plan?: string
  price?: string
  current_period_end?: { gt?: number; gte?: number; lt?: number; lte?: number }
  current_period_start?: { gt?: number; gte?: number; lt?: number; lte?: number }
}

const SIGNS = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const

/** What a list asks for beyond equality. Items may have several periods: the earliest end and the latest start count. */
function conditionOf(params: Listed): { sql: string; values: (string | number)[] } {
  const conditions = [statusCondition(params.status)]
  const values: (string | number)[] = []
  const items = `from objects item where item.type = 'subscription_item' and item.subscription = objects.id`
  for (const price of [params.price, params.plan]) {
    if (price === undefined) continue
    conditions.push(`exists (select 1 ${items} and json_extract(item.data, '$.price') = ?)`)
    values.push(price)
  }
  for (const [field, aggregate] of [
    ['current_period_end', 'min'],
    ['current_period_start', 'max'],
  ] as const) {
    for (const [bound, sign] of Object.entries(SIGNS)) {
      const limit = params[field]?.[bound as keyof typeof SIGNS]
      if (limit === undefined) continue
      conditions.push(`(select ${aggregate}(json_extract(item.data, '$.${field}')) ${items}) ${sign} ?`)
      values.push(limit)
    }
  }
  return { sql: conditions.join(' and '), values }
}

function statusCondition(status: string | undefined): string {
  if (status === undefined) return `json_extract(data, '$.status') not in ('canceled', 'incomplete_expired')`
  return status === 'ended' ? `json_extract(data, '$.status') in ('canceled', 'incomplete_expired')` : 'true'
}

function presenceOf(params: { off_session?: boolean }): Update['presence'] {
  return { attended: !params.off_session }
}

export function updateFrom(account: Account, before: Subscription, params: Params<typeof updatable>): Update {
  const paused = params.pause_collection
  const notes: Partial<Subscription> = {
    ...(params.discounts !== undefined && { discounts: discountsFrom(account, before, params.discounts) }),
    ...(params.description !== undefined && { description: params.description }),
    ...(params.cancellation_details && {
      cancellation_details: { ...before.cancellation_details, ...params.cancellation_details },
    }),
    ...(paused !== undefined && {
      pause_collection: paused && { behavior: paused.behavior, resumes_at: paused.resumes_at ?? null },
    }),
  }
  return {
    items: params.items,
    oneTimeItems: params.add_invoice_items,
    trialEnd: params.trial_end,
    trialFromPlan: params.trial_from_plan,
    resetsAnchor: params.billing_cycle_anchor?.type === 'now',
    ending: { atPeriodEnd: params.cancel_at_period_end, cancelAt: params.cancel_at },
    prorationBehavior: params.proration_behavior,
    prorationDate: params.proration_date,
    paymentBehavior: params.payment_behavior,
    presence: presenceOf(params),
    fields: { ...commonFields(account, before.customer, params, before), ...notes },
  }
}

function commonFields(
  account: Account,
  customer: string,
  params: Omit<Common, 'add_invoice_items'>,
  before?: Subscription,
): Partial<Subscription> {
  const now = account.seconds(before?.test_clock ?? customerParameter(account, customer).test_clock)
  return {
    ...collectionFields(params, before),
    ...(params.default_payment_method !== undefined && {
      default_payment_method: ownMethod(account, customer, params.default_payment_method, 'default_payment_method'),
    }),
    ...(params.billing_thresholds !== undefined && { billing_thresholds: thresholdsFrom(params.billing_thresholds) }),
    ...(params.invoice_settings && {
      invoice_settings: invoiceSettingsFrom(before?.invoice_settings, params.invoice_settings),
    }),
    ...(params.payment_settings && {
      payment_settings: {
        payment_method_options: null,
        payment_method_types: null,
        save_default_payment_method: params.payment_settings.save_default_payment_method ?? 'off',
      },
    }),
    ...(params.pending_invoice_item_interval !== undefined && pendingFields(params.pending_invoice_item_interval, now)),
    ...(params.trial_settings && { trial_settings: trialSettingsFrom(params.trial_settings) }),
    metadata: mergedMetadata(before?.metadata ?? {}, params.metadata),
  }
}

function pendingFields(
  given: Parameters<typeof pendingIntervalFrom>[0],
  now: number,
): Pick<Subscription, 'pending_invoice_item_interval' | 'next_pending_invoice_item_invoice'> {
  const interval = pendingIntervalFrom(given)
  return {
    pending_invoice_item_interval: interval,
    next_pending_invoice_item_invoice: interval && after(interval, now),
  }
}

/** An invoice that is sent needs a time to be paid in; one that is charged has none. */
function collectionFields(
  { collection_method: wanted, days_until_due: days }: Pick<Common, 'collection_method' | 'days_until_due'>,
  before: Subscription | undefined,
): Partial<Subscription> {
  const method = wanted ?? before?.collection_method ?? 'charge_automatically'
  if (method === 'charge_automatically') {
    if (days !== undefined) {
      throw refuse('You can only set `days_until_due` when `collection_method` is `send_invoice`.', {
        param: 'days_until_due',
      })
    }
    return wanted ? { collection_method: wanted, days_until_due: null } : {}
  }
  const due = days ?? before?.days_until_due
  if (due === undefined || due === null) {
    throw refuse('You must set `days_until_due` when `collection_method` is `send_invoice`.', {
      param: 'days_until_due',
    })
  }
  return { collection_method: method, days_until_due: due }
}
