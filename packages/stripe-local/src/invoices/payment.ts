import type { Account, Kind } from '../account.ts'
import { newId } from '../identifier.ts'
import type { Stored } from '../objects.ts'
import { type Charge, chargeCard } from '../payments/charge.ts'
import { chosenDecline } from '../payments/chosen-decline.ts'
import { authenticationAction, errorOf, newPaymentIntent, type PaymentIntent } from '../payments/payment-intent.ts'
import { ASKS, asks, behaviourOf, type Decline } from '../resources/cards.ts'
import type { Customer } from '../resources/customers.ts'
import type { PaymentMethod } from '../resources/payment-methods.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { changeBalance } from './balance.ts'
import { changeInvoice } from './change.ts'
import { setDelinquent } from './delinquency.ts'
import { DAY_SECONDS } from './draft.ts'
import type { Invoice } from './invoice.ts'

/** One way in which an invoice is, or is to be, paid. */
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
export interface Collection extends Presence {
  /** Default: the invoice's, its subscription's or its customer's. */
  method?: PaymentMethod | undefined
  /** A retry that Stripe makes by itself; only such ones count as attempts after the first. */
  automatic?: boolean | undefined
}

/** Tries to charge an open invoice once. */
export function collect(account: Account, open: Invoice, options: Collection = {}): Invoice {
  const method = options.method ?? methodFor(account, open)
  const decline = chosenDecline(account) ?? declineOf(method, options)
  const { payment, intent } = paymentOf(account, open)
  const after = charged(account, open, intent, method, decline, options)
  account.objects.save(after)
  if (decline) return failed(account, open, after, decline, options.automatic ?? false)
  account.events.emit('payment_intent.succeeded', account.present(after))
  return credit(account, attempted(open, options.automatic ?? false), payment, after.amount_received)
}

/** Why a charge of an invoice would fail now, or null. */
export function declineOf(method: PaymentMethod | null, presence: Presence): Decline | null {
  if (!method) return NO_CARD
  if (!presence.authenticated && asks(method, presence.attended ? 'on_session' : 'off_session')) return ASKS
  const behaviour = behaviourOf(method._number)
  return behaviour.attach ?? behaviour.charge ?? null
}

export function methodFor(
  account: Account,
  open: Pick<Invoice, 'parent' | 'customer' | 'default_payment_method'>,
): PaymentMethod | null {
  const subscription =
    open.parent && account.get<Subscription>('subscription', open.parent.subscription_details.subscription)
  const customer = account.get<Customer>('customer', open.customer)
  const id =
    open.default_payment_method ??
    subscription?.default_payment_method ??
    customer.invoice_settings.default_payment_method ??
    customer.default_source
  return id === null ? null : (account.objects.find<PaymentMethod>('payment_method', id) ?? null)
}

/** The payment that Stripe makes for an invoice with its finalization: an intent nobody has confirmed yet. */
export function openPayment(account: Account, open: Invoice): Invoice {
  const intent = newPaymentIntent(
    account,
    { amount: open.amount_remaining, currency: open.currency, customer: open.customer, clock: open.test_clock },
    {
      description: DESCRIPTIONS[open.billing_reason] ?? 'Payment for Invoice',
      setup_future_usage: open.billing_reason === 'subscription_create' ? 'off_session' : null,
      statement_descriptor: open.statement_descriptor,
      _invoice: open.id,
    },
  )
  account.create(intent, 'payment_intent.created')
  const payment = addPayment(account, open, intent, true)
  return account.objects.save<Invoice>({ ...open, _payment: payment.id })
}

const DESCRIPTIONS: { [reason: string]: string } = {
  subscription_create: 'Subscription creation',
  subscription_cycle: 'Subscription update',
  subscription_update: 'Subscription update',
  subscription_threshold: 'Subscription update',
}

/** Lets an intent of one's own pay an invoice; what it has received already counts at once. */
export function attachPayment(account: Account, open: Invoice, intent: PaymentIntent): Invoice {
  const payment = addPayment(account, open, intent, false)
  account.objects.save<PaymentIntent>({ ...intent, _invoice: open.id })
  const attached = account.objects.save<Invoice>({ ...open, _attached: true })
  return intent.status === 'succeeded' ? credit(account, attached, payment, intent.amount_received) : attached
}

function addPayment(account: Account, open: Invoice, intent: PaymentIntent, isDefault: boolean): InvoicePayment {
  return account.create<InvoicePayment>({
    id: newId('inpay'),
    object: 'invoice_payment',
    amount_paid: null,
    amount_requested: intent.amount,
    created: account.seconds(open.test_clock),
    currency: open.currency,
    invoice: open.id,
    is_default: isDefault,
    livemode: false,
    payment: { payment_intent: intent.id, type: 'payment_intent' },
    status: 'open',
    status_transitions: { canceled_at: null, paid_at: null },
  })
}

/** The invoice that a payment intent is to pay, if any. */
export function invoiceOfIntent(account: Account, intentId: string): Invoice | null {
  const intent = account.objects.find<PaymentIntent>('payment_intent', intentId)
  return intent?._invoice === undefined ? null : (account.objects.find<Invoice>('invoice', intent._invoice) ?? null)
}

/** An open invoice gets what its payment intent has received, by default the intent Stripe made for it. */
export function settledByIntent(account: Account, open: Invoice, succeeded?: PaymentIntent): Invoice {
  const own = paymentOf(account, open)
  const payment = succeeded && succeeded.id !== own.intent.id ? attachedPayment(account, succeeded) : own.payment
  return credit(account, attempted(open, false), payment, (succeeded ?? own.intent).amount_received)
}

function attachedPayment(account: Account, intent: PaymentIntent): InvoicePayment {
  const payments = account.objects.all<InvoicePayment>('invoice_payment', { '$.invoice': intent._invoice })
  return payments.find((one) => one.payment.payment_intent === intent.id)!
}

/** What is still to be collected has changed: so has what the open payment asks for. */
export function requestAmount(account: Account, open: Invoice): void {
  if (open._payment === undefined) return
  const { payment, intent } = paymentOf(account, open)
  if (payment.status !== 'open') return
  account.objects.save<InvoicePayment>({ ...payment, amount_requested: open.amount_remaining })
  account.objects.save<PaymentIntent>({ ...intent, amount: open.amount_remaining })
}

/** Ends what has not been paid, when nothing more is to be collected. */
export function cancelPayments(account: Account, open: Invoice, reason: 'automatic' | 'void_invoice'): void {
  const payments = account.objects.all<InvoicePayment>('invoice_payment', { '$.invoice': open.id })
  for (const payment of payments.filter(({ status }) => status === 'open')) {
    const now = account.seconds(open.test_clock)
    const canceled = { canceled_at: now, paid_at: null }
    account.objects.save<InvoicePayment>({ ...payment, status: 'canceled', status_transitions: canceled })
    const intent = account.get<PaymentIntent>('payment_intent', payment.payment.payment_intent)
    if (!payment.is_default || intent.status === 'succeeded' || intent.status === 'canceled') continue
    const ended = { ...intent, canceled_at: now, cancellation_reason: reason, next_action: null }
    const after = account.objects.save<PaymentIntent>({ ...ended, status: 'canceled' })
    account.events.emit('payment_intent.canceled', account.present(after))
  }
}

function paymentOf(account: Account, open: Invoice): { payment: InvoicePayment; intent: PaymentIntent } {
  const id = open._payment ?? openPayment(account, open)._payment!
  const payment = account.get<InvoicePayment>('invoice_payment', id)
  return { payment, intent: account.get<PaymentIntent>('payment_intent', payment.payment.payment_intent) }
}

/** The intent after one try. The bank's question comes before any charge when somebody is there to answer it. */
function charged(
  account: Account,
  open: Invoice,
  before: PaymentIntent,
  method: PaymentMethod | null,
  decline: Decline | null,
  presence: Presence,
): PaymentIntent {
  const amount = open.amount_remaining
  const isAsked = decline === ASKS && presence.attended === true
  const charge = method && !isAsked ? chargeOf(account, open, before, method, decline, presence) : null
  return {
    ...before,
    amount,
    amount_received: decline ? 0 : amount,
    last_payment_error: decline && method && !isAsked ? errorOf(account, decline, method, charge?.id) : null,
    latest_charge: charge?.id ?? before.latest_charge,
    next_action: decline === ASKS ? authenticationAction(account, before, null, true) : null,
    payment_method: decline && decline !== ASKS ? null : (method?.id ?? null),
    status: decline ? (decline === ASKS ? 'requires_action' : 'requires_payment_method') : 'succeeded',
  }
}

function chargeOf(
  account: Account,
  open: Invoice,
  intent: PaymentIntent,
  method: PaymentMethod,
  decline: Decline | null,
  presence: Presence,
): Charge {
  return chargeCard(account, {
    amount: open.amount_remaining,
    currency: open.currency,
    customer: open.customer,
    created: account.seconds(open.test_clock),
    intent: intent.id,
    method,
    decline,
    authenticated: presence.authenticated ?? false,
    description: intent.description,
    statementDescriptor: open.statement_descriptor,
  })
}

function attempted(open: Invoice, automatic: boolean): Invoice {
  const counts = automatic || open.attempt_count === 0
  return { ...open, attempt_count: open.attempt_count + (counts ? 1 : 0), attempted: true }
}

/** Counts what a payment has brought. The invoice is paid when nothing remains; what is too much goes to the balance. */
function credit(account: Account, open: Invoice, payment: InvoicePayment, received: number): Invoice {
  const paidBefore = account.get<Invoice>('invoice', open.id)
  const amount = Math.min(received, open.amount_remaining)
  const overpaid = received - amount
  const now = account.seconds(open.test_clock)
  const changes = {
    amount_overpaid: open.amount_overpaid + overpaid,
    amount_paid: open.amount_paid + amount,
    amount_remaining: open.amount_remaining - amount,
    attempt_count: open.attempt_count,
    attempted: true,
  }
  const settled: InvoicePayment = {
    ...payment,
    amount_paid: received,
    status: 'paid',
    status_transitions: { canceled_at: null, paid_at: now },
  }
  account.objects.save(settled)
  const isPaid = changes.amount_remaining === 0
  const after = isPaid ? settle(account, paidBefore, changes) : changeInvoice(account, paidBefore, changes)
  account.events.emit('invoice_payment.paid', account.present(settled))
  if (overpaid > 0) keepOverpaid(account, after, overpaid)
  if (!isPaid) requestAmount(account, after)
  return after
}

function keepOverpaid(account: Account, paid: Invoice, amount: number): void {
  const customer = account.get<Customer>('customer', paid.customer)
  changeBalance(account, customer, customer.balance - amount, {
    type: 'invoice_overpaid',
    currency: paid.currency,
    invoice: paid.id,
  })
  account.events.emit('invoice.overpaid', account.present(paid))
}

/** Ends an invoice as paid, with whatever else changes, and brings its subscription back to good standing. */
export function settle(account: Account, open: Invoice, changes: Partial<Invoice>): Invoice {
  account.timeline.schedule('invoice', open.id, null)
  const transitions = { ...open.status_transitions, paid_at: account.seconds(open.test_clock) }
  const ended = {
    ...changes,
    attempted: true,
    auto_advance: false,
    next_payment_attempt: null,
    status: 'paid' as const,
    status_transitions: transitions,
  }
  const { status_details: _forgiven, ...before } = open
  const paid = changeInvoice(account, before, ended, 'invoice.paid', 'invoice.payment_succeeded')
  if (open._attached) cancelPayments(account, paid, 'automatic')
  setDelinquent(account, paid.customer, false)
  account.invoiceReactions.settled(account, paid)
  return paid
}

function failed(account: Account, open: Invoice, intent: PaymentIntent, decline: Decline, automatic: boolean): Invoice {
  const event = decline === ASKS ? 'payment_intent.requires_action' : 'payment_intent.payment_failed'
  account.events.emit(event, account.present(intent))
  const tried = attempted(open, automatic)
  const counts = tried.attempt_count > open.attempt_count
  const retry = open.auto_advance && counts ? RETRY_DAYS[open.attempt_count] : undefined
  const planned = retry === undefined ? null : account.seconds(open.test_clock) + retry * DAY_SECONDS
  const next_payment_attempt = counts ? planned : open.next_payment_attempt
  account.timeline.schedule('invoice', open.id, next_payment_attempt && next_payment_attempt * 1000, open.test_clock)
  const events = ['invoice.payment_failed', ...(decline === ASKS ? ['invoice.payment_action_required'] : [])]
  const before = account.get<Invoice>('invoice', open.id)
  const after = changeInvoice(
    account,
    before,
    { attempt_count: tried.attempt_count, attempted: true, next_payment_attempt },
    ...events,
  )
  if (automatic) setDelinquent(account, after.customer, true)
  account.invoiceReactions.unpaid(account, after, counts && next_payment_attempt === null)
  return account.get<Invoice>('invoice', after.id)
}
