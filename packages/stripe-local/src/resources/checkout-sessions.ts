import type { Account, Kind, Wire } from '../account.ts'
import { visible } from '../account.ts'
import { PICO } from '../billing/decimal.ts'
import { rate } from '../billing/rating.ts'
import { ApiError, refuse } from '../http/errors.ts'
import {
  flag,
  integer,
  list,
  type Metadata,
  mergedMetadata,
  metadata,
  oneOf,
  range,
  required,
  shape,
  text,
  timestamp,
} from '../http/params.ts'
import { listOf, listPage, listSlice, paging, route } from '../http/route.ts'
import { newId, randomLetters } from '../identifier.ts'
import { ratedPrice } from '../invoices/line.ts'
import type { Stored } from '../objects.ts'
import type { CardInput, CheckoutOutcome, CheckoutPayer } from '../pages/context.ts'
import { createSubscription } from '../subscriptions/create.ts'
import { isMetered, type Subscription } from '../subscriptions/subscription.ts'
import { behaviourOf, digitsOf, faultOf } from './cards.ts'
import { type Customer, createCustomer, customerParameter, updateCustomer } from './customers.ts'
import { attach, createPaymentMethod, type PaymentMethod } from './payment-methods.ts'
import type { Price } from './prices.ts'
import type { Product } from './products.ts'
import {
  anchorConfig,
  anchorConfigFrom,
  billingMode,
  billingModeFrom,
  futureAnchor,
  trialEnd,
  trialSettings,
} from './subscriptions.ts'

interface SessionLine {
  id: string
  price: string
  quantity: number | null
}

export interface CheckoutSession extends Stored {
  object: 'checkout.session'
  allow_promotion_codes: boolean | null
  amount_subtotal: number
  amount_total: number
  billing_address_collection: 'auto' | 'required' | null
  cancel_url: string | null
  client_reference_id: string | null
  client_secret: string | null
  currency: string
  customer: string | null
  customer_details: Wire | null
  customer_email: string | null
  expires_at: number
  invoice: string | null
  livemode: false
  locale: string | null
  metadata: Metadata
  mode: 'subscription'
  payment_method_collection: 'always' | 'if_required'
  payment_status: 'paid' | 'unpaid' | 'no_payment_required'
  return_url?: string
  status: 'open' | 'complete' | 'expired'
  subscription: string | null
  success_url: string | null
  ui_mode: 'hosted_page' | 'embedded_page' | 'elements' | 'form'
  url: string | null
  _lines: SessionLine[]
  _subscription: {
    fields: Partial<Subscription>
    anchor?: number | undefined
    anchorConfig: Subscription['billing_cycle_anchor_config']
    trialEnd?: number | undefined
    trialDays?: number | undefined
    prorationBehavior?: 'create_prorations' | 'none' | undefined
  }
}

export const checkoutSession: Kind = {
  type: 'checkout.session',
  noun: 'checkout.session',
  references: { customer: 'customer', subscription: 'subscription', invoice: 'invoice' },
  onExpand: {
    line_items: (account, stored: CheckoutSession) =>
      listOf(lineItems(account, stored), `/v1/checkout/sessions/${stored.id}/line_items`),
  },
  present: (_account, stored: CheckoutSession): Wire => ({
    ...visible(stored),
    adaptive_pricing: { enabled: false },
    after_expiration: null,
    allowed_payment_method_types: null,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    collected_information: null,
    consent: null,
    consent_collection: null,
    currency_conversion: null,
    custom_fields: [],
    custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
    customer_account: null,
    customer_creation: stored.mode === 'subscription' && stored.customer === null ? 'always' : null,
    discounts: [],
    integration_identifier: null,
    invoice_creation: null,
    managed_payments: null,
    origin_context: null,
    payment_intent: null,
    payment_link: null,
    payment_method_configuration_details: null,
    payment_method_options: { card: { request_three_d_secure: 'automatic' } },
    payment_method_types: ['card'],
    permissions: null,
    phone_number_collection: { enabled: false },
    recovered_from: null,
    saved_payment_method_options: null,
    setup_intent: null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    submit_type: null,
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    wallet_options: null,
  }),
}

export const checkoutItem: Kind = { type: 'item', noun: 'line item', references: { 'price.product': 'product' } }

const HOUR = 3600
const TRIAL_LEAD_SECONDS = 48 * HOUR

export const checkoutRoutes = [
  route(
    'POST',
    '/v1/checkout/sessions',
    {
      mode: required(oneOf('payment', 'setup', 'subscription')),
      line_items: list(shape({ price: required(text()), quantity: integer({ min: 1 }) }), { max: 40 }),
      success_url: text(),
      cancel_url: text(),
      return_url: text(),
      ui_mode: oneOf('elements', 'embedded_page', 'form', 'hosted_page'),
      customer: text(),
      customer_email: text({ max: 800 }),
      client_reference_id: text({ max: 200 }),
      metadata: metadata(),
      allow_promotion_codes: flag(),
      billing_address_collection: oneOf('auto', 'required'),
      customer_update: shape({
        address: oneOf('auto', 'never'),
        name: oneOf('auto', 'never'),
        shipping: oneOf('auto', 'never'),
      }),
      automatic_tax: shape({ enabled: required(flag()) }),
      tax_id_collection: shape({ enabled: required(flag()) }),
      expires_at: timestamp(),
      locale: text(),
      payment_method_collection: oneOf('always', 'if_required'),
      subscription_data: shape({
        billing_cycle_anchor: timestamp(),
        billing_cycle_anchor_config: anchorConfig,
        billing_mode: billingMode,
        description: text({ max: 500 }),
        metadata: metadata(),
        proration_behavior: oneOf('create_prorations', 'none'),
        trial_end: timestamp(),
        trial_period_days: integer({ min: 1 }),
        trial_settings: trialSettings,
      }),
    },
    (account, params) => {
      if (params.mode !== 'subscription') {
        throw refuse(`The local Stripe's Checkout knows mode=subscription only, not yet mode=${params.mode}.`, {
          param: 'mode',
        })
      }
      if (params.customer !== undefined && params.customer_email !== undefined) {
        throw refuse('You may only specify one of these parameters: customer, customer_email.', { param: 'customer' })
      }
      const uiMode = params.ui_mode ?? 'hosted_page'
      checkUrls(params, uiMode)
      const customer = params.customer === undefined ? null : customerParameter(account, params.customer)
      const lines = (params.line_items ?? []).map((line, index) => sessionLine(account, line, index))
      if (lines.length === 0)
        throw refuse('Missing required param: line_items.', { code: 'parameter_missing', param: 'line_items' })
      const currencies = new Set(lines.map((line) => account.get<Price>('price', line.price).currency))
      if (currencies.size > 1) throw refuse('All line items must have the same currency.', { param: 'line_items' })
      const now = account.seconds()
      const expiresAt = params.expires_at ?? now + 24 * HOUR
      checkExpiry(expiresAt, now)
      const id = newId('cs_test', 58)
      const total = lines.reduce((sum, line) => sum + amountOf(account, line), 0)
      const isHosted = uiMode === 'hosted_page'
      const made = account.create<CheckoutSession>({
        id,
        object: 'checkout.session',
        allow_promotion_codes: params.allow_promotion_codes ?? null,
        amount_subtotal: total,
        amount_total: total,
        billing_address_collection: params.billing_address_collection ?? null,
        cancel_url: params.cancel_url ?? null,
        client_reference_id: params.client_reference_id ?? null,
        client_secret: isHosted ? null : `${id}_secret_${randomLetters(24)}`,
        created: now,
        currency: [...currencies][0]!,
        customer: customer?.id ?? null,
        customer_details:
          customer || params.customer_email !== undefined ? detailsOf(customer, params.customer_email ?? null) : null,
        customer_email: params.customer_email ?? null,
        expires_at: expiresAt,
        invoice: null,
        livemode: false,
        locale: params.locale ?? null,
        metadata: mergedMetadata({}, params.metadata),
        mode: 'subscription',
        payment_method_collection: params.payment_method_collection ?? 'always',
        payment_status: 'unpaid',
        ...(params.return_url !== undefined && { return_url: params.return_url }),
        status: 'open',
        subscription: null,
        success_url: params.success_url ?? null,
        ui_mode: uiMode,
        url: isHosted ? `${account.baseUrl()}/c/pay/${id}` : null,
        _lines: lines,
        _subscription: subscriptionPlan(params.subscription_data ?? {}, now),
      })
      account.timeline.schedule('checkout', id, expiresAt * 1000)
      return account.present(made)
    },
  ),

  route('GET', '/v1/checkout/sessions/:id', {}, (account, _params, { id }) =>
    account.present(account.get<CheckoutSession>('checkout.session', id!)),
  ),

  route('POST', '/v1/checkout/sessions/:id', { metadata: metadata() }, (account, params, { id }) => {
    const before = account.get<CheckoutSession>('checkout.session', id!)
    return account.present(account.change(before, { metadata: mergedMetadata(before.metadata, params.metadata) }))
  }),

  route(
    'GET',
    '/v1/checkout/sessions',
    {
      ...paging,
      created: range(),
      customer: text(),
      customer_details: shape({ email: required(text()) }),
      status: oneOf('complete', 'expired', 'open'),
      subscription: text(),
      payment_intent: text(),
    },
    (account, params) =>
      listPage<CheckoutSession>(account, 'checkout.session', '/v1/checkout/sessions', params, {
        where: {
          '$.customer': params.customer,
          '$.customer_details.email': params.customer_details?.email,
          '$.status': params.status,
          '$.subscription': params.subscription,
          '$.payment_intent': params.payment_intent,
        },
        ...(params.created && { created: params.created }),
      }),
  ),

  route('GET', '/v1/checkout/sessions/:id/line_items', paging, (account, params, { id }) => {
    const stored = account.get<CheckoutSession>('checkout.session', id!)
    return listSlice(lineItems(account, stored), `/v1/checkout/sessions/${stored.id}/line_items`, params, 'line item')
  }),

  route('POST', '/v1/checkout/sessions/:id/expire', {}, (account, _params, { id }) => {
    const stored = account.get<CheckoutSession>('checkout.session', id!)
    if (stored.status !== 'open') {
      throw refuse(
        `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${stored.status}.`,
      )
    }
    return account.present(expireSession(account, stored))
  }),
]

/** The timeline's handler for a session nobody completed. */
export function sessionDue(account: Account, id: string): void {
  const stored = account.objects.find<CheckoutSession>('checkout.session', id)
  if (stored?.status === 'open') expireSession(account, stored)
}

function expireSession(account: Account, stored: CheckoutSession): CheckoutSession {
  account.timeline.schedule('checkout', stored.id, null)
  const expired = account.objects.save<CheckoutSession>({ ...stored, status: 'expired', url: null })
  account.events.emit('checkout.session.expired', account.present(expired))
  return expired
}

/**
 * Ends a session as the person at the page would: checks the card, and only if it is good makes customer, payment method
 * and subscription. A declined card leaves nothing behind.
 */
export function completeCheckout(account: Account, sessionId: string, payer: CheckoutPayer): CheckoutOutcome {
  const stored = account.get<CheckoutSession>('checkout.session', sessionId)
  if (stored.status !== 'open') throw refuse(`This Checkout Session is ${stored.status}.`)
  const refusal = refusalOf(payer, new Date(account.timeline.nowMs()))
  if (refusal) return refusal
  const behaviour = behaviourOf(digitsOf(payer.card.number))
  if (behaviour.authentication && !payer.authenticated) return { status: 'requires_authentication' }
  try {
    return account.db.transaction(() => settle(account, stored, payer))
  } catch (error) {
    if (error instanceof ApiError && error.status === 402)
      return { status: 'declined', field: 'card', message: error.message }
    throw error
  }
}

function settle(account: Account, stored: CheckoutSession, payer: CheckoutPayer): CheckoutOutcome {
  const customer =
    stored.customer === null
      ? createCustomer(account, { email: payer.email, name: payer.name })
      : account.get<Customer>('customer', stored.customer)
  const method = attach(account, createPaymentMethod(account, payer.card, payer), customer)
  const plan = stored._subscription
  const now = account.seconds(customer.test_clock)
  const subscription = createSubscription(account, {
    customer,
    items: stored._lines.map(({ price, quantity }) => ({ price, quantity: quantity ?? undefined })),
    anchor: plan.anchor,
    anchorConfig: plan.anchorConfig,
    trialEnd: plan.trialDays === undefined ? plan.trialEnd : now + plan.trialDays * 24 * HOUR,
    prorationBehavior: plan.prorationBehavior,
    paymentBehavior: 'error_if_incomplete',
    presence: { attended: true, authenticated: payer.authenticated },
    fields: { ...plan.fields, default_payment_method: method.id },
  })
  account.timeline.schedule('checkout', stored.id, null)
  const complete = account.objects.save<CheckoutSession>({
    ...stored,
    customer: customer.id,
    customer_details: detailsOf(account.get<Customer>('customer', customer.id), payer.email, payer.name),
    invoice: subscription.latest_invoice,
    payment_status: subscription.latest_invoice === null ? 'no_payment_required' : 'paid',
    status: 'complete',
    subscription: subscription.id,
    url: null,
  })
  account.events.emit('checkout.session.completed', account.present(complete))
  const target = stored.success_url ?? stored.return_url ?? account.baseUrl()
  return { status: 'complete', redirectUrl: target.replaceAll('{CHECKOUT_SESSION_ID}', stored.id) }
}

/** Puts a new card in the place of a customer's default one. */
export function replaceCard(account: Account, customerId: string, card: CardInput): CheckoutOutcome {
  const customer = account.get<Customer>('customer', customerId)
  const refusal = cardRefusal(card, new Date(account.timeline.nowMs()))
  if (refusal) return refusal
  return account.db.transaction(() => {
    const method = attach(
      account,
      createPaymentMethod(account, card, { name: customer.name, email: customer.email }),
      customer,
    )
    const before = customer.invoice_settings.default_payment_method
    updateCustomer(account, customer, { invoice_settings: { default_payment_method: method.id } })
    for (const stored of account.objects.all<Subscription>('subscription', { '$.customer': customer.id })) {
      const isLive = stored.status !== 'canceled' && stored.status !== 'incomplete_expired'
      if (!isLive || stored.default_payment_method === null) continue
      account.change(stored, { default_payment_method: method.id }, 'customer.subscription.updated')
    }
    const old = before === null ? undefined : account.objects.find<PaymentMethod>('payment_method', before)
    if (old?.customer) account.change(old, { customer: null }, 'payment_method.detached')
    return { status: 'complete', redirectUrl: account.baseUrl() }
  })
}

function refusalOf(payer: CheckoutPayer, now: Date): CheckoutOutcome | null {
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(payer.email))
    return { status: 'declined', field: 'email', message: 'Your email is incomplete.' }
  if (payer.name.trim() === '') return { status: 'declined', field: 'name', message: 'Your name is incomplete.' }
  return cardRefusal(payer.card, now)
}

function cardRefusal(card: CardInput, now: Date): CheckoutOutcome | null {
  const fault = faultOf(card, now)
  if (fault) return { status: 'declined', field: fault.field, message: fault.message }
  const decline = behaviourOf(digitsOf(card.number)).attach
  if (!decline) return null
  const field = decline.code === 'expired_card' ? 'expiry' : decline.code === 'incorrect_cvc' ? 'cvc' : 'card'
  return { status: 'declined', field, message: decline.message }
}

function checkUrls(
  params: { success_url?: string; cancel_url?: string; return_url?: string },
  uiMode: CheckoutSession['ui_mode'],
): void {
  if (uiMode === 'hosted_page' || uiMode === 'form') {
    if (params.success_url === undefined)
      throw refuse('Missing required param: success_url.', { code: 'parameter_missing', param: 'success_url' })
  } else if (params.success_url !== undefined || params.cancel_url !== undefined) {
    const param = params.success_url !== undefined ? 'success_url' : 'cancel_url'
    throw refuse(`You cannot set \`${param}\` when \`ui_mode\` is \`${uiMode}\`. Use \`return_url\`.`, { param })
  }
  for (const param of ['success_url', 'cancel_url', 'return_url'] as const) {
    const url = params[param]
    if (url === undefined || URL.canParse(url)) continue
    throw refuse('Not a valid URL', { code: 'url_invalid', param })
  }
}

function checkExpiry(expiresAt: number, now: number): void {
  if (expiresAt >= now + HOUR / 2 && expiresAt <= now + 24 * HOUR) return
  throw refuse('The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.', {
    param: 'expires_at',
  })
}

function sessionLine(account: Account, line: { price: string; quantity?: number }, index: number): SessionLine {
  const price = account.reference<Price>('price', line.price, `line_items[${index}][price]`)
  if (!price.active)
    throw refuse('The price specified is inactive. This field only accepts active prices.', {
      param: `line_items[${index}][price]`,
    })
  if (!price.recurring) {
    throw refuse("The local Stripe's Checkout knows recurring prices only, not yet one-time ones.", {
      param: `line_items[${index}][price]`,
    })
  }
  const product = account.get<Product>('product', price.product)
  if (!product.active)
    throw refuse(`The product ${product.id} is marked as inactive, and you cannot use it.`, {
      param: `line_items[${index}][price]`,
    })
  if (isMetered(price) && line.quantity !== undefined) {
    throw refuse(
      `Quantity should not be specified where usage_type is \`metered\`. Remove quantity from \`line_items[${index}]\``,
      {
        param: `line_items[${index}][quantity]`,
      },
    )
  }
  if (!isMetered(price) && line.quantity === undefined) {
    throw refuse(`Quantity is required. Add \`quantity\` to \`line_items[${index}]\``, {
      param: `line_items[${index}][quantity]`,
    })
  }
  return { id: newId('li'), price: price.id, quantity: line.quantity ?? null }
}

/** What a line costs today; metered ones cost nothing yet. */
function amountOf(account: Account, line: SessionLine): number {
  const price = account.get<Price>('price', line.price)
  if (isMetered(price)) return 0
  return Number(
    rate(ratedPrice(price), BigInt(line.quantity ?? 1) * PICO).reduce((sum, rated) => sum + rated.amount, 0n),
  )
}

function lineItems(account: Account, stored: CheckoutSession): Wire[] {
  return stored._lines.map((line) => {
    const price = account.get<Price>('price', line.price)
    const amount = amountOf(account, line)
    return {
      id: line.id,
      object: 'item',
      adjustable_quantity: null,
      amount_discount: 0,
      amount_subtotal: amount,
      amount_tax: 0,
      amount_total: amount,
      currency: price.currency,
      description: account.get<Product>('product', price.product).name,
      metadata: {},
      price: account.present(price),
      quantity: line.quantity,
    }
  })
}

function detailsOf(customer: Customer | null, email: string | null, name: string | null = null): Wire {
  return {
    address: customer?.address ?? null,
    business_name: null,
    email: customer?.email ?? email,
    individual_name: null,
    name: customer?.name ?? name,
    phone: customer?.phone ?? null,
    tax_exempt: 'none',
    tax_ids: [],
  }
}

type SubscriptionData = Parameters<typeof trialEnd>[0] & {
  billing_cycle_anchor?: number
  billing_cycle_anchor_config?: Parameters<typeof anchorConfigFrom>[0]
  billing_mode?: Parameters<typeof billingModeFrom>[0]
  description?: string
  metadata?: Metadata | null
  proration_behavior?: 'create_prorations' | 'none'
  trial_settings?: Subscription['trial_settings']
}

function subscriptionPlan(data: SubscriptionData, now: number): CheckoutSession['_subscription'] {
  const ends = trialEnd(data, now)
  if (data.trial_period_days === undefined && ends !== undefined && ends < now + TRIAL_LEAD_SECONDS) {
    throw refuse('The `trial_end` date has to be at least 2 days in the future.', {
      param: 'subscription_data[trial_end]',
    })
  }
  return {
    fields: {
      metadata: mergedMetadata({}, data.metadata),
      ...(data.description !== undefined && { description: data.description }),
      ...(data.billing_mode && { billing_mode: billingModeFrom(data.billing_mode) }),
      ...(data.trial_settings && { trial_settings: data.trial_settings }),
    },
    anchor: futureAnchor(data.billing_cycle_anchor, now),
    anchorConfig: anchorConfigFrom(data.billing_cycle_anchor_config),
    trialEnd: data.trial_period_days === undefined ? ends : undefined,
    trialDays: data.trial_period_days,
    prorationBehavior: data.proration_behavior,
  }
}
