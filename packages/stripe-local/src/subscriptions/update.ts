import type { Account } from '../account.ts'
import type { Price } from '../catalogue/price.ts'
import { ApiError, cardError, refuse } from '../http/errors.ts'
import { finalizeAndCollect, finalizeInvoice } from '../invoices/finalize.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { collect, declineOf, methodFor, type Presence } from '../invoices/payment.ts'
import { type Billing, changeItems, type ItemChange, resetAnchor, updateInvoice } from './change.ts'
import type { PaymentBehavior, ProrationBehavior } from './create.ts'
import { planTrialEnd } from './create.ts'
import { type EndWish, endingFields, fitPeriods } from './ending.ts'
import { intervalText } from './items.ts'
import { addOneTimeItems, type OneTime } from './one-time.ts'
import { discardPending, expiryOf, holdBack, type Snapshot, snapshotOf } from './pending-update.ts'
import {
  itemsOf,
  planNext,
  presentSubscription,
  type Subscription,
  type SubscriptionItem,
  subscriptionOf,
} from './subscription.ts'
import { changeTrial } from './trial.ts'

export interface Update {
  items?: ItemChange[] | undefined
  /** What an item is called in the request; see `changeItems`. */
  itemParam?: ((index: number) => string) | undefined
  oneTimeItems?: OneTime[] | undefined
  /** Where one-off charges of a schedule's phase lie. */
  phase?: { start: number; end: number } | undefined
  trialEnd?: 'now' | number | undefined
  trialFromPlan?: boolean | undefined
  resetsAnchor?: boolean | undefined
  ending?: EndWish | undefined
  prorationBehavior?: ProrationBehavior | undefined
  prorationDate?: number | undefined
  paymentBehavior?: PaymentBehavior | undefined
  presence?: Presence | undefined
  fields: Partial<Subscription>
}

/**
 * Changes a subscription. What that makes due at once goes out at once; whether an unpaid invoice stops the change is
 * `paymentBehavior`'s to say.
 */
export function updateSubscription(account: Account, wanted: Subscription, update: Update): Subscription {
  const isBilling = changesBilling(update)
  const stored = isBilling ? discardPending(account, wanted) : wanted
  const before = snapshotOf(account, stored.id)
  const shownBefore = presentSubscription(account, before.stored, before.items)
  if (update.prorationDate !== undefined) checkProrationDate(before.items, update.prorationDate)
  if (isBilling) account.aggregation.run()
  const draft = apply(account, before, update)
  if (draft) settle(account, before, draft, update)
  const after = subscriptionOf(account, stored.id)
  account.events.emitChange('customer.subscription.updated', account.present(after), shownBefore)
  planNext(account, stored.id)
  return after
}

function changesBilling({ items, trialEnd, trialFromPlan, resetsAnchor }: Update): boolean {
  return items !== undefined || trialEnd !== undefined || trialFromPlan === true || resetsAnchor === true
}

/** @returns the draft of what is due at once */
function apply(account: Account, before: Snapshot, update: Update): Invoice | null {
  const id = before.stored.id
  const now = account.seconds(before.stored.test_clock)
  const behavior = update.prorationBehavior ?? 'create_prorations'
  const stored = account.objects.save<Subscription>({ ...before.stored, ...update.fields })
  const resets = update.resetsAnchor === true || resetsClassic(account, before, update)
  const billing: Billing = { at: update.prorationDate ?? now, behavior, resets }
  const settled = update.items
    ? changeItems(account, stored, update.items, billing, update.itemParam)
    : new Set<string>()
  const end = trialEndOf(account, id, update, now)
  const ofTrial = end === undefined ? null : changeTrial(account, subscriptionOf(account, id), end, { now, behavior })
  changeEnding(account, id, update.ending ?? {}, behavior)
  if (update.oneTimeItems) addOneTimeItems(account, subscriptionOf(account, id), update.oneTimeItems, update.phase)
  const current = subscriptionOf(account, id)
  if (ofTrial) return ofTrial
  if (resets && current.status !== 'trialing') return resetAnchor(account, current, now, { behavior, settled })
  return behavior === 'always_invoice' ? updateInvoice(account, current, billing.at) : null
}

function trialEndOf(account: Account, id: string, update: Update, now: number): 'now' | number | undefined {
  if (update.trialEnd !== undefined && update.trialFromPlan) {
    throw refuse('You may only specify one of these parameters: trial_end, trial_from_plan.', { param: 'trial_end' })
  }
  if (!update.trialFromPlan) return update.trialEnd
  return planTrialEnd(
    itemsOf(account, id).map((item) => account.get<Price>('price', item.price)),
    now,
  )
}

/** Plans or calls off the end, and lets an end at the period's end follow a period that has moved. */
function changeEnding(account: Account, id: string, wish: EndWish, behavior: ProrationBehavior): void {
  const stored = subscriptionOf(account, id)
  const items = itemsOf(account, id)
  const now = account.seconds(stored.test_clock)
  const ending = endingFields(stored, items, wish, now)
  if (Object.keys(ending).length > 0) {
    account.objects.save<Subscription>({ ...stored, ...ending })
    fitPeriods(account, stored, behavior)
  } else if (stored.cancel_at_period_end) {
    const cancel_at = Math.min(...items.map((item) => item.current_period_end))
    if (cancel_at !== stored.cancel_at) account.objects.save<Subscription>({ ...stored, cancel_at })
  }
}

/** Classic alone moves the anchor by itself: when the interval changes, and when what was free is paid for. */
function resetsClassic(account: Account, { stored, items }: Snapshot, { items: changes }: Update): boolean {
  if (stored.billing_mode.type !== 'classic' || !changes || stored.status === 'trialing') return false
  const priceOf = (id: string) => account.objects.find<Price>('price', id)
  const before = items.map((item) => priceOf(item.price)).filter((price) => price !== undefined)
  const named = changes
    .map((change) => priceOf(change.price ?? change.plan ?? ''))
    .filter((price) => price !== undefined && price.recurring !== null) as Price[]
  const intervals = new Set(before.map(intervalText))
  const isFree = (price: Price) => price.unit_amount_decimal !== null && Number(price.unit_amount_decimal) === 0
  const becomesPaid = before.every(isFree) && named.some((price) => !isFree(price))
  return named.some((price) => !intervals.has(intervalText(price))) || becomesPaid
}

/** Closes what is due at once. What becomes of the change when it is not paid is the caller's wish. */
function settle(account: Account, before: Snapshot, draft: Invoice, update: Update): void {
  const { id } = before.stored
  const current = account.objects.save<Subscription>({ ...subscriptionOf(account, id), latest_invoice: draft.id })
  const charges = current.collection_method === 'charge_automatically'
  switch (charges ? update.paymentBehavior : undefined) {
    case 'default_incomplete': {
      const open = finalizeInvoice(account, draft.id)
      if (open.status === 'open') account.invoiceReactions.unpaid(account, open, false)
      return
    }
    case 'error_if_incomplete': {
      const decline = declineOfDraft(account, draft, update.presence)
      if (decline && finalizeInvoice(account, draft.id).status === 'open') {
        const { message, ...about } = decline
        throw cardError(message, about)
      }
      if (!decline) finalizeAndCollect(account, draft.id, update.presence)
      return
    }
    case 'pending_if_incomplete': {
      const decline = declineOfDraft(account, draft, update.presence)
      const open = finalizeInvoice(account, draft.id)
      if (open.status !== 'open') return
      const now = account.seconds(current.test_clock)
      if (decline) holdBack(account, before, open, { cause: 'update', expires_at: expiryOf(before, now) })
      collect(account, open, update.presence)
      return
    }
    default:
      finalizeAndCollect(account, draft.id, update.presence)
  }
}

function declineOfDraft(account: Account, draft: Invoice, presence: Presence | undefined) {
  return declineOf(methodFor(account, draft), presence ?? {})
}

/** @throws ApiError unless the instant lies in the period that runs */
export function checkProrationDate(items: SubscriptionItem[], at: number): void {
  const start = Math.max(...items.map((item) => item.current_period_start))
  const end = Math.min(...items.map((item) => item.current_period_end))
  if (at >= start && at <= end) return
  throw refuse('Cannot specify `proration_date` outside of the current period', { param: 'proration_date' })
}

/** What a pending update may hold (docs: billing/subscriptions/pending-updates-reference). @throws ApiError */
export function checkPendable(names: string[], stored: Subscription): void {
  if (stored.collection_method === 'send_invoice') {
    throw refuse(
      '`payment_behavior=pending_if_incomplete` is not supported when `collection_method` is `send_invoice`.',
      {
        param: 'payment_behavior',
      },
    )
  }
  const allowed = new Set([
    'add_invoice_items',
    'billing_cycle_anchor',
    'items',
    'metadata',
    'off_session',
    'payment_behavior',
    'proration_behavior',
    'proration_date',
    'trial_end',
    'trial_from_plan',
  ])
  const [first] = names.filter((name) => !allowed.has(name))
  if (first === undefined) return
  throw refuse(`When \`payment_behavior\` is \`pending_if_incomplete\`, you cannot pass \`${first}\`.`, {
    param: first,
  })
}

/** @throws ApiError for changes that the subscription's status, or its schedule, does not allow */
export function checkChangeable(stored: Subscription, names: string[]): void {
  if (stored.status === 'canceled' || stored.status === 'incomplete_expired') {
    const others = names.filter((name) => name !== 'metadata' && name !== 'cancellation_details')
    if (others.length > 0) {
      throw new ApiError(400, {
        type: 'invalid_request_error',
        code: 'invalid_canceled_subscription_fields',
        message: `A canceled subscription can only update its cancellation_details and metadata. (${stored.id}: ${others.join(', ')})`,
      })
    }
  }
  if (stored.status === 'incomplete') {
    const billing = names.find((name) =>
      ['billing_cycle_anchor', 'items', 'pause_collection', 'trial_end'].includes(name),
    )
    if (billing !== undefined) {
      throw refuse(
        'A subscription in the `incomplete` status can only have its metadata and default payment method updated until its first invoice is paid.',
        { param: billing },
      )
    }
  }
  const endings = names.find((name) => name === 'cancel_at' || name === 'cancel_at_period_end')
  if (stored.schedule !== null && endings !== undefined) {
    throw refuse(
      `The subscription is managed by the subscription schedule \`${stored.schedule}\`, and updating any cancelation behavior directly is not allowed. Please update the schedule instead.`,
      { param: endings },
    )
  }
}
