import type { Account, Wire } from '../account.ts'
import { formatPico, pico } from '../billing/decimal.ts'
import { refuse } from '../http/errors.ts'
import { type Metadata, mergedMetadata } from '../http/params.ts'
import { newId } from '../identifier.ts'
import type { Meter } from '../metering/usage.ts'
import type { Stored } from '../objects.ts'
import { currencyOf } from './currency.ts'
import { createProduct, type Product, taxDetailsFrom } from './product.ts'

export interface Tier {
  flat_amount: number | null
  flat_amount_decimal: string | null
  unit_amount: number | null
  unit_amount_decimal: string | null
  up_to: number | null
}

type TaxBehavior = 'unspecified' | 'inclusive' | 'exclusive'

/** What a price costs in one currency. */
export interface Amounts {
  custom_unit_amount: { maximum: number | null; minimum: number | null; preset: number | null } | null
  tax_behavior: TaxBehavior
  tiers: Tier[] | null
  unit_amount: number | null
  unit_amount_decimal: string | null
}

export interface Price extends Stored {
  object: 'price'
  active: boolean
  billing_scheme: 'per_unit' | 'tiered'
  currency: string
  custom_unit_amount: Amounts['custom_unit_amount']
  livemode: false
  lookup_key: string | null
  metadata: Metadata
  nickname: string | null
  product: string
  recurring: Recurring | null
  tax_behavior: TaxBehavior
  tiers_mode: 'graduated' | 'volume' | null
  transform_quantity: { divide_by: number; round: 'up' | 'down' } | null
  type: 'recurring' | 'one_time'
  unit_amount: number | null
  unit_amount_decimal: string | null
  _tiers: Tier[] | null
  /** The other currencies it can be paid in. */
  _currency_options?: { [currency: string]: Amounts }
  /** Made by `price_data` for one use: never listed. */
  _inline?: true
}

export interface Recurring {
  interval: 'day' | 'week' | 'month' | 'year'
  interval_count: number
  meter: string | null
  trial_period_days: number | null
  usage_type: 'licensed' | 'metered'
}

interface GivenAmounts {
  custom_unit_amount?: { enabled: boolean; maximum?: number; minimum?: number; preset?: number } | undefined
  tax_behavior?: TaxBehavior | undefined
  tiers?: GivenTier[] | undefined
  unit_amount?: number | undefined
  unit_amount_decimal?: string | undefined
}
interface GivenTier {
  up_to: number | 'inf'
  unit_amount?: number
  unit_amount_decimal?: string
  flat_amount?: number
  flat_amount_decimal?: string
}
export type GivenCurrencies = { [currency: string]: GivenAmounts }

interface NewProductData {
  name: string
  id?: string
  active?: boolean
  images?: string[]
  description?: string
  metadata?: Metadata | null
  statement_descriptor?: string
  tax_code?: string
  tax_details?: { performance_location?: string; tax_code?: string | null }
  unit_label?: string
}

export interface NewPrice extends GivenAmounts {
  active?: boolean | undefined
  billing_scheme?: Price['billing_scheme'] | undefined
  currency: string
  currency_options?: GivenCurrencies | undefined
  lookup_key?: string | undefined
  metadata?: Metadata | null | undefined
  nickname?: string | undefined
  product?: string | undefined
  product_data?: NewProductData | undefined
  recurring?:
    | {
        interval: Recurring['interval']
        interval_count?: number
        meter?: string
        trial_period_days?: number
        usage_type?: Recurring['usage_type']
      }
    | undefined
  tiers_mode?: 'graduated' | 'volume' | undefined
  transfer_lookup_key?: boolean | undefined
  transform_quantity?: Price['transform_quantity'] | undefined
}

const INTERVALS_MAX = { day: 1095, week: 156, month: 36, year: 3 }
const ADVERB = { day: 'daily', week: 'weekly', month: 'monthly', year: 'yearly' }

/**
 * A price, with the product its `product_data` describes. `inline`: made for one subscription, invoice or session from
 * its `price_data`; such a price is not active and in no list.
 *
 * @throws ApiError
 */
export function createPrice(account: Account, given: NewPrice, options: { inline?: boolean } = {}): Price {
  if (given.product !== undefined && given.product_data) throw onlyOneOf('product', 'product_data')
  if (given.product === undefined && !given.product_data) {
    throw refuse('You must specify either `product` or `product_data` when creating a price.')
  }
  const currency = currencyOf(given.currency)
  const scheme = given.billing_scheme ?? 'per_unit'
  checkScheme(given, scheme)
  const amounts = amountsFrom(given, scheme, '')
  checkCustomAmount(given)
  if (given.recurring) checkRecurring(account, given.recurring)
  else if (scheme === 'tiered') {
    throw refuse('Prices with `type=one_time` are not supported with tiered billing.', { param: 'interval' })
  }
  const others = otherCurrencies(given.currency_options, { currency, billing_scheme: scheme })
  const product = productOf(account, given, options.inline ?? false)
  const id = newId('price')
  if (given.lookup_key) claimLookupKey(account, given.lookup_key, given.transfer_lookup_key ?? false, id)
  const { tiers, ...shown } = amounts
  const made: Price = {
    id,
    object: 'price',
    active: options.inline ? false : (given.active ?? true),
    billing_scheme: scheme,
    created: account.seconds(),
    currency,
    livemode: false,
    lookup_key: given.lookup_key ?? null,
    metadata: mergedMetadata({}, given.metadata),
    nickname: given.nickname ?? null,
    product,
    recurring: given.recurring ? recurringFrom(given.recurring) : null,
    tiers_mode: given.tiers_mode ?? null,
    transform_quantity: given.transform_quantity ?? null,
    type: given.recurring ? 'recurring' : 'one_time',
    ...shown,
    _tiers: tiers,
    ...(Object.keys(others).length > 0 && { _currency_options: others }),
    ...(options.inline && { _inline: true as const }),
  }
  if (made.recurring) account.events.emit('plan.created', planOf(made))
  return account.create<Price>(made, 'price.created')
}

/** What a price costs in a currency; null when it cannot be paid in it. */
export function amountsIn(price: Price, currency: string): Amounts | null {
  if (currency !== price.currency) return price._currency_options?.[currency] ?? null
  const { custom_unit_amount, tax_behavior, unit_amount, unit_amount_decimal, _tiers: tiers } = price
  return { custom_unit_amount, tax_behavior, tiers, unit_amount, unit_amount_decimal }
}

/** All currencies of a price, its own among them, as `currency_options` shows them. */
export function currencyOptionsOf(price: Price): Wire {
  const currencies = [price.currency, ...Object.keys(price._currency_options ?? {})]
  return Object.fromEntries(
    currencies.map((currency) => {
      const { tiers, ...amounts } = amountsIn(price, currency)!
      return [currency, { ...amounts, ...(tiers && { tiers }) }]
    }),
  )
}

/** The other currencies after an update; null removes them all. */
export function changedCurrencies(price: Price, given: GivenCurrencies | null): { [currency: string]: Amounts } {
  if (given === null) return {}
  return { ...price._currency_options, ...otherCurrencies(given, price) }
}

function otherCurrencies(
  given: GivenCurrencies | undefined,
  price: { currency: string; billing_scheme: Price['billing_scheme'] },
): { [currency: string]: Amounts } {
  return Object.fromEntries(
    Object.entries(given ?? {}).map(([written, amounts]) => {
      const param = `currency_options[${written}]`
      const currency = currencyOf(written, param)
      if (currency === price.currency) {
        throw refuse(`\`currency_options\` cannot contain the price's own currency, \`${currency}\`.`, { param })
      }
      return [currency, amountsFrom(amounts, price.billing_scheme, param)]
    }),
  )
}

function productOf(account: Account, given: NewPrice, inline: boolean): string {
  if (given.product !== undefined) return account.reference<Product>('product', given.product, 'product').id
  const { tax_details: tax, ...data } = given.product_data!
  return createProduct(account, { ...data, tax_details: taxDetailsFrom(tax), ...(inline && { active: false }) }).id
}

function checkScheme(given: NewPrice, scheme: Price['billing_scheme']): void {
  if (scheme === 'tiered') {
    if (!given.tiers_mode)
      throw refuse('You must specify `tiers_mode` when `billing_scheme=tiered`.', { param: 'tiers_mode' })
    if (given.transform_quantity)
      throw refuse('`transform_quantity` cannot be combined with `tiers`.', { param: 'transform_quantity' })
  } else if (given.tiers_mode) {
    throw refuse('You may only specify `tiers_mode` when `billing_scheme=tiered`.', { param: 'tiers_mode' })
  }
}

/** @param prefix where the amounts stand among the parameters: '' or `currency_options[eur]` */
function amountsFrom(given: GivenAmounts, scheme: Price['billing_scheme'], prefix: string): Amounts {
  const param = (name: string) => (prefix === '' ? name : `${prefix}[${name}]`)
  const { unit_amount: whole, unit_amount_decimal: exact, custom_unit_amount: custom, tiers } = given
  if (whole !== undefined && exact !== undefined) throw onlyOneOf('unit_amount', 'unit_amount_decimal', prefix)
  const hasAmount = whole !== undefined || exact !== undefined
  if (custom?.enabled && hasAmount) throw onlyOneOf('custom_unit_amount', 'unit_amount', prefix)
  const unit = amountPair(whole, exact)
  const common = {
    custom_unit_amount: custom?.enabled
      ? { maximum: custom.maximum ?? null, minimum: custom.minimum ?? null, preset: custom.preset ?? null }
      : null,
    tax_behavior: given.tax_behavior ?? ('unspecified' as const),
    unit_amount: unit.whole,
    unit_amount_decimal: unit.decimal,
  }
  if (scheme === 'tiered') {
    if (!tiers || tiers.length === 0)
      throw refuse('You must specify `tiers` when `billing_scheme=tiered`.', { param: param('tiers') })
    if (hasAmount || custom?.enabled)
      throw refuse('You cannot specify `unit_amount` when `billing_scheme=tiered`.', { param: param('unit_amount') })
    return { ...common, tiers: tiersFrom(tiers, param('tiers')) }
  }
  if (tiers) throw refuse('You may only specify `tiers` when `billing_scheme=tiered`.', { param: param('tiers') })
  if (!hasAmount && !custom?.enabled)
    throw refuse('Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.')
  return { ...common, tiers: null }
}

/** The customer chooses the amount: for one payment only. */
function checkCustomAmount(given: NewPrice): void {
  const custom = given.custom_unit_amount
  if (!custom) return
  const param = 'custom_unit_amount'
  if (!custom.enabled) throw refuse('`custom_unit_amount[enabled]` must be `true` or not be set.', { param })
  if (given.recurring) throw refuse('Prices with `custom_unit_amount` must be `type=one_time`.', { param })
  const { minimum = 0, preset = minimum, maximum = Number.MAX_SAFE_INTEGER } = custom
  if (minimum > maximum || preset < minimum || preset > maximum) {
    throw refuse('`custom_unit_amount` needs `minimum` <= `preset` <= `maximum`.', { param })
  }
}

function checkRecurring(account: Account, given: NonNullable<NewPrice['recurring']>): void {
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

function recurringFrom(given: NonNullable<NewPrice['recurring']>): Recurring {
  return {
    interval: given.interval,
    interval_count: given.interval_count ?? 1,
    meter: given.meter ?? null,
    trial_period_days: given.trial_period_days ?? null,
    usage_type: given.usage_type ?? 'licensed',
  }
}

function tiersFrom(given: GivenTier[], param: string): Tier[] {
  let floor = 0
  return given.map((step, index) => {
    const at = `${param}[${index}]`
    const isLast = index === given.length - 1
    const upTo = step.up_to === 'inf' ? null : step.up_to
    if (isLast !== (upTo === null)) {
      throw refuse('The last tier, and only the last, must have `up_to=inf`.', { param: `${at}[up_to]` })
    }
    if (upTo !== null && upTo <= floor) {
      throw refuse('The `up_to` of each tier must be greater than that of the tier before.', { param: `${at}[up_to]` })
    }
    floor = upTo ?? floor
    if (step.unit_amount !== undefined && step.unit_amount_decimal !== undefined)
      throw onlyOneOf('unit_amount', 'unit_amount_decimal', at)
    if (step.flat_amount !== undefined && step.flat_amount_decimal !== undefined)
      throw onlyOneOf('flat_amount', 'flat_amount_decimal', at)
    const unit = amountPair(step.unit_amount, step.unit_amount_decimal)
    const flat = amountPair(step.flat_amount, step.flat_amount_decimal)
    if (flat.decimal !== null && flat.whole === null) {
      throw refuse('`flat_amount_decimal` must be an integer in the minor units of the currency.', {
        param: `${at}[flat_amount_decimal]`,
      })
    }
    if (unit.decimal === null && flat.decimal === null) {
      throw refuse('Each tier needs a `unit_amount`, a `flat_amount`, or both.', { param: at })
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
export function claimLookupKey(account: Account, key: string, transfer: boolean, claimant: string): void {
  const [holder] = account.objects.all<Price>('price', { '$.lookup_key': key })
  if (!holder || holder.id === claimant) return
  if (!transfer) throw refuse(`A price (\`${holder.id}\`) already uses that lookup key.`, { param: 'lookup_key' })
  account.change(holder, { lookup_key: null }, 'price.updated')
}

function onlyOneOf(first: string, second: string, prefix = '') {
  return refuse(`You may only specify one of these parameters: ${first}, ${second}.`, {
    param: prefix === '' ? first : `${prefix}[${first}]`,
  })
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
