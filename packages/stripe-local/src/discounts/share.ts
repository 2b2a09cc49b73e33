import { divideRounded } from '../billing/decimal.ts'

/** What a discount can be taken off. */
export interface Discountable {
  amount: bigint
  /** False for prorations, and where an invoice item says so. */
  isDiscountable: boolean
  product: string | null
}

export interface Reduction {
  id: string
  /** Of each line, in hundredths of a percent, or of all of them together, in minor units. */
  off: { basisPoints: bigint } | { amount: bigint }
  /** The products it is for; null for all. */
  products: string[] | null
}

export interface Share {
  discount: string
  amount: bigint
}

/**
 * What each discount takes off each line. They are applied in their order, each to what the ones before have left, and
 * never below zero. A percentage is rounded line by line; an amount is split in proportion, each share rounded down, and
 * the last line takes what remains.
 *
 * @returns the shares of each line, in the lines' order
 * @see https://docs.stripe.com/billing/subscriptions/prorations the example of a coupon over two items
 */
export function shareDiscounts(lines: Discountable[], discounts: Reduction[]): Share[][] {
  const left = lines.map(({ amount, isDiscountable }) => (isDiscountable && amount > 0n ? amount : 0n))
  const shares: Share[][] = lines.map(() => [])
  for (const { id, off, products } of discounts) {
    const eligible = [...left.keys()].filter(
      (index) => left[index]! > 0n && (products === null || products.includes(lines[index]!.product ?? '')),
    )
    const amounts =
      'amount' in off
        ? split(
            off.amount,
            eligible.map((index) => left[index]!),
          )
        : eligible.map((index) => divideRounded(left[index]! * off.basisPoints, 10_000n))
    for (const [place, index] of eligible.entries()) {
      const amount = amounts[place]!
      left[index]! -= amount
      shares[index]!.push({ discount: id, amount })
    }
  }
  return shares
}

/** Divides an amount, or as much of it as there is, in proportion to the parts. */
function split(amount: bigint, parts: bigint[]): bigint[] {
  const whole = parts.reduce((sum, part) => sum + part, 0n)
  const taken = amount < whole ? amount : whole
  let rest = taken
  return parts.map((part, index) => {
    const share = index === parts.length - 1 ? rest : (taken * part) / whole
    rest -= share
    return share
  })
}
