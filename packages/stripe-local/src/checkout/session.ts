import type { Account, Kind, Wire } from '../account.ts'
import { visible } from '../account.ts'
import type { Metadata } from '../http/params.ts'
import { listOf } from '../http/route.ts'
import type { Stored } from '../objects.ts'
import type { ThreeDSecure } from '../payments/payment-intent.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import type { SessionDiscount } from './discount.ts'
import { lineItem, type SessionLine } from './line.ts'

export type Mode = 'payment' | 'setup' | 'subscription'
export type UiMode = 'elements' | 'embedded_page' | 'form' | 'hosted_page'

export interface CustomField {
  key: string
  label: { custom: string; type: 'custom' }
  optional: boolean
  type: 'dropdown' | 'numeric' | 'text'
  dropdown?: { default_value: string | null; options: { label: string; value: string }[]; value: string | null }
  numeric?: WrittenField
  text?: WrittenField
}
interface WrittenField {
  default_value: string | null
  maximum_length: number | null
  minimum_length: number | null
  value: string | null
}

export interface CheckoutSession extends Stored {
  object: 'checkout.session'
  adaptive_pricing: { enabled: boolean }
  after_expiration: {
    recovery: { allow_promotion_codes: boolean; enabled: boolean; expires_at: number | null; url: string | null } | null
  } | null
  allow_promotion_codes: boolean | null
  allowed_payment_method_types: string[] | null
  amount_subtotal: number | null
  amount_total: number | null
  billing_address_collection: 'auto' | 'required' | null
  cancel_url: string | null
  client_reference_id: string | null
  client_secret: string | null
  collected_information: Wire | null
  consent: { promotions: 'opt_in' | 'opt_out' | null; terms_of_service: 'accepted' | null } | null
  consent_collection: {
    payment_method_reuse_agreement: { position: 'auto' | 'hidden' } | null
    promotions: 'auto' | 'none' | null
    terms_of_service: 'none' | 'required' | null
  } | null
  currency: string | null
  custom_fields: CustomField[]
  custom_text: { [place: string]: { message: string } | null }
  customer: string | null
  customer_creation: 'always' | 'if_required' | null
  customer_details: Wire | null
  customer_email: string | null
  /** Absent in states kept from before there were discounts. */
  discounts?: SessionDiscount[]
  excluded_payment_method_types?: string[]
  expires_at: number
  integration_identifier: string | null
  invoice: string | null
  invoice_creation: { enabled: boolean; invoice_data: InvoiceData } | null
  livemode: false
  locale: string | null
  metadata: Metadata
  mode: Mode
  name_collection?: NameCollection
  origin_context: 'mobile_app' | 'web' | null
  payment_intent: string | null
  payment_method_collection: 'always' | 'if_required' | null
  payment_method_options: { card: { request_three_d_secure: ThreeDSecure } }
  payment_status: 'paid' | 'unpaid' | 'no_payment_required'
  phone_number_collection: { enabled: boolean }
  recovered_from: string | null
  redirect_on_completion?: 'always' | 'if_required' | 'never'
  return_url?: string
  saved_payment_method_options: {
    allow_redisplay_filters: ('always' | 'limited' | 'unspecified')[]
    payment_method_remove: 'disabled' | 'enabled' | null
    payment_method_save: 'disabled' | 'enabled' | null
  } | null
  setup_intent: string | null
  status: 'open' | 'complete' | 'expired'
  submit_type: 'auto' | 'book' | 'donate' | 'pay' | 'subscribe' | null
  subscription: string | null
  success_url: string | null
  ui_mode: UiMode
  url: string | null
  _lines: SessionLine[]
  _customer_update: { address: boolean; name: boolean }
  _payment: PaymentPlan
  _subscription: SubscriptionPlan
  /** What the method that pays will allow to be shown again. */
  _allow_redisplay: 'always' | 'limited' | 'unspecified' | null
}

export interface InvoiceData {
  account_tax_ids: null
  custom_fields: { name: string; value: string }[] | null
  description: string | null
  footer: string | null
  issuer: { type: 'self' } | null
  metadata: Metadata
  rendering_options: null
}

/** Names asked for beside the one on the card. */
export interface NameCollection {
  business?: { enabled: boolean; optional: boolean }
  individual?: { enabled: boolean; optional: boolean }
}

/** `payment_intent_data` and `setup_intent_data`. */
export interface PaymentPlan {
  capture_method?: 'automatic' | 'automatic_async' | 'manual'
  description?: string
  metadata?: Metadata
  receipt_email?: string
  setup_future_usage?: 'off_session' | 'on_session'
  shipping?: Wire
  statement_descriptor?: string
  statement_descriptor_suffix?: string
  transfer_group?: string
}

/** `subscription_data`. */
export interface SubscriptionPlan {
  fields: Partial<Subscription>
  anchor?: number | undefined
  anchorConfig: Subscription['billing_cycle_anchor_config']
  trialEnd?: number | undefined
  trialDays?: number | undefined
  prorationBehavior?: 'create_prorations' | 'none' | undefined
}

export const checkoutSession: Kind = {
  type: 'checkout.session',
  noun: 'checkout.session',
  references: {
    'discounts.coupon': 'coupon',
    'discounts.promotion_code': 'promotion_code',
    customer: 'customer',
    invoice: 'invoice',
    payment_intent: 'payment_intent',
    setup_intent: 'setup_intent',
    subscription: 'subscription',
  },
  onExpand: {
    line_items: (account, stored: CheckoutSession) => {
      const items = lineItemsOf(account, stored)
      return listOf(items.slice(0, LINES_SHOWN), lineItemsUrl(stored), items.length > LINES_SHOWN)
    },
  },
  present: (_account, stored: CheckoutSession): Wire => ({
    discounts: [],
    ...visible(stored),
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    currency_conversion: null,
    customer_account: null,
    managed_payments: null,
    payment_link: null,
    payment_method_configuration_details: null,
    payment_method_types: ['card'],
    permissions: null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    total_details:
      stored.mode === 'setup' ? null : { amount_discount: discountOf(stored), amount_shipping: 0, amount_tax: 0 },
    wallet_options: null,
  }),
}

export const checkoutItem: Kind = { type: 'item', noun: 'line item', references: { 'price.product': 'product' } }

const LINES_SHOWN = 10

export function lineItemsOf(account: Account, stored: CheckoutSession): Wire[] {
  return stored._lines.map((line) => lineItem(account, line))
}

export function lineItemsUrl(stored: CheckoutSession): string {
  return `/v1/checkout/sessions/${stored.id}/line_items`
}

/** The sum of what is due today. */
export function totalOf(stored: Pick<CheckoutSession, '_lines'>): number {
  return subtotalOf(stored) - discountOf(stored)
}

/** The same before discounts. */
export function subtotalOf(stored: Pick<CheckoutSession, '_lines'>): number {
  return stored._lines.reduce((sum, line) => sum + line.amount, 0)
}

function discountOf(stored: Pick<CheckoutSession, '_lines'>): number {
  return stored._lines.reduce((sum, line) => sum + (line.discount ?? 0), 0)
}
