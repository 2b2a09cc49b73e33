import { formatAmount } from './currency.ts'
import { formatPico } from './decimal.ts'
import type { RatedLine } from './rating.ts'

export interface DescribedPrice {
  currency: string
  recurring: { interval: string; interval_count: number } | null
  transform_quantity: { divide_by: number } | null
}

/** A line's text, e.g. `12345 × Essential (at $0.05 per 1000 units / month)`. */
export function describe(
  line: RatedLine,
  price: DescribedPrice,
  product: { name: string; unit_label: string | null },
  divisor: 'plain' | 'grouped' = 'plain',
): string {
  const amount = formatAmount(line.unitAmount, price.currency)
  const interval = intervalText(price.recurring)
  const quantity = formatPico(line.quantity)
  const label = product.unit_label ? `${quantity} ${product.unit_label}` : quantity
  switch (line.kind) {
    case 'unit':
      return `${label} × ${product.name} (at ${amount}${interval})`
    case 'package':
      return `${label} × ${product.name} (at ${amount} per ${packageSize(price, divisor)} units${interval})`
    case 'tier':
      return `${label} × ${product.name} (Tier ${line.tier} at ${amount}${interval})`
    case 'flat':
      return `${product.name} (Tier ${line.tier} at ${amount}${interval})`
  }
}

function intervalText(recurring: DescribedPrice['recurring']): string {
  if (!recurring) return ''
  return recurring.interval_count === 1
    ? ` / ${recurring.interval}`
    : ` every ${recurring.interval_count} ${recurring.interval}s`
}

function packageSize({ transform_quantity: packages }: DescribedPrice, divisor: 'plain' | 'grouped'): string {
  const size = packages?.divide_by ?? 1
  return divisor === 'plain' ? String(size) : size.toLocaleString('en-US')
}
