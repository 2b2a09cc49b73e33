import type { Account, Kind, Wire } from '../account.ts'
import { visible } from '../account.ts'
import { ApiError, missing, refuse } from '../http/errors.ts'
import {
  integer,
  list,
  type Metadata,
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
import { newId, randomLetters } from '../identifier.ts'
import { changeBalance } from '../invoices/balance.ts'
import type { Stored } from '../objects.ts'
import { cancelAllOf } from '../subscriptions/cancel.ts'
import { attach, ownMethod, paymentMethodOf } from './payment-methods.ts'
import { checkRoom } from './test-clocks.ts'

export interface Address {
  city: string | null
  country: string | null
  line1: string | null
  line2: string | null
  postal_code: string | null
  state: string | null
}

export interface Customer extends Stored {
  object: 'customer'
  address: Address | null
  balance: number
  business_name?: string
  currency: string | null
  customer_account: null
  default_source: string | null
  delinquent: boolean
  description: string | null
  discount: null
  email: string | null
  individual_name?: string
  invoice_prefix: string
  invoice_settings: {
    custom_fields: { name: string; value: string }[] | null
    default_payment_method: string | null
    footer: string | null
    rendering_options: { amount_tax_display: string | null; template: string | null } | null
  }
  livemode: false
  metadata: Metadata
  name: string | null
  next_invoice_sequence: number
  phone: string | null
  preferred_locales: string[]
  shipping: { address: Address; name: string; phone: string | null } | null
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

const address = unsettable(
  shape({
    city: unsettable(text()),
    country: unsettable(text()),
    line1: unsettable(text()),
    line2: unsettable(text()),
    postal_code: unsettable(text()),
    state: unsettable(text()),
  }),
)

const changeable = {
  address,
  balance: integer(),
  business_name: onlyShown(unsettable(text({ max: 150 }))),
  description: unsettable(text()),
  email: unsettable(text({ max: 512 })),
  individual_name: onlyShown(unsettable(text({ max: 150 }))),
  invoice_prefix: text(),
  invoice_settings: shape({
    custom_fields: unsettable(
      list(shape({ name: required(text({ max: 40 })), value: required(text({ max: 140 })) }), { max: 4 }),
    ),
    default_payment_method: unsettable(text()),
    footer: unsettable(text()),
    rendering_options: onlyShown(
      unsettable(
        shape({
          amount_tax_display: unsettable(oneOf('exclude_tax', 'include_inclusive_tax')),
          template: text(),
        }),
      ),
    ),
  }),
  metadata: metadata(),
  name: unsettable(text({ max: 256 })),
  next_invoice_sequence: integer({ min: 1 }),
  phone: unsettable(text({ max: 20 })),
  preferred_locales: onlyShown(list(text())),
  shipping: onlyShown(unsettable(shape({ address: required(address), name: required(text()), phone: text() }))),
  source: text(),
  tax_exempt: onlyShown(unsettable(oneOf('exempt', 'none', 'reverse'))),
}
type Changes = Params<typeof changeable>

export const customerRoutes = [
  route(
    'POST',
    '/v1/customers',
    { ...changeable, payment_method: text(), test_clock: text() },
    (account, { test_clock: clock, payment_method: method, ...params }) => {
      if (clock !== undefined) checkRoom(account, account.reference('test_helpers.test_clock', clock, 'test_clock').id)
      if (method !== undefined && params.source !== undefined)
        throw refuse('You may only specify one of these parameters: payment_method, source.', {
          param: 'payment_method',
        })
      const { invoice_settings: settings, ...fields } = params
      const made = createCustomer(account, fields, clock ?? null)
      if (method !== undefined) attach(account, paymentMethodOf(account, method), made)
      if (!settings) return account.present(account.get<Customer>('customer', made.id))
      const { id } = made
      const stored = account.get<Customer>('customer', id)
      return account.present(
        account.objects.save<Customer>({ ...stored, invoice_settings: settingsOf(account, stored, settings) }),
      )
    },
  ),

  route('GET', '/v1/customers/:id', {}, (account, _params, { id }) =>
    account.present(account.get<Customer>('customer', id!)),
  ),

  route(
    'POST',
    '/v1/customers/:id',
    { ...changeable, default_source: text() },
    (account, { default_source: source, ...params }, { id }) => {
      const before = liveCustomer(account, id!)
      const changed = updateCustomer(account, before, params)
      if (source === undefined) return account.present(changed)
      const own = ownMethod(account, before.id, source, 'default_source')
      return account.present(account.change(changed, { default_source: own }, 'customer.updated'))
    },
  ),

  route(
    'GET',
    '/v1/customers',
    { ...paging, created: range(), email: text(), test_clock: text() },
    (account, { email, test_clock: clock, created, ...page }) =>
      listPage<Customer>(account, 'customer', '/v1/customers', page, {
        where: { '$.email': email, '$.test_clock': clock ?? null },
        also: { sql: `json_extract(data, '$._deleted') is null`, values: [] },
        ...(created && { created }),
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
  checkFields(account, params)
  const { source, balance = 0, ...fields } = fieldsFrom(params)
  const made = account.create<Customer>(
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
      name: null,
      next_invoice_sequence: 1,
      phone: null,
      preferred_locales: [],
      shipping: null,
      tax_exempt: 'none',
      test_clock: clock,
      ...fields,
      metadata: mergedMetadata({}, params.metadata),
    },
    'customer.created',
  )
  if (balance !== 0) changeBalance(account, made, balance, { type: 'initial', currency: DEFAULT_CURRENCY })
  if (source === undefined) return account.get<Customer>('customer', made.id)
  return useSource(account, account.get<Customer>('customer', made.id), source)
}

export function updateCustomer(account: Account, before: Customer, params: Changes): Customer {
  checkFields(account, params, before.id)
  const { invoice_settings: settings, metadata: sent } = params
  const { source, balance, ...fields } = fieldsFrom(params)
  const changes: Partial<Customer> = {
    ...fields,
    metadata: mergedMetadata(before.metadata, sent),
    ...(settings && { invoice_settings: settingsOf(account, before, settings) }),
  }
  const changed = account.change(before, changes, 'customer.updated')
  if (balance !== undefined && balance !== changed.balance) {
    changeBalance(account, changed, balance, { type: 'adjustment', currency: changed.currency ?? DEFAULT_CURRENCY })
  }
  const stored = account.get<Customer>('customer', before.id)
  return source === undefined ? stored : useSource(account, stored, source)
}

/** What a balance is in before anything was billed: the account's own currency. */
const DEFAULT_CURRENCY = 'usd'

/** The old way to save a card: it becomes what is charged when nothing else was chosen. */
function useSource(account: Account, owner: Customer, token: string): Customer {
  const { id } = attach(account, paymentMethodOf(account, token), owner)
  return account.change(account.get<Customer>('customer', owner.id), { default_source: id }, 'customer.updated')
}

/** @throws ApiError */
function checkFields(account: Account, params: Omit<Changes, 'invoice_settings'>, id?: string): void {
  const { email, invoice_prefix: prefix } = params
  if (email && !/^[^\s@]+@[^\s@]+$/.test(email)) {
    throw refuse(`Invalid email address: ${email}`, { code: 'email_invalid', param: 'email' })
  }
  if (prefix === undefined) return
  if (!/^[A-Z0-9]{3,12}$/.test(prefix)) {
    throw refuse('Invalid invoice_prefix: must be 3-12 uppercase letters or numbers.', { param: 'invoice_prefix' })
  }
  const [holder] = account.objects.all<Customer>('customer', { '$.invoice_prefix': prefix })
  if (holder && holder.id !== id) {
    throw refuse(`The invoice prefix ${prefix} is already used by another customer.`, { param: 'invoice_prefix' })
  }
}

/** The stored form of what was sent; what stays as it was is left out. */
function fieldsFrom({
  invoice_settings: _settings,
  metadata: _metadata,
  address: sentAddress,
  shipping,
  business_name: business,
  individual_name: individual,
  tax_exempt: exempt,
  ...fields
}: Changes) {
  return {
    ...fields,
    ...(sentAddress !== undefined && { address: sentAddress && addressFrom(sentAddress) }),
    ...(shipping !== undefined && { shipping: shippingFrom(shipping) }),
    // An unset name is no name at all: the field goes away.
    ...(business !== undefined && { business_name: business ?? undefined }),
    ...(individual !== undefined && { individual_name: individual ?? undefined }),
    ...(exempt !== undefined && { tax_exempt: exempt ?? ('none' as const) }),
  } as Partial<Customer> & { source?: string }
}

function addressFrom(sent: NonNullable<Changes['address']>): Address {
  const { city = null, country = null, line1 = null, line2 = null, postal_code = null, state = null } = sent
  return { city, country, line1, line2, postal_code, state }
}

function settingsOf(
  account: Account,
  owner: Customer,
  sent: NonNullable<Changes['invoice_settings']>,
): Customer['invoice_settings'] {
  const { default_payment_method: method, rendering_options: rendering, custom_fields: custom, footer } = sent
  return {
    ...owner.invoice_settings,
    ...(footer !== undefined && { footer }),
    ...(custom !== undefined && { custom_fields: custom && custom.length > 0 ? custom : null }),
    ...(rendering !== undefined && {
      rendering_options: rendering && {
        amount_tax_display: rendering.amount_tax_display ?? null,
        template: rendering.template ?? null,
      },
    }),
    ...(method !== undefined && {
      default_payment_method:
        method && ownMethod(account, owner.id, method, 'invoice_settings[default_payment_method]'),
    }),
  }
}

function shippingFrom(shipping: Changes['shipping']): Customer['shipping'] {
  return shipping
    ? { address: addressFrom(shipping.address ?? {}), name: shipping.name, phone: shipping.phone ?? null }
    : null
}
