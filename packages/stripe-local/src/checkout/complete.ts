import type { Account, Wire } from '../account.ts'
import type { Price } from '../catalogue/price.ts'
import type { Redemption } from '../discounts/discount.ts'
import { ApiError, refuse } from '../http/errors.ts'
import type { CheckoutChoices, CheckoutOutcome, CheckoutPayer, CheckoutTerms } from '../pages/context.ts'
import { cardRefusal, fieldOf } from '../payments/card-setup.ts'
import { clockOf, confirmPayment } from '../payments/pay.ts'
import { newPaymentIntent, type PaymentIntent } from '../payments/payment-intent.ts'
import { confirmSetup, newSetupIntent, type SetupIntent } from '../payments/setup-intent.ts'
import { asks, behaviourOf, digitsOf } from '../resources/cards.ts'
import { type Address, type Customer, createCustomer, updateCustomer } from '../resources/customers.ts'
import { attach, createPaymentMethod, type PaymentMethod } from '../resources/payment-methods.ts'
import { createSubscription } from '../subscriptions/create.ts'
import { isMetered } from '../subscriptions/subscription.ts'
import { detailsOf } from './details.ts'
import { discountLines, enteredDiscounts, redeemForPayment, type SessionDiscount } from './discount.ts'
import { invoiceFor } from './invoice.ts'
import { dueToday, isOpenPriced } from './line.ts'
import { type CheckoutSession, subtotalOf, totalOf } from './session.ts'

/**
 * Ends a session as the person at the page would. A refused card leaves no customer and no subscription behind; in the
 * modes payment and setup the intent remembers the refusal, as Stripe's does.
 */
export function completeCheckout(account: Account, sessionId: string, payer: CheckoutPayer): CheckoutOutcome {
  const stored = account.get<CheckoutSession>('checkout.session', sessionId)
  // The button was pressed twice: the second time leads where the first one did.
  if (stored.status === 'complete') return { status: 'complete', redirectUrl: afterwards(account, stored) }
  if (stored.status !== 'open') throw refuse(`This Checkout Session is ${stored.status}.`)
  const session = withChoices(account, stored, payer)
  const saved = savedMethod(account, session, payer)
  const refusal = refusalOf(account, session, payer, saved)
  if (refusal) return refusal
  if (!payer.authenticated && isAsked(session, payer, saved)) return { status: 'requires_authentication' }
  try {
    return account.db.transaction(() => settle(account, session, payer, saved))
  } catch (error) {
    if (error instanceof ApiError && error.status === 402)
      return { status: 'declined', field: 'card', message: error.message }
    throw error
  }
}

/** Changes quantities, the amount and the promotion code of an open session, and with them its total. @throws ApiError */
export function adjustSession(account: Account, sessionId: string, chosen: CheckoutChoices): void {
  const open = account.get<CheckoutSession>('checkout.session', sessionId)
  if (open.status !== 'open') throw refuse(`This Checkout Session is ${open.status}.`)
  account.objects.save(withChoices(account, open, chosen))
}

/** What the session's page must know. */
export function termsOf(account: Account, sessionId: string): CheckoutTerms {
  const session = account.get<CheckoutSession>('checkout.session', sessionId)
  const { trialDays = null, trialEnd } = session._subscription
  return {
    needsCard: needsCard(session),
    trialDays,
    trialEnd: trialEnd === undefined ? null : new Date(trialEnd * 1000),
  }
}

/** Whether this session cannot end without a card. */
function needsCard(session: CheckoutSession): boolean {
  if (session.mode === 'setup') return true
  return totalOf(session) > 0 || (session.mode === 'subscription' && session.payment_method_collection === 'always')
}

/** Where a completed session leads. */
export function afterwards(account: Account, stored: CheckoutSession): string {
  const target = stored.success_url ?? stored.return_url ?? `${account.baseUrl()}/c/pay/${stored.id}`
  return target.replaceAll('{CHECKOUT_SESSION_ID}', stored.id)
}

/** The session with the quantities and the amount that the person chose. @throws ApiError for what is not offered */
function withChoices(account: Account, stored: CheckoutSession, payer: CheckoutChoices): CheckoutSession {
  const now = account.seconds(clockOf(account, stored.customer))
  const lines = stored._lines.map((line) => {
    const quantity = payer.quantities?.[line.id]
    const isCustom = payer.customAmount !== undefined && isOpenPriced(account, line)
    if (quantity === undefined && !isCustom) return line
    const { minimum, maximum } = line.adjustable ?? { minimum: null, maximum: null }
    if (quantity !== undefined && (minimum === null || quantity < minimum || quantity > maximum!))
      throw refuse(`The quantity must be between ${minimum} and ${maximum}.`)
    const chosen = {
      ...line,
      ...(quantity !== undefined && { quantity }),
      ...(isCustom && { customAmount: payer.customAmount! }),
    }
    return { ...chosen, amount: dueToday(account, chosen, stored._subscription, now) }
  })
  // What was turned down to nothing is not bought.
  const bought = lines.filter((line) => line.quantity !== 0)
  if (stored.mode !== 'setup' && bought.length === 0) throw refuse('At least one item must remain.')
  if (stored.mode === 'setup') return { ...stored, _lines: bought }
  const discounts = enteredDiscounts(account, stored, payer.promotionCode)
  const _lines = discountLines(account, bought, discounts)
  return { ...stored, discounts, _lines, amount_subtotal: subtotalOf({ _lines }), amount_total: totalOf({ _lines }) }
}

/** A card of the customer's own that was chosen on the page. */
function savedMethod(account: Account, session: CheckoutSession, payer: CheckoutPayer): PaymentMethod | null {
  if (payer.savedMethod === undefined || session.customer === null) return null
  const found = account.objects.find<PaymentMethod>('payment_method', payer.savedMethod)
  return found?.customer === session.customer ? found : null
}

function refusalOf(
  account: Account,
  session: CheckoutSession,
  payer: CheckoutPayer,
  saved: PaymentMethod | null,
): CheckoutOutcome | null {
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(payer.email))
    return { status: 'declined', field: 'email', message: 'Your email is incomplete.' }
  if (saved || !needsCard(session)) return null
  if (!payer.card) return { status: 'declined', field: 'number', message: 'Your card number is incomplete.' }
  if (payer.name.trim() === '') return { status: 'declined', field: 'name', message: 'Your name is incomplete.' }
  const refusal = cardRefusal(payer.card, new Date(account.timeline.nowMs()))
  // In the modes payment and setup a card that the bank refuses is tried all the same, and leaves its trace.
  const isTried = session.mode !== 'subscription' && refusal !== null && behaviourOf(digitsOf(payer.card.number)).attach
  return isTried && refusal.field !== 'number' ? null : refusal
}

function isAsked(session: CheckoutSession, payer: CheckoutPayer, saved: PaymentMethod | null): boolean {
  if (!needsCard(session)) return false
  const number = saved?._number ?? digitsOf(payer.card?.number ?? '')
  const isForced = session.payment_method_options.card.request_three_d_secure !== 'automatic'
  return isForced || asks({ _number: number, _set_up: false }, 'on_session')
}

function settle(
  account: Account,
  session: CheckoutSession,
  payer: CheckoutPayer,
  saved: PaymentMethod | null,
): CheckoutOutcome {
  if (session.mode === 'payment') return settlePayment(account, session, payer, saved)
  if (session.mode === 'setup') return settleSetup(account, session, payer)
  return settleSubscription(account, session, payer, saved)
}

function settleSubscription(
  account: Account,
  session: CheckoutSession,
  payer: CheckoutPayer,
  saved: PaymentMethod | null,
): CheckoutOutcome {
  const customer = customerFor(account, session, payer)
  const method = needsCard(session) ? (saved ?? methodFrom(account, session, payer)) : null
  const isDue = totalOf(session) > 0
  if (method && isDue) keep(account, method, customer)
  if (method && !isDue) setUpForLater(account, method, customer, payer)
  const plan = session._subscription
  const now = account.seconds(customer.test_clock)
  const prices = session._lines.map((line) => ({ line, price: account.get<Price>('price', line.price) }))
  const subscription = createSubscription(account, {
    customer: account.get<Customer>('customer', customer.id),
    items: prices
      .filter(({ price }) => price.recurring)
      .map(({ line }) => ({ price: line.price, quantity: line.quantity ?? undefined, metadata: line.metadata })),
    oneTimeItems: prices
      .filter(({ price }) => !price.recurring)
      .map(({ line }) => ({ price: line.price, quantity: line.quantity ?? undefined, metadata: line.metadata })),
    currency: session.currency ?? undefined,
    discounts: session.discounts?.map(redemptionOf),
    anchor: plan.anchor,
    anchorConfig: plan.anchorConfig,
    trialEnd: plan.trialDays === undefined ? plan.trialEnd : now + plan.trialDays * 86_400,
    prorationBehavior: plan.prorationBehavior,
    paymentBehavior: method ? 'error_if_incomplete' : 'allow_incomplete',
    presence: { attended: true, authenticated: payer.authenticated },
    fields: { ...plan.fields, default_payment_method: method?.id ?? null },
  })
  return complete(account, session, payer, {
    customer: customer.id,
    invoice: subscription.latest_invoice,
    payment_status: isDue ? 'paid' : statusWithoutPayment(account, session),
    subscription: subscription.id,
  })
}

function redemptionOf({ coupon, promotion_code: code }: SessionDiscount): Redemption {
  return code === null ? { coupon: coupon! } : { promotion_code: code }
}

/** Nothing is due today: what a session of metered prices says of its payment is a reading. */
function statusWithoutPayment(account: Account, session: CheckoutSession): CheckoutSession['payment_status'] {
  const isMeteredOnly = session._lines.every((line) => isMetered(account.get<Price>('price', line.price)))
  return isMeteredOnly ? account.readings.meteredCheckoutPaymentStatus : 'no_payment_required'
}

function settlePayment(
  account: Account,
  session: CheckoutSession,
  payer: CheckoutPayer,
  saved: PaymentMethod | null,
): CheckoutOutcome {
  if (totalOf(session) === 0) {
    const customer =
      (session.customer ?? session.customer_creation === 'always') ? customerFor(account, session, payer) : null
    return complete(account, session, payer, {
      customer: customer?.id ?? null,
      payment_status: 'no_payment_required',
    })
  }
  const method = saved ?? methodFrom(account, session, payer)
  const behaviour = behaviourOf(method._number)
  const isRefused = (behaviour.attach ?? behaviour.charge) !== undefined
  const makesCustomer = session.customer !== null || (!isRefused && session.customer_creation === 'always')
  const customer = makesCustomer ? customerFor(account, session, payer) : null
  const intent = paymentIntentFor(account, session, payer, customer)
  const ready: PaymentIntent = { ...intent, payment_method: method.id, status: 'requires_confirmation' }
  const paid = confirmPayment(account, ready, { authenticated: payer.authenticated })
  if (paid.status === 'requires_payment_method') {
    account.objects.save<CheckoutSession>({ ...stored(account, session), payment_intent: paid.id })
    return declined(paid.last_payment_error)
  }
  const invoice = session.invoice_creation?.enabled && customer ? invoiceFor(account, session, customer, paid) : null
  return complete(account, session, payer, {
    customer: customer?.id ?? null,
    invoice: invoice?.id ?? null,
    payment_intent: paid.id,
    // What is only held is not yet paid.
    payment_status: paid.status === 'succeeded' ? 'paid' : 'unpaid',
  })
}

function paymentIntentFor(
  account: Account,
  session: CheckoutSession,
  payer: CheckoutPayer,
  customer: Customer | null,
): PaymentIntent {
  const usage = session._payment.setup_future_usage ?? (payer.savesCard && customer ? 'on_session' : null)
  const known =
    session.payment_intent === null
      ? null
      : account.objects.find<PaymentIntent>('payment_intent', session.payment_intent)
  const about = {
    amount: totalOf(session),
    currency: session.currency!,
    customer: customer?.id ?? null,
    clock: customer?.test_clock ?? null,
  }
  if (known) return { ...known, amount: about.amount, customer: about.customer, setup_future_usage: usage }
  const made = newPaymentIntent(account, about, {
    capture_method: 'automatic_async',
    ...session._payment,
    setup_future_usage: usage,
    _session: session.id,
  })
  return account.create(made, 'payment_intent.created')
}

function settleSetup(account: Account, session: CheckoutSession, payer: CheckoutPayer): CheckoutOutcome {
  const method = methodFrom(account, session, payer)
  const isRefused = behaviourOf(method._number).attach !== undefined
  const isMade = session.customer !== null || (!isRefused && session.customer_creation === 'always')
  const customer = isMade ? customerFor(account, session, payer) : null
  const intent = account.get<SetupIntent>('setup_intent', session.setup_intent ?? '')
  const ready = { ...intent, customer: customer?.id ?? null, payment_method: method.id }
  const after = confirmSetup(account, ready, { authenticated: payer.authenticated })
  if (after.status === 'requires_payment_method') return declined(after.last_setup_error)
  return complete(account, session, payer, {
    customer: customer?.id ?? null,
    payment_status: 'no_payment_required',
  })
}

/** What an intent says of its failure, beside the field that it concerns. */
function declined(error: Wire | null): CheckoutOutcome {
  const { code, message } = error as { code: string; message: string }
  return { status: 'declined', field: fieldOf(code), message }
}

/** The session's customer, told what the page was allowed to collect, or a new one. */
function customerFor(account: Account, session: CheckoutSession, payer: CheckoutPayer): Customer {
  const address = payer.address
  const names = {
    ...(payer.businessName && { business_name: payer.businessName }),
    ...(payer.individualName && { individual_name: payer.individualName }),
  }
  if (session.customer === null) {
    return createCustomer(account, {
      email: payer.email,
      name: payer.name === '' ? null : payer.name,
      ...names,
      ...(payer.phone && { phone: payer.phone }),
      ...(address && { address: filled(address) }),
    })
  }
  const before = account.get<Customer>('customer', session.customer)
  const changes = {
    ...(before.email === null && { email: payer.email }),
    ...(session._customer_update.name && { ...names, ...(payer.name !== '' && { name: payer.name }) }),
    ...(session._customer_update.address && address && { address: filled(address) }),
    ...(before.phone === null && payer.phone && { phone: payer.phone }),
  }
  return Object.keys(changes).length === 0 ? before : updateCustomer(account, before, changes)
}

function filled(address: Address): { [key: string]: string } {
  return Object.fromEntries(Object.entries(address).filter((entry): entry is [string, string] => entry[1] !== null))
}

function methodFrom(account: Account, session: CheckoutSession, payer: CheckoutPayer): PaymentMethod {
  const made = createPaymentMethod(account, payer.card!, { name: payer.name, email: payer.email })
  const details = {
    ...made.billing_details,
    ...(payer.address && { address: payer.address }),
    phone: payer.phone ?? null,
  }
  const redisplay = payer.savesCard
    ? 'always'
    : (session._allow_redisplay ?? (session.mode === 'payment' ? 'unspecified' : 'limited'))
  return account.objects.save<PaymentMethod>({ ...made, allow_redisplay: redisplay, billing_details: details })
}

/** Attaches the card that the first invoice is about to be paid with. */
function keep(account: Account, method: PaymentMethod, customer: Customer): void {
  const ready = { ...method, _set_up: true }
  if (method.customer === null) attach(account, ready, customer)
  else account.objects.save<PaymentMethod>(ready)
}

/** Nothing is due yet: the card is set up for the invoices to come. */
function setUpForLater(account: Account, method: PaymentMethod, customer: Customer, payer: CheckoutPayer): void {
  const about = { customer: customer.id, clock: customer.test_clock }
  const fields = { payment_method: method.id, status: 'requires_confirmation' as const }
  const intent = account.create(newSetupIntent(account, about, fields), 'setup_intent.created')
  confirmSetup(account, intent, { authenticated: payer.authenticated })
}

/** As it stands in the database, without the choices of an attempt that failed. */
function stored(account: Account, session: CheckoutSession): CheckoutSession {
  return account.get<CheckoutSession>('checkout.session', session.id)
}

function complete(
  account: Account,
  session: CheckoutSession,
  payer: CheckoutPayer,
  made: Partial<CheckoutSession>,
): CheckoutOutcome {
  account.timeline.schedule('checkout', session.id, null)
  if (session.mode === 'payment') redeemForPayment(account, session.discounts ?? [])
  const customer = made.customer == null ? null : account.get<Customer>('customer', made.customer)
  const consent = session.consent_collection
  const done = account.objects.save<CheckoutSession>({
    ...session,
    ...made,
    collected_information: {
      business_name: payer.businessName || null,
      individual_name: payer.individualName || null,
      shipping_details: null,
    },
    consent: consent && {
      promotions: consent.promotions === 'auto' ? (payer.consent?.promotions ? 'opt_in' : 'opt_out') : null,
      terms_of_service: consent.terms_of_service === 'required' ? 'accepted' : null,
    },
    custom_fields: session.custom_fields.map((field) => {
      const inner = field[field.type]!
      return { ...field, [field.type]: { ...inner, value: payer.customFields?.[field.key] || null } }
    }),
    customer_details: detailsOf(session.mode, customer, payer),
    status: 'complete',
    url: null,
  })
  account.events.emit('checkout.session.completed', account.present(done))
  return { status: 'complete', redirectUrl: afterwards(account, done) }
}
