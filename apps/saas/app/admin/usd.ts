import { formatMoney } from '../ui/money.ts'

/** Dollars as a provider charges them, exact: `0.00006275` is `$0.00006275`. */
export function formatUsd(dollars: string): string {
  return formatMoney(toCents(dollars), 'usd')
}

/** To a hundredth of a cent, for sums: `12.345678` is `$12.3457`. */
export function formatUsdBriefly(dollars: string): string {
  const [whole = '0', fraction = ''] = dollars.split('.')
  const hundredths = BigInt(whole + fraction.padEnd(5, '0').slice(0, 5)) // thousandths of a cent
  const rounded = ((hundredths + 5n) / 10n).toString().padStart(5, '0')
  return formatUsd(`${rounded.slice(0, -4)}.${rounded.slice(-4)}`)
}

function toCents(dollars: string): string {
  const [whole = '0', fraction = ''] = dollars.split('.')
  const digits = fraction.padEnd(2, '0')
  return `${whole}${digits.slice(0, 2)}${digits.length > 2 ? `.${digits.slice(2)}` : ''}`
}

/** Exact. */
export function sumUsd(dollars: string[]): string {
  const scale = Math.max(0, ...dollars.map((amount) => amount.split('.')[1]?.length ?? 0))
  const units = dollars.map((amount) => {
    const [whole = '0', fraction = ''] = amount.split('.')
    return BigInt(whole + fraction.padEnd(scale, '0'))
  })
  const total = units
    .reduce((sum, amount) => sum + amount, 0n)
    .toString()
    .padStart(scale + 1, '0')
  return scale === 0 ? total : `${total.slice(0, -scale)}.${total.slice(-scale)}`
}
