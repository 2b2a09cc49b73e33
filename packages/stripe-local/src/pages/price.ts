import type { ApiObject, PagesContext } from './context.ts'
import { formatAmount, formatQuantity } from './money.ts'
import { child, integer, list, text } from './wire.ts'

/** A price in words, e.g. `{ amount: '$0.05', per: 'per 1,000 tokens' }`; tiers when the price was read with them. */
export interface PriceWords {
  amount: string
  /** What one amount buys; empty for a one-time price. */
  per: string
  metered: boolean
  tiers: string[]
  /** When the customer pays, e.g. "billed by usage at the end of each month"; empty for a one-time price. */
  billed: string
}

/** Says what a price asks for. `price.product` may be expanded; then its unit label is used. */
export function describePrice(price: unknown): PriceWords {
  const currency = text(price, 'currency') ?? 'usd'
  const interval = text(price, 'recurring.interval')
  const every = integer(price, 'recurring.interval_count') ?? 1
  const metered = text(price, 'recurring.usage_type') === 'metered'
  const unit = text(price, 'product.unit_label')
  const tiered = text(price, 'billing_scheme') === 'tiered'
  const packageSize = integer(price, 'transform_quantity.divide_by')
  const period = every === 1 ? `${interval}` : `${every} ${interval}s`

  let per = ''
  if (packageSize !== null) per = `per ${formatQuantity(packageSize)} ${unit ? plural(unit) : 'units'}`
  else if (metered || unit) per = `per ${unit ?? 'unit'}`
  else if (interval) per = `per ${period}`
  if (tiered) per = text(price, 'tiers_mode') === 'volume' ? 'by volume' : 'by tier'

  let billed = ''
  if (interval && metered)
    billed = `billed by usage at the end of ${every === 1 ? `each ${interval}` : `every ${period}`}`
  else if (interval) billed = `billed every ${period}`
  const amount = tiered ? 'Price varies' : formatAmount(unitAmount(price), currency)
  return { amount, per, metered, billed, tiers: tiered ? describeTiers(price, currency, unit ?? 'unit') : [] }
}

function describeTiers(price: unknown, currency: string, unit: string): string[] {
  let from = 1
  return list(price, 'tiers').map((tier) => {
    const upTo = integer(tier, 'up_to')
    const range =
      upTo === null ? `${formatQuantity(from)} and more` : `${formatQuantity(from)} to ${formatQuantity(upTo)}`
    if (upTo !== null) from = upTo + 1
    const each = text(tier, 'unit_amount_decimal') ?? integer(tier, 'unit_amount')
    const flat = text(tier, 'flat_amount_decimal') ?? integer(tier, 'flat_amount')
    const parts = [
      each !== null && `${formatAmount(each, currency)} per ${unit}`,
      flat !== null && `${formatAmount(flat, currency)} flat`,
    ].filter((part) => part !== false)
    return `${range}: ${parts.join(' + ')}`
  })
}

function unitAmount(price: unknown): string | number {
  return text(price, 'unit_amount_decimal') ?? integer(price, 'unit_amount') ?? 0
}

function plural(unit: string): string {
  return /[^s]$/.test(unit) ? `${unit}s` : unit
}

/** A price with its product in place of the product's id. */
export async function withProduct(context: PagesContext, price: ApiObject): Promise<ApiObject> {
  const productId = text(price, 'product')
  return productId
    ? { ...price, product: await context.api('GET', `/v1/products/${encodeURIComponent(productId)}`) }
    : price
}

/** A tiered price with its tiers, which come only when asked for. */
export async function withTiers(context: PagesContext, price: ApiObject): Promise<ApiObject> {
  if (text(price, 'billing_scheme') !== 'tiered') return price
  const { tiers } = await context.api('GET', `/v1/prices/${text(price, 'id')}`, { expand: ['tiers'] })
  return { ...price, tiers }
}

/** "Essential", from an expanded product, with the price's nickname or id as the last resort. */
export function productName(price: unknown): string {
  return text(child(price, 'product'), 'name') ?? text(price, 'nickname') ?? text(price, 'id') ?? 'Product'
}
