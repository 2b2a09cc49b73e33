import type { Account } from '../account.ts'
import { minimumCharge } from '../billing/currency.ts'
import { ApiError, refuse } from '../http/errors.ts'
import type { Customer } from '../resources/customers.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { changeBalance } from './balance.ts'
import { HOUR_SECONDS, totalsOf } from './draft.ts'
import type { Invoice } from './invoice.ts'
import { usageLines } from './line.ts'
import { collect, type Presence } from './payment.ts'

/**
 * Closes a draft: its usage is counted a last time, the customer's balance applied, a number given. An amount below the
 * currency's minimum is not charged but waits in the balance.
 */
export function finalizeInvoice(account: Account, id: string): Invoice {
  const draft = account.get<Invoice>('invoice', id)
  if (draft.status !== 'draft')
    throw notEditable("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
  account.aggregation.run()
  const counted = recount(account, draft)
  const customer = account.get<Customer>('customer', counted.customer)
  const due = amountDue(counted, customer.balance)
  applyBalance(account, customer, counted, due.endingBalance)
  const now = account.seconds(counted.test_clock)
  const url = `${account.baseUrl()}/i/${id}`
  const open: Invoice = {
    ...counted,
    amount_due: due.amount,
    amount_remaining: due.amount,
    automatically_finalizes_at: null,
    effective_at: now,
    ending_balance: due.endingBalance,
    hosted_invoice_url: url,
    invoice_pdf: `${url}/pdf`,
    number: takeNumber(account, customer.id),
    starting_balance: customer.balance,
    status: 'open',
    status_transitions: { ...counted.status_transitions, finalized_at: now },
    _awaits_delivery: false,
  }
  account.timeline.schedule('invoice', id, null)
  account.objects.save(open)
  account.events.emit('invoice.finalized', account.present(open))
  if (due.amount === 0) return markPaid(account, id, 0)
  return open
}

/** Finalizes and, unless the invoice is sent by mail, charges at once. */
export function finalizeAndCollect(account: Account, id: string, options: Presence = {}): Invoice {
  const open = finalizeInvoice(account, id)
  if (open.status !== 'open' || open.collection_method !== 'charge_automatically') return open
  return collect(account, open, options)
}

/** The timeline's handler: a draft whose time has come, or an open invoice that is to be tried again. */
export function invoiceDue(account: Account, id: string): void {
  const stored = account.objects.find<Invoice>('invoice', id)
  if (!stored?.auto_advance) return
  if (stored.status === 'draft') finalizeAndCollect(account, id)
  else if (stored.status === 'open' && stored.collection_method === 'charge_automatically') collect(account, stored)
}

/** Counts the usage of each part anew and puts the new lines where the old ones stood. */
function recount(account: Account, draft: Invoice): Invoice {
  if (draft._usage.length === 0 || !draft.parent) return draft
  const owner = account.get<Subscription>('subscription', draft.parent.subscription_details.subscription)
  const parts = draft._usage.map((usage, part) => usageLines(account, owner, usage, part))
  const placed = new Set<number>()
  const lines = draft._lines.flatMap((line) => {
    if (line._usage === undefined) return [line]
    if (placed.has(line._usage)) return []
    placed.add(line._usage)
    return withIdsOf(
      draft._lines.filter((old) => old._usage === line._usage),
      parts[line._usage] ?? [],
    )
  })
  const counted = { ...draft, _lines: lines }
  const isSame = JSON.stringify(lines) === JSON.stringify(draft._lines)
  return isSame ? draft : account.change(draft, { _lines: lines, ...totalsOf(counted) }, 'invoice.updated')
}

/** A recounted line is still the same line. */
function withIdsOf(before: Invoice['_lines'], after: Invoice['_lines']): Invoice['_lines'] {
  return after.map((line, index) => ({ ...line, id: before[index]?.id ?? line.id }))
}

function amountDue(counted: Invoice, balance: number): { amount: number; endingBalance: number } {
  const owed = counted.total + balance
  if (owed <= 0) return { amount: 0, endingBalance: owed }
  const isTooLittle =
    BigInt(owed) < minimumCharge(counted.currency) && counted.collection_method === 'charge_automatically'
  return isTooLittle ? { amount: 0, endingBalance: owed } : { amount: owed, endingBalance: 0 }
}

function applyBalance(account: Account, customer: Customer, counted: Invoice, endingBalance: number): void {
  const amount = endingBalance - customer.balance
  if (amount === 0) return
  const isTooSmall = amount > 0 && BigInt(counted.total) < minimumCharge(counted.currency)
  changeBalance(account, customer, endingBalance, {
    type: isTooSmall ? 'invoice_too_small' : 'applied_to_invoice',
    currency: counted.currency,
    invoice: counted.id,
  })
}

function takeNumber(account: Account, customerId: string): string {
  const customer = account.get<Customer>('customer', customerId)
  account.objects.save({ ...customer, next_invoice_sequence: customer.next_invoice_sequence + 1 })
  return `${customer.invoice_prefix}-${String(customer.next_invoice_sequence).padStart(4, '0')}`
}

/** Settles an open invoice, by a payment of `amount` or because nothing was due. */
export function markPaid(account: Account, id: string, amount: number): Invoice {
  const open = account.get<Invoice>('invoice', id)
  const now = account.seconds(open.test_clock)
  account.timeline.schedule('invoice', id, null)
  const paid = account.objects.save<Invoice>({
    ...open,
    amount_paid: open.amount_paid + amount,
    amount_remaining: Math.max(0, open.amount_remaining - amount),
    attempted: true,
    auto_advance: false,
    next_payment_attempt: null,
    status: 'paid',
    status_transitions: { ...open.status_transitions, paid_at: now },
  })
  const shown = account.present(paid)
  account.events.emitChange('invoice.updated', shown, account.present(open))
  account.events.emit('invoice.paid', shown)
  account.events.emit('invoice.payment_succeeded', shown)
  account.invoiceReactions.settled(account, paid)
  return paid
}

export function voidInvoice(account: Account, id: string): Invoice {
  const before = account.get<Invoice>('invoice', id)
  if (before.status !== 'open' && before.status !== 'uncollectible') {
    throw refuse(`You can only pass in open invoices. This invoice isn't open.`)
  }
  account.timeline.schedule('invoice', id, null)
  const transitions = { ...before.status_transitions, voided_at: account.seconds(before.test_clock) }
  return account.change(
    before,
    { status: 'void', auto_advance: false, next_payment_attempt: null, status_transitions: transitions },
    'invoice.voided',
  )
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
