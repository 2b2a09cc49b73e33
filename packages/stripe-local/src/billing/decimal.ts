/**
 * Exact decimals as integers in units of 10^-12: every quantity and unit price of Stripe fits, and sums and products
 * stay exact. "pico" in a name means this unit.
 */
export const PICO = 1_000_000_000_000n
const DECIMAL = /^(-?)(\d+)(?:\.(\d{0,12}))?$/

/** @throws RangeError for anything but plain notation with at most 12 places */
export function pico(text: string): bigint {
  const parts = DECIMAL.exec(text)
  if (!parts) throw new RangeError(`"${text}" is not a plain decimal with at most 12 places`)
  const magnitude = BigInt(parts[2]!) * PICO + BigInt((parts[3] ?? '').padEnd(12, '0'))
  return parts[1] === '-' ? -magnitude : magnitude
}

export function formatPico(value: bigint): string {
  const magnitude = value < 0n ? -value : value
  const fraction = (magnitude % PICO).toString().padStart(12, '0').replace(/0+$/, '')
  return `${value < 0n ? '-' : ''}${magnitude / PICO}${fraction === '' ? '' : `.${fraction}`}`
}

/** Nearest whole number, half away from zero: how Stripe rounds a line. */
export function divideRounded(numerator: bigint, denominator: bigint): bigint {
  const negative = numerator < 0n
  const magnitude = negative ? -numerator : numerator
  const rounded = (2n * magnitude + denominator) / (2n * denominator)
  return negative ? -rounded : rounded
}

/** Toward negative infinity: how Stripe rounds both sides of a proration. */
export function divideFloor(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator
  return numerator % denominator !== 0n && numerator < 0n !== denominator < 0n ? quotient - 1n : quotient
}

export function divideCeil(numerator: bigint, denominator: bigint): bigint {
  return -divideFloor(-numerator, denominator)
}
