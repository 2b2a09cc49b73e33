import type { Account } from '../account.ts'
import { formatAmount, minimumCharge } from '../billing/currency.ts'
import { currencyOf } from '../catalogue/currency.ts'
import { type ApiError, refuse } from '../http/errors.ts'
import {
  flag,
  integer,
  list,
  mapOfText,
  mergedMetadata,
  metadata,
  oneOf,
  onlyShown,
  type Params,
  range,
  required,
  shape,
  text,
  unsettable,
} from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { cancelPayment, capturePayment, checkUsable, clockOf, confirmPayment, refusalOf } from '../payments/pay.ts'
import { newPaymentIntent, type PaymentIntent } from '../payments/payment-intent.ts'
import { customerParameter } from './customers.ts'
import { methodParameter } from './payment-methods.ts'

const AMOUNT_MAX = 99_999_999

/** Cards are all the local Stripe has. */
export const methodTypes = list(text())
export const automaticMethods = shape({ allow_redirects: oneOf('always', 'never'), enabled: required(flag()) })
export const cardOptions = shape({ card: shape({ request_three_d_secure: oneOf('any', 'automatic', 'challenge') }) })
const shipping = shape({ address: mapOfText(), carrier: text(), name: text(), phone: text(), tracking_number: text() })
const descriptor = text({ max: 22 })

/** What create, update and confirm have in common. */
const common = {
  allowed_payment_method_types: methodTypes,
  capture_method: oneOf('automatic', 'automatic_async', 'manual'),
  excluded_payment_method_types: unsettable(methodTypes),
  payment_method: text(),
  payment_method_options: cardOptions,
  receipt_email: onlyShown(unsettable(text())),
  setup_future_usage: unsettable(oneOf('off_session', 'on_session')),
  shipping: onlyShown(unsettable(shipping)),
}
const described = {
  description: onlyShown(text({ max: 1000 })),
  metadata: metadata(),
  statement_descriptor: descriptor,
  statement_descriptor_suffix: descriptor,
  transfer_group: onlyShown(text()),
}
const confirmable = {
  error_on_requires_action: flag(),
  off_session: flag(),
  return_url: text(),
  use_stripe_sdk: flag(),
}

type Common = Params<typeof common> & Partial<Params<typeof described>>
type Confirm = Params<typeof confirmable>

export const paymentIntentRoutes = [
  route(
    'POST',
    '/v1/payment_intents',
    {
      ...common,
      ...described,
      ...confirmable,
      amount: required(integer({ min: 1 })),
      automatic_payment_methods: automaticMethods,
      confirm: flag(),
      confirmation_method: oneOf('automatic', 'manual'),
      currency: required(text({ max: 3 })),
      customer: text(),
    },
    (account, params) => {
      if (!params.confirm) checkNotConfirming(params)
      const currency = currencyOf(params.currency)
      checkAmount(params.amount, currency)
      const customer = params.customer === undefined ? null : customerParameter(account, params.customer).id
      const allowed = checkTypes(params)
      const intent = newPaymentIntent(
        account,
        { amount: params.amount, currency, customer, clock: clockOf(account, customer) },
        {
          automatic_payment_methods: automaticFrom(params.automatic_payment_methods, allowed),
          capture_method: 'automatic_async',
          confirmation_method: params.confirmation_method ?? 'automatic',
        },
      )
      const made = { ...intent, ...fieldsOf(account, intent, params) }
      account.create(made, 'payment_intent.created')
      if (!params.confirm) return account.present(made)
      return account.present(confirm(account, made, params))
    },
  ),

  route('GET', '/v1/payment_intents/:id', { client_secret: text() }, (account, params, { id }) => {
    const found = account.get<PaymentIntent>('payment_intent', id!)
    checkSecret(found, params.client_secret)
    return account.present(found)
  }),

  route(
    'POST',
    '/v1/payment_intents/:id',
    {
      ...common,
      ...described,
      amount: integer({ min: 1 }),
      currency: text({ max: 3 }),
      customer: text(),
    },
    (account, { amount, currency, customer, ...params }, { id }) => {
      const before = account.get<PaymentIntent>('payment_intent', id!)
      const isOpen = ['requires_payment_method', 'requires_confirmation', 'requires_action'].includes(before.status)
      for (const [name, value] of Object.entries({ amount, currency, payment_method: params.payment_method })) {
        if (value === undefined || isOpen) continue
        throw unexpectedState(
          `This PaymentIntent's ${name} could not be updated because it has a status of ${before.status}. You may only update the ${name} of a PaymentIntent with one of the following statuses: requires_payment_method, requires_confirmation, requires_action.`,
          before,
          account,
        )
      }
      const changed: PaymentIntent = {
        ...before,
        ...(amount !== undefined && { amount }),
        ...(currency !== undefined && { currency: currencyOf(currency) }),
        ...(customer !== undefined && { customer: customerParameter(account, customer).id }),
      }
      checkAmount(changed.amount, changed.currency)
      if (params.allowed_payment_method_types ?? params.excluded_payment_method_types) checkTypes(params)
      const fields = fieldsOf(account, changed, params)
      return account.present(account.objects.save<PaymentIntent>({ ...changed, ...fields }))
    },
  ),

  route('POST', '/v1/payment_intents/:id/confirm', { ...common, ...confirmable }, (account, params, { id }) => {
    const before = account.get<PaymentIntent>('payment_intent', id!)
    checkConfirmable(account, before)
    if (params.allowed_payment_method_types ?? params.excluded_payment_method_types) checkTypes(params)
    const changed = account.objects.save<PaymentIntent>({ ...before, ...fieldsOf(account, before, params) })
    return account.present(confirm(account, changed, params))
  }),

  route(
    'POST',
    '/v1/payment_intents/:id/capture',
    {
      amount_to_capture: integer({ min: 1 }),
      metadata: metadata(),
      statement_descriptor: onlyShown(descriptor),
      statement_descriptor_suffix: onlyShown(descriptor),
    },
    (account, params, { id }) => {
      const before = account.get<PaymentIntent>('payment_intent', id!)
      if (before.status === 'succeeded') {
        throw unexpectedState(
          'This PaymentIntent could not be captured because it has already been captured.',
          before,
          account,
        )
      }
      if (before.status !== 'requires_capture') {
        throw unexpectedState(
          `This PaymentIntent could not be captured because it has a status of ${before.status}. Only a PaymentIntent with one of the following statuses may be captured: requires_capture.`,
          before,
          account,
        )
      }
      const amount = params.amount_to_capture ?? before.amount_capturable
      if (amount > before.amount_capturable) {
        throw refuse(
          `The provided \`amount_to_capture\` (${amount}) is greater than the remaining amount capturable (${before.amount_capturable}).`,
          { code: 'amount_too_large', param: 'amount_to_capture' },
        )
      }
      const { amount_to_capture: _amount, metadata: sent, ...shown } = params
      const described = { ...before, ...shown, metadata: mergedMetadata(before.metadata, sent) }
      return account.present(capturePayment(account, described, amount))
    },
  ),

  route(
    'POST',
    '/v1/payment_intents/:id/cancel',
    { cancellation_reason: oneOf('abandoned', 'duplicate', 'fraudulent', 'requested_by_customer') },
    (account, params, { id }) => {
      const before = account.get<PaymentIntent>('payment_intent', id!)
      if (before.status === 'succeeded' || before.status === 'canceled') {
        throw unexpectedState(
          `You cannot cancel this PaymentIntent because it has a status of ${before.status}. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_reauthorization, requires_confirmation, requires_action, processing.`,
          before,
          account,
        )
      }
      if (before._session !== null)
        throw refuse(
          'You cannot cancel the PaymentIntent for a Checkout Session. To cancel, expire the Checkout Session instead.',
        )
      if (before._invoice !== undefined) {
        throw refuse(
          'You cannot cancel a PaymentIntent created by an Invoice. If you want to cancel this payment, you can void the invoice instead.',
        )
      }
      return account.present(cancelPayment(account, before, params.cancellation_reason ?? null))
    },
  ),

  route('GET', '/v1/payment_intents', { ...paging, created: range(), customer: text() }, (account, params) => {
    if (params.customer !== undefined) customerParameter(account, params.customer)
    return listPage<PaymentIntent>(account, 'payment_intent', '/v1/payment_intents', params, {
      where: { '$.customer': params.customer },
      ...(params.created && { created: params.created }),
    })
  }),
]

/** Confirms and, where the card was refused, keeps what happened and answers 402. */
function confirm(account: Account, intent: PaymentIntent, params: Confirm): PaymentIntent {
  if (intent.payment_method === null) {
    throw unexpectedState(
      "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.",
      intent,
      account,
    )
  }
  checkReturnUrl(intent.automatic_payment_methods, params, 'PaymentIntent')
  const after = confirmPayment(account, intent, {
    offSession: params.off_session ?? false,
    returnUrl: params.return_url ?? null,
    usesSdk: params.use_stripe_sdk ?? false,
    failsOnAction: params.error_on_requires_action ?? false,
    authenticated: intent._answered ?? false,
  })
  if (after.status === 'requires_payment_method') account.answerWith(refusalOf(account, after))
  return after
}

function checkConfirmable(account: Account, before: PaymentIntent): void {
  if (before._session !== null) {
    throw refuse('You cannot confirm the PaymentIntent for a Checkout Session.')
  }
  if (before.status === 'succeeded' || before.status === 'requires_capture') {
    throw unexpectedState(
      'You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.',
      before,
      account,
    )
  }
  if (before.status === 'canceled') {
    throw unexpectedState(
      'You cannot confirm this PaymentIntent because it has a status of canceled. Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_action.',
      before,
      account,
    )
  }
}

/** Parameters that make sense only while confirming. */
function checkNotConfirming(params: Confirm): void {
  for (const name of ['error_on_requires_action', 'off_session', 'return_url'] as const) {
    if (params[name] === undefined || params[name] === false) continue
    throw refuse(
      `The parameter \`${name}\` cannot be passed when creating a PaymentIntent unless \`confirm\` is set to true.`,
      { param: name },
    )
  }
}

/** Payment methods of the Dashboard may redirect, so the way back must be known, though a card never needs it. */
export function checkReturnUrl(
  automatic: PaymentIntent['automatic_payment_methods'],
  params: { return_url?: string; off_session?: boolean; use_stripe_sdk?: boolean },
  what: 'PaymentIntent' | 'SetupIntent',
): void {
  // An app's own scheme is allowed, a script is not: the bank's page sends the browser there.
  if (params.return_url !== undefined && !/^(?!javascript|data|vbscript)[a-z][a-z\d+.-]*:/i.test(params.return_url))
    throw refuse('Not a valid URL', { code: 'url_invalid', param: 'return_url' })
  const isSafe = !automatic?.enabled || automatic.allow_redirects === 'never'
  if (isSafe || params.return_url !== undefined || params.off_session || params.use_stripe_sdk) return
  throw refuse(
    `This ${what} is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a \`return_url\`. If you don't want to accept redirect-based payment methods, set \`automatic_payment_methods[enabled]\` to \`true\` and \`automatic_payment_methods[allow_redirects]\` to \`never\` when creating Setup Intents and Payment Intents.`,
    { param: 'return_url' },
  )
}

function fieldsOf(account: Account, intent: PaymentIntent, params: Common): Partial<PaymentIntent> {
  const { metadata: sent, payment_method: methodId, payment_method_options: options } = params
  const method = methodId === undefined ? null : methodParameter(account, methodId)
  if (method) checkUsable(method, intent.customer)
  const requested = options?.card?.request_three_d_secure
  const kept = KEPT.flatMap((name) => (params[name] === undefined ? [] : [[name, params[name]]]))
  return {
    ...(Object.fromEntries(kept) as Partial<PaymentIntent>),
    metadata: mergedMetadata(intent.metadata, sent),
    ...(requested && {
      payment_method_options: { card: { ...intent.payment_method_options.card, request_three_d_secure: requested } },
    }),
    ...(method && { payment_method: method.id, status: 'requires_confirmation' as const, next_action: null }),
  }
}

/** The parameters that an intent keeps as they are. */
const KEPT = [
  'allowed_payment_method_types',
  'capture_method',
  'description',
  'excluded_payment_method_types',
  'receipt_email',
  'setup_future_usage',
  'shipping',
  'statement_descriptor',
  'statement_descriptor_suffix',
  'transfer_group',
] as const

/** Automatic unless the types are named. */
export function automaticFrom(
  given: { allow_redirects?: 'always' | 'never'; enabled: boolean } | undefined,
  allowed: string[] | undefined,
): PaymentIntent['automatic_payment_methods'] {
  if (given) return given.enabled ? { allow_redirects: given.allow_redirects ?? 'always', enabled: true } : null
  return allowed ? null : { allow_redirects: 'always', enabled: true }
}

/** @throws ApiError for payment methods beyond cards */
export function checkTypes(params: {
  allowed_payment_method_types?: string[] | null
  excluded_payment_method_types?: string[] | null
}): string[] | undefined {
  const allowed = params.allowed_payment_method_types ?? undefined
  const excluded = params.excluded_payment_method_types ?? undefined
  if ((allowed && !allowed.includes('card')) || excluded?.includes('card')) {
    throw refuse('stripe-local takes cards only, and this leaves no payment method to pay with.', {
      param: allowed ? 'allowed_payment_method_types' : 'excluded_payment_method_types',
    })
  }
  return allowed
}

export function checkAmount(amount: number, currency: string, param = 'amount'): void {
  const least = minimumCharge(currency)
  if (BigInt(amount) < least) {
    throw refuse(`Amount must be at least ${formatAmount(String(least), currency)} ${currency}`, {
      code: 'amount_too_small',
      param,
    })
  }
  if (amount <= AMOUNT_MAX) return
  throw refuse(`Amount must be no more than ${formatAmount(String(AMOUNT_MAX), currency)}`, {
    code: 'amount_too_large',
    param,
  })
}

/** A client names the intent with its secret. */
function checkSecret(found: PaymentIntent, secret: string | undefined): void {
  if (secret === undefined || secret === found.client_secret) return
  throw refuse(
    'The client_secret provided does not match any associated PaymentIntent on this account. Ensure the publishable key used belongs to the same account that created the PaymentIntent.',
    { code: 'payment_intent_invalid_parameter', param: 'client_secret' },
  )
}

function unexpectedState(message: string, intent: PaymentIntent, account: Account): ApiError {
  return refuse(message, { code: 'payment_intent_unexpected_state', payment_intent: account.present(intent) })
}
