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
  discounts: [],
  issuer: { type: 'self' },
  last_finalization_error: null,
  on_behalf_of: null,
  receipt_number: null,
  shipping_cost: null,
  total_taxes: [],
}

/** What an invoice shows that a state file kept from before these fields were stored. */
const EARLIER = {
  custom_fields: null,
  customer_address: null,
  customer_phone: null,
  customer_shipping: null,
  customer_tax_exempt: 'none',
  from_invoice: null,
  latest_revision: null,
  payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
  rendering: null,
  shipping_details: null,
  statement_descriptor: null,
}

const BEFORE = { ...FIXED, ...EARLIER }

export function presentInvoice(account: Account, stored: Invoice): Wire {
  const { _lines } = stored
  const lines = linesOf(stored, LINES_SHOWN)
  // As in `visible`: what is left out stays as undefined.
  return {
    ...BEFORE,
    ...stored,
    _lines: undefined,
    _usage: undefined,
    _awaits_delivery: undefined,
    _payment: undefined,
    _attached: undefined,
    _number: undefined,
    ...(stored.status === 'draft' && billedTo(account.get<Customer>('customer', stored.customer))),
    account_name: account.businessName,
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
