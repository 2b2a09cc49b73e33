import type { Kind } from '../account.ts'
import { changedCurrencies, claimLookupKey, createPrice, currencyOptionsOf, type Price } from '../catalogue/price.ts'
import type { Product } from '../catalogue/product.ts'
import { refuse } from '../http/errors.ts'
import type { Raw } from '../http/form.ts'
import {
  decimal,
  either,
  flag,
  integer,
  list,
  mergedMetadata,
  metadata,
  oneOf,
  onlyShown,
  type Rule,
  range,
  required,
  shape,
  text,
  unsettable,
} from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'

export type { Price } from '../catalogue/price.ts'

export const price: Kind = {
  type: 'price',
  noun: 'price',
  references: { product: 'product' },
  onExpand: {
    tiers: (_account, stored: Price) => stored._tiers ?? undefined,
    currency_options: (_account, stored: Price) => currencyOptionsOf(stored),
  },
}

const taxBehavior = oneOf('exclusive', 'inclusive', 'unspecified')

const customAmount = shape({
  enabled: required(flag()),
  maximum: integer({ min: 0 }),
  minimum: integer({ min: 0 }),
  preset: integer({ min: 0 }),
})

const tier = shape({
  up_to: required(either(oneOf('inf'), integer({ min: 1 }))),
  unit_amount: integer({ min: 0 }),
  unit_amount_decimal: decimal(),
  flat_amount: integer({ min: 0 }),
  flat_amount_decimal: decimal(),
})

const amounts = {
  custom_unit_amount: customAmount,
  tax_behavior: taxBehavior,
  tiers: list(tier),
  unit_amount: integer({ min: 0 }),
  unit_amount_decimal: decimal(),
}

const interval = oneOf('day', 'month', 'week', 'year')

/** A hash whose keys are currencies. */
function byCurrency<T>(rule: Rule<T>): Rule<{ [currency: string]: T }> {
  return {
    ...(rule.inner && { inner: { '<currency>': rule } }),
    read(value, name, unknown) {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        throw refuse('Invalid object', { param: name })
      const entries = Object.entries(value as { [currency: string]: Raw })
      return Object.fromEntries(
        entries.map(([currency, inner]) => [currency, rule.read(inner, `${name}[${currency}]`, unknown)]),
      )
    },
  }
}

export const currencyOptions = byCurrency(shape(amounts))

/** What `default_price_data` of a product can say of its price, too. */
export const defaultPriceData = shape({
  currency: required(text()),
  currency_options: currencyOptions,
  custom_unit_amount: customAmount,
  metadata: metadata(),
  recurring: shape({ interval: required(interval), interval_count: integer({ min: 1 }) }),
  tax_behavior: taxBehavior,
  unit_amount: integer({ min: 0 }),
  unit_amount_decimal: decimal(),
})

export const priceRoutes = [
  route(
    'POST',
    '/v1/prices',
    {
      ...amounts,
      active: flag(),
      billing_scheme: oneOf('per_unit', 'tiered'),
      currency: required(text()),
      currency_options: currencyOptions,
      lookup_key: text({ max: 200 }),
      metadata: metadata(),
      nickname: onlyShown(text()),
      product: text(),
      product_data: shape({
        name: required(text()),
        id: text({ max: 255 }),
        active: flag(),
        metadata: metadata(),
        statement_descriptor: onlyShown(text({ max: 22 })),
        tax_code: onlyShown(text()),
        tax_details: onlyShown(shape({ performance_location: text(), tax_code: unsettable(text()) })),
        unit_label: text({ max: 12 }),
      }),
      recurring: shape({
        interval: required(interval),
        interval_count: integer({ min: 1 }),
        meter: text(),
        trial_period_days: integer({ min: 1 }),
        usage_type: oneOf('licensed', 'metered'),
      }),
      tiers_mode: oneOf('graduated', 'volume'),
      transfer_lookup_key: flag(),
      transform_quantity: shape({ divide_by: required(integer({ min: 1 })), round: required(oneOf('down', 'up')) }),
    },
    (account, params) => account.present(createPrice(account, params)),
  ),

  route('GET', '/v1/prices/:id', {}, (account, _params, { id }) => account.present(account.get<Price>('price', id!))),

  route(
    'POST',
    '/v1/prices/:id',
    {
      active: flag(),
      currency_options: unsettable(currencyOptions),
      lookup_key: unsettable(text({ max: 200 })),
      metadata: metadata(),
      nickname: onlyShown(unsettable(text())),
      tax_behavior: taxBehavior,
      transfer_lookup_key: flag(),
    },
    (account, { metadata: sent, transfer_lookup_key: transfer, currency_options: currencies, ...params }, { id }) => {
      const before = account.get<Price>('price', id!)
      if (params.tax_behavior && before.tax_behavior !== 'unspecified' && params.tax_behavior !== before.tax_behavior) {
        throw refuse('You cannot change the `tax_behavior` of a price once it is set to `inclusive` or `exclusive`.', {
          param: 'tax_behavior',
        })
      }
      if (params.active === false && isDefault(before, account.objects.find<Product>('product', before.product))) {
        throw refuse('This price cannot be archived because it is the default price of its product.')
      }
      if (params.lookup_key) claimLookupKey(account, params.lookup_key, transfer ?? false, before.id)
      const changes = {
        ...params,
        ...(currencies !== undefined && { _currency_options: changedCurrencies(before, currencies) }),
        metadata: mergedMetadata(before.metadata, sent),
      }
      return account.present(account.change(before, changes, 'price.updated'))
    },
  ),

  route(
    'GET',
    '/v1/prices',
    {
      ...paging,
      active: flag(),
      created: range(),
      currency: text(),
      lookup_keys: list(text(), { max: 10 }),
      product: text(),
      recurring: shape({ interval, meter: text(), usage_type: oneOf('licensed', 'metered') }),
      type: oneOf('one_time', 'recurring'),
    },
    (account, params) => {
      const keys = params.lookup_keys
      return listPage<Price>(account, 'price', '/v1/prices', params, {
        where: {
          '$.active': params.active ?? true,
          '$.currency': params.currency,
          '$.product': params.product,
          '$.type': params.type,
          '$.recurring.interval': params.recurring?.interval,
          '$.recurring.meter': params.recurring?.meter,
          '$.recurring.usage_type': params.recurring?.usage_type,
        },
        ...(params.created && { created: params.created }),
        also: {
          sql: `json_extract(data, '$._inline') is null${
            keys ? ` and json_extract(data, '$.lookup_key') in (${keys.map(() => '?').join(', ')})` : ''
          }`,
          values: keys ?? [],
        },
      })
    },
  ),
]

function isDefault(price: Price, product: Product | undefined): boolean {
  return product?.default_price === price.id
}
