import type { Account, Kind, Wire } from '../account.ts'

import { formatPico, pico } from '../billing/decimal.ts'
import { refuse } from '../http/errors.ts'
import {
  decimal,
  either,
  flag,
  integer,
  list,
  type Metadata,
  mergedMetadata,
  metadata,
  oneOf,
  type Params,
  range,
  required,
  shape,
  text,
  unsettable,
} from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { newId } from '../identifier.ts'
import type { Meter } from '../metering/usage.ts'
import type { Stored } from '../objects.ts'
import type { Product } from './products.ts'

export interface Tier {
  flat_amount: number | null
  flat_amount_decimal: string | null
  unit_amount: number | null
  unit_amount_decimal: string | null
  up_to: number | null
}

export interface Price extends Stored {
  object: 'price'
  active: boolean
  billing_scheme: 'per_unit' | 'tiered'
  currency: string
  custom_unit_amount: null
  livemode: false
  lookup_key: string | null
  metadata: Metadata
  nickname: string | null
  product: string
  recurring: Recurring | null
  tax_behavior: 'unspecified' | 'inclusive' | 'exclusive'
  tiers_mode: 'graduated' | 'volume' | null
  transform_quantity: { divide_by: number; round: 'up' | 'down' } | null
  type: 'recurring' | 'one_time'
  unit_amount: number | null
  unit_amount_decimal: string | null
  _tiers: Tier[] | null
}

export interface Recurring {
  interval: 'day' | 'week' | 'month' | 'year'
  interval_count: number
  meter: string | null
  trial_period_days: number | null
  usage_type: 'licensed' | 'metered'
}

export const price: Kind = {
  type: 'price',
  noun: 'price',
  references: { product: 'product' },
  onExpand: {
    tiers: (_account, stored: Price) => stored._tiers ?? undefined,
    currency_options: (_account, stored: Price) => ({ [stored.currency]: currencyOption(stored) }),
  },
}

function currencyOption(stored: Price): Wire {
  const { custom_unit_amount, tax_behavior, unit_amount, unit_amount_decimal, _tiers: tiers } = stored
  return { custom_unit_amount, tax_behavior, unit_amount, unit_amount_decimal, ...(tiers && { tiers }) }
}

const INTERVALS_MAX = { day: 1095, week: 156, month: 36, year: 3 }
const ADVERB = { day: 'daily', week: 'weekly', month: 'monthly', year: 'yearly' }

const recurring = shape({
  interval: required(oneOf('day', 'month', 'week', 'year')),
  interval_count: integer({ min: 1 }),
  meter: text(),
  trial_period_days: integer({ min: 1 }),
  usage_type: oneOf('licensed', 'metered'),
})

const tier = shape({
  up_to: required(either(oneOf('inf'), integer({ min: 1 }))),
  unit_amount: integer({ min: 0 }),
  unit_amount_decimal: decimal(),
  flat_amount: integer({ min: 0 }),
  flat_amount_decimal: decimal(),
})

const creatable = {
  active: flag(),
  billing_scheme: oneOf('per_unit', 'tiered'),
  currency: required(text({ max: 3 })),
  lookup_key: text({ max: 200 }),
  metadata: metadata(),
  nickname: text(),
  product: text(),
  product_data: shape({
    name: required(text()),
    id: text(),
    active: flag(),
    metadata: metadata(),
    statement_descriptor: text({ max: 22 }),
    tax_code: text(),
    unit_label: text({ max: 12 }),
  }),
  recurring,
  tax_behavior: oneOf('exclusive', 'inclusive', 'unspecified'),
  tiers: list(tier),
  tiers_mode: oneOf('graduated', 'volume'),
  transfer_lookup_key: flag(),
  transform_quantity: shape({ divide_by: required(integer({ min: 1 })), round: required(oneOf('down', 'up')) }),
  unit_amount: integer({ min: 0 }),
  unit_amount_decimal: decimal(),
}
type Creation = Params<typeof creatable>

export const priceRoutes = [
  route('POST', '/v1/prices', creatable, (account, params) => account.present(createPrice(account, params))),

  route('GET', '/v1/prices/:id', {}, (account, _params, { id }) => account.present(account.get<Price>('price', id!))),

  route(
    'POST',
    '/v1/prices/:id',
    {
      active: flag(),
      lookup_key: unsettable(text({ max: 200 })),
      metadata: metadata(),
      nickname: unsettable(text()),
      tax_behavior: oneOf('exclusive', 'inclusive', 'unspecified'),
      transfer_lookup_key: flag(),
    },
    (account, { metadata: sent, transfer_lookup_key: transfer, ...params }, { id }) => {
      const before = account.get<Price>('price', id!)
      if (params.tax_behavior && before.tax_behavior !== 'unspecified' && params.tax_behavior !== before.tax_behavior) {
        throw refuse('You cannot change the `tax_behavior` of a price once it is set to `inclusive` or `exclusive`.', {
          param: 'tax_behavior',
        })
      }
      if (params.lookup_key) claimLookupKey(account, params.lookup_key, transfer ?? false, before.id)
      const changes = { ...params, metadata: mergedMetadata(before.metadata, sent) }
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
      recurring: shape({
        interval: oneOf('day', 'month', 'week', 'year'),
        meter: text(),
        usage_type: oneOf('licensed', 'metered'),
      }),
      type: oneOf('one_time', 'recurring'),
    },
    (account, params) =>
      listPage<Price>(account, 'price', '/v1/prices', params, {
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
        ...(params.lookup_keys && {
          also: {
            sql: `json_extract(data, '$.lookup_key') in (${params.lookup_keys.map(() => '?').join(', ')})`,
            values: params.lookup_keys,
          },
        }),
      }),
  ),
]

function createPrice(account: Account, params: Creation): Price {
  const productId = productFor(account, params)
  const scheme = params.billing_scheme ?? 'per_unit'
  checkAmounts(params, scheme)
  if (params.recurring) checkRecurring(account, params.recurring)
  else if (scheme === 'tiered') {
    throw refuse('Prices with `type=one_time` are not supported with tiered billing.', { param: 'interval' })
  }
  const id = newId('price')
  if (params.lookup_key) claimLookupKey(account, params.lookup_key, params.transfer_lookup_key ?? false, id)
  const amount = amountPair(params.unit_amount, params.unit_amount_decimal)
  return account.create<Price>(
    {
      id,
      object: 'price',
      active: params.active ?? true,
      billing_scheme: scheme,
      created: account.seconds(),
      currency: params.currency.toLowerCase(),
      custom_unit_amount: null,
      livemode: false,
      lookup_key: params.lookup_key ?? null,
      metadata: mergedMetadata({}, params.metadata),
      nickname: params.nickname ?? null,
      product: productId,
      recurring: params.recurring
        ? {
            interval: params.recurring.interval,
            interval_count: params.recurring.interval_count ?? 1,
            meter: params.recurring.meter ?? null,
            trial_period_days: params.recurring.trial_period_days ?? null,
            usage_type: params.recurring.usage_type ?? 'licensed',
          }
        : null,
      tax_behavior: params.tax_behavior ?? 'unspecified',
      tiers_mode: params.tiers_mode ?? null,
      transform_quantity: params.transform_quantity ?? null,
      type: params.recurring ? 'recurring' : 'one_time',
      unit_amount: amount.whole,
      unit_amount_decimal: amount.decimal,
      _tiers: scheme === 'tiered' ? tiersFrom(params.tiers ?? []) : null,
    },
    'price.created',
  )
}

function productFor(account: Account, params: Creation): string {
  if (params.product !== undefined && params.product_data) {
    throw refuse('You may only specify one of these parameters: product, product_data.', { param: 'product' })
  }
  if (params.product !== undefined) return account.reference<Product>('product', params.product, 'product').id
  if (!params.product_data) throw refuse('You must specify either `product` or `product_data` when creating a price.')
  const { metadata: sent, ...data } = params.product_data
  const created = account.seconds()
  return account.create<Product>(
    {
      id: data.id ?? newId('prod', 14),
      object: 'product',
      active: data.active ?? true,
      attributes: [],
      created,
      default_price: null,
      description: null,
      images: [],
      livemode: false,
      marketing_features: [],
      metadata: mergedMetadata({}, sent),
      name: data.name,
      package_dimensions: null,
      shippable: null,
      statement_descriptor: data.statement_descriptor ?? null,
      tax_code: data.tax_code ?? null,
      tax_details: null,
      type: 'service',
      unit_label: data.unit_label ?? null,
      updated: created,
      url: null,
    },
    'product.created',
  ).id
}

function checkAmounts(params: Creation, scheme: Price['billing_scheme']): void {
  const hasAmount = params.unit_amount !== undefined || params.unit_amount_decimal !== undefined
  if (params.unit_amount !== undefined && params.unit_amount_decimal !== undefined) {
    throw refuse('You may only specify one of these parameters: unit_amount, unit_amount_decimal.', {
      param: 'unit_amount',
    })
  }
  if (scheme === 'tiered') {
    if (!params.tiers || params.tiers.length === 0)
      throw refuse('You must specify `tiers` when `billing_scheme=tiered`.', { param: 'tiers' })
    if (!params.tiers_mode)
      throw refuse('You must specify `tiers_mode` when `billing_scheme=tiered`.', { param: 'tiers_mode' })
    if (hasAmount)
      throw refuse('You cannot specify `unit_amount` when `billing_scheme=tiered`.', { param: 'unit_amount' })
    if (params.transform_quantity)
      throw refuse('`transform_quantity` cannot be combined with `tiers`.', { param: 'transform_quantity' })
    return
  }
  if (params.tiers) throw refuse('You may only specify `tiers` when `billing_scheme=tiered`.', { param: 'tiers' })
  if (params.tiers_mode)
    throw refuse('You may only specify `tiers_mode` when `billing_scheme=tiered`.', { param: 'tiers_mode' })
  if (!hasAmount) throw refuse('Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.')
}

function checkRecurring(account: Account, given: NonNullable<Creation['recurring']>): void {
  const max = INTERVALS_MAX[given.interval]
  if ((given.interval_count ?? 1) > max) {
    throw refuse(`The interval_count for ${ADVERB[given.interval]} prices can't be greater than ${max}`, {
      param: 'recurring[interval_count]',
    })
  }
  if (given.usage_type !== 'metered') {
    if (given.meter === undefined) return
    throw refuse('You can only specify `recurring[meter]` when `recurring[usage_type]=metered`.', {
      param: 'recurring[meter]',
    })
  }
  if (given.meter === undefined) {
    throw refuse('Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters.')
  }
  const meter = account.reference<Meter>('billing.meter', given.meter, 'recurring[meter]')
  if (meter.status === 'inactive') {
    throw refuse(`The meter \`${meter.id}\` is inactive and cannot be attached to a price.`, {
      param: 'recurring[meter]',
    })
  }
}

function tiersFrom(given: NonNullable<Creation['tiers']>): Tier[] {
  let floor = 0
  return given.map((step, index) => {
    const isLast = index === given.length - 1
    const upTo = step.up_to === 'inf' ? null : step.up_to
    if (isLast !== (upTo === null)) {
      throw refuse('The last tier, and only the last, must have `up_to=inf`.', { param: `tiers[${index}][up_to]` })
    }
    if (upTo !== null && upTo <= floor) {
      throw refuse('The `up_to` of each tier must be greater than that of the tier before.', {
        param: `tiers[${index}][up_to]`,
      })
    }
    floor = upTo ?? floor
    const unit = amountPair(step.unit_amount, step.unit_amount_decimal)
    const flat = amountPair(step.flat_amount, step.flat_amount_decimal)
    if (unit.decimal === null && flat.decimal === null) {
      throw refuse('Each tier needs a `unit_amount`, a `flat_amount`, or both.', { param: `tiers[${index}]` })
    }
    return {
      flat_amount: flat.whole,
      flat_amount_decimal: flat.decimal,
      unit_amount: unit.whole,
      unit_amount_decimal: unit.decimal,
      up_to: upTo,
    }
  })
}

/** Both forms of an amount: the whole one is null unless the decimal is an integer. */
function amountPair(
  whole: number | undefined,
  exact: string | undefined,
): { whole: number | null; decimal: string | null } {
  if (whole !== undefined) return { whole, decimal: String(whole) }
  if (exact === undefined) return { whole: null, decimal: null }
  const written = formatPico(pico(exact))
  return { whole: written.includes('.') ? null : Number(written), decimal: written }
}

/** Lookup keys are unique, inactive prices included; a transfer takes the key from its holder, who stays as it is. */
function claimLookupKey(account: Account, key: string, transfer: boolean, claimant: string): void {
  const [holder] = account.objects.all<Price>('price', { '$.lookup_key': key })
  if (!holder || holder.id === claimant) return
  if (!transfer) throw refuse(`A price (\`${holder.id}\`) already uses that lookup key.`, { param: 'lookup_key' })
  account.change(holder, { lookup_key: null }, 'price.updated')
}

/** The legacy shape of a recurring price that subscription items still carry. */
export function planOf(stored: Price): Wire {
  return {
    id: stored.id,
    object: 'plan',
    active: stored.active,
    amount: stored.unit_amount,
    amount_decimal: stored.unit_amount_decimal,
    billing_scheme: stored.billing_scheme,
    created: stored.created,
    currency: stored.currency,
    interval: stored.recurring?.interval ?? null,
    interval_count: stored.recurring?.interval_count ?? null,
    livemode: false,
    metadata: stored.metadata,
    meter: stored.recurring?.meter ?? null,
    nickname: stored.nickname,
    product: stored.product,
    tiers_mode: stored.tiers_mode,
    transform_usage: stored.transform_quantity,
    trial_period_days: stored.recurring?.trial_period_days ?? null,
    usage_type: stored.recurring?.usage_type ?? 'licensed',
  }
}
