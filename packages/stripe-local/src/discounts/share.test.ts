import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Discountable, type Reduction, shareDiscounts } from './share.ts'

const line = (amount: bigint, product = 'prod_a', isDiscountable = true): Discountable => ({
  amount,
  isDiscountable,
  product,
})
const percent = (id: string, basisPoints: bigint, products: string[] | null = null): Reduction => ({
  id,
  off: { basisPoints },
  products,
})
const amount = (id: string, off: bigint, products: string[] | null = null): Reduction => ({
  id,
  off: { amount: off },
  products,
})

test('what discounts take off lines', () => {
  const cases: [what: string, lines: Discountable[], discounts: Reduction[], off: bigint[][]][] = [
    ['a quarter of 10.00', [line(1000n)], [percent('a', 2500n)], [[250n]]],
    ['12.5% of 9.99 is 1.24875', [line(999n)], [percent('a', 1250n)], [[125n]]],
    ['half of a cent rounds up', [line(1n)], [percent('a', 5000n)], [[1n]]],
    // 5.00 over 10.00 and 20.00: 1.666… is 1.66, the last takes 3.34.
    ['an amount in proportion', [line(1000n), line(2000n)], [amount('a', 500n)], [[166n], [334n]]],
    ['no more than there is', [line(300n)], [amount('a', 500n)], [[300n]]],
    ['not from a credit', [line(-500n), line(1000n)], [percent('a', 5000n)], [[], [500n]]],
    ['not from a proration', [line(1000n, 'prod_a', false), line(1000n)], [amount('a', 500n)], [[], [500n]]],
    ['only from its product', [line(1000n), line(1000n, 'prod_b')], [percent('a', 1000n, ['prod_b'])], [[], [100n]]],
    // 10% of 10.00 leaves 9.00, of which 10% is 0.90.
    ['one after the other', [line(1000n)], [percent('a', 1000n), percent('b', 1000n)], [[100n, 90n]]],
    ['nothing is left for the second', [line(100n)], [amount('a', 100n), percent('b', 1000n)], [[100n]]],
  ]
  for (const [what, lines, discounts, off] of cases) {
    assert.deepEqual(
      shareDiscounts(lines, discounts).map((shares) => shares.map((share) => share.amount)),
      off,
      what,
    )
  }
})
