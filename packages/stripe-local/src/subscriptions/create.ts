import type { Account } from '../account.ts'
import { periodAt } from '../billing/cycle.ts'
import { proratedFrom } from '../billing/proration.ts'
import { cardError, refuse } from '../http/errors.ts'
import type { Metadata } from '../http/params.ts'
import { newId } from '../identifier.ts'
import { draftInvoice } from '../invoices/draft.ts'
import { finalizeAndCollect, finalizeInvoice } from '../invoices/finalize.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { type Line, licensedLines, type UsagePart, usageLines } from '../invoices/line.ts'
import { declineOf, methodFor, type Presence } from '../invoices/payment.ts'
import type { Customer } from '../resources/customers.ts'
import type { Price } from '../resources/prices.ts'
import {
  isMetered,
  itemsOf,
  planNext,
  type Subscription,
  type SubscriptionItem,
  subscriptionOf,
} from './subscription.ts'

export interface NewItem {
  price: string
  quantity?: number | undefined
  metadata?: Metadata | undefined
}

export interface NewSubscription {
  customer: Customer
  items: NewItem[]
  anchor?: number | undefined
  anchorConfig?: Subscription['billing_cycle_anchor_config']
  backdateStart?: number | undefined
  trialEnd?: number | undefined
  prorationBehavior?: ProrationBehavior | undefined
  paymentBehavior?:
    | 'allow_incomplete'
    | 'default_incomplete'
    | 'error_if_incomplete'
    | 'pending_if_incomplete'
    | undefined
  /** Who is there when the first invoice is charged. */
  presence?: Presence | undefined
  fields: Partial<Subscription>
}

export type ProrationBehavior = 'always_invoice' | 'create_prorations' | 'none'

const ITEMS_MAX = 20

/**
 * Starts a subscription. Flexible and metered only: no invoice, active at once. With licensed items the first invoice is
 * finalized and charged within the call.
 */
export function createSubscription(account: Account, wanted: NewSubscription): Subscription {
  const { customer } = wanted
  const prices = wanted.items.map((item, index) => checkedPrice(account, item, index))
  const [first] = prices
  if (!first) throw refuse('Missing required param: items.', { code: 'parameter_missing', param: 'items' })
  if (prices.length > ITEMS_MAX) throw refuse(`You can have at most ${ITEMS_MAX} items.`, { param: 'items' })
  checkCurrencies(prices)
  const now = account.seconds(customer.test_clock)
  const start = wanted.backdateStart ?? now
  if (start > now) throw refuse('`backdate_start_date` must be in the past.', { param: 'backdate_start_date' })
  const anchor = anchorOf(wanted, first, start)
  const stored = blankSubscription(account, wanted, { now, start, anchor, currency: first.currency })
  account.objects.insert(stored)
  for (const [index, item] of wanted.items.entries()) addItem(account, stored, prices[index]!, item, now)
  const invoice = firstInvoice(account, stored, wanted)
  const status = statusAfter(stored, invoice)
  const begun = account.objects.save<Subscription>({
    ...subscriptionOf(account, stored.id),
    status,
    latest_invoice: invoice?.id ?? null,
  })
  account.events.emit('customer.subscription.created', account.present(begun))
  if (customer.currency === null)
    account.objects.save({ ...account.get<Customer>('customer', customer.id), currency: first.currency })
  planNext(account, stored.id)
  return begun
}

/** @throws ApiError for a price that cannot be subscribed to, or a quantity where there can be none */
export function checkedPrice(
  account: Account,
  item: { price: string; quantity?: number | undefined },
  index: number,
): Price {
  const price = account.reference<Price>('price', item.price, `items[${index}][price]`)
  if (!price.recurring) {
    throw refuse(
      `The price specified is set to \`type=one_time\` but this field only accepts prices with \`type=recurring\`.`,
      { param: `items[${index}][price]` },
    )
  }
  if (!price.active) {
    throw refuse('The price specified is inactive. This field only accepts active prices.', {
      param: `items[${index}][price]`,
    })
  }
  if (isMetered(price) && item.quantity !== undefined) {
    throw refuse('You cannot set the quantity for metered plans', { param: `items[${index}][quantity]` })
  }
  return price
}

export function checkCurrencies(prices: Price[]): void {
  if (new Set(prices.map((price) => price.currency)).size <= 1) return
  throw refuse('All prices on a subscription must have the same `currency`.', { param: 'items' })
}

/** Stores an item whose period lies on the subscription's grid. */
export function addItem(
  account: Account,
  stored: Subscription,
  price: Price,
  item: Omit<NewItem, 'price'>,
  now: number,
): SubscriptionItem {
  const period =
    stored.status === 'trialing' && stored.trial_end !== null
      ? { start: stored.trial_start ?? now, end: stored.trial_end }
      : periodAt(stored.billing_cycle_anchor, price.recurring!, now)
  const start = Math.max(period.start, stored.start_date)
  return account.create<SubscriptionItem>({
    id: newId('si', 14),
    object: 'subscription_item',
    created: now,
    current_period_end: period.end,
    current_period_start: start,
    metadata: item.metadata ?? {},
    price: price.id,
    ...(!isMetered(price) && { quantity: item.quantity ?? 1 }),
    subscription: stored.id,
    _usage_from: isMetered(price) ? start : null,
  })
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
  if (wanted.trialEnd !== undefined) return wanted.trialEnd
  return wanted.anchorConfig ? anchorFrom(wanted.anchorConfig, start) : start
}

/** The first instant after the start whose day, hour, minute and second are as configured; 31 means each month's end. */
function anchorFrom(config: NonNullable<Subscription['billing_cycle_anchor_config']>, start: number): number {
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
    // The anchor itself must have the day; a short month would lose it for good.
    if (config.day_of_month > lastDay) continue
    const at = Date.UTC(first.getUTCFullYear(), first.getUTCMonth(), config.day_of_month, hour, minute, second) / 1000
    if (at >= start) return at
  }
}

function blankSubscription(
  account: Account,
  wanted: NewSubscription,
  at: { now: number; start: number; anchor: number; currency: string },
): Subscription {
  const isTrial = wanted.trialEnd !== undefined && wanted.trialEnd > at.now
  const { customer } = wanted
  return {
    id: newId('sub'),
    object: 'subscription',
    billing_cycle_anchor: at.anchor,
    billing_cycle_anchor_config: wanted.anchorConfig ?? null,
    billing_mode: { type: 'flexible', flexible: { proration_discounts: 'included' } },
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
    latest_invoice: null,
    livemode: false,
    metadata: {},
    pause_collection: null,
    payment_settings: { payment_method_options: null, payment_method_types: null, save_default_payment_method: 'off' },
    start_date: at.start,
    status: isTrial ? 'trialing' : 'active',
    test_clock: customer.test_clock,
    trial_end: isTrial ? wanted.trialEnd! : null,
    trial_settings: { end_behavior: { missing_payment_method: 'create_invoice' } },
    trial_start: isTrial ? at.now : null,
    _trial_warned: false,
    _upcoming_sent: null,
    ...wanted.fields,
  }
}

/** Licensed items of the running period, past periods of a backdated start, and (classic only) metered lines of 0.00. */
function firstInvoice(account: Account, stored: Subscription, wanted: NewSubscription): Invoice | null {
  const items = itemsOf(account, stored.id)
  const { lines, usage } = firstLines(account, stored, items, wanted)
  if (lines.length === 0) return null
  checkPaymentMethod(account, stored, wanted, lines)
  const draft = draftInvoice(account, {
    customer: wanted.customer,
    subscription: stored,
    reason: 'subscription_create',
    lines,
    usage,
    period: { start: stored.start_date, end: account.seconds(stored.test_clock) },
    currency: stored.currency,
    autoAdvance: false,
  })
  if (wanted.paymentBehavior === 'default_incomplete') return finalizeInvoice(account, draft.id)
  return finalizeAndCollect(account, draft.id, wanted.presence)
}

function firstLines(
  account: Account,
  stored: Subscription,
  items: SubscriptionItem[],
  wanted: NewSubscription,
): { lines: Line[]; usage: UsagePart[] } {
  const lines: Line[] = []
  const usage: UsagePart[] = []
  for (const item of items.toReversed()) {
    const price = account.get<Price>('price', item.price)
    const period = { start: item.current_period_start, end: item.current_period_end }
    if (isMetered(price)) {
      for (const past of pastPeriods(stored, price, period.start)) {
        const part = { item: item.id, price: price.id, ...past }
        usage.push(part)
        lines.push(...usageLines(account, stored, part, usage.length - 1))
      }
      if (stored.billing_mode.type === 'classic') {
        lines.push(
          ...usageLines(account, stored, { item: item.id, price: price.id, start: period.start, end: period.start }),
        )
      }
      continue
    }
    if (stored.status === 'trialing') {
      lines.push(...licensedLines(account, stored, item, period).map((line) => asTrial(line)))
      continue
    }
    for (const past of pastPeriods(stored, price, period.start))
      lines.push(...licensedLines(account, stored, item, past))
    const isShort = period.start > periodAt(stored.billing_cycle_anchor, price.recurring!, period.start).start
    const whole = licensedLines(account, stored, item, period)
    if (!isShort) lines.push(...whole)
    else if (wanted.prorationBehavior !== 'none') lines.push(...whole.map((line) => asShare(line, stored, price)))
  }
  return { lines, usage }
}

function pastPeriods(stored: Subscription, price: Price, until: number): { start: number; end: number }[] {
  const periods: { start: number; end: number }[] = []
  for (let start = stored.start_date; start < until; ) {
    const { end } = periodAt(stored.billing_cycle_anchor, price.recurring!, start)
    periods.push({ start, end: Math.min(end, until) })
    start = end
  }
  return periods
}

function asTrial(line: Line): Line {
  const name = line.description?.replace(/ \(at .*$/, '').replace(' × ', ' x ') ?? ''
  return { ...line, amount: 0, subtotal: 0, description: `Free trial for ${name}` }
}

function asShare(line: Line, stored: Subscription, price: Price): Line {
  const whole = periodAt(stored.billing_cycle_anchor, price.recurring!, line.period.start)
  const amount = Number(proratedFrom(BigInt(line.amount), line.period.start, whole))
  return { ...line, amount, subtotal: amount }
}

function checkPaymentMethod(account: Account, stored: Subscription, wanted: NewSubscription, lines: Line[]): void {
  const total = lines.reduce((sum, line) => sum + line.amount, 0)
  if (
    total <= 0 ||
    stored.collection_method !== 'charge_automatically' ||
    wanted.paymentBehavior === 'default_incomplete'
  )
    return
  const method = methodFor(account, {
    default_payment_method: stored.default_payment_method,
    parent: null,
    customer: stored.customer,
  } as Invoice)
  if (!method) {
    throw refuse(
      'This customer has no attached payment source or default payment method. Please consider adding a default payment method. For more information, visit https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.',
      { code: 'resource_missing' },
    )
  }
  const decline = wanted.paymentBehavior === 'error_if_incomplete' ? declineOf(method, wanted.presence ?? {}) : null
  if (!decline) return
  const { message, ...about } = decline
  throw cardError(message, about)
}

function statusAfter(stored: Subscription, invoice: Invoice | null): Subscription['status'] {
  const owes = invoice !== null && invoice.status === 'open' && invoice.collection_method === 'charge_automatically'
  return owes ? 'incomplete' : stored.status
}
