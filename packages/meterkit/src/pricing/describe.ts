import { formatDecimal, parseDecimal } from './decimal.ts'
import { currencyExponent } from './money.ts'
import type { PricedLine, PriceModel } from './price-usage.ts'

const SYMBOLS: Record<string, string> = { usd: '$', eur: '€', gbp: '£', jpy: '¥' }

/** "$0.65" from 65 cents; fractions of a cent are kept ("$0.00025"), never rounded away. */
export function formatAmount(amount: bigint | string, currency: string): string {
  const exponent = currencyExponent(currency)
  const { digits, scale } = parseDecimal(amount.toString())
  const exact = formatDecimal({ digits, scale: scale + exponent })
  const [whole = '0', fraction = ''] = exact.replace('-', '').split('.')
  const sign = digits < 0n ? '-' : ''
  const symbol = SYMBOLS[currency.toLowerCase()] ?? `${currency.toUpperCase()} `
  const padded = exponent === 0 && fraction === '' ? '' : `.${fraction.padEnd(exponent, '0')}`
  return `${sign}${symbol}${grouped(whole)}${padded}`
}

/** "12,345" from "12345"; decimals are kept as they are. */
export function formatQuantity(quantity: string): string {
  const [whole = '0', fraction] = quantity.split('.')
  const sign = whole.startsWith('-') ? '-' : ''
  return `${sign}${grouped(whole.replace('-', ''))}${fraction ? `.${fraction}` : ''}`
}

/**
 * The arithmetic of one line in words a customer can check: "12,345 tokens → 13 packages of 1,000 × $0.05".
 * @param unit  the meter's unit in the plural, "tokens"
 */
export function describeLine(model: PriceModel, line: PricedLine, unit: string, currency: string): string {
  const price = formatAmount(line.unitAmount, currency)
  const usage = `${formatQuantity(line.quantity)} ${line.quantity === '1' ? unit.replace(/s$/, '') : unit}`
  if (line.kind === 'flat') return `Tier ${line.tier}: ${price} flat`
  if (model.type === 'package' && line.packages !== null) {
    const noun = line.packages === '1' ? 'package' : 'packages'
    return `${usage} → ${formatQuantity(line.packages)} ${noun} of ${formatQuantity(model.perUnits)} × ${price}`
  }
  return line.tier === null ? `${usage} × ${price}` : `Tier ${line.tier}: ${usage} × ${price}`
}

function grouped(whole: string): string {
  return whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}
