import type { Account, Kind, Wire } from '../account.ts'
import { discountsOf } from '../discounts/apply.ts'
import type { Metadata } from '../http/params.ts'
import { listOf } from '../http/route.ts'
import type { Stored } from '../objects.ts'
import type { Customer } from '../resources/customers.ts'
import type { Line, PretaxCredit, UsagePart } from './line.ts'

export type BillingReason =
  | 'automatic_pending_invoice_item_invoice'
  | 'manual'
  | 'subscription_create'
  | 'subscription_cycle'
  | 'subscription_threshold'
  | 'subscription_update'
  | 'upcoming'

/** What an invoice says of its customer: as the customer is while a draft, as it was when it was finalized. */
interface Billed {
  customer_address: Customer['address']
  customer_email: string | null
  customer_name: string | null
  customer_phone: string | null
  customer_shipping: Customer['shipping']
  customer_tax_exempt: Customer['tax_exempt']
}

export interface Invoice extends Stored, Billed {
  object: 'invoice'
  amount_due: number
  amount_overpaid: number
  amount_paid: number
  /** Present once something was paid outside of Stripe. */
  amount_paid_off_stripe?: number
  amount_remaining: number
  attempt_count: number
  attempted: boolean
  auto_advance: boolean
  automatically_finalizes_at: number | null
  billing_reason: BillingReason
  collection_method: 'charge_automatically' | 'send_invoice'
  currency: string
  custom_fields: { name: string; value: string }[] | null
  customer: string
  default_payment_method: string | null
  description: string | null
  /** Absent in states kept from before there were discounts. */
  discounts?: string[]
  due_date: number | null
  effective_at: number | null
  ending_balance: number | null
  footer: string | null
  from_invoice: { action: string; invoice: string } | null
  hosted_invoice_url: string | null
  invoice_pdf: string | null
  latest_revision: string | null
  livemode: false
  metadata: Metadata
  next_payment_attempt: number | null
  number: string | null
  parent: {
    quote_details: null
    subscription_details: { metadata: Metadata; subscription: string; subscription_proration_date?: number }
    type: 'subscription_details'
  } | null
  payment_settings: { default_mandate: null; payment_method_options: null; payment_method_types: string[] | null }
  period_end: number
  period_start: number
  post_payment_credit_notes_amount: number
  pre_payment_credit_notes_amount: number
  rendering: {
    amount_tax_display: string | null
    pdf: { page_size: string | null } | null
    template: null
    template_version: null
  } | null
  shipping_details: Customer['shipping']
  starting_balance: number
  statement_descriptor: string | null
  status: 'draft' | 'open' | 'paid' | 'uncollectible' | 'void'
  /** Present while uncollectible. */
  status_details?: { uncollectible: { reason: UncollectibleReason } }
  status_transitions: {
    finalized_at: number | null
    marked_uncollectible_at: number | null
    paid_at: number | null
    voided_at: number | null
  }
  subtotal: number
  test_clock: string | null
  /** Which threshold made it; there only on threshold invoices. */
  threshold_reason?: { amount_gte: number | null; item_reasons: { line_item_ids: string[]; usage_gte: number }[] }
  total: number
  webhooks_delivered_at: number | null
  _lines: Line[]
  _usage: UsagePart[]
  /** Waits for the 2xx to invoice.created before its hour begins. */
  _awaits_delivery: boolean
  /** The payment Stripe made for it when it was finalized. */
  _payment?: string
  /** Other payments were attached to it. */
  _attached?: boolean
  /** A number given by hand, taken when it is finalized. */
  _number?: string
}

export type UncollectibleReason =
  | 'max_payment_attempts'
  | 'payment_not_received'
  | 'subscription_canceled'
  | 'subscription_paused'
  | 'user_forgiven'

const LINES_SHOWN = 10

export const invoice: Kind = {
  type: 'invoice',
  noun: 'invoice',
  present: presentInvoice,
  references: {
    customer: 'customer',
    default_payment_method: 'payment_method',
    discounts: 'discount',
    'from_invoice.invoice': 'invoice',
    latest_revision: 'invoice',
    'parent.subscription_details.subscription': 'subscription',
    test_clock: 'test_helpers.test_clock',
    'total_discount_amounts.discount': 'discount',
    'total_pretax_credit_amounts.credit_balance_transaction': 'billing.credit_balance_transaction',
  },
  onExpand: {
    confirmation_secret: (account, stored: Invoice) => confirmationSecretOf(account, stored),
    payments: (account, stored: Invoice) => paymentsOf(account, stored),
  },
}

function paymentsOf(account: Account, stored: Invoice): Wire {
  const payments = account.objects.all('invoice_payment', { '$.invoice': stored.id }).toReversed()
  return listOf(
    payments.map((payment) => account.present(payment)),
    `/v1/invoice_payments?invoice=${stored.id}`,
  )
}

/** What a browser needs to pay the invoice. */
function confirmationSecretOf(account: Account, stored: Invoice): Wire | null {
  if (stored._payment === undefined) return null
  const payment = account.get<Stored & { payment: { payment_intent: string } }>('invoice_payment', stored._payment)
  const { client_secret } = account.get<Stored & { client_secret: string }>(
    'payment_intent',
    payment.payment.payment_intent,
  )
  return { client_secret, type: 'payment_intent' }
}

/** The same on every invoice: what no parameter of ours can change. */
const FIXED = {
  account_country: 'US',
  account_tax_ids: null,
  amount_shipping: 0,
  application: null,
  automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
  customer_account: null,
  customer_tax_ids: [],
  default_source: null,
  default_tax_rates: [],
  issuer: { type: 'self' },
  last_finalization_error: null,
  on_behalf_of: null,
  receipt_number: null,
  shipping_cost: null,
  total_taxes: [],
}

/** State files kept from before these fields were stored lack them, and some others. */
const NO_PAYMENT_SETTINGS = { default_mandate: null, payment_method_options: null, payment_method_types: null }

/** Field by field, for there are many: so they are copied several times as fast as by spreading the whole. */
export function presentInvoice(account: Account, stored: Invoice): Wire {
  const { _lines } = stored
  const lines = linesOf(stored, LINES_SHOWN)
  const billed = stored.status === 'draft' ? billedTo(account.get<Customer>('customer', stored.customer)) : stored
  return {
    ...FIXED,
    id: stored.id,
    object: stored.object,
    account_name: account.businessName,
    amount_due: stored.amount_due,
    amount_overpaid: stored.amount_overpaid,
    amount_paid: stored.amount_paid,
    amount_paid_off_stripe: stored.amount_paid_off_stripe,
    amount_remaining: stored.amount_remaining,
    attempt_count: stored.attempt_count,
    attempted: stored.attempted,
    auto_advance: stored.auto_advance,
    automatically_finalizes_at: stored.automatically_finalizes_at,
    billing_reason: stored.billing_reason,
    collection_method: stored.collection_method,
    created: stored.created,
    currency: stored.currency,
    custom_fields: stored.custom_fields ?? null,
    customer: stored.customer,
    default_payment_method: stored.default_payment_method,
    description: stored.description,
    discounts: stored.discounts ?? [],
    due_date: stored.due_date,
    effective_at: stored.effective_at,
    ending_balance: stored.ending_balance,
    footer: stored.footer,
    from_invoice: stored.from_invoice ?? null,
    hosted_invoice_url: stored.hosted_invoice_url,
    invoice_pdf: stored.invoice_pdf,
    latest_revision: stored.latest_revision ?? null,
    livemode: stored.livemode,
    metadata: stored.metadata,
    next_payment_attempt: stored.next_payment_attempt,
    number: stored.number,
    parent: stored.parent,
    payment_settings: stored.payment_settings ?? NO_PAYMENT_SETTINGS,
    period_end: stored.period_end,
    period_start: stored.period_start,
    post_payment_credit_notes_amount: stored.post_payment_credit_notes_amount,
    pre_payment_credit_notes_amount: stored.pre_payment_credit_notes_amount,
    rendering: stored.rendering ?? null,
    shipping_details: stored.shipping_details ?? null,
    starting_balance: stored.starting_balance,
    statement_descriptor: stored.statement_descriptor ?? null,
    status: stored.status,
    status_details: stored.status_details,
    status_transitions: stored.status_transitions,
    subtotal: stored.subtotal,
    test_clock: stored.test_clock,
    threshold_reason: stored.threshold_reason,
    total: stored.total,
    webhooks_delivered_at: stored.webhooks_delivered_at,
    customer_address: billed.customer_address ?? null,
    customer_email: billed.customer_email,
    customer_name: billed.customer_name,
    customer_phone: billed.customer_phone ?? null,
    customer_shipping: billed.customer_shipping ?? null,
    customer_tax_exempt: billed.customer_tax_exempt ?? 'none',
    lines: {
      ...listOf(lines, `/v1/invoices/${stored.id}/lines`, _lines.length > LINES_SHOWN),
      total_count: _lines.length,
    },
    subtotal_excluding_tax: stored.subtotal,
    total_excluding_tax: stored.total,
    total_discount_amounts: discountsOf(_lines),
    total_pretax_credit_amounts: creditsOf(_lines),
  }
}

/** Its lines as they go over the wire, at most `count` of them. */
export function linesOf(stored: Invoice, count = Number.POSITIVE_INFINITY): Wire[] {
  const lines = stored._lines.length > count ? stored._lines.slice(0, count) : stored._lines
  return lines.map((line) => ({ ...line, _usage: undefined, _used: undefined, invoice: stored.id }))
}

/** What billing credits take off, line by line. */
export function creditsOf(lines: Line[]): PretaxCredit[] {
  return lines.flatMap((line) => line.pretax_credit_amounts)
}

/** A customer as its invoices show it. */
export function billedTo(customer: Customer): Billed {
  return {
    customer_address: customer.address,
    customer_email: customer.email,
    customer_name: customer.name,
    customer_phone: customer.phone,
    customer_shipping: customer.shipping,
    customer_tax_exempt: customer.tax_exempt,
  }
}
