/** Stripe's own table of decimals (docs: currencies); neither ISO's nor Intl's. UGX and ISK are sent with two. */
const WITHOUT_DECIMALS = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '))
const THREE_DECIMALS = new Set('bhd jod kwd omr tnd'.split(' '))

/** The least a card is charged, in minor units; below it the amount waits in the customer's balance. */
const MINIMUM_CHARGE: { [currency: string]: bigint } = {
  aed: 200n,
  aud: 50n,
  bgn: 100n,
  brl: 50n,
  cad: 50n,
  chf: 50n,
  czk: 1500n,
  dkk: 250n,
  eur: 50n,
  gbp: 30n,
  hkd: 400n,
  huf: 17500n,
  inr: 50n,
  jpy: 50n,
  mxn: 1000n,
  myr: 200n,
  nok: 300n,
  nzd: 50n,
  pln: 200n,
  ron: 200n,
  sek: 300n,
  sgd: 50n,
  thb: 1000n,
  usd: 50n,
}

export function decimalsOf(currency: string): number {
  return WITHOUT_DECIMALS.has(currency) ? 0 : THREE_DECIMALS.has(currency) ? 3 : 2
}

/** The step amounts come in: the last of three decimals must be 0. */
export function stepOf(currency: string): bigint {
  return THREE_DECIMALS.has(currency) ? 10n : 1n
}

/** The step a charge comes in: ISK and UGX have no fractions, though they are sent with two decimals. */
export function chargeStep(currency: string): bigint {
  return currency === 'isk' || currency === 'ugx' ? 100n : stepOf(currency)
}

export function minimumCharge(currency: string): bigint {
  return MINIMUM_CHARGE[currency] ?? 50n
}

/** A decimal amount of minor units as people write it: `5` → `$0.05`, `0.05` → `$0.0005`. */
export function formatAmount(minorUnits: string, currency: string): string {
  const [whole = '0', fraction = ''] = minorUnits.replace('-', '').split('.')
  const decimals = decimalsOf(currency)
  const digits = whole.padStart(decimals + 1, '0')
  const cut = digits.length - decimals
  const places = digits.slice(cut) + fraction
  const grouped = digits.slice(0, cut).replaceAll(/\B(?=(\d{3})+$)/g, ',')
  return `${minorUnits.startsWith('-') ? '-' : ''}${symbolOf(currency)}${grouped}${places === '' ? '' : `.${places}`}`
}

const symbols = new Map<string, string>()

function symbolOf(currency: string): string {
  let symbol = symbols.get(currency)
  if (symbol === undefined) {
    const format = new Intl.NumberFormat('en-US', { style: 'currency', currency, currencyDisplay: 'narrowSymbol' })
    symbol = format.formatToParts(0).find((part) => part.type === 'currency')?.value ?? ''
    symbols.set(currency, symbol)
  }
  return symbol
}
