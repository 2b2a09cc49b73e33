import type { Account } from '../account.ts'
import { periodAt } from '../billing/cycle.ts'
import type { Price } from '../catalogue/price.ts'
import { refuse } from '../http/errors.ts'
import { finalizeAndCollect, finalizeInvoice } from '../invoices/finalize.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { createInvoiceItem } from '../invoices/items.ts'
import type { Line } from '../invoices/line.ts'
import { methodFor } from '../invoices/payment.ts'
import { draftFrom, waitingBill } from './bill.ts'
import { creditUnused } from './change.ts'
import type { ProrationBehavior } from './create.ts'
import { freshUsage } from './items.ts'
import { discardPending, holdBack, PENDING_SECONDS, type Snapshot, snapshotOf } from './pending-update.ts'
import { prorationItems, segmentItems, shareLines } from './proration.ts'
import {
  isMetered,
  itemsOf,
  type PauseReason,
  planNext,
  presentSubscription,
  type Subscription,
  type SubscriptionItem,
  subscriptionOf,
} from './subscription.ts'

export interface PauseTerms {
  usageThrough: 'now' | 'none'
  unusedTimeFrom: 'now' | 'item_current_period_start' | 'none'
  invoicing: 'pending_invoice_item' | 'invoice'
}

/**
 * Stops service and invoices now: usage so far and unused time become invoice items or an invoice, the running periods end.
 *
 * @see https://docs.stripe.com/billing/subscriptions/pause
 * @throws ApiError for a subscription that cannot be paused
 */
export function pause(
  account: Account,
  wanted: Subscription,
  terms: PauseTerms,
  options: { isPlanned?: boolean } = {},
): Subscription {
  checkPausable(wanted, options.isPlanned ?? false)
  account.aggregation.run()
  const before = discardPending(account, wanted)
  const shownBefore = presentSubscription(account, before)
  const now = account.seconds(before.test_clock)
  for (const item of itemsOf(account, before.id)) closeItem(account, before, item, terms, now)
  const invoice = terms.invoicing === 'invoice' ? invoiceOfPause(account, before, now) : null
  const paused = enterPause(account, subscriptionOf(account, before.id), 'pause_requested', now, invoice, shownBefore)
  if (invoice) finalizeAndCollect(account, invoice.id)
  planNext(account, before.id)
  return subscriptionOf(account, paused.id)
}

/** A trial ended and nobody can be charged. */
export function pauseForMissingCard(account: Account, before: Subscription, at: number): void {
  enterPause(account, before, 'trial_end_without_payment_method', at, null, presentSubscription(account, before))
}

function enterPause(
  account: Account,
  before: Subscription,
  reason: PauseReason,
  at: number,
  invoice: Invoice | null,
  shownBefore: ReturnType<typeof presentSubscription>,
): Subscription {
  const paused = account.objects.save<Subscription>({
    ...before,
    status: 'paused',
    status_details: { paused: { subscription: { type: reason }, transitioned_at: at, type: 'subscription' } },
    ...(invoice && { latest_invoice: invoice.id }),
  })
  const shown = account.present(paused)
  account.events.emitChange('customer.subscription.updated', shown, shownBefore)
  account.events.emit('customer.subscription.paused', shown)
  return paused
}

/** A schedule forbids to pause by hand what it may pause itself. */
function checkPausable(stored: Subscription, isPlanned: boolean): void {
  const because = (why: string) => refuse(`The subscription \`${stored.id}\` cannot be paused because ${why}.`)
  if (stored.status === 'trialing') throw because('it is in a trial period')
  if (stored.status !== 'active' && stored.status !== 'past_due' && stored.status !== 'unpaid')
    throw because(`its status is \`${stored.status}\``)
  if (stored.collection_method === 'send_invoice') throw because('its `collection_method` is `send_invoice`')
  if (stored.billing_mode.type === 'classic') throw because('its `billing_mode` is `classic`')
  if (stored.schedule !== null && !isPlanned)
    throw because(`it is managed by the subscription schedule \`${stored.schedule}\``)
}

function closeItem(
  account: Account,
  stored: Subscription,
  item: SubscriptionItem,
  terms: PauseTerms,
  now: number,
): void {
  const price = account.get<Price>('price', item.price)
  if (isMetered(price)) {
    if (terms.usageThrough === 'now')
      for (const segment of segmentItems(account, stored, item, now)) createInvoiceItem(account, segment)
  } else if (terms.unusedTimeFrom !== 'none') {
    const from = terms.unusedTimeFrom === 'now' ? now : item.current_period_start
    creditUnused(account, stored, item, from)
  }
  account.objects.save<SubscriptionItem>({
    ...freshUsage(item),
    current_period_end: now,
    _usage_from: item._usage_from === null ? null : now,
  })
}

function invoiceOfPause(account: Account, stored: Subscription, now: number): Invoice | null {
  const bill = waitingBill(account, stored)
  if (bill.lines.length === 0) return null
  const start = Math.min(...itemsOf(account, stored.id).map((item) => item.current_period_start))
  return draftFrom(account, stored, bill, { start, end: now }, { reason: 'subscription_update', autoAdvance: false })
}

export interface ResumeTerms {
  anchor: 'now' | 'unchanged'
  payment: 'resume_on_payment_attempt' | 'resume_on_payment_success'
  behavior: ProrationBehavior
  /** When prorations are reckoned from. */
  at?: number | undefined
}

const YEAR_SECONDS = 365 * 86_400

/**
 * Begins to bill a paused subscription again. Without an invoice it is active at once; with one it stays paused until that
 * is paid or forgiven.
 *
 * @throws ApiError when it is not paused, is billed by mail, or nobody can be charged who must be
 */
export function resume(account: Account, wanted: Subscription, terms: ResumeTerms): Subscription {
  checkResumable(wanted)
  const stored = wanted._pending ? discardPending(account, wanted) : wanted
  const before = snapshotOf(account, stored.id)
  const now = account.seconds(stored.test_clock)
  const draft = comeBack(account, before, terms, now)
  if (!draft) return announceResumed(account, before)
  return awaitPayment(account, before, draft, terms, now)
}

function checkResumable(stored: Subscription): void {
  if (stored.status !== 'paused') {
    throw refuse(`The subscription \`${stored.id}\` is not paused; only paused subscriptions can be resumed.`)
  }
  if (stored.collection_method === 'send_invoice') {
    throw refuse('Only subscriptions with `collection_method=charge_automatically` can be resumed.')
  }
}

/** Makes the subscription what it will be, and the invoice of that, if there is anything to bill. */
export function comeBack(
  account: Account,
  { stored, items }: Snapshot,
  terms: ResumeTerms,
  now: number,
): Invoice | null {
  const at = terms.at ?? now
  const { status_details: _why, ...rest } = stored
  const anchor = terms.anchor === 'now' ? now : stored.billing_cycle_anchor
  const back = account.objects.save<Subscription>({
    ...rest,
    status: 'active',
    billing_cycle_anchor: anchor,
  })
  const lines: Line[] = []
  for (const item of items.toReversed()) {
    const price = account.get<Price>('price', item.price)
    const whole = periodAt(anchor, price.recurring!, now)
    const running = account.objects.save<SubscriptionItem>({
      ...freshUsage(item),
      current_period_start: terms.anchor === 'now' ? now : whole.start,
      current_period_end: whole.end,
      _usage_from: isMetered(price) ? now : null,
    })
    if (isMetered(price)) continue
    if (terms.anchor === 'now') lines.push(...shareLines(account, back, running, whole, whole))
    else if (terms.behavior !== 'none') {
      for (const debit of prorationItems(account, back, running, { price, at, side: 'debit', paid: whole }))
        createInvoiceItem(account, debit)
    }
  }
  const invoicesNow = terms.anchor === 'now' || terms.behavior === 'always_invoice'
  const waiting = waitingBill(account, back)
  if (!invoicesNow || (waiting.lines.length === 0 && lines.length === 0)) return null
  return draftFrom(
    account,
    back,
    { ...waiting, lines: [...waiting.lines, ...lines] },
    { start: now, end: now },
    { reason: 'subscription_update', autoAdvance: false },
  )
}

function announceResumed(account: Account, before: Snapshot): Subscription {
  const after = subscriptionOf(account, before.stored.id)
  const shown = account.present(after)
  account.events.emitChange(
    'customer.subscription.updated',
    shown,
    presentSubscription(account, before.stored, before.items),
  )
  account.events.emit('customer.subscription.resumed', shown)
  planNext(account, after.id)
  return after
}

function awaitPayment(
  account: Account,
  before: Snapshot,
  draft: Invoice,
  terms: ResumeTerms,
  now: number,
): Subscription {
  const tries = terms.payment === 'resume_on_payment_success'
  if (tries && methodFor(account, draft) === null) {
    throw refuse(
      'This customer has no default payment method. Add one, or resume with `payment_behavior=resume_on_payment_attempt`.',
      { param: 'payment_behavior' },
    )
  }
  const expires_at = now + (tries ? YEAR_SECONDS : PENDING_SECONDS)
  const shownBefore = presentSubscription(account, before.stored, before.items)
  const waiting = holdBack(account, before, draft, { cause: 'resumption', expires_at, payment_behavior: terms.payment })
  // Only a resumption that waits for success is tried again by itself.
  account.objects.save<Invoice>({ ...draft, auto_advance: tries })
  if (tries) finalizeAndCollect(account, draft.id)
  else finalizeInvoice(account, draft.id)
  const after = subscriptionOf(account, waiting.id)
  if (after._pending) account.events.emitChange('customer.subscription.updated', account.present(after), shownBefore)
  planNext(account, after.id)
  return after
}
