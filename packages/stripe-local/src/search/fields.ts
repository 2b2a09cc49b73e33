/**
 * What can be searched (docs: search, "Query fields"). token: exact only; string: a part of it, too; number: greater and
 * less, too; flag: true or false.
 */
export type FieldKind = 'token' | 'string' | 'number' | 'flag'

export interface Searchable {
  /** As Stripe calls the resource in addresses and refusals. */
  resource: string
  /** The objects' type. */
  type: string
  /** Field of the query → where it stands in the stored object, and what it is. */
  fields: { [field: string]: [path: string, kind: FieldKind] }
}

const created = { created: ['$.created', 'number'] } as const satisfies Searchable['fields']

export const SEARCHABLE: Searchable[] = [
  {
    resource: 'charges',
    type: 'charge',
    fields: {
      ...created,
      amount: ['$.amount', 'number'],
      'billing_details.address.postal_code': ['$.billing_details.address.postal_code', 'token'],
      currency: ['$.currency', 'token'],
      customer: ['$.customer', 'token'],
      disputed: ['$.disputed', 'flag'],
      refunded: ['$.refunded', 'flag'],
      status: ['$.status', 'token'],
      ...Object.fromEntries(
        ['last4', 'exp_month', 'exp_year', 'brand', 'fingerprint'].map((name) => [
          `payment_method_details.card.${name}`,
          [`$.payment_method_details.card.${name}`, 'token'] as [string, FieldKind],
        ]),
      ),
    },
  },
  {
    resource: 'customers',
    type: 'customer',
    fields: {
      ...created,
      email: ['$.email', 'string'],
      name: ['$.name', 'string'],
      phone: ['$.phone', 'string'],
    },
  },
  {
    resource: 'invoices',
    type: 'invoice',
    fields: {
      ...created,
      currency: ['$.currency', 'token'],
      customer: ['$.customer', 'token'],
      last_finalization_error_code: ['$.last_finalization_error.code', 'token'],
      last_finalization_error_type: ['$.last_finalization_error.type', 'token'],
      number: ['$.number', 'string'],
      receipt_number: ['$.receipt_number', 'string'],
      status: ['$.status', 'string'],
      subscription: ['$.parent.subscription_details.subscription', 'string'],
      total: ['$.total', 'number'],
    },
  },
  {
    resource: 'payment_intents',
    type: 'payment_intent',
    fields: {
      ...created,
      amount: ['$.amount', 'number'],
      currency: ['$.currency', 'token'],
      customer: ['$.customer', 'token'],
      status: ['$.status', 'token'],
    },
  },
  {
    resource: 'prices',
    type: 'price',
    fields: {
      active: ['$.active', 'flag'],
      currency: ['$.currency', 'token'],
      lookup_key: ['$.lookup_key', 'string'],
      product: ['$.product', 'string'],
      type: ['$.type', 'token'],
    },
  },
  {
    resource: 'products',
    type: 'product',
    fields: {
      active: ['$.active', 'flag'],
      description: ['$.description', 'string'],
      name: ['$.name', 'string'],
      shippable: ['$.shippable', 'flag'],
      url: ['$.url', 'string'],
    },
  },
  {
    resource: 'subscriptions',
    type: 'subscription',
    fields: {
      ...created,
      canceled_at: ['$.canceled_at', 'number'],
      status: ['$.status', 'string'],
    },
  },
]
