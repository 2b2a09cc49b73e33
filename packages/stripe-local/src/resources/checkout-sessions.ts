import type { Account } from '../account.ts'
import { formatAmount, minimumCharge } from '../billing/currency.ts'
import { currencyOf } from '../catalogue/currency.ts'
import type { Price } from '../catalogue/price.ts'
import { detailsOf } from '../checkout/details.ts'
import { discountLines, sessionDiscounts } from '../checkout/discount.ts'
import { beginSetup, expireSession } from '../checkout/lapse.ts'
import { type LineWish, linesFrom } from '../checkout/line.ts'
import {
  type CheckoutSession,
  type CustomField,
  type InvoiceData,
  lineItemsOf,
  lineItemsUrl,
  type Mode,
  type NameCollection,
  type SubscriptionPlan,
  subtotalOf,
  totalOf,
  type UiMode,
} from '../checkout/session.ts'
import { refuse } from '../http/errors.ts'
import { mergedMetadata, metadata, oneOf, type Params, range, required, shape, text } from '../http/params.ts'
import { listPage, listSlice, paging, route } from '../http/route.ts'
import { newId, randomLetters } from '../identifier.ts'
import { checkTogether } from '../subscriptions/items.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { type Creation, creation, type subscriptionData } from './checkout-session-parameters.ts'
import { customerParameter } from './customers.ts'
import { checkTypes } from './payment-intents.ts'
import {
  anchorConfigFrom,
  billingModeFrom,
  futureAnchor,
  invoiceSettingsFrom,
  pendingIntervalFrom,
  trialEnd,
  trialSettingsFrom,
} from './subscription-parameters.ts'

const HOUR = 3600
const TRIAL_LEAD_SECONDS = 48 * HOUR

export const checkoutRoutes = [
  route('POST', '/v1/checkout/sessions', creation, (account, params) =>
    account.present(createSession(account, params)),
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
      payment_intent: text(),
      status: oneOf('complete', 'expired', 'open'),
      subscription: text(),
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
    return listSlice(lineItemsOf(account, stored), lineItemsUrl(stored), params, 'line item')
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

function createSession(account: Account, params: Creation): CheckoutSession {
  const { mode } = params
  const uiMode = params.ui_mode ?? 'hosted_page'
  checkMode(params)
  checkUrls(params, uiMode)
  checkTypes(params)
  checkUnsupported(params)
  const now = account.seconds()
  const expiresAt = params.expires_at ?? now + 24 * HOUR
  checkExpiry(expiresAt, now)
  const customer = params.customer === undefined ? null : customerParameter(account, params.customer)
  const asked = params.currency === undefined ? undefined : currencyOf(params.currency)
  const customersNow = account.seconds(customer?.test_clock)
  const plan = subscriptionPlan(params.subscription_data ?? {}, customersNow)
  const offered =
    mode === 'setup'
      ? []
      : linesFrom(account, lineWishes(params), {
          mode,
          currency: asked ?? (customer?.currency && fits(account, params, customer.currency)) ?? undefined,
          plan,
          now: customersNow,
        })
  const id = newId(account.livemode ? 'cs_live' : 'cs_test', 58)
  const currency = offered[0]?.currency ?? asked ?? null
  const terms = { customer: customer?.id ?? null, currency: currency ?? '' }
  const discounts = sessionDiscounts(account, params.discounts ?? [], terms)
  const lines = discountLines(account, offered, discounts)
  const total = totalOf({ _lines: lines })
  if (mode === 'payment' && total > 0) checkTotal(total, currency!)
  if (mode === 'subscription') checkPrices(account, lines, currency!, plan)
  const isHosted = uiMode === 'hosted_page'
  const data = params.setup_intent_data
  const setup =
    mode === 'setup'
      ? beginSetup(account, id, customer?.id ?? null, {
          description: data?.description ?? null,
          metadata: mergedMetadata({}, data?.metadata),
        })
      : null
  const made = account.create<CheckoutSession>({
    id,
    object: 'checkout.session',
    adaptive_pricing: { enabled: params.adaptive_pricing?.enabled ?? false },
    after_expiration: recoveryFrom(params.after_expiration),
    allow_promotion_codes: params.allow_promotion_codes ?? null,
    allowed_payment_method_types: params.allowed_payment_method_types ?? null,
    amount_subtotal: mode === 'setup' ? null : subtotalOf({ _lines: lines }),
    amount_total: mode === 'setup' ? null : total,
    billing_address_collection: params.billing_address_collection ?? null,
    cancel_url: params.cancel_url ?? null,
    client_reference_id: params.client_reference_id ?? null,
    client_secret: isHosted ? null : `${id}_secret_${randomLetters(24)}`,
    collected_information: null,
    consent: null,
    consent_collection: consentFrom(params.consent_collection),
    created: now,
    currency,
    custom_fields: (params.custom_fields ?? []).map(customFieldFrom),
    custom_text: {
      after_submit: params.custom_text?.after_submit ?? null,
      shipping_address: params.custom_text?.shipping_address ?? null,
      submit: params.custom_text?.submit ?? null,
      terms_of_service_acceptance: params.custom_text?.terms_of_service_acceptance ?? null,
    },
    customer: customer?.id ?? null,
    customer_creation: customer ? null : creationOf(params),
    customer_details:
      customer || params.customer_email !== undefined
        ? { ...detailsOf(mode, customer, { email: params.customer_email ?? null }), address: null, tax_ids: null }
        : null,
    customer_email: params.customer_email ?? null,
    discounts,
    ...(params.excluded_payment_method_types && {
      excluded_payment_method_types: params.excluded_payment_method_types,
    }),
    expires_at: expiresAt,
    integration_identifier: params.integration_identifier ?? null,
    invoice: null,
    invoice_creation: mode === 'payment' ? invoiceCreationFrom(params.invoice_creation) : null,
    livemode: false,
    locale: params.locale ?? null,
    metadata: mergedMetadata({}, params.metadata),
    mode,
    ...(params.name_collection && { name_collection: nameCollectionFrom(params.name_collection) }),
    origin_context: params.origin_context ?? null,
    payment_intent: null,
    payment_method_collection: mode === 'subscription' ? (params.payment_method_collection ?? 'always') : 'if_required',
    payment_method_options: {
      card: { request_three_d_secure: params.payment_method_options?.card?.request_three_d_secure ?? 'automatic' },
    },
    payment_status: mode === 'setup' ? 'no_payment_required' : 'unpaid',
    phone_number_collection: { enabled: params.phone_number_collection?.enabled ?? false },
    recovered_from: null,
    ...(params.redirect_on_completion && { redirect_on_completion: params.redirect_on_completion }),
    ...(params.return_url !== undefined && { return_url: params.return_url }),
    saved_payment_method_options: mode === 'setup' ? null : savedOptions(params, mode),
    setup_intent: setup?.id ?? null,
    status: 'open',
    submit_type: params.submit_type ?? null,
    subscription: null,
    success_url: params.success_url ?? null,
    ui_mode: uiMode,
    url: isHosted ? `${account.baseUrl()}/c/pay/${id}` : null,
    _allow_redisplay: params.payment_method_data?.allow_redisplay ?? null,
    _customer_update: {
      address: params.customer_update?.address === 'auto',
      name: params.customer_update?.name === 'auto',
    },
    _lines: lines,
    _payment: { ...params.payment_intent_data, metadata: mergedMetadata({}, params.payment_intent_data?.metadata) },
    _subscription: plan,
  })
  account.timeline.schedule('checkout', id, expiresAt * 1000)
  return made
}

/** What goes with which mode. */
function checkMode(params: Creation): void {
  const { mode } = params
  const onlyIn: [keyof Creation, Mode[]][] = [
    ['discounts', ['payment', 'subscription']],
    ['line_items', ['payment', 'subscription']],
    ['payment_intent_data', ['payment']],
    ['setup_intent_data', ['setup']],
    ['subscription_data', ['subscription']],
    ['payment_method_collection', ['subscription']],
    ['saved_payment_method_options', ['payment', 'subscription']],
    ['submit_type', ['payment', 'subscription']],
  ]
  if ((params.discounts || params.allow_promotion_codes) && params.invoice_creation?.enabled) {
    throw refuse('The local Stripe does not discount the invoice of a one-time payment yet.', {
      param: params.discounts ? 'discounts' : 'allow_promotion_codes',
    })
  }
  if (params.discounts && params.allow_promotion_codes !== undefined) {
    throw refuse('You may only specify one of these parameters: allow_promotion_codes, discounts.', {
      param: 'allow_promotion_codes',
    })
  }
  for (const [param, modes] of onlyIn) {
    if (params[param] === undefined || modes.includes(mode)) continue
    throw refuse(`You can not pass \`${param}\` in \`${mode}\` mode.`, { param })
  }
  if (params.invoice_creation?.enabled && mode !== 'payment') {
    throw refuse(
      'You can only enable invoice creation when `mode` is set to `payment`. Invoices are created automatically when `mode` is set to `subscription`, and are unsupported when `mode` is set to `setup`.',
      { param: 'invoice_creation' },
    )
  }
  if (params.customer_creation !== undefined && mode === 'subscription') {
    throw refuse('`customer_creation` can only be used in `payment` and `setup` mode.', { param: 'customer_creation' })
  }
  if (params.customer !== undefined && params.customer_email !== undefined) {
    throw refuse('You may only specify one of these parameters: customer, customer_email.', { param: 'customer' })
  }
  if (params.customer !== undefined && params.customer_creation !== undefined) {
    throw refuse('You may only specify one of these parameters: customer, customer_creation.', { param: 'customer' })
  }
  if (params.customer_update && params.customer === undefined) {
    throw refuse('`customer_update` can only be used with `customer`.', { param: 'customer_update' })
  }
  if (mode === 'setup' && params.currency === undefined && params.allowed_payment_method_types === undefined) {
    throw refuse('Missing required param: currency.', { code: 'parameter_missing', param: 'currency' })
  }
}

/** What would change an amount that the local Stripe does not compute. */
function checkUnsupported(params: Creation): void {
  if (!params.tax_id_collection?.enabled) return
  throw refuse('stripe-local does not collect tax IDs in Checkout: `tax_id_collection[enabled]` can only be false.', {
    param: 'tax_id_collection[enabled]',
  })
}

function lineWishes(params: Creation): LineWish[] {
  const wishes = (params.line_items ?? []) as LineWish[]
  if (wishes.length > 0) return wishes
  throw refuse('Missing required param: line_items.', { code: 'parameter_missing', param: 'line_items' })
}

/** The customer's currency where every price has it. */
function fits(account: Account, params: Creation, currency: string): string | undefined {
  const all = (params.line_items ?? []).every((wish) => {
    const price = wish.price === undefined ? null : account.objects.find<Price>('price', wish.price)
    return price
      ? price.currency === currency || price._currency_options?.[currency]
      : wish.price_data?.currency === currency
  })
  return all ? currency : undefined
}

function checkTotal(total: number, currency: string): void {
  const least = minimumCharge(currency)
  if (BigInt(total) >= least) return
  throw refuse(
    `The Checkout Session's total amount due must add up to at least ${formatAmount(String(least), currency)} ${currency}`,
    { code: 'amount_too_small' },
  )
}

function checkPrices(
  account: Account,
  lines: CheckoutSession['_lines'],
  currency: string,
  plan: SubscriptionPlan,
): void {
  const prices = lines.map((line) => account.get<Price>('price', line.price)).filter((price) => price.recurring)
  checkTogether(prices, { currency, billingMode: plan.fields.billing_mode?.type ?? 'flexible' })
}

function checkUrls(params: Creation, uiMode: UiMode): void {
  const isEmbedded = uiMode === 'embedded_page' || uiMode === 'elements'
  if (!isEmbedded && params.success_url === undefined)
    throw refuse('Missing required param: success_url.', { code: 'parameter_missing', param: 'success_url' })
  if (isEmbedded && (params.success_url ?? params.cancel_url) !== undefined) {
    const param = params.success_url !== undefined ? 'success_url' : 'cancel_url'
    throw refuse(`You cannot set \`${param}\` when \`ui_mode\` is \`${uiMode}\`. Use \`return_url\`.`, { param })
  }
  if (params.redirect_on_completion !== undefined && uiMode !== 'embedded_page') {
    throw refuse('`redirect_on_completion` can only be set when `ui_mode` is `embedded_page`.', {
      param: 'redirect_on_completion',
    })
  }
  if (isEmbedded && params.return_url === undefined && params.redirect_on_completion !== 'never')
    throw refuse('Missing required param: return_url.', { code: 'parameter_missing', param: 'return_url' })
  if (params.return_url !== undefined && (!isEmbedded || params.redirect_on_completion === 'never')) {
    throw refuse('`return_url` is only used where an embedded page redirects; set `success_url` instead.', {
      param: 'return_url',
    })
  }
}

function checkExpiry(expiresAt: number, now: number): void {
  if (expiresAt >= now + HOUR / 2 && expiresAt <= now + 24 * HOUR) return
  throw refuse('The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.', {
    param: 'expires_at',
  })
}

/** In payment mode without a customer one is made only if something needs it. */
function creationOf(params: Creation): CheckoutSession['customer_creation'] {
  if (params.mode === 'subscription') return 'always'
  const isNeeded =
    params.invoice_creation?.enabled ||
    params.payment_intent_data?.setup_future_usage !== undefined ||
    params.saved_payment_method_options?.payment_method_save === 'enabled'
  return params.customer_creation ?? (isNeeded ? 'always' : 'if_required')
}

function recoveryFrom(given: Creation['after_expiration']): CheckoutSession['after_expiration'] {
  if (!given?.recovery) return null
  const { allow_promotion_codes: codes, enabled } = given.recovery
  return { recovery: { allow_promotion_codes: codes ?? false, enabled, expires_at: null, url: null } }
}

function nameCollectionFrom({ business, individual }: NonNullable<Creation['name_collection']>): NameCollection {
  return {
    ...(business && { business: { enabled: business.enabled, optional: business.optional ?? false } }),
    ...(individual && { individual: { enabled: individual.enabled, optional: individual.optional ?? false } }),
  }
}

function consentFrom(given: Creation['consent_collection']): CheckoutSession['consent_collection'] {
  if (!given) return null
  return {
    payment_method_reuse_agreement: given.payment_method_reuse_agreement ?? null,
    promotions: given.promotions ?? null,
    terms_of_service: given.terms_of_service ?? null,
  }
}

function customFieldFrom(given: NonNullable<Creation['custom_fields']>[number], index: number): CustomField {
  const param = `custom_fields[${index}]`
  if (!/^[A-Za-z0-9]+$/.test(given.key)) {
    throw refuse('The `key` of a custom field must be alphanumeric.', { param: `${param}[key]` })
  }
  const { key, label, type } = given
  const field = { key, label, optional: given.optional ?? false, type }
  if (type === 'dropdown') {
    if (!given.dropdown) {
      throw refuse(`Missing required param: ${param}[dropdown].`, {
        code: 'parameter_missing',
        param: `${param}[dropdown]`,
      })
    }
    const { options, default_value: preset = null } = given.dropdown
    if (preset !== null && !options.some(({ value }) => value === preset)) {
      throw refuse('The `default_value` must be the value of one of the options.', {
        param: `${param}[dropdown][default_value]`,
      })
    }
    return { ...field, dropdown: { default_value: preset, options, value: null } }
  }
  const limits = given[type]
  return {
    ...field,
    [type]: {
      default_value: limits?.default_value ?? null,
      maximum_length: limits?.maximum_length ?? null,
      minimum_length: limits?.minimum_length ?? null,
      value: null,
    },
  }
}

function invoiceCreationFrom(given: Creation['invoice_creation']): NonNullable<CheckoutSession['invoice_creation']> {
  const data = given?.invoice_data
  const invoiceData: InvoiceData = {
    account_tax_ids: null,
    custom_fields: data?.custom_fields ?? null,
    description: data?.description ?? null,
    footer: data?.footer ?? null,
    issuer: null,
    metadata: mergedMetadata({}, data?.metadata),
    rendering_options: null,
  }
  return { enabled: given?.enabled ?? false, invoice_data: invoiceData }
}

function savedOptions(params: Creation, mode: Mode): CheckoutSession['saved_payment_method_options'] {
  const given = params.saved_payment_method_options
  if (!given && mode === 'payment' && params.customer === undefined) return null
  return {
    allow_redisplay_filters: given?.allow_redisplay_filters ?? ['always'],
    payment_method_remove: given?.payment_method_remove ?? 'disabled',
    payment_method_save: given?.payment_method_save ?? null,
  }
}

type SubscriptionData = Params<NonNullable<(typeof subscriptionData)['inner']>> &
  NonNullable<Creation['subscription_data']>

function subscriptionPlan(data: Partial<SubscriptionData>, now: number): SubscriptionPlan {
  const ends = trialEnd(data, now)
  if (data.trial_period_days === undefined && ends !== undefined && ends < now + TRIAL_LEAD_SECONDS) {
    throw refuse('The `trial_end` date has to be at least 2 days in the future.', {
      param: 'subscription_data[trial_end]',
    })
  }
  if (data.billing_cycle_anchor !== undefined && data.billing_cycle_anchor_config) {
    throw refuse('You may only specify one of these parameters: billing_cycle_anchor, billing_cycle_anchor_config.', {
      param: 'subscription_data[billing_cycle_anchor]',
    })
  }
  const fields: Partial<Subscription> = {
    metadata: mergedMetadata({}, data.metadata),
    ...(data.description !== undefined && { description: data.description }),
    ...(data.billing_mode && { billing_mode: billingModeFrom(data.billing_mode) }),
    ...(data.invoice_settings && { invoice_settings: invoiceSettingsFrom(undefined, data.invoice_settings) }),
    ...(data.pending_invoice_item_interval && {
      pending_invoice_item_interval: pendingIntervalFrom(data.pending_invoice_item_interval),
    }),
    ...(data.trial_settings && { trial_settings: trialSettingsFrom(data.trial_settings) }),
  }
  return {
    fields,
    anchor: futureAnchor(data.billing_cycle_anchor, now),
    anchorConfig: anchorConfigFrom(data.billing_cycle_anchor_config),
    trialEnd: data.trial_period_days === undefined ? ends : undefined,
    trialDays: data.trial_period_days,
    prorationBehavior: data.proration_behavior,
  }
}
