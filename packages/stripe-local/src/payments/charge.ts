import type { Account, Kind, Wire } from '../account.ts'
import { listOf } from '../http/route.ts'
import { newId } from '../identifier.ts'
import type { Stored } from '../objects.ts'
import type { Decline } from '../resources/cards.ts'
import type { PaymentMethod } from '../resources/payment-methods.ts'

export interface Charge extends Stored {
  object: 'charge'
  amount: number
  amount_captured: number
  amount_refunded: number
  application: null
  application_fee: null
  application_fee_amount: null
  balance_transaction: null
  billing_details: PaymentMethod['billing_details']
  calculated_statement_descriptor: string | null
  captured: boolean
  currency: string
  customer: string | null
  description: string | null
  disputed: boolean
  failure_balance_transaction: null
  failure_code: string | null
  failure_message: string | null
  fraud_details: { stripe_report?: string; user_report?: string }
  livemode: false
  metadata: { [key: string]: string }
  on_behalf_of: null
  outcome: Wire
  paid: boolean
  payment_intent: string | null
  payment_method: string | null
  payment_method_details: Wire
  receipt_email: string | null
  receipt_number: string | null
  receipt_url: string | null
  refunded: boolean
  review: null
  shipping: Wire | null
  source: null
  source_transfer: null
  statement_descriptor: string | null
  statement_descriptor_suffix: string | null
  status: 'succeeded' | 'failed' | 'pending'
  transfer_data: null
  transfer_group: string | null
}

export const charge: Kind = {
  type: 'charge',
  noun: 'charge',
  references: { customer: 'customer', payment_intent: 'payment_intent' },
  onExpand: { refunds: (account, stored: Charge) => refundsOf(account, stored) },
}

/** The latest ten, as a charge shows them when they are expanded. */
function refundsOf(account: Account, stored: Charge): Wire {
  const refunds = account.objects.all('refund', { '$.charge': stored.id }).toReversed()
  const shown = refunds.slice(0, 10).map((refund) => account.present(refund))
  return listOf(shown, `/v1/charges/${stored.id}/refunds`, refunds.length > 10)
}

export interface Charging {
  amount: number
  currency: string
  customer: string | null
  /** Unix seconds, on the customer's clock. */
  created: number
  intent: string | null
  method: PaymentMethod
  /** Why the bank refuses; null when it pays. */
  decline: Decline | null
  /** False: only authorized, to be captured later. Default true. */
  capture?: boolean
  /** The person passed 3D Secure for this charge. */
  authenticated?: boolean
  description?: string | null
  metadata?: { [key: string]: string }
  receiptEmail?: string | null
  shipping?: Wire | null
  statementDescriptor?: string | null
  statementDescriptorSuffix?: string | null
}

/** One try at a card, paid or refused, with its event. */
export function chargeCard(account: Account, charging: Charging): Charge {
  const { amount, decline, method } = charging
  const captured = !decline && (charging.capture ?? true)
  return account.create<Charge>(
    {
      id: newId('ch'),
      object: 'charge',
      amount,
      amount_captured: captured ? amount : 0,
      amount_refunded: 0,
      application: null,
      application_fee: null,
      application_fee_amount: null,
      balance_transaction: null,
      billing_details: method.billing_details,
      calculated_statement_descriptor: descriptorOf(account, charging),
      captured,
      created: charging.created,
      currency: charging.currency,
      customer: charging.customer,
      description: charging.description ?? null,
      disputed: false,
      failure_balance_transaction: null,
      failure_code: decline?.code ?? null,
      failure_message: decline?.message ?? null,
      fraud_details: {},
      livemode: false,
      metadata: charging.metadata ?? {},
      on_behalf_of: null,
      outcome: outcomeOf(decline),
      paid: !decline,
      payment_intent: charging.intent,
      payment_method: method.id,
      payment_method_details: { type: 'card', card: cardDetails(charging) },
      receipt_email: charging.receiptEmail ?? null,
      receipt_number: null,
      receipt_url: null,
      refunded: false,
      review: null,
      shipping: charging.shipping ?? null,
      source: null,
      source_transfer: null,
      statement_descriptor: charging.statementDescriptor ?? null,
      statement_descriptor_suffix: charging.statementDescriptorSuffix ?? null,
      status: decline ? 'failed' : 'succeeded',
      transfer_data: null,
      transfer_group: null,
    },
    decline ? 'charge.failed' : 'charge.succeeded',
  )
}

/** What the bank statement would say: 22 characters, no brackets or quotes. */
function descriptorOf(account: Account, charging: Charging): string {
  const name = charging.statementDescriptor ?? account.businessName
  const suffix = charging.statementDescriptorSuffix ? `* ${charging.statementDescriptorSuffix}` : ''
  return `${name}${suffix}`
    .replaceAll(/[<>\\'"]/g, '')
    .slice(0, 22)
    .toUpperCase()
}

function outcomeOf(decline: Decline | null): Wire {
  const common = { advice_code: null, network_advice_code: null, network_decline_code: null, risk_level: 'normal' }
  if (!decline) {
    const seller_message = 'Payment complete.'
    return { ...common, network_status: 'approved_by_network', reason: null, seller_message, type: 'authorized' }
  }
  const reason = decline.decline_code ?? decline.code
  const seller_message =
    reason === 'generic_decline'
      ? 'The bank did not return any further details with this decline.'
      : `The bank returned the decline code \`${reason}\`.`
  return { ...common, network_status: 'declined_by_network', reason, seller_message, type: 'issuer_declined' }
}

/** How long a card's authorization holds; then it is let go. */
export const HOLD_SECONDS = 7 * 86_400

function cardDetails({ amount, authenticated, capture, created, decline, method }: Charging): Wire {
  const { brand, checks, country, exp_month, exp_year, fingerprint, funding, last4, regulated_status } = method.card
  return {
    amount_authorized: decline ? null : amount,
    authorization_code: decline ? null : '123456',
    brand,
    ...(capture === false && !decline && { capture_before: created + HOLD_SECONDS }),
    checks: decline?.code === 'incorrect_cvc' ? { ...(checks as Wire), cvc_check: 'fail' } : checks,
    country,
    electronic_commerce_indicator: authenticated ? '05' : null,
    exp_month,
    exp_year,
    extended_authorization: { status: 'disabled' },
    fingerprint,
    funding,
    incremental_authorization: { status: 'unavailable' },
    installments: null,
    last4,
    mandate: null,
    multicapture: { status: 'unavailable' },
    network: brand,
    network_token: { used: false },
    network_transaction_id: null,
    overcapture: { maximum_amount_capturable: amount, status: 'unavailable' },
    regulated_status,
    three_d_secure: authenticated ? { ...passedAuthentication(), exemption_indicator: null } : null,
    transaction_link_id: null,
    wallet: null,
  }
}

/** What 3D Secure leaves on a charge or on an attempt to set a card up. */
export function passedAuthentication(): Wire {
  return {
    authentication_flow: 'challenge',
    electronic_commerce_indicator: '05',
    result: 'authenticated',
    result_reason: null,
    transaction_id: crypto.randomUUID(),
    version: '2.2.0',
  }
}
