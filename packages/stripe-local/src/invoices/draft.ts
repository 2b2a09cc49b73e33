import type { Account } from '../account.ts'
import { netOf, takeDiscounts, withDiscounts } from '../discounts/apply.ts'
import type { Metadata } from '../http/params.ts'
import { newId } from '../identifier.ts'
import type { Customer } from '../resources/customers.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { type BillingReason, billedTo, creditsOf, type Invoice } from './invoice.ts'
import type { Line, UsagePart } from './line.ts'

export const HOUR_SECONDS = 3600
export const DAY_SECONDS = 86_400
/** Without a 2xx to invoice.created Stripe finalizes after this long. */
const DELIVERY_WAIT_SECONDS = 72 * HOUR_SECONDS
/** The payment terms of an account that changed nothing. */
const DAYS_UNTIL_DUE = 30

interface Draft {
  customer: Customer
  subscription: Subscription | null
  reason: BillingReason
  lines: Line[]
  usage: UsagePart[]
  period: { start: number; end: number }
  currency: string
  autoAdvance: boolean
  description?: string | null
  metadata?: Metadata
  prorationDate?: number | undefined
  collectionMethod?: Invoice['collection_method']
  daysUntilDue?: number | null
  defaultPaymentMethod?: string | null
  /** Whatever else is given by hand. */
  fields?: Partial<Invoice>
}

/** Stores a draft, tells of it, and plans its finalization if it advances by itself. */
export function draftInvoice(account: Account, draft: Draft): Invoice {
  const { customer, subscription } = draft
  const clock = customer.test_clock
  const created = account.seconds(clock)
  const awaits = draft.autoAdvance && account.deliveries.listeners.of('snapshot', 'invoice.created').length > 0
  const method = draft.collectionMethod ?? subscription?.collection_method ?? 'charge_automatically'
  const daysUntilDue = draft.daysUntilDue ?? subscription?.days_until_due ?? DAYS_UNTIL_DUE
  const settings = customer.invoice_settings
  const own = subscription?.invoice_settings
  const stored: Invoice = {
    id: newId('in'),
    object: 'invoice',
    amount_due: 0,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_remaining: 0,
    attempt_count: 0,
    attempted: false,
    auto_advance: draft.autoAdvance,
    automatically_finalizes_at: draft.autoAdvance ? created + HOUR_SECONDS : null,
    billing_reason: draft.reason,
    collection_method: method,
    created,
    currency: draft.currency,
    custom_fields: own?.custom_fields ?? settings.custom_fields,
    customer: customer.id,
    ...billedTo(customer),
    default_payment_method: draft.defaultPaymentMethod ?? null,
    description: draft.description ?? own?.description ?? null,
    discounts: subscription ? takeDiscounts(account, subscription, { at: created, charges: charges(draft) }) : [],
    due_date: method === 'send_invoice' ? created + daysUntilDue * DAY_SECONDS : null,
    effective_at: null,
    ending_balance: null,
    footer: own?.footer ?? settings.footer,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    latest_revision: null,
    livemode: false,
    metadata: draft.metadata ?? {},
    next_payment_attempt: method === 'charge_automatically' && draft.autoAdvance ? created + HOUR_SECONDS : null,
    number: null,
    parent: subscription && {
      quote_details: null,
      subscription_details: {
        metadata: subscription.metadata,
        subscription: subscription.id,
        ...(draft.prorationDate !== undefined && { subscription_proration_date: draft.prorationDate }),
      },
      type: 'subscription_details',
    },
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_end: draft.period.end,
    period_start: draft.period.start,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    rendering: null,
    shipping_details: null,
    starting_balance: balanceIn(customer, draft.currency),
    statement_descriptor: null,
    status: 'draft',
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    subtotal: 0,
    test_clock: clock,
    total: 0,
    webhooks_delivered_at: awaits ? null : created,
    ...draft.fields,
    _lines: printed(account, draft.lines),
    _usage: draft.usage,
    _awaits_delivery: awaits,
  }
  stored._lines = withDiscounts(account, stored, stored._lines)
  Object.assign(stored, totalsOf(stored))
  account.create(stored, 'invoice.created')
  const finalizesAt = draft.fields?.automatically_finalizes_at
  if (finalizesAt) account.timeline.schedule('invoice', stored.id, finalizesAt * 1000, clock)
  else if (draft.autoAdvance) {
    const at = created + (awaits ? DELIVERY_WAIT_SECONDS : HOUR_SECONDS)
    account.timeline.schedule('invoice', stored.id, at * 1000, clock)
  }
  return stored
}

/** Not so the invoice that a trial begins with. */
function charges({ lines, usage }: Draft): boolean {
  return usage.length > 0 || lines.some((line) => line.amount > 0)
}

/** Without the lines of unused meters, if that is how Stripe is read. The usage is counted all the same. */
export function printed(account: Account, lines: Line[]): Line[] {
  if (account.readings.zeroUsageLine === 'printed') return lines
  return lines.filter((line) => line._usage === undefined || line.amount !== 0 || line.quantity_decimal !== '0')
}

/** A customer's balance is in its own currency and touches no other. */
export function balanceIn(customer: Customer, currency: string): number {
  return customer.currency === null || customer.currency === currency ? customer.balance : 0
}

/** Sums of a draft. What the balance and the minimum charge do to the amount due is decided at finalization. */
export function totalsOf(stored: Invoice): Pick<Invoice, 'subtotal' | 'total' | 'amount_due' | 'amount_remaining'> {
  const subtotal = stored._lines.reduce((sum, line) => sum + line.amount, 0)
  const discounted = stored._lines.reduce((sum, line) => sum + netOf(line), 0)
  const total = discounted - creditsOf(stored._lines).reduce((sum, credit) => sum + credit.amount, 0)
  const due = Math.max(0, total + stored.starting_balance)
  return { subtotal, total, amount_due: due, amount_remaining: due }
}

/** The hour of a draft begins with the 2xx to its invoice.created. */
export function markDelivered(account: Account, invoiceId: string): void {
  const stored = account.objects.find<Invoice>('invoice', invoiceId)
  if (!stored?._awaits_delivery) return
  const now = account.seconds(stored.test_clock)
  const isWaiting = stored.status === 'draft' && stored.auto_advance
  account.objects.save({
    ...stored,
    webhooks_delivered_at: now,
    _awaits_delivery: false,
    ...(isWaiting && {
      automatically_finalizes_at: now + HOUR_SECONDS,
      next_payment_attempt: stored.next_payment_attempt === null ? null : now + HOUR_SECONDS,
    }),
  })
  if (isWaiting) account.timeline.schedule('invoice', stored.id, (now + HOUR_SECONDS) * 1000, stored.test_clock)
}
