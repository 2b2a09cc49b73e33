import type { Account, Kind, Wire } from '../account.ts'
import { missing, refuse } from '../http/errors.ts'
import { oneOf, type Params, required, shape, text } from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { newId } from '../identifier.ts'
import type { Stored } from '../objects.ts'
import { type Customer, customerParameter, liveCustomer } from './customers.ts'

export interface TaxId extends Stored {
  object: 'tax_id'
  country: string | null
  customer: string | null
  customer_account: null
  livemode: false
  owner: { type: 'customer'; customer: string; customer_account: null } | { type: 'self'; customer_account: null }
  type: string
  value: string
  verification: { status: 'pending' | 'unavailable'; verified_address: null; verified_name: null } | null
}

export const taxId: Kind = {
  type: 'tax_id',
  noun: 'tax id',
  references: { customer: 'customer', 'owner.customer': 'customer' },
}

const EU = 'AT BE BG CY CZ DE DK EE EL ES FI FR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK XI'.split(' ')
/** Those that Stripe looks up at a government; here nobody answers, so they stay pending. */
const LOOKED_UP = ['au_abn', 'eu_vat', 'gb_vat']

const creatable = { type: required(text()), value: required(text()) }
const owner = shape({ type: required(oneOf('customer', 'self')), customer: text() })

export const taxIdRoutes = [
  route('POST', '/v1/customers/:customer/tax_ids', creatable, (account, params, { customer }) =>
    account.present(createTaxId(account, liveCustomer(account, customer!), params)),
  ),

  route('GET', '/v1/customers/:customer/tax_ids', paging, (account, params, { customer }) =>
    listTaxIds(account, `/v1/customers/${customer}/tax_ids`, params, liveCustomer(account, customer!)),
  ),

  route('GET', '/v1/customers/:customer/tax_ids/:id', {}, (account, _params, { customer, id }) =>
    account.present(ownTaxId(account, customer!, id!)),
  ),

  route('DELETE', '/v1/customers/:customer/tax_ids/:id', {}, (account, _params, { customer, id }) =>
    deleteTaxId(account, ownTaxId(account, customer!, id!)),
  ),

  route('POST', '/v1/tax_ids', { ...creatable, owner }, (account, params) =>
    account.present(createTaxId(account, ownerFrom(account, params.owner), params)),
  ),

  route('GET', '/v1/tax_ids', { ...paging, owner }, (account, params) =>
    listTaxIds(account, '/v1/tax_ids', params, ownerFrom(account, params.owner)),
  ),

  route('GET', '/v1/tax_ids/:id', {}, (account, _params, { id }) => account.present(account.get<TaxId>('tax_id', id!))),

  route('DELETE', '/v1/tax_ids/:id', {}, (account, _params, { id }) =>
    deleteTaxId(account, account.get<TaxId>('tax_id', id!)),
  ),
]

/** Gives a customer, or (null) the account itself, a tax ID. @throws ApiError 400 for a VAT number that cannot be one */
export function createTaxId(
  account: Account,
  customer: Customer | null,
  { type, value }: { type: string; value: string },
): TaxId {
  if (type === 'eu_vat' && !isEuVat(value))
    throw refuse('Invalid value for eu_vat.', { code: 'tax_id_invalid', param: 'value' })
  return account.create<TaxId>(
    {
      id: newId('txi'),
      object: 'tax_id',
      country: countryOf(type, value),
      created: account.seconds(customer?.test_clock ?? null),
      customer: customer?.id ?? null,
      customer_account: null,
      livemode: false,
      owner: customer
        ? { type: 'customer', customer: customer.id, customer_account: null }
        : { type: 'self', customer_account: null },
      type,
      value,
      verification: customer && {
        status: LOOKED_UP.includes(type) ? 'pending' : 'unavailable',
        verified_address: null,
        verified_name: null,
      },
    },
    customer ? 'customer.tax_id.created' : undefined,
  )
}

/** A customer's tax IDs, newest first, as a list. */
export function listTaxIds(account: Account, url: string, page: Params<typeof paging>, of: Customer | null): Wire {
  return listPage<TaxId>(account, 'tax_id', url, page, {
    where: of ? { '$.customer': of.id } : { '$.owner.type': 'self' },
  })
}

function deleteTaxId(account: Account, stored: TaxId): Wire {
  account.objects.remove(stored.id)
  if (stored.customer) account.events.emit('customer.tax_id.deleted', account.present(stored))
  return { id: stored.id, object: 'tax_id', deleted: true }
}

function ownTaxId(account: Account, customer: string, id: string): TaxId {
  const found = account.get<TaxId>('tax_id', id)
  if (found.customer !== liveCustomer(account, customer).id) throw missing('tax id', id)
  return found
}

function ownerFrom(account: Account, given: Params<{ owner: typeof owner }>['owner']): Customer | null {
  if (given?.type !== 'customer') return null
  if (given.customer === undefined)
    throw refuse('Missing required param: owner[customer].', { code: 'parameter_missing', param: 'owner[customer]' })
  return customerParameter(account, given.customer, 'owner[customer]')
}

/** Two letters of a member state and what all their formats have in common. */
function isEuVat(value: string): boolean {
  const written = value.replaceAll(/[\s.-]/g, '').toUpperCase()
  return EU.includes(written.slice(0, 2)) && /^[A-Z]{2}[0-9A-Z+*]{8,12}$/.test(written)
}

/** A type begins with its country; the European ones have it in the value, where Greece is EL. */
function countryOf(type: string, value: string): string | null {
  if (type === 'eu_oss_vat') return null
  const code = (type === 'eu_vat' ? value : type).slice(0, 2).toUpperCase()
  return code === 'EL' ? 'GR' : code === 'XI' ? 'GB' : code
}
