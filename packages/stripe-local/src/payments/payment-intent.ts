import type { Account, Kind, Wire } from '../account.ts'
import { newId, randomLetters } from '../identifier.ts'
import type { Stored } from '../objects.ts'
import type { Decline } from '../resources/cards.ts'
import type { PaymentMethod } from '../resources/payment-methods.ts'

export type ThreeDSecure = 'any' | 'automatic' | 'challenge'

export interface PaymentIntent extends Stored {
  object: 'payment_intent'
  allowed_payment_method_types: string[] | null
  amount: number
  amount_capturable: number
  amount_received: number
  application: null
  application_fee_amount: null
  automatic_payment_methods: { allow_redirects: 'always' | 'never'; enabled: boolean } | null
  canceled_at: number | null
  cancellation_reason: string | null
  capture_method: 'automatic' | 'automatic_async' | 'manual'
  client_secret: string
  confirmation_method: 'automatic' | 'manual'
  currency: string
  customer: string | null
  customer_account: null
  description: string | null
  excluded_payment_method_types: string[] | null
  last_payment_error: Wire | null
  latest_charge: string | null
  livemode: false
  managed_payments: null
  metadata: { [key: string]: string }
  next_action: NextAction | null
  on_behalf_of: null
  payment_method: string | null
  payment_method_configuration_details: null
  payment_method_options: { card: { request_three_d_secure: ThreeDSecure } & Wire }
  payment_method_types: string[]
  payment_record: null
  processing: null
  receipt_email: string | null
  review: null
  setup_future_usage: 'off_session' | 'on_session' | null
  shipping: Wire | null
  source: null
  statement_descriptor: string | null
  statement_descriptor_suffix: string | null
  status:
    | 'requires_payment_method'
    | 'requires_confirmation'
    | 'requires_action'
    | 'requires_capture'
    | 'succeeded'
    | 'canceled'
  transfer_data: null
  transfer_group: string | null
  /** Where the bank's page leads back to, while it is waited for. */
  _return_url: string | null
  /** The Checkout session it belongs to; such an intent is confirmed and canceled by the session alone. */
  _session: string | null
  /** The bank's question was answered, and the caller has to confirm once more (confirmation_method manual). */
  _answered?: boolean
  /** The invoice it pays. */
  _invoice?: string
  /** The clock of its customer. */
  _clock: string | null
}

export interface NextAction {
  type: 'redirect_to_url' | 'use_stripe_sdk'
  redirect_to_url?: { return_url: string | null; url: string }
  use_stripe_sdk?: { type: 'three_d_secure_redirect'; stripe_js: string; source: string }
}

export const paymentIntent: Kind = {
  type: 'payment_intent',
  noun: 'payment_intent',
  references: { customer: 'customer', payment_method: 'payment_method', latest_charge: 'charge' },
}

/** A payment intent as it begins, unstored: nothing paid, no card. */
export function newPaymentIntent(
  account: Account,
  about: { amount: number; currency: string; customer: string | null; clock?: string | null },
  fields: Partial<PaymentIntent> = {},
): PaymentIntent {
  const id = newId('pi')
  return {
    id,
    object: 'payment_intent',
    allowed_payment_method_types: null,
    amount: about.amount,
    amount_capturable: 0,
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: 'automatic',
    client_secret: `${id}_secret_${randomLetters(24)}`,
    confirmation_method: 'automatic',
    created: account.seconds(about.clock ?? null),
    currency: about.currency,
    customer: about.customer,
    customer_account: null,
    description: null,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    metadata: {},
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: {
      card: { installments: null, mandate_options: null, network: null, request_three_d_secure: 'automatic' },
    },
    payment_method_types: ['card'],
    payment_record: null,
    processing: null,
    receipt_email: null,
    review: null,
    setup_future_usage: null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'requires_payment_method',
    transfer_data: null,
    transfer_group: null,
    _return_url: null,
    _session: null,
    _clock: about.clock ?? null,
    ...fields,
  }
}

/** What an intent keeps of its last failure. */
export function errorOf(account: Account, decline: Decline, method: PaymentMethod | null, charge?: string): Wire {
  const { message, code, decline_code } = decline
  return {
    ...(charge && { charge }),
    code,
    ...(decline_code && { decline_code }),
    doc_url: `https://stripe.com/docs/error-codes/${code.replaceAll('_', '-')}`,
    message,
    ...(method && { payment_method: account.present(method) }),
    type: 'card_error',
  }
}

/** The step that a person has to take at the bank: our pretended 3D Secure page. */
export function authenticationAction(
  account: Account,
  intent: { id: string; client_secret: string },
  returnUrl: string | null,
  usesSdk: boolean,
): NextAction {
  const url = `${account.baseUrl()}/3d-secure/${intent.id}?client_secret=${intent.client_secret}`
  if (returnUrl !== null && !usesSdk)
    return { type: 'redirect_to_url', redirect_to_url: { return_url: returnUrl, url } }
  return {
    type: 'use_stripe_sdk',
    use_stripe_sdk: { type: 'three_d_secure_redirect', stripe_js: url, source: `src_${randomLetters(24)}` },
  }
}
