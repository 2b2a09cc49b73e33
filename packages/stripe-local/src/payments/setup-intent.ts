import type { Account, Kind, Wire } from '../account.ts'
import { type ApiError, cardError } from '../http/errors.ts'
import { newId, randomLetters } from '../identifier.ts'
import type { Stored } from '../objects.ts'
import { asks, behaviourOf } from '../resources/cards.ts'
import { customerParameter } from '../resources/customers.ts'
import { attach, type PaymentMethod } from '../resources/payment-methods.ts'
import { passedAuthentication } from './charge.ts'
import { makeDefaultCard } from './default-card.ts'
import {
  authenticationAction,
  errorOf,
  type NextAction,
  type PaymentIntent,
  type ThreeDSecure,
} from './payment-intent.ts'

export interface SetupIntent extends Stored {
  object: 'setup_intent'
  allowed_payment_method_types: string[] | null
  application: null
  automatic_payment_methods: PaymentIntent['automatic_payment_methods']
  cancellation_reason: string | null
  client_secret: string
  customer: string | null
  customer_account: null
  description: string | null
  excluded_payment_method_types: string[] | null
  flow_directions: null
  last_setup_error: Wire | null
  latest_attempt: string | null
  livemode: false
  managed_payments: null
  mandate: null
  metadata: { [key: string]: string }
  next_action: NextAction | null
  on_behalf_of: null
  payment_method: string | null
  payment_method_configuration_details: null
  payment_method_options: { card: { request_three_d_secure: ThreeDSecure } & Wire }
  payment_method_types: string[]
  single_use_mandate: null
  status: 'requires_payment_method' | 'requires_confirmation' | 'requires_action' | 'succeeded' | 'canceled'
  usage: 'off_session' | 'on_session'
  _return_url: string | null
  /** The Checkout session it belongs to. */
  _session: string | null
  /** When it succeeds, its card becomes the customer's default one. */
  _becomes_default: boolean
}

export interface SetupAttempt extends Stored {
  object: 'setup_attempt'
  setup_intent: string
}

export const setupIntent: Kind = {
  type: 'setup_intent',
  noun: 'setupintent',
  references: { customer: 'customer', payment_method: 'payment_method', latest_attempt: 'setup_attempt' },
}
export const setupAttempt: Kind = {
  type: 'setup_attempt',
  noun: 'setupattempt',
  references: { customer: 'customer', payment_method: 'payment_method', setup_intent: 'setup_intent' },
}

/** A setup intent as it begins, unstored. */
export function newSetupIntent(
  account: Account,
  about: { customer: string | null; clock?: string | null },
  fields: Partial<SetupIntent> = {},
): SetupIntent {
  const id = newId('seti')
  return {
    id,
    object: 'setup_intent',
    allowed_payment_method_types: null,
    application: null,
    automatic_payment_methods: null,
    cancellation_reason: null,
    client_secret: `${id}_secret_${randomLetters(24)}`,
    created: account.seconds(about.clock ?? null),
    customer: about.customer,
    customer_account: null,
    description: null,
    excluded_payment_method_types: null,
    flow_directions: null,
    last_setup_error: null,
    latest_attempt: null,
    livemode: false,
    managed_payments: null,
    mandate: null,
    metadata: {},
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: { card: { mandate_options: null, network: null, request_three_d_secure: 'automatic' } },
    payment_method_types: ['card'],
    single_use_mandate: null,
    status: 'requires_payment_method',
    usage: 'off_session',
    _return_url: null,
    _session: null,
    _becomes_default: false,
    ...fields,
  }
}

/** Tries to set up the intent's card. A refusal is kept on the intent, not thrown. */
export function confirmSetup(
  account: Account,
  before: SetupIntent,
  how: { returnUrl?: string | null; usesSdk?: boolean; authenticated?: boolean } = {},
): SetupIntent {
  const method = account.get<PaymentMethod>('payment_method', before.payment_method ?? '')
  const isForced = before.payment_method_options.card.request_three_d_secure !== 'automatic'
  if (!how.authenticated && (isForced || asks(method, 'on_session'))) {
    const returnUrl = how.returnUrl ?? null
    const asked = account.objects.save<SetupIntent>({
      ...before,
      last_setup_error: null,
      latest_attempt: recordAttempt(account, before, method, 'requires_action', null, false),
      next_action: authenticationAction(account, before, returnUrl, how.usesSdk ?? false),
      status: 'requires_action',
      _return_url: returnUrl,
    })
    account.events.emit('setup_intent.requires_action', account.present(asked))
    return asked
  }
  const decline = behaviourOf(method._number).attach
  if (decline) return failed(account, before, method, errorOf(account, decline, method))
  if (before.customer !== null) {
    const owner = customerParameter(account, before.customer)
    if (method.customer === owner.id) account.objects.save<PaymentMethod>({ ...method, _set_up: true })
    else attach(account, { ...method, _set_up: true }, owner)
    if (before._becomes_default) makeDefaultCard(account, owner, method.id)
  } else account.objects.save<PaymentMethod>({ ...method, _set_up: true })
  const after = account.objects.save<SetupIntent>({
    ...before,
    last_setup_error: null,
    latest_attempt: recordAttempt(account, before, method, 'succeeded', null, how.authenticated ?? false),
    next_action: null,
    status: 'succeeded',
    _return_url: null,
  })
  account.events.emit('setup_intent.succeeded', account.present(after))
  return after
}

/** What the person did on the bank's page. */
export function answerSetup(account: Account, before: SetupIntent, passed: boolean): SetupIntent {
  if (before.status !== 'requires_action') return before
  if (passed) return confirmSetup(account, before, { authenticated: true })
  const method = account.get<PaymentMethod>('payment_method', before.payment_method ?? '')
  return failed(account, before, method, {
    code: 'setup_intent_authentication_failure',
    doc_url: 'https://stripe.com/docs/error-codes/setup-intent-authentication-failure',
    message:
      'The latest attempt to set up the payment method has failed because authentication failed. You can provide a new PaymentMethod to attempt to fulfill this SetupIntent again.',
    payment_method: account.present(method),
    type: 'invalid_request_error',
  })
}

export function cancelSetup(account: Account, before: SetupIntent, reason: string | null): SetupIntent {
  const canceled = account.objects.save<SetupIntent>({
    ...before,
    cancellation_reason: reason,
    next_action: null,
    status: 'canceled',
  })
  account.events.emit('setup_intent.canceled', account.present(canceled))
  return canceled
}

/** The 402 that tells of an intent's last failure. */
export function setupRefusalOf(account: Account, intent: SetupIntent): ApiError {
  const { payment_method: method, ...error } = intent.last_setup_error as Wire
  const { message, code, decline_code } = error as { [key: string]: string }
  return cardError(message!, {
    code: code!,
    ...(decline_code && { decline_code }),
    setup_intent: account.present(intent),
    ...(method !== undefined && { payment_method: method }),
  })
}

function failed(account: Account, before: SetupIntent, method: PaymentMethod, error: Wire): SetupIntent {
  const after = account.objects.save<SetupIntent>({
    ...before,
    last_setup_error: error,
    latest_attempt: recordAttempt(account, before, method, 'failed', error, false),
    next_action: null,
    payment_method: null,
    status: 'requires_payment_method',
    _return_url: null,
  })
  account.events.emit('setup_intent.setup_failed', account.present(after))
  return after
}

/** Writes down one try; the answer of the bank's page ends the try that asked for it. @returns its id */
function recordAttempt(
  account: Account,
  intent: SetupIntent,
  method: PaymentMethod,
  status: 'requires_action' | 'succeeded' | 'failed',
  error: Wire | null,
  authenticated: boolean,
): string {
  const open = intent.latest_attempt && account.objects.find<SetupAttempt>('setup_attempt', intent.latest_attempt)
  const { brand, checks, country, exp_month, exp_year, fingerprint, funding, last4 } = method.card
  const attempt = {
    object: 'setup_attempt' as const,
    application: null,
    customer: intent.customer,
    customer_account: null,
    flow_directions: null,
    livemode: false,
    on_behalf_of: null,
    payment_method: method.id,
    payment_method_details: {
      card: {
        brand,
        checks,
        country,
        exp_month,
        exp_year,
        fingerprint,
        funding,
        last4,
        network: brand,
        three_d_secure: authenticated ? passedAuthentication() : null,
        wallet: null,
      },
      type: 'card',
    },
    setup_error: error,
    setup_intent: intent.id,
    status,
    usage: intent.usage,
  }
  if (open && intent.status === 'requires_action') return account.objects.save({ ...open, ...attempt }).id
  return account.create({ id: newId('setatt'), created: account.seconds(), ...attempt }).id
}
