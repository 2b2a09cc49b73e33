import { formatPico, PICO, pico } from '../billing/decimal.ts'

const PLAIN = /^-?\d+(\.\d{1,12})?$/
const SCIENTIFIC = /^([+-]?)(\d+)(?:\.(\d+))?(?:e([+-]?\d{1,2}))?$/i
/** As many as a double keeps, so that summaries stay exact. */
export const DIGITS_MAX = 15

/** Plain notation, at most 12 places: what can be counted. */
export function isCountable(value: string): boolean {
  return PLAIN.test(value)
}

/** A value with an exponent or a leading plus in plain notation; everything else as it is. */
export function plainNotation(value: string): string {
  if (isCountable(value)) return value
  const parts = SCIENTIFIC.exec(value)
  if (!parts) return value
  const [, sign, whole, fraction = '', exponent = '0'] = parts
  const places = fraction.length - Number(exponent)
  const digits = BigInt(`${whole}${fraction}`)
  const scaled = places <= 0 ? digits * 10n ** BigInt(-places) * PICO : (digits * PICO) / 10n ** BigInt(places)
  const plain = formatPico(sign === '-' ? -scaled : scaled)
  // More places than can be counted: left as it is, to be reported.
  return places > 12 && digits * PICO !== pico(plain.replace('-', '')) * 10n ** BigInt(places) ? value : plain
}

/** Whether a number is written with more digits than Stripe takes; zeros in front are none. */
export function hasTooManyDigits(value: string): boolean {
  const digits = value.replace(/^[+-]/, '').replace('.', '').replace(/^0+/, '')
  return /^\d*$/.test(digits) && digits.length > DIGITS_MAX
}
