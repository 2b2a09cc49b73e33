import type { Account, Wire } from '../account.ts'
import { type ApiError, cardError, refuse } from '../http/errors.ts'
import { invoiceOfIntent, settledByIntent } from '../invoices/payment.ts'
import { ASKS, asks, behaviourOf, type Decline } from '../resources/cards.ts'
import { type Customer, customerParameter } from '../resources/customers.ts'
import { attach, type PaymentMethod } from '../resources/payment-methods.ts'
import { type Charge, chargeCard, HOLD_SECONDS } from './charge.ts'
import { chosenDecline } from './chosen-decline.ts'
import { authenticationAction, errorOf, type PaymentIntent } from './payment-intent.ts'

export interface Confirmation {
  /** Nobody is there whom the bank could ask. */
  offSession?: boolean
  returnUrl?: string | null
  /** The caller's browser code takes the next step, without a redirect of ours. */
  usesSdk?: boolean
  /** Rather fail than ask. */
  failsOnAction?: boolean
  /** The bank's question was answered. */
  authenticated?: boolean
}

/** What a failed authentication leaves on the intent; the customer may try again with the same or another card. */
const NOT_AUTHENTICATED = {
  code: 'payment_intent_authentication_failure',
  doc_url: 'https://stripe.com/docs/error-codes/payment-intent-authentication-failure',
  message:
    'The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.',
  type: 'invalid_request_error',
}

/** Tries to pay an intent that has its payment method. A refusal of the card is kept on the intent, not thrown. */
export function confirmPayment(account: Account, before: PaymentIntent, how: Confirmation = {}): PaymentIntent {
  const method = account.get<PaymentMethod>('payment_method', before.payment_method ?? '')
  const isForced = before.payment_method_options.card.request_three_d_secure !== 'automatic' && !how.offSession
  const isAsked = !how.authenticated && (isForced || asks(method, how.offSession ? 'off_session' : 'on_session'))
  if (isAsked && !how.offSession && !how.failsOnAction) {
    const returnUrl = how.returnUrl ?? null
    const asked = account.objects.save<PaymentIntent>({
      ...before,
      last_payment_error: null,
      next_action: authenticationAction(account, before, returnUrl, how.usesSdk ?? false),
      status: 'requires_action',
      _return_url: returnUrl,
    })
    account.events.emit('payment_intent.requires_action', account.present(asked))
    return asked
  }
  const behaviour = behaviourOf(method._number)
  const decline = isAsked ? ASKS : (chosenDecline(account) ?? behaviour.attach ?? behaviour.charge ?? null)
  // A payment that must not ask fails before the bank hears of it.
  const charge = isAsked && how.failsOnAction ? null : chargeFor(account, before, method, decline, how)
  return decline ? failed(account, before, method, decline, charge) : paid(account, before, method, charge!, how)
}

/** What the person did on the bank's page. Nothing happens when the intent no longer waits for it. */
export function answerPayment(account: Account, before: PaymentIntent, passed: boolean): PaymentIntent {
  if (before.status !== 'requires_action') return before
  if (passed && before.confirmation_method === 'manual') {
    return account.objects.save({ ...before, next_action: null, status: 'requires_confirmation', _answered: true })
  }
  if (passed) return confirmPayment(account, before, { authenticated: true })
  const method = account.objects.find<PaymentMethod>('payment_method', before.payment_method ?? '')
  const error = { ...NOT_AUTHENTICATED, ...(method && { payment_method: account.present(method) }) }
  return withoutCard(account, before, error, before.latest_charge)
}

/** Takes what was authorized, or less of it; the rest is let go. */
export function capturePayment(account: Account, before: PaymentIntent, amount: number): PaymentIntent {
  const charge = account.get<Charge>('charge', before.latest_charge ?? '')
  const letGo = charge.amount - amount
  planRelease(account, before, null)
  account.change<Charge>(
    charge,
    { captured: true, amount_captured: amount, amount_refunded: letGo, refunded: false },
    'charge.captured',
  )
  const captured = account.objects.save<PaymentIntent>({
    ...before,
    amount_capturable: 0,
    amount_received: amount,
    status: 'succeeded',
  })
  account.events.emit('payment_intent.succeeded', account.present(captured))
  return captured
}

/** Ends an intent that was not paid; an authorization is let go. */
export function cancelPayment(account: Account, before: PaymentIntent, reason: string | null): PaymentIntent {
  const charge =
    before.latest_charge === null ? undefined : account.objects.find<Charge>('charge', before.latest_charge)
  if (before.status === 'requires_capture' && charge) {
    planRelease(account, before, null)
    const event = reason === 'automatic' ? 'charge.expired' : 'charge.refunded'
    account.change<Charge>(charge, { amount_refunded: charge.amount, refunded: true }, event)
  }
  const canceled = account.objects.save<PaymentIntent>({
    ...before,
    amount_capturable: 0,
    canceled_at: account.seconds(before._clock),
    cancellation_reason: reason,
    next_action: null,
    status: 'canceled',
  })
  account.events.emit('payment_intent.canceled', account.present(canceled))
  return canceled
}

/** The timeline's handler: what was authorized and not captured in time is let go. */
export function authorizationDue(account: Account, id: string): void {
  const held = account.objects.find<PaymentIntent>('payment_intent', id)
  if (held?.status === 'requires_capture') cancelPayment(account, held, 'automatic')
}

function planRelease(account: Account, held: PaymentIntent, atMs: number | null): void {
  account.timeline.schedule('authorization', held.id, atMs, held._clock)
}

/** The 402 that tells of an intent's last failure, with the intent as it now is. */
export function refusalOf(account: Account, intent: PaymentIntent): ApiError {
  const { payment_method: method, ...error } = intent.last_payment_error as Wire
  const { message, code, decline_code, charge } = error as { [key: string]: string }
  return cardError(message!, {
    code: code!,
    ...(decline_code && { decline_code }),
    ...(charge && { charge }),
    payment_intent: account.present(intent),
    ...(method !== undefined && { payment_method: method }),
  })
}

/** A payment method that may pay for this customer, or for nobody's account. @throws ApiError 400 */
export function checkUsable(method: PaymentMethod, customer: string | null): void {
  if (method._spent) {
    throw refuse(
      'The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.',
      { param: 'payment_method' },
    )
  }
  if (method.customer === null || method.customer === customer) return
  if (customer === null) {
    throw refuse(
      'The payment method you provided is attached to a customer so for security purposes you must provide the customer in the request.',
      { param: 'payment_method' },
    )
  }
  throw refuse(
    `The customer does not have a payment method with the ID ${method.id}. The payment method must be attached to the customer.`,
    { code: 'resource_missing', param: 'payment_method' },
  )
}

function chargeFor(
  account: Account,
  intent: PaymentIntent,
  method: PaymentMethod,
  decline: Decline | null,
  how: Confirmation,
): Charge {
  return chargeCard(account, {
    amount: intent.amount,
    currency: intent.currency,
    customer: intent.customer,
    created: account.seconds(intent._clock),
    intent: intent.id,
    method,
    decline,
    capture: intent.capture_method !== 'manual',
    authenticated: how.authenticated ?? false,
    description: intent.description,
    metadata: intent.metadata,
    receiptEmail: intent.receipt_email,
    shipping: intent.shipping,
    statementDescriptor: intent.statement_descriptor,
    statementDescriptorSuffix: intent.statement_descriptor_suffix,
  })
}

function paid(
  account: Account,
  before: PaymentIntent,
  method: PaymentMethod,
  charge: Charge,
  how: Confirmation,
): PaymentIntent {
  keepMethod(account, before, method, how)
  const isHeld = before.capture_method === 'manual'
  const after = account.objects.save<PaymentIntent>({
    ...before,
    amount_capturable: isHeld ? before.amount : 0,
    amount_received: isHeld ? 0 : before.amount,
    last_payment_error: null,
    latest_charge: charge.id,
    next_action: null,
    status: isHeld ? 'requires_capture' : 'succeeded',
    _return_url: null,
  })
  if (isHeld) planRelease(account, after, (charge.created + HOLD_SECONDS) * 1000)
  const event = isHeld ? 'payment_intent.amount_capturable_updated' : 'payment_intent.succeeded'
  account.events.emit(event, account.present(after))
  const invoice = invoiceOfIntent(account, after.id)
  if (invoice?.status === 'open' && !isHeld) settledByIntent(account, invoice, after)
  return after
}

/** Attaches a card that is to be charged again; one that is not attached can be used only this once. */
function keepMethod(account: Account, intent: PaymentIntent, method: PaymentMethod, how: Confirmation): void {
  const isSetUp = method._set_up || (intent.setup_future_usage === 'off_session' && !how.offSession)
  if (intent.setup_future_usage && intent.customer !== null) {
    const owner = customerParameter(account, intent.customer)
    attach(account, { ...method, _set_up: isSetUp }, owner)
    if (method.customer === owner.id) account.objects.save<PaymentMethod>({ ...method, _set_up: isSetUp })
  } else if (method.customer === null) {
    // With setup_future_usage it may still be attached after the payment.
    account.objects.save<PaymentMethod>({ ...method, _set_up: isSetUp, _spent: intent.setup_future_usage === null })
  }
}

function failed(
  account: Account,
  before: PaymentIntent,
  method: PaymentMethod,
  decline: Decline,
  charge: Charge | null,
): PaymentIntent {
  const error = errorOf(account, decline, method, charge?.id)
  return withoutCard(account, before, error, charge?.id ?? before.latest_charge)
}

/** Back to the beginning: the card that failed is remembered in the error only. */
function withoutCard(account: Account, before: PaymentIntent, error: Wire, charge: string | null): PaymentIntent {
  const after = account.objects.save<PaymentIntent>({
    ...before,
    last_payment_error: error,
    latest_charge: charge,
    next_action: null,
    payment_method: null,
    status: 'requires_payment_method',
    _return_url: null,
  })
  account.events.emit('payment_intent.payment_failed', account.present(after))
  return after
}

/** The clock of an intent's customer. */
export function clockOf(account: Account, customer: string | null): string | null {
  return customer === null ? null : (account.objects.find<Customer>('customer', customer)?.test_clock ?? null)
}
