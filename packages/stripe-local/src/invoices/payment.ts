import type { Account, Kind } from '../account.ts'
import { newId } from '../identifier.ts'
import type { Stored } from '../objects.ts'
import { chargeCard } from '../payments/charge.ts'
import { authenticationAction, errorOf, newPaymentIntent, type PaymentIntent } from '../payments/payment-intent.ts'
import { ASKS, asks, behaviourOf, type Decline } from '../resources/cards.ts'
import type { Customer } from '../resources/customers.ts'
import type { PaymentMethod } from '../resources/payment-methods.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { markPaid } from './finalize.ts'
import type { Invoice } from './invoice.ts'

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
/** Who is there when an invoice is charged. */
export interface Presence {
  /** The customer is there and can be asked by the bank. */
  attended?: boolean | undefined
  /** The customer has just passed the bank's question. */
  authenticated?: boolean | undefined
}

/** Tries to charge an open invoice once. */
export function collect(account: Account, open: Invoice, options: Presence & { method?: PaymentMethod } = {}): Invoice {
  const method = options.method ?? methodFor(account, open)
  const decline = declineOf(method, options)
  const intent = recordAttempt(account, open, method, decline, options)
  return decline ? failed(account, open, intent, decline) : succeeded(account, open, intent)
}

/** Why a charge of an invoice would fail now, or null. */
export function declineOf(method: PaymentMethod | null, presence: Presence): Decline | null {
  if (!method) return NO_CARD
  if (!presence.authenticated && asks(method, presence.attended ? 'on_session' : 'off_session')) return ASKS
  const behaviour = behaviourOf(method._number)
  return behaviour.attach ?? behaviour.charge ?? null
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
  presence: Presence,
): PaymentIntent {
  const now = account.seconds(open.test_clock)
  const [payment] = account.objects.all<InvoicePayment>('invoice_payment', { '$.invoice': open.id })
  const before = payment && account.objects.find<PaymentIntent>('payment_intent', payment.payment.payment_intent)
  const amount = open.amount_remaining
  const blank =
    before ??
    newPaymentIntent(account, { amount, currency: open.currency, customer: open.customer, clock: open.test_clock })
  // The bank's question comes before any charge when somebody is there to answer it.
  const isAsked = decline === ASKS && presence.attended === true
  const charge =
    method && !isAsked
      ? chargeCard(account, {
          amount,
          currency: open.currency,
          customer: open.customer,
          created: now,
          intent: blank.id,
          method,
          decline,
          authenticated: presence.authenticated ?? false,
        })
      : null
  const intent: PaymentIntent = {
    ...blank,
    amount,
    amount_received: decline ? 0 : amount,
    last_payment_error: decline && !isAsked ? errorOf(account, decline, method, charge?.id) : null,
    latest_charge: charge?.id ?? blank.latest_charge,
    next_action: decline === ASKS ? authenticationAction(account, blank, null, true) : null,
    payment_method: decline && decline !== ASKS ? null : (method?.id ?? null),
    status: decline ? (decline === ASKS ? 'requires_action' : 'requires_payment_method') : 'succeeded',
  }
  if (before) account.objects.save(intent)
  else {
    account.create(intent, 'payment_intent.created')
    account.create<InvoicePayment>({
      id: newId('inpay'),
      object: 'invoice_payment',
      amount_paid: null,
      amount_requested: amount,
      created: now,
      currency: open.currency,
      invoice: open.id,
      is_default: true,
      livemode: false,
      payment: { payment_intent: intent.id, type: 'payment_intent' },
      status: 'open',
      status_transitions: { canceled_at: null, paid_at: null },
    })
  }
  return intent
}

function succeeded(account: Account, open: Invoice, intent: PaymentIntent): Invoice {
  account.events.emit('payment_intent.succeeded', account.present(intent))
  return settledByIntent(account, open)
}

/** The invoice that a payment intent is to pay, if any. */
export function invoiceOfIntent(account: Account, intent: string): Invoice | null {
  const [payment] = account.objects.all<InvoicePayment>('invoice_payment', { '$.payment.payment_intent': intent })
  return payment ? (account.objects.find<Invoice>('invoice', payment.invoice) ?? null) : null
}

/** An open invoice whose payment intent has succeeded is paid. */
export function settledByIntent(account: Account, open: Invoice): Invoice {
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
