import { currencyExponent } from 'meterkit/pricing'
import { createElement, type ReactElement } from 'react'

/** An exact number of minor units (cents): an integer, or a decimal string such as '0.25' for a quarter of a cent. */
export type Amount = number | bigint | string

/** Sent with two decimals that are always 00; people never see them. */
const wholeUnitsOnly = new Set(['ISK', 'UGX'])

/**
 * `formatMoney(65, 'usd')` is `$0.65`; `formatMoney('0.5', 'usd')` is `$0.005`, since a unit price may be a part of a cent.
 *
 * @param amount  minor units, exact: a safe integer, a bigint, or a decimal string
 * @throws  RangeError for anything that is no exact decimal number
 */
export function formatMoney(amount: Amount, currency: string): string {
  const code = currency.toUpperCase()
  const { negative, digits, scale } = parseDecimal(amount, 'formatMoney')
  const exponent = currencyExponent(code)
  const { whole, fraction } = splitDigits(digits, scale + exponent)
  const hideFraction = wholeUnitsOnly.has(code) && !/[1-9]/.test(fraction)
  const shown = hideFraction ? '' : fraction.replace(/0+$/, '').padEnd(exponent, '0')
  const number = groupThousands(whole) + (shown === '' ? '' : `.${shown}`)
  const { before, after } = currencySymbol(code)
  const isZero = !/[1-9]/.test(digits)
  return `${negative && !isZero ? '-' : ''}${before}${number}${after}`
}

/** An amount of money; `amount` in minor units. */
export function Money({
  amount,
  currency,
  className,
}: {
  amount: Amount
  currency: string
  className?: string
}): ReactElement {
  return createElement(
    'span',
    { className: `tabular-nums whitespace-nowrap${className ? ` ${className}` : ''}` },
    formatMoney(amount, currency),
  )
}

/** A decimal as it was written: `digits` without the point, of which the last `scale` stand after it. */
export function parseDecimal(value: Amount, speaker: string): { negative: boolean; digits: string; scale: number } {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new RangeError(
      `${speaker} got the number ${value}, which is not a safe integer. Give fractions and huge values as a decimal string.`,
    )
  }
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(value))
  if (!match) throw new RangeError(`${speaker} got ${JSON.stringify(String(value))}, which is not a decimal number.`)
  const [, sign, whole = '', fraction = ''] = match
  return { negative: sign === '-', digits: whole + fraction, scale: fraction.length }
}

/** Cuts `digits` so that `scale` of them stand after the point; the whole part has no leading zeros. */
export function splitDigits(digits: string, scale: number): { whole: string; fraction: string } {
  const padded = digits.padStart(scale + 1, '0')
  const cut = padded.length - scale
  return { whole: padded.slice(0, cut).replace(/^0+(?=\d)/, ''), fraction: padded.slice(cut) }
}

export function groupThousands(whole: string): string {
  return whole.replace(/\B(?=(\d{3})+$)/g, ',')
}

/** What stands before and after the digits; a code that Intl does not know stands before them as it is. */
function currencySymbol(code: string): { before: string; after: string } {
  try {
    const parts = new Intl.NumberFormat('en-US', {
      style: 'currency',
      currency: code,
      minimumFractionDigits: 0,
      maximumFractionDigits: 0,
    }).formatToParts(1)
    const digit = parts.findIndex((part) => part.type === 'integer')
    const join = (some: Intl.NumberFormatPart[]) => some.map((part) => part.value).join('')
    return { before: join(parts.slice(0, digit)), after: join(parts.slice(digit + 1)) }
  } catch {
    return { before: `${code}\u00a0`, after: '' }
  }
}
