import type { Account } from '../account.ts'
import { periodAt } from '../billing/cycle.ts'
import { amountsIn, type Price } from '../catalogue/price.ts'
import { type Redemption, redeem } from '../discounts/discount.ts'
import { ApiError, refuse } from '../http/errors.ts'
import { newId } from '../identifier.ts'
import type { Invoice } from '../invoices/invoice.ts'
import type { Presence } from '../invoices/payment.ts'
import type { Customer } from '../resources/customers.ts'
import { type EndWish, endingFields, fitPeriods } from './ending.ts'
import { firstInvoice } from './first-invoice.ts'
import { addItem, checkTogether, type NewItem, wantedPrice } from './items.ts'
import { addOneTimeItems, type OneTime } from './one-time.ts'
import {
  type Interval,
  isOver,
  itemsOf,
  NO_INVOICE_SETTINGS,
  plan,
  presentSubscription,
  type Subscription,
  subscriptionOf,
} from './subscription.ts'

export type { NewItem } from './items.ts'

export type PaymentBehavior =
  | 'allow_incomplete'
  | 'default_incomplete'
  | 'error_if_incomplete'
  | 'pending_if_incomplete'
export type ProrationBehavior = 'always_invoice' | 'create_prorations' | 'none'

export interface NewSubscription {
  customer: Customer
  items: NewItem[]
  anchor?: number | undefined
  anchorConfig?: Subscription['billing_cycle_anchor_config']
  backdateStart?: number | undefined
  currency?: string | undefined
  discounts?: Redemption[] | undefined
  ending?: EndWish | undefined
  oneTimeItems?: OneTime[] | undefined
  trialEnd?: number | undefined
  /** The prices' own trials count, unless there is a `trialEnd`. */
  trialFromPlan?: boolean | undefined
  prorationBehavior?: ProrationBehavior | undefined
  paymentBehavior?: PaymentBehavior | undefined
  /** Who is there when the first invoice is charged. */
  presence?: Presence | undefined
  /** The first invoice begins as a draft with its hour, as a schedule's does. */
  startsAsDraft?: boolean | undefined
  fields: Partial<Subscription>
}

const DAY = 86_400
const SUBSCRIPTIONS_MAX = 500

/**
 * Starts a subscription. Flexible and metered only: no invoice, active at once. With licensed items the first invoice is
 * finalized and charged within the call.
 */
export function createSubscription(account: Account, wanted: NewSubscription): Subscription {
  const { customer } = wanted
  if (wanted.paymentBehavior === 'pending_if_incomplete') {
    throw refuse('`payment_behavior=pending_if_incomplete` is only supported when updating a subscription.', {
      param: 'payment_behavior',
    })
  }
  const prices = wanted.items.map((item, index) => wantedPrice(account, item, `items[${index}]`))
  const [first] = prices
  if (!first) throw refuse('Missing required param: items.', { code: 'parameter_missing', param: 'items' })
  const billingMode = wanted.fields.billing_mode?.type ?? 'flexible'
  const currency = currencyFor(customer, prices, wanted.currency)
  checkTogether(prices, { currency, billingMode })
  checkRoom(account, customer, currency)
  const now = account.seconds(customer.test_clock)
  const start = wanted.backdateStart ?? now
  if (start > now) throw refuse('`backdate_start_date` must be in the past.', { param: 'backdate_start_date' })
  const trialEnd = wanted.trialEnd ?? (wanted.trialFromPlan ? planTrialEnd(prices, now) : undefined)
  const blank = blankSubscription(account, { ...wanted, trialEnd }, { now, start, first, currency })
  const owner = { customer: customer.id, subscription: blank.id, currency, at: now, discounts: [] }
  const stored = { ...blank, discounts: redeem(account, wanted.discounts ?? [], owner) }
  account.objects.insert(stored)
  for (const [index, item] of wanted.items.entries()) addItem(account, stored, prices[index]!, item, now)
  const begun = begin(account, stored, wanted, now)
  if (customer.currency === null) account.objects.save({ ...account.get<Customer>('customer', customer.id), currency })
  return begun
}

function begin(account: Account, stored: Subscription, wanted: NewSubscription, now: number): Subscription {
  const ending = endingFields(stored, itemsOf(account, stored.id), wanted.ending ?? {}, now)
  if (Object.keys(ending).length > 0) {
    account.objects.save<Subscription>({ ...stored, ...ending })
    // The first period is cut off before it is billed: there is nothing to credit.
    fitPeriods(account, stored, 'none')
  }
  if (wanted.oneTimeItems) addOneTimeItems(account, stored, wanted.oneTimeItems)
  const invoice = firstInvoice(account, subscriptionOf(account, stored.id), wanted)
  const current = subscriptionOf(account, stored.id)
  const begun = account.objects.save<Subscription>({
    ...current,
    status: statusAfter(current, invoice),
    latest_invoice: invoice?.id ?? null,
  })
  const items = itemsOf(account, stored.id)
  account.events.emit('customer.subscription.created', presentSubscription(account, begun, items))
  plan(account, begun, items)
  return begun
}

/** The one asked for, else the customer's, else the first price's. */
function currencyFor(customer: Customer, prices: Price[], wanted: string | undefined): string {
  if (wanted !== undefined) return wanted.toLowerCase()
  const own = customer.currency
  if (own !== null && prices.every((price) => amountsIn(price, own))) return own
  return prices[0]!.currency
}

/** @throws ApiError when the customer pays in another currency, or has all the subscriptions Stripe allows */
function checkRoom(account: Account, customer: Customer, currency: string): void {
  if (customer.currency === null) return
  const live = account.objects
    .all<Subscription>('subscription', { '$.customer': customer.id })
    .filter((stored) => !isOver(stored))
  const other = live.find((stored) => stored.currency !== currency)
  if (other) {
    throw refuse(
      `You cannot combine currencies on a single customer. This customer has an active subscription, subscription schedule, discount, quote, or invoice item with currency ${other.currency}.`,
      { param: 'customer' },
    )
  }
  if (live.length < SUBSCRIPTIONS_MAX) return
  throw new ApiError(400, {
    type: 'invalid_request_error',
    code: 'customer_max_subscriptions',
    message: `Customer ${customer.id} already has the maximum ${SUBSCRIPTIONS_MAX} current subscriptions.`,
  })
}

/** The longest trial that one of the prices has. */
export function planTrialEnd(prices: Price[], now: number): number | undefined {
  const days = Math.max(0, ...prices.map((price) => price.recurring?.trial_period_days ?? 0))
  return days === 0 ? undefined : now + days * DAY
}

function anchorOf(wanted: NewSubscription, price: Price, start: number): number {
  if (wanted.anchor !== undefined) {
    const natural = periodAt(start, price.recurring!, start).end
    if (wanted.trialEnd === undefined && wanted.anchor > natural) {
      throw refuse(`billing_cycle_anchor cannot be later than next natural billing date (${natural}) for plan`, {
        param: 'billing_cycle_anchor',
      })
    }
    return wanted.anchor
  }
  const keepsAnchor = wanted.fields.trial_settings?.end_behavior.billing_cycle_anchor === 'unchanged'
  if (wanted.trialEnd !== undefined && !keepsAnchor) return wanted.trialEnd
  return wanted.anchorConfig ? anchorFrom(wanted.anchorConfig, start) : start
}

/** The first instant after the start whose day, hour, minute and second are as configured; 31 means each month's end. */
export function anchorFrom(config: NonNullable<Subscription['billing_cycle_anchor_config']>, start: number): number {
  const from = new Date(start * 1000)
  const [hour, minute, second] = [
    config.hour ?? from.getUTCHours(),
    config.minute ?? from.getUTCMinutes(),
    config.second ?? from.getUTCSeconds(),
  ]
  for (let month = from.getUTCMonth(); ; month += 1) {
    const first = new Date(Date.UTC(from.getUTCFullYear(), month, 1))
    if (config.month !== null && first.getUTCMonth() + 1 !== config.month) continue
    const lastDay = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate()
    // The anchor itself must have the day; a short month would lose it for good. A month that is asked for stays.
    if (config.day_of_month > lastDay && config.month === null) continue
    const day = Math.min(config.day_of_month, lastDay)
    const at = Date.UTC(first.getUTCFullYear(), first.getUTCMonth(), day, hour, minute, second) / 1000
    if (at >= start) return at
  }
}

function blankSubscription(
  account: Account,
  wanted: NewSubscription,
  at: { now: number; start: number; first: Price; currency: string },
): Subscription {
  const isTrial = wanted.trialEnd !== undefined && wanted.trialEnd > at.now
  const { customer } = wanted
  const interval = wanted.fields.pending_invoice_item_interval
  return {
    id: newId('sub'),
    object: 'subscription',
    billing_cycle_anchor: anchorOf(wanted, at.first, at.start),
    billing_cycle_anchor_config: wanted.anchorConfig ?? null,
    billing_mode: { type: 'flexible', flexible: { proration_discounts: 'included' } },
    billing_thresholds: null,
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { comment: null, feedback: null, feedback_option: null, reason: null },
    collection_method: 'charge_automatically',
    created: account.seconds(customer.test_clock),
    currency: at.currency,
    customer: customer.id,
    days_until_due: null,
    default_payment_method: null,
    description: null,
    ended_at: null,
    invoice_settings: NO_INVOICE_SETTINGS,
    latest_invoice: null,
    livemode: false,
    metadata: {},
    next_pending_invoice_item_invoice: interval ? after(interval, at.now) : null,
    pause_collection: null,
    payment_settings: { payment_method_options: null, payment_method_types: null, save_default_payment_method: 'off' },
    pending_invoice_item_interval: null,
    schedule: null,
    start_date: at.start,
    status: isTrial ? 'trialing' : 'active',
    test_clock: customer.test_clock,
    trial_end: isTrial ? wanted.trialEnd! : null,
    trial_settings: { end_behavior: { billing_cycle_anchor: null, missing_payment_method: 'create_invoice' } },
    trial_start: isTrial ? at.now : null,
    _bills_stub: wanted.prorationBehavior !== 'none',
    _trial_warned: false,
    _upcoming_sent: null,
    ...wanted.fields,
  }
}

export function after(interval: Interval, now: number): number {
  return periodAt(now, interval, now).end
}

function statusAfter(stored: Subscription, invoice: Invoice | null): Subscription['status'] {
  const owes = invoice !== null && invoice.status === 'open' && invoice.collection_method === 'charge_automatically'
  return owes ? 'incomplete' : stored.status
}
