import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PICO } from './decimal.ts'
import { rateFurther } from './further.ts'
import type { RatedPrice } from './rating.ts'

const impressions = (mode: 'graduated' | 'volume'): RatedPrice => ({
  currency: 'usd',
  billing_scheme: 'tiered',
  unit_amount_decimal: null,
  transform_quantity: null,
  tiers_mode: mode,
  tiers: [
    { up_to: 10_000, unit_amount_decimal: '50', flat_amount_decimal: null },
    { up_to: null, unit_amount_decimal: '40', flat_amount_decimal: null },
  ],
})
const units = (count: number) => BigInt(count) * PICO

test('graduated tiers go on where the last invoice stopped', () => {
  // 9,900 were billed; of 10,150 the next 100 are still at $0.50, the other 150 at $0.40.
  const { lines, previously } = rateFurther(impressions('graduated'), units(10_150), units(9_900))
  assert.deepEqual(
    lines.map(({ tier, quantity, amount }) => [tier, quantity / PICO, amount]),
    [
      [1, 100n, 5_000n],
      [2, 150n, 6_000n],
    ],
  )
  assert.equal(previously, null)
})

test('a tier that was billed in full is not printed again', () => {
  const { lines } = rateFurther(impressions('graduated'), units(10_500), units(10_250))
  assert.deepEqual(
    lines.map(({ tier, quantity, amount }) => [tier, quantity / PICO, amount]),
    [[2, 250n, 10_000n]], // 250 × $0.40
  )
})

test('a volume price is rated for everything and gives back what was billed', () => {
  // Stripe's own example: 10,000 at $0.50 were billed, at 25,000 all are $0.40.
  const { lines, previously } = rateFurther(impressions('volume'), units(25_000), units(10_000))
  assert.deepEqual(
    lines.map(({ amount }) => amount),
    [1_000_000n],
  )
  assert.deepEqual(previously, { amount: -500_000n, unitAmount: '50' })
})

test('packages that were begun are not billed twice', () => {
  const price: RatedPrice = {
    currency: 'usd',
    billing_scheme: 'per_unit',
    unit_amount_decimal: '5',
    transform_quantity: { divide_by: 1000, round: 'up' },
    tiers_mode: null,
    tiers: null,
  }
  // 1,500 opened two packages; at 2,000 they are full, 2,001 opens the third.
  assert.deepEqual(
    rateFurther(price, units(2_000), units(1_500)).lines.map(({ quantity, amount }) => [quantity / PICO, amount]),
    [[500n, 0n]],
  )
  assert.deepEqual(
    rateFurther(price, units(2_001), units(1_500)).lines.map(({ quantity, amount }) => [quantity / PICO, amount]),
    [[501n, 5n]],
  )
})
