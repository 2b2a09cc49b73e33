import type { Account, Kind, Wire } from '../account.ts'
import { visible } from '../account.ts'
import { ApiError, missing } from '../http/errors.ts'
import {
  integer,
  list,
  type Metadata,
  mapOfText,
  mergedMetadata,
  metadata,
  oneOf,
  type Params,
  range,
  shape,
  text,
  unsettable,
} from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { newId, randomLetters } from '../identifier.ts'
import type { Stored } from '../objects.ts'
import { cancelAllOf } from '../subscriptions/cancel.ts'
import { attach, ownMethod, paymentMethodOf } from './payment-methods.ts'
import { checkRoom } from './test-clocks.ts'

export interface Customer extends Stored {
  object: 'customer'
  address: { [key: string]: string } | null
  balance: number
  currency: string | null
  customer_account: null
  default_source: null
  delinquent: boolean
  description: string | null
  discount: null
  email: string | null
  invoice_prefix: string
  invoice_settings: {
    custom_fields: null
    default_payment_method: string | null
    footer: string | null
    rendering_options: null
  }
  livemode: false
  metadata: Metadata
  name: string | null
  next_invoice_sequence: number
  phone: string | null
  preferred_locales: string[]
  shipping: { address: { [key: string]: string }; name: string; phone: string | null } | null
  tax_exempt: 'none' | 'exempt' | 'reverse'
  test_clock: string | null
  _deleted?: true
}

export const customer: Kind = {
  type: 'customer',
  noun: 'customer',
  references: { 'invoice_settings.default_payment_method': 'payment_method', test_clock: 'test_helpers.test_clock' },
  onExpand: { subscriptions: (account, stored: Customer) => subscriptionsOf(account, stored) },
  present: (_account, stored: Customer): Wire =>
    stored._deleted ? { id: stored.id, object: 'customer', deleted: true } : visible(stored),
}

function subscriptionsOf(account: Account, stored: Customer): Wire {
  const live = account.objects
    .all(
      'subscription',
      { '$.customer': stored.id },
      { sql: `json_extract(data, '$.status') not in ('canceled', 'incomplete_expired')`, values: [] },
    )
    .toReversed()
  return {
    object: 'list',
    data: live.map((subscription) => account.present(subscription)),
    has_more: false,
    total_count: live.length,
    url: `/v1/customers/${stored.id}/subscriptions`,
  }
}

const changeable = {
  address: unsettable(mapOfText()),
  balance: integer(),
  description: unsettable(text()),
  email: unsettable(text({ max: 512 })),
  invoice_prefix: text(),
  invoice_settings: shape({
    default_payment_method: unsettable(text()),
    footer: unsettable(text()),
  }),
  metadata: metadata(),
  name: unsettable(text({ max: 256 })),
  next_invoice_sequence: integer({ min: 1 }),
  phone: unsettable(text({ max: 20 })),
  preferred_locales: list(text()),
  shipping: unsettable(shape({ address: mapOfText(), name: text(), phone: text() })),
  tax_exempt: oneOf('exempt', 'none', 'reverse'),
}
type Changes = Params<typeof changeable>

export const customerRoutes = [
  route(
    'POST',
    '/v1/customers',
    { ...changeable, payment_method: text(), test_clock: text() },
    (account, { test_clock: clock, payment_method: method, ...params }) => {
      if (clock !== undefined) checkRoom(account, account.reference('test_helpers.test_clock', clock, 'test_clock').id)
      const { invoice_settings: settings, ...fields } = params
      const made = createCustomer(account, fields, clock ?? null)
      if (method !== undefined) attach(account, paymentMethodOf(account, method), made)
      if (!settings) return account.present(made)
      const set = account.objects.save<Customer>({ ...made, invoice_settings: settingsOf(account, made, settings) })
      return account.present(set)
    },
  ),

  route('GET', '/v1/customers/:id', {}, (account, _params, { id }) =>
    account.present(account.get<Customer>('customer', id!)),
  ),

  route('POST', '/v1/customers/:id', changeable, (account, params, { id }) => {
    const before = liveCustomer(account, id!)
    return account.present(updateCustomer(account, before, params))
  }),

  route('GET', '/v1/customers', { ...paging, created: range(), email: text(), test_clock: text() }, (account, params) =>
    listPage<Customer>(account, 'customer', '/v1/customers', params, {
      where: { '$.email': params.email, '$.test_clock': params.test_clock },
      also: {
        sql: `json_extract(data, '$._deleted') is null${params.test_clock ? '' : ` and json_extract(data, '$.test_clock') is null`}`,
        values: [],
      },
      ...(params.created && { created: params.created }),
    }),
  ),

  route('DELETE', '/v1/customers/:id', {}, (account, _params, { id }) => {
    const before = liveCustomer(account, id!)
    deleteCustomer(account, before)
    return { id: before.id, object: 'customer', deleted: true }
  }),
]

export function deleteCustomer(account: Account, before: Customer): void {
  cancelAllOf(account, before)
  const shown = account.present(account.get<Customer>('customer', before.id))
  account.objects.save({ ...account.get<Customer>('customer', before.id), _deleted: true })
  account.events.emit('customer.deleted', shown)
}

/** A customer that was not deleted. @throws ApiError 404 */
export function liveCustomer(account: Account, id: string): Customer {
  const found = account.get<Customer>('customer', id)
  if (found._deleted) throw missing('customer', id)
  return found
}

/** A customer named by a parameter. @throws ApiError 400 */
export function customerParameter(account: Account, id: string, param = 'customer'): Customer {
  const found = account.reference<Customer>('customer', id, param)
  if (!found._deleted) return found
  throw new ApiError(400, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    param,
    message: `No such customer: '${id}'`,
  })
}

export function createCustomer(
  account: Account,
  params: Omit<Changes, 'invoice_settings'>,
  clock: string | null = null,
): Customer {
  const { metadata: sent, ...fields } = params
  return account.create<Customer>(
    {
      id: newId('cus', 14),
      object: 'customer',
      address: null,
      balance: 0,
      created: account.seconds(clock),
      currency: null,
      customer_account: null,
      default_source: null,
      delinquent: false,
      description: null,
      discount: null,
      email: null,
      invoice_prefix: randomLetters(8).toUpperCase(),
      invoice_settings: {
        custom_fields: null,
        default_payment_method: null,
        footer: null,
        rendering_options: null,
      },
      livemode: false,
      metadata: mergedMetadata({}, sent),
      name: null,
      next_invoice_sequence: 1,
      phone: null,
      preferred_locales: [],
      tax_exempt: 'none',
      test_clock: clock,
      ...fields,
      shipping: shippingFrom(fields.shipping),
    },
    'customer.created',
  )
}

export function updateCustomer(account: Account, before: Customer, params: Changes): Customer {
  const { invoice_settings: settings, metadata: sent, shipping, ...fields } = params
  const changes: Partial<Customer> = {
    ...fields,
    metadata: mergedMetadata(before.metadata, sent),
    ...(shipping !== undefined && { shipping: shippingFrom(shipping) }),
    ...(settings && { invoice_settings: settingsOf(account, before, settings) }),
  }
  return account.change(before, changes, 'customer.updated')
}

function settingsOf(
  account: Account,
  owner: Customer,
  sent: NonNullable<Changes['invoice_settings']>,
): Customer['invoice_settings'] {
  const { footer, default_payment_method: method } = sent
  return {
    ...owner.invoice_settings,
    ...(footer !== undefined && { footer }),
    ...(method !== undefined && {
      default_payment_method:
        method && ownMethod(account, owner.id, method, 'invoice_settings[default_payment_method]'),
    }),
  }
}

function shippingFrom(shipping: Changes['shipping']): Customer['shipping'] {
  return shipping ? { address: shipping.address ?? {}, name: shipping.name ?? '', phone: shipping.phone ?? null } : null
}
