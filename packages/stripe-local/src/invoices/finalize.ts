import type { Account } from '../account.ts'
import { chargeStep, minimumCharge } from '../billing/currency.ts'
import { divideRounded, formatPico } from '../billing/decimal.ts'
import { applyCredits } from '../credits/apply.ts'
import { reinstateCredits } from '../credits/ledger.ts'
import { withDiscounts } from '../discounts/apply.ts'
import { ApiError, refuse } from '../http/errors.ts'
import type { Customer } from '../resources/customers.ts'
import type { Price } from '../resources/prices.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { changeBalance } from './balance.ts'
import { changeInvoice } from './change.ts'
import { setDelinquent } from './delinquency.ts'
import { balanceIn, HOUR_SECONDS, printed, totalsOf } from './draft.ts'
import { billedTo, creditsOf, type Invoice, type UncollectibleReason } from './invoice.ts'
import { type Line, usageLines, usedOf } from './line.ts'
import { type Collection, cancelPayments, collect, openPayment, settle } from './payment.ts'

/**
 * Closes a draft: its usage is counted a last time, billing credits and the customer's balance are applied, a number and a
 * payment to be made are given. An amount below the currency's minimum is not charged but waits in the balance.
 */
export function finalizeInvoice(account: Account, id: string): Invoice {
  const draft = account.get<Invoice>('invoice', id)
  if (draft.status !== 'draft')
    throw notEditable("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
  account.aggregation.run()
  const now = account.seconds(draft.test_clock)
  const counted = recount(account, draft)
  const lines = applyCredits(account, counted, counted._lines, now)
  const totals = totalsOf({ ...counted, _lines: lines })
  const customer = account.get<Customer>('customer', counted.customer)
  const balance = balanceIn(customer, counted.currency)
  const due = amountDue(counted, totals.total, balance)
  const url = `${account.baseUrl()}/i/${id}`
  const open: Invoice = {
    ...counted,
    ...totals,
    ...billedTo(customer),
    amount_due: due.amount,
    amount_remaining: due.amount,
    automatically_finalizes_at: null,
    effective_at: counted.effective_at ?? now,
    ending_balance: due.endingBalance,
    hosted_invoice_url: url,
    invoice_pdf: `${url}/pdf`,
    next_payment_attempt: null,
    number: counted._number ?? takeNumber(account, customer),
    starting_balance: balance,
    status: 'open',
    status_transitions: { ...counted.status_transitions, finalized_at: now },
    _awaits_delivery: false,
    _lines: lines,
  }
  applyBalance(account, open)
  planDue(account, open)
  account.objects.save(open)
  account.events.emit('invoice.finalized', account.present(open))
  if (open.from_invoice) replaceRevised(account, open)
  return due.amount === 0 ? settle(account, open, {}) : openPayment(account, open)
}

/** Finalizes, and charges or sends at once. A subscription's invoice is tried again when that fails, but for its first. */
export function finalizeAndCollect(account: Account, id: string, options: Collection = {}): Invoice {
  const closed = finalizeInvoice(account, id)
  if (closed.status !== 'open') return closed
  const isRetried = closed.parent !== null && closed.billing_reason !== 'subscription_create'
  const open = isRetried && !closed.auto_advance ? account.objects.save({ ...closed, auto_advance: true }) : closed
  if (open.collection_method === 'charge_automatically') return collect(account, open, options)
  account.events.emit('invoice.sent', account.present(open))
  return open
}

/** The timeline's handler: a draft whose time has come, an open invoice that is to be tried again or was due. */
export function invoiceDue(account: Account, id: string): void {
  const stored = account.objects.find<Invoice>('invoice', id)
  if (!stored) return
  if (stored.status === 'draft' && stored.auto_advance) finalizeAndCollect(account, id, { automatic: true })
  if (stored.status !== 'open') return
  if (stored.collection_method === 'send_invoice') {
    setDelinquent(account, stored.customer, true)
    account.invoiceReactions.overdue(account, stored)
  } else if (stored.auto_advance) collect(account, stored, { automatic: true })
}

/** Counts the usage of each part anew and puts the new lines where the old ones stood. */
function recount(account: Account, draft: Invoice): Invoice {
  if (draft._usage.length === 0 || !draft.parent) return draft
  const owner = account.get<Subscription>('subscription', draft.parent.subscription_details.subscription)
  const changed = new Map<number, Line[]>()
  for (const [part, usage] of draft._usage.entries()) {
    const before = draft._lines.filter((line) => line._usage === part)
    const price = account.get<Price>('price', usage.price)
    const known = before[0]?._used ?? '0'
    if (known !== formatPico(usedOf(account, owner, price, usage))) {
      changed.set(part, printed(account, withIdsOf(before, usageLines(account, owner, usage, part))))
    }
  }
  if (changed.size === 0) return draft
  const lines = withDiscounts(account, draft, replaced(draft._lines, changed))
  return account.change(draft, { _lines: lines, ...totalsOf({ ...draft, _lines: lines }) }, 'invoice.updated')
}

/** The lines with those of some parts exchanged; lines of a part that had none come last. */
function replaced(lines: Line[], changed: Map<number, Line[]>): Line[] {
  const waiting = new Map(changed)
  const result = lines.flatMap((line) => {
    if (line._usage === undefined || !changed.has(line._usage)) return [line]
    const fresh = waiting.get(line._usage) ?? []
    waiting.delete(line._usage)
    return fresh
  })
  return [...result, ...[...waiting.values()].flat()]
}

/** A recounted line is still the same line. */
function withIdsOf(before: Line[], after: Line[]): Line[] {
  return after.map((line, index) => ({ ...line, id: before[index]?.id ?? line.id }))
}

/**
 * What is to be paid of a total and what goes to the balance instead: all of it below the minimum of a card, the odd part
 * where a currency is charged in whole hundreds, and whatever is negative.
 */
export function amountDue(
  { currency, collection_method }: Pick<Invoice, 'currency' | 'collection_method'>,
  total: number,
  balance: number,
): { amount: number; endingBalance: number } {
  const owed = total + balance
  if (owed <= 0) return { amount: 0, endingBalance: owed }
  const step = chargeStep(currency)
  const amount = divideRounded(BigInt(owed), step) * step
  const isTooLittle = amount < minimumCharge(currency) && collection_method === 'charge_automatically'
  return isTooLittle
    ? { amount: 0, endingBalance: owed }
    : { amount: Number(amount), endingBalance: owed - Number(amount) }
}

function applyBalance(account: Account, open: Invoice): void {
  const amount = (open.ending_balance ?? 0) - open.starting_balance
  if (amount === 0) return
  const customer = account.get<Customer>('customer', open.customer)
  const isTooSmall = amount > 0 && open.total > 0 && BigInt(open.total) < minimumCharge(open.currency)
  changeBalance(account, customer, customer.balance + amount, {
    type: isTooSmall ? 'invoice_too_small' : 'applied_to_invoice',
    currency: open.currency,
    invoice: open.id,
  })
}

function takeNumber(account: Account, customer: Customer): string {
  account.objects.save<Customer>({ ...customer, next_invoice_sequence: customer.next_invoice_sequence + 1 })
  return `${customer.invoice_prefix}-${String(customer.next_invoice_sequence).padStart(4, '0')}`
}

/** An invoice that is sent waits for its due date, one that is charged for nothing yet. */
function planDue(account: Account, open: Invoice): void {
  const waits = open.collection_method === 'send_invoice' && open.due_date !== null && open.amount_remaining > 0
  account.timeline.schedule('invoice', open.id, waits ? open.due_date! * 1000 : null, open.test_clock)
}

/** A revision takes the place of the invoice it revises. */
function replaceRevised(account: Account, open: Invoice): void {
  const revised = account.get<Invoice>('invoice', open.from_invoice!.invoice)
  account.objects.save<Invoice>({ ...revised, latest_revision: open.id })
  if (revised.status === 'open' || revised.status === 'uncollectible') voidInvoice(account, revised.id)
}

/** Settles an open invoice without a payment of Stripe's: nothing was due, or it was paid elsewhere. */
export function markPaid(account: Account, id: string, options: { outOfBand?: boolean } = {}): Invoice {
  const open = account.get<Invoice>('invoice', id)
  const amount = options.outOfBand ? open.amount_remaining : 0
  const paid = settle(account, open, {
    amount_paid: open.amount_paid + amount,
    amount_remaining: 0,
    ...(amount > 0 && { amount_paid_off_stripe: (open.amount_paid_off_stripe ?? 0) + amount }),
  })
  cancelPayments(account, paid, 'automatic')
  return paid
}

/** Takes back a finalized invoice: the balance and the credits it used are as they were before it. */
export function voidInvoice(account: Account, id: string): Invoice {
  const before = account.get<Invoice>('invoice', id)
  checkOpen(before, ['open', 'uncollectible'])
  account.timeline.schedule('invoice', before.id, null)
  unapplyBalance(account, before)
  reinstateCredits(
    account,
    creditsOf(before._lines).flatMap(({ credit_balance_transaction: id }) => (id === null ? [] : [id])),
  )
  const { status_details: _uncollectible, ...kept } = before
  const transitions = { ...before.status_transitions, voided_at: account.seconds(before.test_clock) }
  const ended = { status: 'void' as const, auto_advance: false, next_payment_attempt: null }
  const after = changeInvoice(account, kept, { ...ended, status_transitions: transitions }, 'invoice.voided')
  cancelPayments(account, after, 'void_invoice')
  account.invoiceReactions.voided(account, after)
  return after
}

function unapplyBalance(account: Account, before: Invoice): void {
  const applied = (before.ending_balance ?? 0) - before.starting_balance
  if (applied === 0) return
  const customer = account.get<Customer>('customer', before.customer)
  changeBalance(account, customer, customer.balance - applied, {
    type: 'unapplied_from_invoice',
    currency: before.currency,
    invoice: before.id,
  })
}

/** Gives up on an open invoice, for its books; it can still be paid or voided. */
export function markUncollectible(account: Account, id: string, reason: UncollectibleReason): Invoice {
  const before = account.get<Invoice>('invoice', id)
  checkOpen(before, ['open'])
  account.timeline.schedule('invoice', before.id, null)
  const transitions = { ...before.status_transitions, marked_uncollectible_at: account.seconds(before.test_clock) }
  const after = changeInvoice(
    account,
    before,
    {
      status: 'uncollectible',
      status_details: { uncollectible: { reason } },
      status_transitions: transitions,
      auto_advance: false,
      next_payment_attempt: null,
    },
    'invoice.marked_uncollectible',
  )
  setDelinquent(account, after.customer, false)
  account.invoiceReactions.forgiven(account, after)
  return after
}

function checkOpen(before: Invoice, allowed: Invoice['status'][]): void {
  if (!allowed.includes(before.status)) throw refuse(`You can only pass in open invoices. This invoice isn't open.`)
}

export function notEditable(message: string): ApiError {
  return new ApiError(400, { type: 'invalid_request_error', code: 'invoice_not_editable', message })
}

/** After `POST …/finalize` with auto_advance the first charge follows within the hour. */
export function planCollection(account: Account, open: Invoice): Invoice {
  const at = account.seconds(open.test_clock) + HOUR_SECONDS
  account.timeline.schedule('invoice', open.id, at * 1000, open.test_clock)
  return account.objects.save({ ...open, auto_advance: true, next_payment_attempt: at })
}
