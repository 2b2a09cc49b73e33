import type { Account, Kind, Wire } from '../account.ts'
import { visible } from '../account.ts'
import type { Metadata } from '../http/params.ts'
import { listOf } from '../http/route.ts'
import type { Stored } from '../objects.ts'
import type { PaymentIntent } from '../payments/payment-intent.ts'
import type { Line, UsagePart } from './line.ts'

export type BillingReason = 'subscription_create' | 'subscription_cycle' | 'subscription_update' | 'manual' | 'upcoming'

export interface Invoice extends Stored {
  object: 'invoice'
  amount_due: number
  amount_overpaid: number
  amount_paid: number
  amount_remaining: number
  attempt_count: number
  attempted: boolean
  auto_advance: boolean
  automatically_finalizes_at: number | null
  billing_reason: BillingReason
  collection_method: 'charge_automatically' | 'send_invoice'
  currency: string
  customer: string
  customer_email: string | null
  customer_name: string | null
  default_payment_method: string | null
  description: string | null
  due_date: number | null
  effective_at: number | null
  ending_balance: number | null
  footer: string | null
  hosted_invoice_url: string | null
  invoice_pdf: string | null
  livemode: false
  metadata: Metadata
  next_payment_attempt: number | null
  number: string | null
  parent: {
    quote_details: null
    subscription_details: { metadata: Metadata; subscription: string; subscription_proration_date?: number }
    type: 'subscription_details'
  } | null
  period_end: number
  period_start: number
  starting_balance: number
  status: 'draft' | 'open' | 'paid' | 'uncollectible' | 'void'
  status_transitions: {
    finalized_at: number | null
    marked_uncollectible_at: number | null
    paid_at: number | null
    voided_at: number | null
  }
  subtotal: number
  test_clock: string | null
  total: number
  webhooks_delivered_at: number | null
  post_payment_credit_notes_amount: number
  pre_payment_credit_notes_amount: number
  _lines: Line[]
  _usage: UsagePart[]
  /** Waits for the 2xx to invoice.created before its hour begins. */
  _awaits_delivery: boolean
}

const LINES_SHOWN = 10

export const invoice: Kind = {
  type: 'invoice',
  noun: 'invoice',
  present: presentInvoice,
  references: {
    customer: 'customer',
    default_payment_method: 'payment_method',
    'parent.subscription_details.subscription': 'subscription',
    test_clock: 'test_helpers.test_clock',
  },
  onExpand: {
    payments: (account, stored: Invoice) => paymentsOf(account, stored),
    confirmation_secret: (account, stored: Invoice) => {
      const [payment] = account.objects.all('invoice_payment', { '$.invoice': stored.id }) as (Stored & {
        payment: { payment_intent: string }
      })[]
      const intent = payment && account.objects.find<PaymentIntent>('payment_intent', payment.payment.payment_intent)
      return intent ? { client_secret: intent.client_secret, type: 'payment_intent' } : null
    },
  },
}

function paymentsOf(account: Account, stored: Invoice): Wire {
  const payments = account.objects.all('invoice_payment', { '$.invoice': stored.id }).toReversed()
  return listOf(
    payments.map((payment) => account.present(payment)),
    `/v1/invoice_payments?invoice=${stored.id}`,
  )
}

export function presentInvoice(_account: Account, stored: Invoice): Wire {
  const lines = linesOf(stored)
  return {
    ...visible(stored),
    account_country: 'US',
    account_name: 'Local Stripe',
    account_tax_ids: null,
    amount_shipping: 0,
    application: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    custom_fields: null,
    customer_account: null,
    customer_address: null,
    customer_phone: null,
    customer_shipping: null,
    customer_tax_exempt: 'none',
    customer_tax_ids: [],
    default_source: null,
    default_tax_rates: [],
    discounts: [],
    from_invoice: null,
    issuer: { type: 'self' },
    last_finalization_error: null,
    latest_revision: null,
    lines: {
      ...listOf(lines.slice(0, LINES_SHOWN), `/v1/invoices/${stored.id}/lines`, lines.length > LINES_SHOWN),
      total_count: lines.length,
    },
    on_behalf_of: null,
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    statement_descriptor: null,
    subtotal_excluding_tax: stored.subtotal,
    total_discount_amounts: [],
    total_excluding_tax: stored.total,
    total_pretax_credit_amounts: [],
    total_taxes: [],
  }
}

export function linesOf(stored: Invoice): Wire[] {
  return stored._lines.map((line) => ({ ...visible(line), invoice: stored.id }))
}
