import type { Account } from '../account.ts'
import { refuse } from '../http/errors.ts'
import {
  decimal,
  either,
  flag,
  integer,
  list,
  mergedMetadata,
  metadata,
  oneOf,
  onlyShown,
  type Params,
  required,
  shape,
  text,
  timestamp,
  unsettable,
} from '../http/params.ts'
import { listSlice, paging, route } from '../http/route.ts'
import { missingParam, unsupportedParams } from '../http/wording.ts'
import { readAmount } from '../invoices/given-amount.ts'
import { type Invoice, linesOf } from '../invoices/invoice.ts'
import { createInvoiceItem, type InvoiceItem } from '../invoices/items.ts'
import { type Act, Previews } from '../previews/preview.ts'
import type { SubscriptionSchedule } from '../subscriptions/schedule.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { type Customer, customerParameter } from './customers.ts'
import { checkedPeriod, ITEMS_MAX, updateItem } from './invoice-items.ts'
import {
  automaticTax,
  billingMode,
  billingModeFrom,
  cancelAt,
  futureAnchor,
  itemChange,
  prorationBehavior,
  trialEnd,
} from './subscription-parameters.ts'

const previews = new WeakMap<Account, Previews>()

function previewsOf(account: Account): Previews {
  const kept = previews.get(account) ?? new Previews()
  previews.set(account, kept)
  return kept
}

const previewItem = shape({
  amount: integer(),
  currency: text({ max: 3 }),
  description: text({ max: 5000 }),
  discountable: onlyShown(flag()),
  invoiceitem: text(),
  metadata: metadata(),
  period: shape({ start: required(timestamp()), end: required(timestamp()) }),
  price: text(),
  price_data: shape({
    currency: required(text({ max: 3 })),
    product: required(text()),
    unit_amount: integer(),
    unit_amount_decimal: decimal({ negative: true }),
  }),
  quantity: integer({ min: 0 }),
  quantity_decimal: decimal(),
  unit_amount: integer(),
  unit_amount_decimal: decimal({ negative: true }),
})

const details = {
  billing_cycle_anchor: shape({ type: required(oneOf('now', 'timestamp', 'unchanged')), timestamp: timestamp() }),
  billing_mode: billingMode,
  cancel_at: unsettable(cancelAt),
  cancel_at_period_end: flag(),
  cancel_now: flag(),
  items: list(itemChange, { max: 20 }),
  metadata: metadata(),
  pause: shape({
    bill_for: shape({
      outstanding_usage_through: shape({ type: required(oneOf('none', 'now')) }),
      unused_time_from: shape({ type: required(oneOf('item_current_period_start', 'none', 'now')) }),
    }),
    invoicing_behavior: oneOf('invoice', 'pending_invoice_item'),
    type: oneOf('subscription'),
  }),
  proration_behavior: prorationBehavior,
  proration_date: timestamp(),
  resume_at: oneOf('now'),
  start_date: timestamp(),
  trial_end: either(oneOf('now'), timestamp()),
}
type Details = Params<typeof details>

export const invoicePreviewRoutes = [
  route(
    'POST',
    '/v1/invoices/create_preview',
    {
      currency: text({ max: 3 }),
      automatic_tax: automaticTax,
      customer: text(),
      discounts: unsettable(list(shape({ coupon: text(), discount: text(), promotion_code: text() }), { max: 20 })),
      invoice_items: list(previewItem, { max: ITEMS_MAX }),
      preview_mode: oneOf('next', 'recurring'),
      schedule: text(),
      subscription: text(),
      subscription_details: shape(details),
    },
    (account, params) => {
      const stored = subscriptionFor(account, params)
      const customer = customerParameter(account, params.customer ?? stored!.customer)
      if (stored && stored.customer !== customer.id) {
        throw refuse(`The subscription ${stored.id} does not belong to the customer ${customer.id}.`, {
          param: 'subscription',
        })
      }
      const currency = params.currency?.toLowerCase()
      return previewsOf(account).preview(account, {
        customer,
        subscription: stored,
        act: actFrom(account, customer, stored, params.subscription_details ?? {}, currency),
        addItems: () => addItems(account, customer, stored, params.invoice_items ?? [], currency),
        currency,
        discounts: params.discounts,
        recurringOnly: params.preview_mode === 'recurring',
      })
    },
  ),

  // A preview's lines can be paged through like an invoice's.
  route('GET', '/v1/invoices/:id/lines', paging, (account, params, { id }) => {
    const lines = previewsOf(account).linesOf(id!) ?? linesOf(account.get<Invoice>('invoice', id!))
    return listSlice(lines, `/v1/invoices/${id}/lines`, params, 'line item')
  }),
]

function subscriptionFor(
  account: Account,
  params: { customer?: string; schedule?: string; subscription?: string },
): Subscription | null {
  if (params.schedule !== undefined && params.subscription !== undefined) {
    throw refuse('You may only specify one of these parameters: schedule, subscription.', { param: 'schedule' })
  }
  const id = params.schedule === undefined ? params.subscription : subscriptionOfSchedule(account, params.schedule)
  if (id !== undefined) return account.reference<Subscription>('subscription', id, 'subscription')
  if (params.customer !== undefined) return null
  throw refuse('You must provide at least one of `customer`, `customer_details`, `subscription` or `schedule`.')
}

function subscriptionOfSchedule(account: Account, id: string): string {
  const schedule = account.reference<SubscriptionSchedule>('subscription_schedule', id, 'schedule')
  if (schedule.subscription !== null) return schedule.subscription
  throw refuse(`The subscription schedule ${id} has not started: stripe-local previews it from its first phase on.`, {
    param: 'schedule',
  })
}

function actFrom(
  account: Account,
  customer: Customer,
  stored: Subscription | null,
  wanted: Details,
  currency: string | undefined,
): Act {
  const given = Object.values(wanted).some((value) => value !== undefined)
  if (!given) return { type: 'nothing' }
  const behavior = wanted.proration_behavior ?? 'create_prorations'
  if (!stored) return { type: 'start', wanted: startFrom(account, customer, wanted, currency) }
  if (wanted.cancel_now) return { type: 'cancel', prorate: behavior !== 'none' }
  if (wanted.resume_at) {
    const anchor = wanted.billing_cycle_anchor?.type === 'unchanged' ? 'unchanged' : 'now'
    return {
      type: 'resume',
      terms: { anchor, payment: 'resume_on_payment_attempt', behavior, at: wanted.proration_date },
    }
  }
  if (wanted.pause && Object.keys(wanted.pause).length > 0) {
    const { bill_for: bill, invoicing_behavior: invoicing = 'pending_invoice_item' } = wanted.pause
    return {
      type: 'pause',
      terms: {
        usageThrough: bill?.outstanding_usage_through?.type ?? 'now',
        unusedTimeFrom: bill?.unused_time_from?.type ?? 'now',
        invoicing,
      },
    }
  }
  checkDetailsOfUpdate(wanted)
  return {
    type: 'update',
    update: {
      items: wanted.items,
      itemParam: (index) => `subscription_details[items][${index}]`,
      trialEnd: wanted.trial_end,
      resetsAnchor: wanted.billing_cycle_anchor?.type === 'now',
      ending: { atPeriodEnd: wanted.cancel_at_period_end, cancelAt: wanted.cancel_at },
      prorationBehavior: wanted.proration_behavior,
      prorationDate: wanted.proration_date,
      fields: wanted.metadata === undefined ? {} : { metadata: mergedMetadata(stored.metadata, wanted.metadata) },
    },
  }
}

function checkDetailsOfUpdate(wanted: Details): void {
  if (wanted.billing_cycle_anchor?.type === 'timestamp') {
    throw refuse('For existing subscriptions, `billing_cycle_anchor` can only be `now` or `unchanged`.', {
      param: 'subscription_details[billing_cycle_anchor]',
    })
  }
  if (wanted.start_date !== undefined) {
    throw refuse('`start_date` can only be previewed for a new subscription.', {
      param: 'subscription_details[start_date]',
    })
  }
}

/** A subscription that is created for the preview alone. */
function startFrom(account: Account, customer: Customer, wanted: Details, currency: string | undefined) {
  const { items, start_date: start, billing_cycle_anchor: anchor } = wanted
  if (!items?.length) throw missingParam('subscription_details[items]')
  const now = account.seconds(customer.test_clock)
  if (start !== undefined && start > now) {
    throw unsupportedParams(['subscription_details[start_date] in the future'], 'POST /v1/invoices/create_preview')
  }
  return {
    customer,
    items: items.map(({ id: _id, deleted: _deleted, clear_usage: _clear, ...item }) => item),
    anchor: futureAnchor(anchor?.type === 'timestamp' ? anchor.timestamp : undefined, now),
    backdateStart: start,
    currency,
    ending: { atPeriodEnd: wanted.cancel_at_period_end || undefined, cancelAt: wanted.cancel_at ?? undefined },
    trialEnd: trialEnd({ ...(wanted.trial_end !== undefined && { trial_end: wanted.trial_end }) }, now),
    prorationBehavior: wanted.proration_behavior,
    paymentBehavior: 'default_incomplete' as const,
    fields: {
      ...(wanted.billing_mode && { billing_mode: billingModeFrom(wanted.billing_mode) }),
      ...(wanted.metadata && { metadata: mergedMetadata({}, wanted.metadata) }),
    },
  }
}

/** Items that only the preview has, or changes of items that wait. */
function addItems(
  account: Account,
  customer: Customer,
  subscription: Subscription | null,
  items: Params<{ item: typeof previewItem }>['item'][],
  currency: string | undefined,
): void {
  for (const [index, given] of items.entries()) {
    if (!given) continue
    const {
      invoiceitem: id,
      price,
      unit_amount: unit,
      description,
      discountable,
      metadata: sent,
      period,
      ...rest
    } = given
    const amounts = {
      ...rest,
      ...(price !== undefined && { pricing: { price } }),
      ...(unit !== undefined && { unit_amount_decimal: String(unit) }),
    }
    const at = `invoice_items[${index}]`
    if (id !== undefined) {
      const waiting = account.reference<InvoiceItem>('invoiceitem', id, `${at}[invoiceitem]`)
      updateItem(account, waiting, { ...amounts, description, discountable, metadata: sent, period })
      continue
    }
    const { name, ...amount } = readAmount(account, amounts, subscription?.currency ?? currency ?? null, at)
    const now = account.seconds(customer.test_clock)
    createInvoiceItem(account, {
      ...amount,
      customer: customer.id,
      description: description ?? name,
      discountable: discountable ?? amount.amount >= 0,
      metadata: mergedMetadata({}, sent),
      period: checkedPeriod(period) ?? { start: now, end: now },
      test_clock: customer.test_clock,
    })
  }
}
