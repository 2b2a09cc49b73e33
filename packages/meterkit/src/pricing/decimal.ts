/**
 * Exact decimals: quantities and unit prices are `digits / 10^scale`, with no floating point anywhere.
 * They travel as plain decimal strings ("12345", "0.05"); this is only their form while computing.
 */
export interface Decimal {
  digits: bigint
  scale: number
}

const PLAIN_DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/

/** @throws RangeError for anything but plain notation: no exponent, no leading plus, no blanks. */
export function parseDecimal(text: string): Decimal {
  const match = PLAIN_DECIMAL.exec(text)
  if (!match) throw new RangeError(`expected a plain decimal such as "12" or "0.5", got ${JSON.stringify(text)}`)
  const [, sign, whole = '', fraction = ''] = match
  return { digits: BigInt(`${sign}${whole}${fraction}`), scale: fraction.length }
}

export function formatDecimal({ digits, scale }: Decimal): string {
  const sign = digits < 0n ? '-' : ''
  const padded = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0')
  const whole = padded.slice(0, padded.length - scale)
  const fraction = padded.slice(padded.length - scale).replace(/0+$/, '')
  return `${whole === '0' && fraction === '' ? '' : sign}${whole}${fraction ? `.${fraction}` : ''}`
}

export function add(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale)
  return { digits: rescale(a, scale) + rescale(b, scale), scale }
}

export function subtract(a: Decimal, b: Decimal): Decimal {
  return add(a, { digits: -b.digits, scale: b.scale })
}

export function multiply(a: Decimal, b: Decimal): Decimal {
  return { digits: a.digits * b.digits, scale: a.scale + b.scale }
}

export function compare(a: Decimal, b: Decimal): -1 | 0 | 1 {
  const { digits } = subtract(a, b)
  return digits < 0n ? -1 : digits > 0n ? 1 : 0
}

/** The sum of plain decimal strings, as one. */
export function sum(texts: Iterable<string>): string {
  let total: Decimal = { digits: 0n, scale: 0 }
  for (const text of texts) total = add(total, parseDecimal(text))
  return formatDecimal(total)
}

/** `a / b` as a whole number; `b` must be positive. */
export function divideWhole(a: Decimal, b: Decimal, round: 'up' | 'down'): bigint {
  const scale = Math.max(a.scale, b.scale)
  const dividend = rescale(a, scale)
  const divisor = rescale(b, scale)
  const quotient = dividend / divisor
  const exact = dividend % divisor === 0n
  if (exact) return quotient
  if (round === 'up') return dividend > 0n ? quotient + 1n : quotient
  return dividend < 0n ? quotient - 1n : quotient
}

/**
 * To the nearest whole number, halves away from zero: how Stripe rounds a line of an invoice.
 * @see https://docs.stripe.com/products-prices/manage-prices (rounding occurs on the line item level)
 */
export function roundHalfAway({ digits, scale }: Decimal): bigint {
  if (scale === 0) return digits
  const unit = 10n ** BigInt(scale)
  const magnitude = digits < 0n ? -digits : digits
  const rounded = (magnitude * 2n + unit) / (unit * 2n)
  return digits < 0n ? -rounded : rounded
}

/** Digits that carry information: "0.0120" has 2, "1200" has 4. */
export function significantDigits({ digits, scale }: Decimal): number {
  const text = formatDecimal({ digits: digits < 0n ? -digits : digits, scale })
  const significant = text.replace('.', '').replace(/^0+/, '')
  return Math.max(significant.length, 1)
}

function rescale({ digits, scale }: Decimal, to: number): bigint {
  return digits * 10n ** BigInt(to - scale)
}
