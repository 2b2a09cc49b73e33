import type { Account, Wire } from '../account.ts'
import { previewCredits } from '../credits/apply.ts'
import type { Redemption } from '../discounts/discount.ts'
import { discountInvoice } from '../discounts/invoice.ts'
import { ApiError } from '../http/errors.ts'
import { newId } from '../identifier.ts'
import { draftInvoice, HOUR_SECONDS, totalsOf } from '../invoices/draft.ts'
import { type Invoice, linesOf, presentInvoice } from '../invoices/invoice.ts'
import { lineOfItem, pendingItems } from '../invoices/items.ts'
import type { Customer } from '../resources/customers.ts'
import { cancelNow } from '../subscriptions/cancel.ts'
import { createSubscription, type NewSubscription } from '../subscriptions/create.ts'
import { type PauseTerms, pause, type ResumeTerms, resume } from '../subscriptions/pause.ts'
import { nextScheduledInvoice } from '../subscriptions/scheduling.ts'
import { isOver, itemsOf, type Subscription, subscriptionOf } from '../subscriptions/subscription.ts'
import { type Update, updateSubscription } from '../subscriptions/update.ts'

/** What is done to the subscription before its invoice is looked at. */
export type Act =
  | { type: 'nothing' }
  | { type: 'start'; wanted: NewSubscription }
  | { type: 'update'; update: Update }
  | { type: 'cancel'; prorate: boolean }
  | { type: 'pause'; terms: PauseTerms }
  | { type: 'resume'; terms: ResumeTerms }

export interface Wish {
  customer: Customer
  /** Null: the customer's own next one. */
  subscription: Subscription | null
  act: Act
  /** Invoice items that are added, or changed, for the preview alone. */
  addItems: () => void
  currency?: string | undefined
  /** Instead of those the subscription has; null for none at all. */
  discounts?: Redemption[] | null | undefined
  /** Only what comes back with each period, without waiting items and prorations. */
  recurringOnly: boolean
}

const KEPT_MAX = 100

/** Previews are not stored, but their lines can be paged through for a while. */
export class Previews {
  readonly #lines = new Map<string, Wire[]>()

  linesOf(id: string): Wire[] | undefined {
    return this.#lines.get(id)
  }

  /** What the next invoice would be. It is really made, with the change that is wished for, and undone. */
  preview(account: Account, wish: Wish): Wire {
    const invoice = account.rehearse(() => discounted(account, tryOut(account, wish), wish))
    if (!invoice) throw nothingToBill(wish.customer)
    const shown = asPreview(account, invoice, wish)
    this.#keep(shown.id, linesOf(shown))
    return presentInvoice(account, shown)
  }

  #keep(id: string, lines: Wire[]): void {
    this.#lines.set(id, lines)
    for (const oldest of this.#lines.keys()) {
      if (this.#lines.size <= KEPT_MAX) break
      this.#lines.delete(oldest)
    }
  }
}

function tryOut(account: Account, wish: Wish): Invoice | null {
  wish.addItems()
  if (wish.act.type === 'start') {
    const made = createSubscription(account, wish.act.wanted)
    return made.latest_invoice === null
      ? nextScheduledInvoice(account, made)
      : account.get<Invoice>('invoice', made.latest_invoice)
  }
  const stored = wish.subscription ?? nextOf(account, wish.customer)
  if (!stored) return waitingAlone(account, wish)
  if (isOver(stored)) return null
  act(account, stored, wish.act)
  const after = subscriptionOf(account, stored.id)
  if (after.latest_invoice !== null && after.latest_invoice !== stored.latest_invoice) {
    return account.get<Invoice>('invoice', after.latest_invoice)
  }
  return isOver(after) ? null : nextScheduledInvoice(account, after)
}

function discounted(account: Account, invoice: Invoice | null, { discounts }: Wish): Invoice | null {
  return invoice && discounts !== undefined ? discountInvoice(account, invoice, discounts) : invoice
}

function act(account: Account, stored: Subscription, act: Act): void {
  switch (act.type) {
    case 'update':
      // The invoice is only looked at: nobody is charged for it.
      updateSubscription(account, stored, { ...act.update, paymentBehavior: 'default_incomplete' })
      return
    case 'cancel':
      cancelNow(account, stored.id, { invoiceNow: true, prorate: act.prorate })
      return
    case 'pause':
      pause(account, stored, act.terms)
      return
    case 'resume':
      resume(account, stored, act.terms)
  }
}

/** Without a subscription only what waits can be billed. */
function waitingAlone(account: Account, { customer, currency }: Wish): Invoice | null {
  const waiting = pendingItems(account, customer.id, null)
  const own = currency ?? waiting[0]?.currency
  const items = waiting.filter((item) => item.currency === own)
  if (items.length === 0 || own === undefined) return null
  const now = account.seconds(customer.test_clock)
  return draftInvoice(account, {
    customer,
    subscription: null,
    reason: 'upcoming',
    lines: items.map(lineOfItem),
    usage: [],
    period: { start: now, end: now },
    currency: own,
    autoAdvance: false,
  })
}

/** The customer's subscription that bills next. */
function nextOf(account: Account, customer: Customer): Subscription | null {
  const live = account.objects
    .all<Subscription>('subscription', { '$.customer': customer.id })
    .filter((stored) => !isOver(stored) && stored.status !== 'paused')
  const endOf = (stored: Subscription) =>
    Math.min(...itemsOf(account, stored.id).map((item) => item.current_period_end))
  return live.toSorted((a, b) => endOf(a) - endOf(b))[0] ?? null
}

/** The invoice as a draft of the instant at which it would be made, with the credits it would take. */
function asPreview(account: Account, made: Invoice, { customer, recurringOnly }: Wish): Invoice {
  const created = Math.max(account.seconds(made.test_clock), made.period_end)
  const kept = recurringOnly
    ? made._lines.filter(({ parent }) => parent?.type === 'subscription_item_details')
    : made._lines
  const lines = kept.map((line) => ({ ...line, id: newId('il_tmp'), pretax_credit_amounts: [] }))
  const { _payment, status_details: _status, amount_paid_off_stripe: _paid, ...rest } = made
  const shown: Invoice = {
    ...rest,
    id: newId('upcoming_in'),
    amount_paid: 0,
    attempt_count: 0,
    attempted: false,
    auto_advance: true,
    automatically_finalizes_at: null,
    billing_reason: 'upcoming',
    created,
    effective_at: null,
    ending_balance: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    next_payment_attempt: made.collection_method === 'charge_automatically' ? created + HOUR_SECONDS : null,
    number: null,
    starting_balance: made.status === 'draft' ? made.starting_balance : customer.balance,
    status: 'draft',
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    webhooks_delivered_at: null,
    _lines: previewCredits(account, { ...made, customer: customer.id }, lines, created),
  }
  return { ...shown, ...totalsOf(shown) }
}

function nothingToBill(customer: Customer): ApiError {
  return new ApiError(404, {
    type: 'invalid_request_error',
    code: 'invoice_upcoming_none',
    message: `No upcoming invoices for customer: ${customer.id}`,
  })
}
