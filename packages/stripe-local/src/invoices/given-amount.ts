import type { Account } from '../account.ts'
import { divideRounded, formatPico, PICO, pico } from '../billing/decimal.ts'
import { currencyOf } from '../catalogue/currency.ts'
import { createPrice, type Price } from '../catalogue/price.ts'
import type { Product } from '../catalogue/product.ts'
import { refuse } from '../http/errors.ts'
import { decimal, integer, mapOfText, required, shape, text } from '../http/params.ts'
import { missingParam } from '../http/wording.ts'
import type { InvoiceItem } from './items.ts'
import { amountOf, type Line, pricingOf, quantities, rateIn } from './line.ts'

const priceDataFields = {
  currency: required(text({ max: 3 })),
  product: text(),
  unit_amount: integer(),
  unit_amount_decimal: decimal({ negative: true }),
}

/** The parameters that say what an item costs: an amount, or units at a unit price. */
export const amountParams = {
  amount: integer(),
  price_data: shape(priceDataFields),
  pricing: shape({ price: text() }),
  quantity: integer({ min: 0 }),
  quantity_decimal: decimal(),
}

/** Those of a line, which may bring its own product. */
export const lineAmountParams = {
  ...amountParams,
  price_data: shape({
    ...priceDataFields,
    product_data: shape({
      description: text(),
      metadata: mapOfText(),
      name: required(text()),
      unit_label: text({ max: 12 }),
    }),
  }),
}

export interface GivenAmount {
  amount?: number | undefined
  currency?: string | undefined
  price_data?:
    | {
        currency: string
        product?: string
        product_data?: { name: string; description?: string; metadata?: { [key: string]: string }; unit_label?: string }
        unit_amount?: number
        unit_amount_decimal?: string
      }
    | undefined
  pricing?: { price?: string } | undefined
  quantity?: number | undefined
  quantity_decimal?: string | undefined
  unit_amount_decimal?: string | undefined
}

/** What an item costs and how its line shows it. `name`: of the product, when a price was given. */
export interface ItemAmount extends Pick<InvoiceItem, 'amount' | 'currency' | 'quantity' | 'quantity_decimal'> {
  pricing: NonNullable<Line['pricing']>
  name: string | null
}

const WAYS = ['amount', 'pricing', 'price_data', 'unit_amount_decimal'] as const

/**
 * Reads an amount. `currency`: that of the invoice or subscription the item belongs to, which none may contradict.
 *
 * @param at where the parameters stand, e.g. `lines[0]`
 * @throws ApiError
 */
export function readAmount(account: Account, given: GivenAmount, currency: string | null, at = ''): ItemAmount {
  const nameOf = (name: string) => (at === '' ? name : `${at}[${name}]`)
  const ways = WAYS.filter((way) => given[way] !== undefined)
  if (ways.length > 1) throw onlyOneOf(ways.map(nameOf))
  if (given.quantity !== undefined && given.quantity_decimal !== undefined) {
    throw onlyOneOf(['quantity', 'quantity_decimal'].map(nameOf))
  }
  const quantity = pico(given.quantity_decimal ?? String(given.quantity ?? 1))
  const price = priceOf(account, given, nameOf)
  const chosen = given.currency === undefined ? undefined : currencyOf(given.currency, nameOf('currency'))
  const own = chosen ?? price?.currency ?? currency ?? undefined
  if (own === undefined) throw missingParam(nameOf('currency'))
  if (currency !== null && own !== currency) {
    throw refuse(
      `The currency of the invoice item (${own}) must match that of its invoice or subscription (${currency}).`,
      {
        param: price ? nameOf(ways[0]!) : nameOf('currency'),
      },
    )
  }
  if (price) return ofPrice(account, price, quantity, own)
  if (given.unit_amount_decimal !== undefined) return ofUnits(account, given.unit_amount_decimal, quantity, own)
  if (given.amount === undefined) {
    throw refuse('You must pass one of `amount`, `pricing`, `price_data` or `unit_amount_decimal`.', {
      param: nameOf('amount'),
    })
  }
  return ofAmount(given.amount, quantity, own)
}

function ofPrice(account: Account, price: Price, quantity: bigint, currency: string): ItemAmount {
  const lines = rateIn(account, price, quantity, currency)
  const amount = lines.reduce((sum, line) => sum + line.amount, 0n)
  const { name } = account.get<Product>('product', price.product)
  const pricing = pricingOf(price, lines[0]?.unitAmount ?? null)
  return { amount: Number(amount), currency, name, pricing, ...quantities(quantity) }
}

function ofUnits(account: Account, unitAmount: string, quantity: bigint, currency: string): ItemAmount {
  const amount = Number(amountOf(account, unitAmount, quantity, currency))
  const pricing = { type: 'price_details' as const, unit_amount_decimal: formatPico(pico(unitAmount)) }
  return { amount, currency, name: null, pricing, ...quantities(quantity) }
}

function ofAmount(amount: number, quantity: bigint, currency: string): ItemAmount {
  const unit = quantity === 0n ? 0n : divideRounded(BigInt(amount) * PICO * PICO, quantity)
  const pricing = { type: 'price_details' as const, unit_amount_decimal: formatPico(unit) }
  return { amount, currency, name: null, pricing, ...quantities(quantity) }
}

/** The price that was named, or one made from `price_data` for this item alone; only once-charged prices will do. */
function priceOf(account: Account, given: GivenAmount, nameOf: (name: string) => string): Price | null {
  if (given.price_data) return createPrice(account, given.price_data, { inline: true })
  if (given.pricing?.price === undefined) return null
  const param = `${nameOf('pricing')}[price]`
  const price = account.reference<Price>('price', given.pricing.price, param)
  if (price.recurring) {
    throw refuse(
      'The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`.',
      { param },
    )
  }
  if (!price.active && !price._inline) {
    throw refuse('The price specified is inactive. This field only accepts active prices.', { param })
  }
  return price
}

function onlyOneOf(names: string[]) {
  return refuse(`You may only specify one of these parameters: ${names.join(', ')}.`, { param: names[0] })
}
