/** Currencies without a minor unit, as Stripe lists them; Intl's own table differs. */
const ZERO_DECIMAL = new Set('BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' '))
const THREE_DECIMAL = new Set(['BHD', 'JOD', 'KWD', 'OMR', 'TND'])
/** Sent in hundredths although nobody pays with them: shown without decimals. */
const WHOLE_ONLY = new Set(['ISK', 'UGX'])

/** How many decimal places Stripe's smallest unit of a currency stands for. */
function exponentOf(currency: string): number {
  const code = currency.toUpperCase()
  if (ZERO_DECIMAL.has(code)) return 0
  return THREE_DECIMAL.has(code) ? 3 : 2
}

/**
 * Money as people read it: `formatAmount(65, 'usd')` is "$0.65", `formatAmount('0.0125', 'usd')` is "$0.000125".
 *
 * @param minor  in the currency's smallest unit; a string may have decimals, as `unit_amount_decimal` does. Exact.
 * @throws RangeError for what is not a plain decimal number
 */
export function formatAmount(minor: number | bigint | string, currency: string): string {
  const decimals = WHOLE_ONLY.has(currency.toUpperCase()) ? 0 : exponentOf(currency)
  return new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency,
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: decimals,
    maximumFractionDigits: 15,
  }).format(shiftLeft(String(minor), exponentOf(currency)))
}

/** A count or measured quantity with thousands separators; strings stay exact. */
export function formatQuantity(quantity: number | bigint | string): string {
  const exact = typeof quantity === 'string' ? plain(quantity) : quantity
  return new Intl.NumberFormat('en-US', { maximumFractionDigits: 15 }).format(exact)
}

/** Divides by a power of ten by moving the point: no floating point comes near the digits. */
function shiftLeft(decimal: string, places: number): Intl.StringNumericLiteral {
  const [, sign = '', whole = '', fraction = ''] = plain(decimal).match(/^(-?)(\d+)(?:\.(\d+))?$/) ?? []
  const digits = whole.padStart(places + 1, '0')
  const cut = digits.length - places
  return `${sign}${digits.slice(0, cut)}.${digits.slice(cut)}${fraction}0` as Intl.StringNumericLiteral
}

function plain(decimal: string): Intl.StringNumericLiteral {
  if (!/^-?\d+(\.\d+)?$/.test(decimal)) throw new RangeError(`"${decimal}" is not a plain decimal number.`)
  return decimal as Intl.StringNumericLiteral
}

/** An amount as one would type it, without symbol or separators: `plainAmount(1050, 'usd')` is "10.50". */
export function plainAmount(minor: number, currency: string): string {
  const places = exponentOf(currency)
  const digits = String(minor).padStart(places + 1, '0')
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`
}

/** The reverse of `plainAmount`; null for what is no amount of that currency. */
export function minorAmount(written: string, currency: string): number | null {
  const places = exponentOf(currency)
  const [, whole = '', fraction = ''] = written.trim().match(/^(\d{1,9})(?:[.,](\d+))?$/) ?? []
  if (whole === '' || fraction.length > places) return null
  return Number(whole + fraction.padEnd(places, '0'))
}
