import type { Account } from '../account.ts'
import { formatPico, PICO } from '../billing/decimal.ts'
import { amountsIn, createPrice, type NewPrice, type Price } from '../catalogue/price.ts'
import type { Product } from '../catalogue/product.ts'
import { refuse } from '../http/errors.ts'
import { type Metadata, mergedMetadata } from '../http/params.ts'
import { createInvoiceItem, type InvoiceItem } from '../invoices/items.ts'
import { pricingOf, quantities, rateIn } from '../invoices/line.ts'
import { itemsOf, type Subscription } from './subscription.ts'

/** One entry of `add_invoice_items`. */
export interface OneTime {
  price?: string | undefined
  price_data?: Omit<NewPrice, 'recurring'> | undefined
  quantity?: number | undefined
  discountable?: boolean | undefined
  metadata?: Metadata | null | undefined
  period?:
    | {
        start: { type: 'max_item_period_start' | 'now' | 'phase_start' | 'timestamp'; timestamp?: number }
        end: { type: 'min_item_period_end' | 'phase_end' | 'timestamp'; timestamp?: number }
      }
    | undefined
}

/** Makes invoice items that wait for the subscription's next invoice. @throws ApiError */
export function addOneTimeItems(
  account: Account,
  stored: Subscription,
  wanted: OneTime[],
  phase?: { start: number; end: number },
): InvoiceItem[] {
  return wanted.map((one, index) => {
    const param = `add_invoice_items[${index}]`
    const price = oneTimePrice(account, one, stored.currency, param)
    const quantity = BigInt(one.quantity ?? 1) * PICO
    const amount = rateIn(account, price, quantity, stored.currency).reduce((sum, line) => sum + line.amount, 0n)
    return createInvoiceItem(account, {
      amount: Number(amount),
      currency: stored.currency,
      customer: stored.customer,
      description: account.get<Product>('product', price.product).name,
      ...(one.discountable !== undefined && { discountable: one.discountable }),
      metadata: mergedMetadata({}, one.metadata),
      parent: { subscription_details: { subscription: stored.id }, type: 'subscription_details' },
      period: periodFor(account, stored, one, param, phase),
      pricing: pricingOf(price, amountsIn(price, stored.currency)?.unit_amount_decimal ?? formatPico(0n)),
      ...quantities(quantity),
      test_clock: stored.test_clock,
    })
  })
}

/** The price of a one-off charge: by its id, or made on the spot. @throws ApiError */
export function oneTimePrice(account: Account, one: OneTime, currency: string, param: string): Price {
  if (one.price !== undefined && one.price_data) {
    throw refuse('You may only specify one of these parameters: price, price_data.', { param: `${param}[price]` })
  }
  if (one.price === undefined && !one.price_data) {
    throw refuse(`Missing required param: ${param}[price].`, { code: 'parameter_missing', param: `${param}[price]` })
  }
  const price = one.price_data
    ? createPrice(account, one.price_data, { inline: true })
    : account.reference<Price>('price', one.price!, `${param}[price]`)
  if (price.recurring) {
    throw refuse(
      'The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`.',
      { param: `${param}[price]` },
    )
  }
  if (!price.active && !price._inline) {
    throw refuse('The price specified is inactive. This field only accepts active prices.', {
      param: `${param}[price]`,
    })
  }
  if (!amountsIn(price, currency)) {
    throw refuse(
      `The price specified supports currencies of \`${price.currency}\`. This doesn't match the expected currency: \`${currency}\`.`,
      {
        param: `${param}[price]`,
      },
    )
  }
  return price
}

function periodFor(
  account: Account,
  stored: Subscription,
  one: OneTime,
  param: string,
  phase: { start: number; end: number } | undefined,
): { start: number; end: number } {
  const items = itemsOf(account, stored.id)
  const instant = (side: 'start' | 'end', wanted: { type: string; timestamp?: number } | undefined): number => {
    switch (wanted?.type) {
      case 'now':
        return account.seconds(stored.test_clock)
      case 'phase_start':
        return phase!.start
      case 'phase_end':
        return phase!.end
      case 'timestamp':
        if (wanted.timestamp !== undefined) return wanted.timestamp
        throw refuse(`Missing required param: ${param}[period][${side}][timestamp].`, {
          code: 'parameter_missing',
          param: `${param}[period][${side}][timestamp]`,
        })
      default:
        return side === 'start'
          ? Math.max(...items.map((item) => item.current_period_start))
          : Math.min(...items.map((item) => item.current_period_end))
    }
  }
  const period = { start: instant('start', one.period?.start), end: instant('end', one.period?.end) }
  if (period.start <= period.end) return period
  throw refuse('The `period[start]` must be before the `period[end]`.', { param: `${param}[period]` })
}
