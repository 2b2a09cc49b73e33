import type { Account, Kind } from '../account.ts'
import { cardError, missing, refuse } from '../http/errors.ts'
import {
  integer,
  type Metadata,
  mapOfText,
  mergedMetadata,
  metadata,
  oneOf,
  required,
  shape,
  text,
  unsettable,
} from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { newId } from '../identifier.ts'
import type { Stored } from '../objects.ts'
import type { CardInput } from '../pages/context.ts'
import { behaviourOf, cardOfToken, digitsOf, faultOf, fingerprintOf } from './cards.ts'
import { type Address, type Customer, customerParameter, liveCustomer } from './customers.ts'

export interface PaymentMethod extends Stored {
  object: 'payment_method'
  allow_redisplay: 'unspecified' | 'always' | 'limited'
  billing_details: {
    address: Address
    email: string | null
    name: string | null
    phone: string | null
    tax_id: null
  }
  card: { [key: string]: unknown; brand: string; last4: string; exp_month: number; exp_year: number }
  customer: string | null
  customer_account: null
  livemode: false
  metadata: Metadata
  type: 'card'
  /** A test number, never a real one: how the card behaves when charged. */
  _number: string
  /** Prepared for charges that nobody attends, by a setup intent or a payment that asked for it. */
  _set_up: boolean
  /** Detached, or charged without being attached: Stripe takes such a method no more. */
  _spent: boolean
}

export const paymentMethod: Kind = {
  type: 'payment_method',
  noun: 'PaymentMethod',
  references: { customer: 'customer' },
}

const billingDetails = shape({
  address: unsettable(mapOfText()),
  email: unsettable(text()),
  name: unsettable(text()),
  phone: unsettable(text()),
})
const typed = shape({ number: text(), exp_month: integer(), exp_year: integer(), cvc: text(), token: text() })

/** Where the parameter at fault is not called as the field is. */
const PARAMS: { [code: string]: string } = { invalid_expiry_month: 'exp_month', invalid_expiry_year: 'exp_year' }

const redisplay = oneOf('always', 'limited', 'unspecified')

export const paymentMethodRoutes = [
  route(
    'POST',
    '/v1/payment_methods',
    {
      type: required(oneOf('card')),
      card: required(typed),
      billing_details: billingDetails,
      metadata: metadata(),
      allow_redisplay: redisplay,
    },
    (account, params) => {
      const { token, ...written } = params.card
      const card = token === undefined ? cardFrom(written) : cardOfToken(token)
      if (!card) throw refuse(`No such token: '${token}'`, { code: 'resource_missing', param: 'card[token]' })
      const fault = faultOf(card, new Date(account.timeline.nowMs()))
      if (fault) throw cardError(fault.message, { code: fault.code, param: PARAMS[fault.code] ?? fault.field })
      const { address, ...details } = params.billing_details ?? {}
      const made = createPaymentMethod(account, card)
      return account.present(
        account.change(made, {
          billing_details: { ...made.billing_details, ...details, ...(address && { address: wholeAddress(address) }) },
          metadata: mergedMetadata({}, params.metadata),
          allow_redisplay: params.allow_redisplay ?? 'unspecified',
        }),
      )
    },
  ),

  route('GET', '/v1/payment_methods/:id', {}, (account, _params, { id }) =>
    account.present(paymentMethodOf(account, id!)),
  ),

  route(
    'POST',
    '/v1/payment_methods/:id',
    {
      billing_details: billingDetails,
      metadata: metadata(),
      card: shape({ exp_month: integer({ min: 1, max: 12 }), exp_year: integer() }),
      allow_redisplay: redisplay,
    },
    (account, params, { id }) => {
      const before = account.get<PaymentMethod>('payment_method', id!)
      if (before.customer === null)
        throw refuse('You must save this PaymentMethod to a customer before you can update it.')
      const { address, ...details } = params.billing_details ?? {}
      const changes = {
        billing_details: {
          ...before.billing_details,
          ...details,
          ...(address !== undefined && { address: wholeAddress(address ?? {}) }),
        },
        card: { ...before.card, ...params.card },
        metadata: mergedMetadata(before.metadata, params.metadata),
        ...(params.allow_redisplay && { allow_redisplay: params.allow_redisplay }),
      }
      return account.present(account.change(before, changes, 'payment_method.updated'))
    },
  ),

  route('POST', '/v1/payment_methods/:id/attach', { customer: required(text()) }, (account, params, { id }) => {
    const owner = customerParameter(account, params.customer)
    return account.present(attach(account, paymentMethodOf(account, id!), owner))
  }),

  route('POST', '/v1/payment_methods/:id/detach', {}, (account, _params, { id }) => {
    const before = account.get<PaymentMethod>('payment_method', id!)
    if (before.customer === null) {
      throw refuse('The payment method you provided is not attached to a customer so detachment is impossible.')
    }
    const owner = account.get<Customer>('customer', before.customer)
    if (owner.invoice_settings.default_payment_method === before.id) {
      account.change(
        owner,
        { invoice_settings: { ...owner.invoice_settings, default_payment_method: null } },
        'customer.updated',
      )
    }
    if (owner.default_source === before.id) {
      account.change(account.get<Customer>('customer', owner.id), { default_source: null }, 'customer.updated')
    }
    return account.present(account.change(before, { customer: null, _spent: true }, 'payment_method.detached'))
  }),

  route(
    'GET',
    '/v1/payment_methods',
    { ...paging, customer: text(), type: oneOf('card'), allow_redisplay: redisplay },
    (account, params) => {
      if (params.customer !== undefined) customerParameter(account, params.customer)
      return listPage<PaymentMethod>(account, 'payment_method', '/v1/payment_methods', params, {
        where: {
          '$.customer': params.customer,
          '$.type': params.type,
          '$.allow_redisplay': params.allow_redisplay,
        },
        ...(params.customer === undefined && {
          also: { sql: `json_extract(data, '$.customer') is not null`, values: [] },
        }),
      })
    },
  ),

  route(
    'GET',
    '/v1/customers/:id/payment_methods',
    { ...paging, type: oneOf('card'), allow_redisplay: redisplay },
    (account, params, { id }) => {
      const owner = liveCustomer(account, id!)
      return listPage<PaymentMethod>(account, 'payment_method', `/v1/customers/${owner.id}/payment_methods`, params, {
        where: { '$.customer': owner.id, '$.type': params.type, '$.allow_redisplay': params.allow_redisplay },
      })
    },
  ),

  route('GET', '/v1/customers/:id/payment_methods/:method', {}, (account, _params, { id, method }) => {
    const found = account.get<PaymentMethod>('payment_method', method!)
    if (found.customer !== liveCustomer(account, id!).id) throw missing('PaymentMethod', method!)
    return account.present(found)
  }),
]

function cardFrom(written: { number?: string; exp_month?: number; exp_year?: number; cvc?: string }): CardInput {
  for (const name of ['number', 'exp_month', 'exp_year'] as const) {
    if (written[name] === undefined)
      throw refuse(`Missing required param: card[${name}].`, { code: 'parameter_missing', param: `card[${name}]` })
  }
  return {
    number: written.number!,
    expMonth: written.exp_month!,
    expYear: written.exp_year!,
    cvc: written.cvc ?? '123',
  }
}

/** A payment method by id, or a new one for a test name such as `pm_card_visa`, as Stripe makes one at each use. */
export function paymentMethodOf(account: Account, id: string): PaymentMethod {
  const card = cardOfToken(id)
  return card ? createPaymentMethod(account, card) : account.get<PaymentMethod>('payment_method', id)
}

/** A payment method that a parameter names. @throws ApiError 400 */
export function methodParameter(account: Account, id: string, param = 'payment_method'): PaymentMethod {
  const card = cardOfToken(id)
  return card ? createPaymentMethod(account, card) : account.reference<PaymentMethod>('payment_method', id, param)
}

/** An address with all its parts; what is empty is null. */
export function wholeAddress(parts: Partial<{ [part in keyof Address]: string | null }>): Address {
  const { city, country, line1, line2, postal_code, state } = parts
  return {
    city: city || null,
    country: country || null,
    line1: line1 || null,
    line2: line2 || null,
    postal_code: postal_code || null,
    state: state || null,
  }
}

export function createPaymentMethod(
  account: Account,
  card: CardInput,
  payer: { name: string | null; email: string | null } = { name: null, email: null },
): PaymentMethod {
  const number = digitsOf(card.number)
  const { brand, country, funding } = behaviourOf(number)
  return account.create<PaymentMethod>({
    id: newId('pm'),
    object: 'payment_method',
    allow_redisplay: 'unspecified',
    billing_details: {
      address: wholeAddress({}),
      email: payer.email,
      name: payer.name,
      phone: null,
      tax_id: null,
    },
    card: {
      brand,
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
      country,
      display_brand: brand,
      exp_month: card.expMonth,
      exp_year: card.expYear,
      fingerprint: fingerprintOf(number),
      funding,
      generated_from: null,
      last4: number.slice(-4),
      networks: { available: [brand], preferred: null },
      regulated_status: 'unregulated',
      three_d_secure_usage: { supported: true },
      wallet: null,
    },
    created: account.seconds(),
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: 'card',
    _number: number,
    _set_up: false,
    _spent: false,
  })
}

/** @throws ApiError 402 for a card that is declined when it is set up */
export function attach(account: Account, method: PaymentMethod, owner: Customer): PaymentMethod {
  if (method.customer === owner.id) return method
  if (method.customer !== null) {
    throw refuse('The payment method you provided has already been attached to a customer.')
  }
  if (method._spent) {
    throw refuse(
      'This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer, and may not be used again.',
    )
  }
  const decline = behaviourOf(method._number).attach
  if (decline) {
    const { message, ...about } = decline
    throw cardError(message, about)
  }
  return account.change(method, { customer: owner.id }, 'payment_method.attached')
}

/** A payment method of this customer. @throws ApiError 400 for another's or nobody's */
export function ownMethod(account: Account, customer: string, id: string, param: string): string {
  const found = account.reference<PaymentMethod>('payment_method', id, param)
  if (found.customer === customer) return found.id
  throw refuse(
    `The customer does not have a payment method with the ID ${id}. The payment method must be attached to the customer.`,
    { code: 'resource_missing', param },
  )
}
