import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatPico, pico } from './decimal.ts'
import { type RatedPrice, type RatedTier, rate, roundedLine } from './rating.ts'

const unit: RatedPrice = {
  currency: 'usd',
  billing_scheme: 'per_unit',
  unit_amount_decimal: '5',
  transform_quantity: null,
  tiers_mode: null,
  tiers: null,
}
const packages = (size: number, cents: string, round: 'up' | 'down' = 'up'): RatedPrice => ({
  ...unit,
  unit_amount_decimal: cents,
  transform_quantity: { divide_by: size, round },
})
const tiered = (
  mode: 'graduated' | 'volume',
  ...tiers: [upTo: number | null, unit: string | null, flat: string | null][]
): RatedPrice => ({
  ...unit,
  billing_scheme: 'tiered',
  unit_amount_decimal: null,
  tiers_mode: mode,
  tiers: tiers.map(
    ([up_to, unit_amount_decimal, flat_amount_decimal]): RatedTier => ({
      up_to,
      unit_amount_decimal,
      flat_amount_decimal,
    }),
  ),
})
const total = (price: RatedPrice, quantity: string) =>
  rate(price, pico(quantity)).reduce((sum, line) => sum + line.amount, 0n)
/** Each line as kind, tier, quantity and amount. */
const lines = (price: RatedPrice, quantity: string) =>
  rate(price, pico(quantity)).map(
    (line) => `${line.kind}${line.tier ?? ''} ${formatPico(line.quantity)}: ${line.amount}`,
  )

test('the three plans: a package begun is a package paid', () => {
  const essential = packages(1000, '5')
  const business = packages(15_000, '50')
  const enterprise = packages(200_000, '500')
  const cases: [tokens: string, essential: bigint, business: bigint, enterprise: bigint][] = [
    ['0', 0n, 0n, 0n],
    ['1', 5n, 50n, 500n],
    ['1000', 5n, 50n, 500n],
    ['1001', 10n, 50n, 500n],
    ['12345', 65n, 50n, 500n], // 13 packages; 1; 1
    ['15001', 80n, 100n, 500n], // 16; 2; 1
    ['200001', 1005n, 700n, 1000n], // 201; 14; 2
  ]
  for (const [tokens, first, second, third] of cases) {
    assert.deepEqual(
      [total(essential, tokens), total(business, tokens), total(enterprise, tokens)],
      [first, second, third],
      tokens,
    )
  }
})

test('a package line carries the raw usage as its quantity', () => {
  assert.deepEqual(lines(packages(1000, '5'), '12345'), ['package 12345: 65'])
  assert.deepEqual(lines(packages(1000, '5', 'down'), '12345'), ['package 12345: 60'])
})

test('fractions of a package count as begun', () => {
  assert.equal(total(packages(1000, '5'), '1000.000000000001'), 10n)
})

test('a line is rounded once, to the nearest cent, half away from zero', () => {
  const cases: [unitAmount: string, quantity: string, cents: bigint][] = [
    ['0.05', '9', 0n], // 0.45
    ['0.05', '10', 1n], // 0.5 goes up
    ['0.05', '29', 1n], // 1.45
    ['0.05', '30', 2n], // 1.5
    ['0.000000000001', '999999999999999', 1000n], // 999.999999999999
  ]
  for (const [unit_amount_decimal, quantity, cents] of cases) {
    assert.equal(total({ ...unit, unit_amount_decimal }, quantity), cents, `${quantity} × ${unit_amount_decimal}`)
  }
})

test('graduated: each tier is a line rounded by itself', () => {
  const price = tiered('graduated', [100, '0.5', null], [200, '0.33', null], [null, '0.1', null])
  assert.deepEqual(lines(price, '0'), ['tier1 0: 0'])
  assert.deepEqual(lines(price, '100'), ['tier1 100: 50'])
  assert.deepEqual(lines(price, '101'), ['tier1 100: 50', 'tier2 1: 0'])
  // 50 + 33 + 0.5 rounded up; the sum of the exact parts, 83.5, would round to the same 84 only by luck
  assert.deepEqual(lines(price, '205'), ['tier1 100: 50', 'tier2 100: 33', 'tier3 5: 1'])
})

test('graduated with flat amounts: units, then flat, tier by tier, and the first flat even at zero', () => {
  const price = tiered('graduated', [10, '5', '100'], [null, '2', null])
  assert.deepEqual(lines(price, '0'), ['tier1 0: 0', 'flat1 0: 100'])
  assert.deepEqual(lines(price, '12'), ['tier1 10: 50', 'flat1 0: 100', 'tier2 2: 4', 'flat2 0: 0'])
})

test('volume: all units at the reached tier, whose end is inclusive', () => {
  const price = tiered('volume', [10, '5', null], [20, '4', '7'], [null, '3', null])
  assert.deepEqual(lines(price, '10'), ['tier1 10: 50', 'flat1 0: 0'])
  assert.deepEqual(lines(price, '11'), ['tier2 11: 44', 'flat2 0: 7'])
  assert.deepEqual(lines(price, '21'), ['tier3 21: 63', 'flat3 0: 0'])
})

test('a negative quantity counts as none', () => {
  assert.deepEqual(lines(packages(1000, '5'), '-5'), ['package 0: 0'])
})

test('three-decimal currencies end in 0', () => {
  assert.equal(total({ ...unit, currency: 'kwd', unit_amount_decimal: '5' }, '1'), 10n) // 5 rounds to 10
  assert.equal(total({ ...unit, currency: 'kwd', unit_amount_decimal: '4' }, '1'), 0n)
})

test('read the other way, every fraction of a line goes away from zero', () => {
  const cents = (text: string, rounding?: 'nearest' | 'up') => roundedLine(pico(text) * pico('1'), 'usd', rounding)
  assert.deepEqual([cents('0.1', 'up'), cents('0.1')], [1n, 0n])
  assert.deepEqual([cents('1', 'up'), cents('-0.1', 'up'), cents('-0.5')], [1n, -1n, -1n])
})
