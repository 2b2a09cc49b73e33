const ZERO_DECIMAL = new Set(
  'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'.split(' ').map((code) => code.toLowerCase()),
)
const THREE_DECIMAL = new Set(['bhd', 'jod', 'kwd', 'omr', 'tnd'])

/** In minor units. Stripe charges no card below these; the amount moves to the customer's balance instead. */
const MINIMUM_CHARGES: Record<string, bigint> = {
  usd: 50n,
  eur: 50n,
  gbp: 30n,
  jpy: 50n,
  aud: 50n,
  cad: 50n,
  chf: 50n,
  nzd: 50n,
  brl: 50n,
  inr: 50n,
  sgd: 50n,
  hkd: 400n,
  mxn: 1000n,
  dkk: 250n,
  nok: 300n,
  sek: 300n,
}

/**
 * How many decimals an amount of this currency is written with at Stripe. Not Intl's table: Stripe takes two
 * decimals for HUF, ISK, UGX and a dozen others where Intl has none.
 * @see https://docs.stripe.com/currencies#zero-decimal
 */
export function currencyExponent(currency: string): 0 | 2 | 3 {
  const code = currency.toLowerCase()
  return ZERO_DECIMAL.has(code) ? 0 : THREE_DECIMAL.has(code) ? 3 : 2
}

/** Minor units, or null where Stripe publishes none. @see https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts */
export function minimumCharge(currency: string): bigint | null {
  return MINIMUM_CHARGES[currency.toLowerCase()] ?? null
}
