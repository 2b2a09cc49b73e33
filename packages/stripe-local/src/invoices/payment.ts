import type { Account, Kind } from '../account.ts'
import { newId } from '../identifier.ts'
import type { Stored } from '../objects.ts'
import { behaviourOf, type Decline } from '../resources/cards.ts'
import type { Customer } from '../resources/customers.ts'
import type { PaymentMethod } from '../resources/payment-methods.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { markPaid } from './finalize.ts'
import type { Invoice } from './invoice.ts'

export interface PaymentIntent extends Stored {
  object: 'payment_intent'
  amount: number
  amount_received: number
  client_secret: string
  currency: string
  customer: string
  last_payment_error: { [key: string]: unknown } | null
  latest_charge: string | null
  livemode: false
  metadata: { [key: string]: string }
  payment_method: string | null
  status: 'requires_payment_method' | 'requires_action' | 'succeeded' | 'canceled'
}

export interface InvoicePayment extends Stored {
  object: 'invoice_payment'
  amount_paid: number | null
  amount_requested: number
  currency: string
  invoice: string
  is_default: boolean
  livemode: false
  payment: { payment_intent: string; type: 'payment_intent' }
  status: 'open' | 'paid' | 'canceled'
  status_transitions: { canceled_at: number | null; paid_at: number | null }
}

export const paymentIntent: Kind = {
  type: 'payment_intent',
  noun: 'payment_intent',
  references: { customer: 'customer', payment_method: 'payment_method', latest_charge: 'charge' },
}
export const charge: Kind = {
  type: 'charge',
  noun: 'charge',
  references: { customer: 'customer', payment_intent: 'payment_intent' },
}
export const invoicePayment: Kind = {
  type: 'invoice_payment',
  noun: 'invoice payment',
  references: { invoice: 'invoice', 'payment.payment_intent': 'payment_intent' },
}

const DAY = 86_400
/** Days after each failed attempt; Stripe's Smart Retries have no fixed table. After the last the subscription ends. */
const RETRY_DAYS = [3, 5, 7]

const NO_CARD: Decline = {
  code: 'missing',
  message:
    'This customer has no attached payment source or default payment method. Please consider adding a default payment method.',
}
const ASKS: Decline = {
  code: 'authentication_required',
  decline_code: 'authentication_required',
  message: 'Your card was declined. This transaction requires authentication.',
}

/** Tries to charge an open invoice once. `attended`: the customer is there to answer the bank's question. */
export function collect(
  account: Account,
  open: Invoice,
  options: { method?: PaymentMethod; attended?: boolean } = {},
): Invoice {
  const method = options.method ?? methodFor(account, open)
  const decline = declineOf(method, options.attended ?? false)
  const intent = recordAttempt(account, open, method, decline)
  return decline ? failed(account, open, intent, decline) : succeeded(account, open, intent)
}

/** Why a charge of an invoice would fail now, or null. */
export function declineOf(method: PaymentMethod | null, attended: boolean): Decline | null {
  if (!method) return NO_CARD
  const behaviour = behaviourOf(method._number)
  if (behaviour.authentication === 'always' && !attended) return ASKS
  return behaviour.charge ?? null
}

export function methodFor(account: Account, open: Invoice): PaymentMethod | null {
  const subscription =
    open.parent && account.get<Subscription>('subscription', open.parent.subscription_details.subscription)
  const customer = account.get<Customer>('customer', open.customer)
  const id =
    open.default_payment_method ??
    subscription?.default_payment_method ??
    customer.invoice_settings.default_payment_method
  return id === null ? null : (account.objects.find<PaymentMethod>('payment_method', id) ?? null)
}

function recordAttempt(
  account: Account,
  open: Invoice,
  method: PaymentMethod | null,
  decline: Decline | null,
): PaymentIntent {
  const now = account.seconds(open.test_clock)
  const [payment] = account.objects.all<InvoicePayment>('invoice_payment', { '$.invoice': open.id })
  const before = payment && account.objects.find<PaymentIntent>('payment_intent', payment.payment.payment_intent)
  const id = before?.id ?? newId('pi')
  const made = method ? recordCharge(account, open, id, method, decline) : null
  const intent: PaymentIntent = {
    id,
    object: 'payment_intent',
    amount: open.amount_remaining,
    amount_received: decline ? 0 : open.amount_remaining,
    client_secret: `${id}_secret_local`,
    created: before?.created ?? now,
    currency: open.currency,
    customer: open.customer,
    last_payment_error: decline && {
      type: 'card_error',
      ...decline,
      ...(method && { payment_method: account.present(method) }),
    },
    latest_charge: made,
    livemode: false,
    metadata: {},
    payment_method: decline ? null : (method?.id ?? null),
    status: decline ? (decline === ASKS ? 'requires_action' : 'requires_payment_method') : 'succeeded',
  }
  if (before) account.objects.save(intent)
  else {
    account.create(intent, 'payment_intent.created')
    account.create<InvoicePayment>({
      id: newId('inpay'),
      object: 'invoice_payment',
      amount_paid: null,
      amount_requested: open.amount_remaining,
      created: now,
      currency: open.currency,
      invoice: open.id,
      is_default: true,
      livemode: false,
      payment: { payment_intent: id, type: 'payment_intent' },
      status: 'open',
      status_transitions: { canceled_at: null, paid_at: null },
    })
  }
  return intent
}

function recordCharge(
  account: Account,
  open: Invoice,
  intent: string,
  method: PaymentMethod,
  decline: Decline | null,
): string {
  const id = newId('ch')
  account.create(
    {
      id,
      object: 'charge',
      amount: open.amount_remaining,
      amount_captured: decline ? 0 : open.amount_remaining,
      amount_refunded: 0,
      captured: !decline,
      created: account.seconds(open.test_clock),
      currency: open.currency,
      customer: open.customer,
      failure_code: decline?.code ?? null,
      failure_message: decline?.message ?? null,
      livemode: false,
      metadata: {},
      paid: !decline,
      payment_intent: intent,
      payment_method: method.id,
      refunded: false,
      status: decline ? 'failed' : 'succeeded',
    } as Stored,
    decline ? 'charge.failed' : 'charge.succeeded',
  )
  return id
}

function succeeded(account: Account, open: Invoice, intent: PaymentIntent): Invoice {
  account.events.emit('payment_intent.succeeded', account.present(intent))
  account.objects.save<Invoice>({ ...open, attempt_count: open.attempt_count + 1, attempted: true })
  const paid = markPaid(account, open.id, open.amount_remaining)
  const [payment] = account.objects.all<InvoicePayment>('invoice_payment', { '$.invoice': open.id })
  if (payment) {
    const now = account.seconds(open.test_clock)
    const settled = account.objects.save<InvoicePayment>({
      ...payment,
      amount_paid: paid.amount_paid,
      status: 'paid',
      status_transitions: { canceled_at: null, paid_at: now },
    })
    account.events.emit('invoice_payment.paid', account.present(settled))
  }
  return paid
}

function failed(account: Account, open: Invoice, intent: PaymentIntent, decline: Decline): Invoice {
  const event = decline === ASKS ? 'payment_intent.requires_action' : 'payment_intent.payment_failed'
  account.events.emit(event, account.present(intent))
  const retryDays = open.auto_advance ? RETRY_DAYS[open.attempt_count] : undefined
  const nextAttempt = retryDays === undefined ? null : account.seconds(open.test_clock) + retryDays * DAY
  const after = account.change<Invoice>(
    open,
    { attempt_count: open.attempt_count + 1, attempted: true, next_payment_attempt: nextAttempt },
    'invoice.updated',
  )
  account.timeline.schedule('invoice', open.id, nextAttempt === null ? null : nextAttempt * 1000, open.test_clock)
  account.events.emit('invoice.payment_failed', account.present(after))
  if (decline === ASKS) account.events.emit('invoice.payment_action_required', account.present(after))
  account.invoiceReactions.unpaid(account, after, nextAttempt === null)
  return after
}
