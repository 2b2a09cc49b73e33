import type { Account } from '../account.ts'
import { ApiError, missing, refuse } from '../http/errors.ts'
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
import { listPage, listSlice, paging, route } from '../http/route.ts'
import { cancelNow } from '../subscriptions/cancel.ts'
import {
  type Billing,
  cancelFields,
  changeItems,
  type ItemChange,
  resetAnchor,
  sendOut,
  updateInvoice,
} from '../subscriptions/change.ts'
import { createSubscription } from '../subscriptions/create.ts'
import {
  isOver,
  itemsOf,
  planNext,
  type Subscription,
  type SubscriptionItem,
  subscriptionOf,
} from '../subscriptions/subscription.ts'
import { customerParameter } from './customers.ts'
import { ownMethod } from './payment-methods.ts'

const DAY = 86_400

export const billingMode = shape({
  type: required(oneOf('classic', 'flexible')),
  flexible: shape({ proration_discounts: oneOf('included', 'itemized') }),
})
export const anchorConfig = shape({
  day_of_month: required(integer({ min: 1, max: 31 })),
  hour: integer({ min: 0, max: 23 }),
  minute: integer({ min: 0, max: 59 }),
  month: integer({ min: 1, max: 12 }),
  second: integer({ min: 0, max: 59 }),
})
export const trialSettings = shape({
  end_behavior: required(shape({ missing_payment_method: required(oneOf('cancel', 'create_invoice', 'pause')) })),
})
const prorationBehavior = oneOf('always_invoice', 'create_prorations', 'none')
const paymentBehavior = oneOf('allow_incomplete', 'default_incomplete', 'error_if_incomplete', 'pending_if_incomplete')
const cancelAt = either(oneOf('min_period_end', 'max_period_end'), timestamp())
const cancellationDetails = shape({
  comment: unsettable(text()),
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

/** What create and update share. */
const common = {
  cancel_at_period_end: flag(),
  collection_method: oneOf('charge_automatically', 'send_invoice'),
  days_until_due: integer({ min: 0 }),
  default_payment_method: text(),
  description: unsettable(text({ max: 500 })),
  metadata: metadata(),
  off_session: flag(),
  payment_behavior: paymentBehavior,
  payment_settings: shape({ save_default_payment_method: oneOf('off', 'on_subscription') }),
  proration_behavior: prorationBehavior,
  trial_end: either(oneOf('now'), timestamp()),
  trial_settings: trialSettings,
}
type Common = Params<typeof common>

export const itemChange = shape({
  id: text(),
  price: text(),
  quantity: integer({ min: 0 }),
  metadata: metadata(),
  deleted: flag(),
  clear_usage: flag(),
})

export const subscriptionRoutes = [
  route(
    'POST',
    '/v1/subscriptions',
    {
      ...common,
      customer: required(text()),
      items: required(
        list(shape({ price: required(text()), quantity: integer({ min: 0 }), metadata: metadata() }), { max: 20 }),
      ),
      backdate_start_date: timestamp(),
      billing_cycle_anchor: timestamp(),
      billing_cycle_anchor_config: anchorConfig,
      billing_mode: billingMode,
      cancel_at: cancelAt,
      currency: text({ max: 3 }),
      trial_period_days: integer({ min: 1, max: 730 }),
      trial_from_plan: flag(),
    },
    (account, params) => {
      const customer = customerParameter(account, params.customer)
      const now = account.seconds(customer.test_clock)
      const made = createSubscription(account, {
        customer,
        items: params.items.map((item) => ({ ...item, metadata: mergedMetadata({}, item.metadata) })),
        anchor: futureAnchor(params.billing_cycle_anchor, now),
        anchorConfig: anchorConfigFrom(params.billing_cycle_anchor_config),
        backdateStart: params.backdate_start_date,
        trialEnd: trialEnd(params, now),
        prorationBehavior: params.proration_behavior,
        paymentBehavior: params.payment_behavior,
        fields: {
          ...commonFields(account, customer.id, params),
          ...(params.billing_mode && { billing_mode: billingModeFrom(params.billing_mode) }),
        },
      })
      const ending = endFields(account, made, params.cancel_at_period_end, params.cancel_at)
      if (Object.keys(ending).length === 0) return account.present(made)
      const after = account.objects.save<Subscription>({ ...made, ...ending })
      planNext(account, made.id)
      return account.present(after)
    },
  ),

  route('GET', '/v1/subscriptions/:id', {}, (account, _params, { id }) =>
    account.present(subscriptionOf(account, id!)),
  ),

  route(
    'POST',
    '/v1/subscriptions/:id',
    {
      ...common,
      billing_cycle_anchor: shape({ type: required(oneOf('now', 'unchanged')) }),
      cancel_at: unsettable(cancelAt),
      cancellation_details: cancellationDetails,
      items: list(itemChange, { max: 20 }),
      pause_collection: unsettable(
        shape({ behavior: required(oneOf('keep_as_draft', 'mark_uncollectible', 'void')), resumes_at: timestamp() }),
      ),
      proration_date: timestamp(),
    },
    (account, params, { id }) => account.present(updateSubscription(account, subscriptionOf(account, id!), params)),
  ),

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

  route(
    'GET',
    '/v1/subscriptions',
    {
      ...paging,
      customer: text(),
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
      collection_method: oneOf('charge_automatically', 'send_invoice'),
      created: range(),
      test_clock: text(),
    },
    (account, params) => {
      if (params.customer !== undefined) account.reference('customer', params.customer, 'customer')
      const conditions = [statusCondition(params.status)]
      const values: string[] = []
      if (params.price !== undefined) {
        conditions.push(
          `id in (select json_extract(item.data, '$.subscription') from objects item where item.type = 'subscription_item' and json_extract(item.data, '$.price') = ?)`,
        )
        values.push(params.price)
      }
      if (params.customer === undefined && params.test_clock === undefined)
        conditions.push(`json_extract(data, '$.test_clock') is null`)
      const isPlain = params.status !== undefined && params.status !== 'all' && params.status !== 'ended'
      return listPage<Subscription>(account, 'subscription', '/v1/subscriptions', params, {
        where: {
          '$.customer': params.customer,
          '$.collection_method': params.collection_method,
          '$.test_clock': params.test_clock,
          '$.status': isPlain ? params.status : undefined,
        },
        also: { sql: conditions.join(' and '), values },
        ...(params.created && { created: params.created }),
      })
    },
  ),

  route('GET', '/v1/subscription_items', { ...paging, subscription: required(text()) }, (account, params) => {
    const owner = account.reference<Subscription>('subscription', params.subscription, 'subscription')
    const items = itemsOf(account, owner.id).map((item) => account.present(item))
    return listSlice(items, `/v1/subscription_items?subscription=${owner.id}`, params, 'subscription_item')
  }),

  route('GET', '/v1/subscription_items/:id', {}, (account, _params, { id }) =>
    account.present(account.get<SubscriptionItem>('subscription_item', id!)),
  ),

  route(
    'POST',
    '/v1/subscription_items/:id',
    {
      price: text(),
      quantity: integer({ min: 0 }),
      metadata: metadata(),
      payment_behavior: paymentBehavior,
      proration_behavior: prorationBehavior,
      proration_date: timestamp(),
    },
    (account, { price, quantity, metadata: sent, ...params }, { id }) => {
      const item = account.get<SubscriptionItem>('subscription_item', id!)
      const change = { id: item.id, price, quantity, metadata: sent }
      updateSubscription(account, subscriptionOf(account, item.subscription), { ...params, items: [change] })
      return account.present(account.get<SubscriptionItem>('subscription_item', item.id))
    },
  ),
]

type Update = Common & {
  billing_cycle_anchor?: { type: 'now' | 'unchanged' }
  cancel_at?: 'min_period_end' | 'max_period_end' | number | null
  cancellation_details?: { comment?: string | null; feedback?: string | null }
  items?: ItemChange[]
  pause_collection?: { behavior: 'keep_as_draft' | 'mark_uncollectible' | 'void'; resumes_at?: number } | null
  proration_date?: number
}

function updateSubscription(account: Account, before: Subscription, params: Update): Subscription {
  if (isOver(before)) checkOnlyNotes(before, params)
  const shownBefore = account.present(before)
  const now = account.seconds(before.test_clock)
  const billing: Billing = {
    at: params.proration_date ?? now,
    behavior: params.proration_behavior ?? 'create_prorations',
  }
  if (params.proration_date !== undefined) checkProrationDate(account, before, params.proration_date)
  if (params.items || params.billing_cycle_anchor?.type === 'now') account.aggregation.run()
  const stored = account.objects.save<Subscription>({
    ...before,
    ...commonFields(account, before.customer, params, before),
    ...notes(before, params),
  })
  if (params.items) changeItems(account, stored, params.items, billing)
  applyTrial(account, stored, params, now)
  const ending = endFields(account, subscriptionOf(account, before.id), params.cancel_at_period_end, params.cancel_at)
  account.objects.save<Subscription>({ ...subscriptionOf(account, before.id), ...ending })
  const current = subscriptionOf(account, before.id)
  if (params.billing_cycle_anchor?.type === 'now') sendOut(account, before.id, resetAnchor(account, current, now))
  else if (params.items && billing.behavior === 'always_invoice')
    sendOut(account, before.id, updateInvoice(account, current, billing.at))
  const after = subscriptionOf(account, before.id)
  account.events.emitChange('customer.subscription.updated', account.present(after), shownBefore)
  planNext(account, before.id)
  return after
}

export function checkProrationDate(account: Account, stored: Subscription, at: number): void {
  const items = itemsOf(account, stored.id)
  const start = Math.max(...items.map((item) => item.current_period_start))
  const end = Math.min(...items.map((item) => item.current_period_end))
  if (at >= start && at <= end) return
  throw refuse('Cannot specify `proration_date` outside of the current period', { param: 'proration_date' })
}

function checkOnlyNotes(stored: Subscription, params: Update): void {
  const others = Object.keys(params).filter((name) => name !== 'metadata' && name !== 'cancellation_details')
  if (others.length === 0) return
  throw new ApiError(400, {
    type: 'invalid_request_error',
    code: 'invalid_canceled_subscription_fields',
    message: `A canceled subscription can only update its cancellation_details and metadata. (${stored.id}: ${others.join(', ')})`,
  })
}

function commonFields(
  account: Account,
  customer: string,
  params: Common,
  before?: Subscription,
): Partial<Subscription> {
  const { collection_method: method, days_until_due: days } = params
  if (days !== undefined && (method ?? before?.collection_method) !== 'send_invoice') {
    throw refuse('You can only set `days_until_due` when `collection_method` is `send_invoice`.', {
      param: 'days_until_due',
    })
  }
  return {
    ...(method && { collection_method: method }),
    ...(days !== undefined && { days_until_due: days }),
    ...(params.default_payment_method !== undefined && {
      default_payment_method: ownMethod(account, customer, params.default_payment_method, 'default_payment_method'),
    }),
    ...(params.description !== undefined && { description: params.description }),
    ...(params.payment_settings && {
      payment_settings: {
        payment_method_options: null,
        payment_method_types: null,
        save_default_payment_method: params.payment_settings.save_default_payment_method ?? 'off',
      },
    }),
    ...(params.trial_settings && { trial_settings: params.trial_settings }),
    metadata: mergedMetadata(before?.metadata ?? {}, params.metadata),
  }
}

function notes(before: Subscription, params: Update): Partial<Subscription> {
  const pause = params.pause_collection
  return {
    ...(params.cancellation_details && {
      cancellation_details: { ...before.cancellation_details, ...params.cancellation_details },
    }),
    ...(pause !== undefined && {
      pause_collection: pause && { behavior: pause.behavior, resumes_at: pause.resumes_at ?? null },
    }),
  }
}

function endFields(
  account: Account,
  stored: Subscription,
  atPeriodEnd: boolean | undefined,
  cancelAtParam: Update['cancel_at'],
): Partial<Subscription> {
  const now = account.seconds(stored.test_clock)
  const items = itemsOf(account, stored.id)
  if (atPeriodEnd !== undefined && cancelAtParam) {
    throw refuse('You may only specify one of these parameters: cancel_at, cancel_at_period_end.', {
      param: 'cancel_at',
    })
  }
  if (atPeriodEnd !== undefined)
    return atPeriodEnd === stored.cancel_at_period_end ? {} : cancelFields(stored, items, atPeriodEnd, now)
  if (cancelAtParam === undefined) return {}
  if (cancelAtParam === null) return cancelFields(stored, items, false, now)
  const ends = items.map((item) => item.current_period_end)
  const at =
    cancelAtParam === 'min_period_end'
      ? Math.min(...ends)
      : cancelAtParam === 'max_period_end'
        ? Math.max(...ends)
        : cancelAtParam
  if (at <= now) throw refuse('`cancel_at` must be in the future.', { param: 'cancel_at' })
  return {
    cancel_at: at,
    cancel_at_period_end: false,
    canceled_at: now,
    cancellation_details: { ...stored.cancellation_details, reason: 'cancellation_requested' },
  }
}

/** Ends or moves a trial; its end becomes the anchor. */
function applyTrial(account: Account, stored: Subscription, params: Update, now: number): void {
  if (params.trial_end === undefined) return
  const end = params.trial_end === 'now' ? now : params.trial_end
  if (params.trial_end !== 'now' && end <= now)
    throw refuse('Invalid timestamp: must be in the future', { param: 'trial_end' })
  account.objects.save<Subscription>({
    ...stored,
    status: 'trialing',
    trial_start: stored.trial_start ?? now,
    trial_end: end,
    billing_cycle_anchor: end,
  })
  for (const item of itemsOf(account, stored.id))
    account.objects.save<SubscriptionItem>({ ...item, current_period_end: end })
}

export function trialEnd(
  params: { trial_end?: 'now' | number; trial_period_days?: number },
  now: number,
): number | undefined {
  if (params.trial_end !== undefined && params.trial_period_days !== undefined) {
    throw refuse('You may only specify one of these parameters: trial_end, trial_period_days.', { param: 'trial_end' })
  }
  if (params.trial_period_days !== undefined) return now + params.trial_period_days * DAY
  if (params.trial_end === undefined || params.trial_end === 'now') return undefined
  if (params.trial_end <= now) throw refuse('Invalid timestamp: must be in the future', { param: 'trial_end' })
  return params.trial_end
}

export function futureAnchor(anchor: number | undefined, now: number): number | undefined {
  if (anchor !== undefined && anchor < now) {
    throw refuse('`billing_cycle_anchor` must be a future timestamp.', { param: 'billing_cycle_anchor' })
  }
  return anchor
}

export function anchorConfigFrom(
  config: Params<AnchorConfig> | undefined,
): Subscription['billing_cycle_anchor_config'] {
  if (!config) return null
  const { day_of_month: day, hour = null, minute = null, month = null, second = null } = config
  return { day_of_month: day, hour, minute, month, second }
}
type AnchorConfig = {
  day_of_month: ReturnType<typeof required<number>>
  hour: ReturnType<typeof integer>
  minute: ReturnType<typeof integer>
  month: ReturnType<typeof integer>
  second: ReturnType<typeof integer>
}

export function billingModeFrom(mode: {
  type: 'classic' | 'flexible'
  flexible?: { proration_discounts?: 'included' | 'itemized' }
}): Subscription['billing_mode'] {
  if (mode.type === 'classic') return { type: 'classic', flexible: null }
  return { type: 'flexible', flexible: { proration_discounts: mode.flexible?.proration_discounts ?? 'included' } }
}

function statusCondition(status: string | undefined): string {
  if (status === undefined) return `json_extract(data, '$.status') not in ('canceled', 'incomplete_expired')`
  return status === 'ended' ? `json_extract(data, '$.status') in ('canceled', 'incomplete_expired')` : 'true'
}
