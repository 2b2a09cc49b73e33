import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseDecimal, roundHalfAway } from './decimal.ts'
import { describeLine, formatAmount } from './describe.ts'
import { type PriceModel, priceUsage } from './price-usage.ts'

const essential: PriceModel = { type: 'package', unitAmount: '5', perUnits: '1000', round: 'up' }
const business: PriceModel = { type: 'package', unitAmount: '50', perUnits: '15000', round: 'up' }
const enterprise: PriceModel = { type: 'package', unitAmount: '500', perUnits: '200000', round: 'up' }

test('Essential: 5 cents for every 1,000 tokens begun', () => {
  const cases: [tokens: string, cents: bigint][] = [
    ['0', 0n], // nothing used, nothing owed
    ['1', 5n], // the first token opens a package
    ['999', 5n],
    ['1000', 5n], // full to the brim
    ['1001', 10n],
    ['12345', 65n], // 12 full packages and 345 tokens of the thirteenth
    ['999999999999999', 5_000_000_000_000n], // 15 digits: 10^12 packages, the last one not full
  ]
  for (const [tokens, cents] of cases) assert.equal(priceUsage(essential, tokens).amount, cents, `${tokens} tokens`)
})

test('Business and Enterprise: 50 cents per 15,000 and 5 dollars per 200,000, each begun', () => {
  const cases: [model: PriceModel, tokens: string, cents: bigint][] = [
    [business, '15000', 50n],
    [business, '15001', 100n],
    [business, '100000', 350n], // 6.67 packages → 7
    [enterprise, '1', 500n],
    [enterprise, '200000', 500n],
    [enterprise, '1000001', 3000n], // 5 packages and one token
  ]
  for (const [model, tokens, cents] of cases) assert.equal(priceUsage(model, tokens).amount, cents, `${tokens} tokens`)
})

test('a package that is rounded down costs nothing until it is full', () => {
  const model: PriceModel = { type: 'package', unitAmount: '5', perUnits: '1000', round: 'down' }
  assert.equal(priceUsage(model, '999').amount, 0n)
  assert.equal(priceUsage(model, '1999.5').amount, 5n)
})

test('a negative total of a period is billed as nothing', () => {
  assert.deepEqual(priceUsage(essential, '-12').lines[0], {
    kind: 'usage',
    quantity: '0',
    packages: '0',
    tier: null,
    unitAmount: '5',
    amount: 0n,
  })
})

test('a line is rounded once, to the nearest cent, halves away from zero', () => {
  const model = (unitAmount: string): PriceModel => ({ type: 'per_unit', unitAmount })
  assert.equal(priceUsage(model('0.25'), '2').amount, 1n) // half a cent
  assert.equal(priceUsage(model('0.25'), '1').amount, 0n)
  assert.equal(priceUsage(model('0.000000000001'), '499999999999').amount, 0n) // one below half
  assert.equal(priceUsage(model('0.000000000001'), '500000000000').amount, 1n)
  assert.equal(roundHalfAway(parseDecimal('-0.5')), -1n)
})

test('graduated: each tier reached is a line of its own, rounded by itself', () => {
  const tiers = [
    { upTo: '10', unitAmount: '0.15', flatAmount: null },
    { upTo: '20', unitAmount: '0.15', flatAmount: null },
    { upTo: null, unitAmount: '0.05', flatAmount: null },
  ]
  const { lines, amount } = priceUsage({ type: 'graduated', tiers }, '25')
  // 10 × 0.15 = 1.5 → 2; again 2; 5 × 0.05 = 0.25 → 0. Rounding the sum (3.25) would say 3.
  assert.deepEqual(
    lines.map((line) => [line.tier, line.quantity, line.amount]),
    [
      [1, '10', 2n],
      [2, '10', 2n],
      [3, '5', 0n],
    ],
  )
  assert.equal(amount, 4n)
})

test('graduated with flat amounts: every tier reached bills its own, the first one even without usage', () => {
  const tiers = [
    { upTo: '5', unitAmount: '700', flatAmount: '1000' },
    { upTo: null, unitAmount: '500', flatAmount: '2000' },
  ]
  const model: PriceModel = { type: 'graduated', tiers }
  assert.equal(priceUsage(model, '0').amount, 1000n) // https://docs.stripe.com/subscriptions/pricing-models/tiered-pricing
  assert.equal(priceUsage(model, '5').amount, 4500n) // 1000 + 5 × 700; up_to is inclusive
  assert.equal(priceUsage(model, '6').amount, 7000n) // + 2000 + 500
})

test('volume: all units at the tier reached', () => {
  const tiers = [
    { upTo: '5', unitAmount: '700', flatAmount: null },
    { upTo: '10', unitAmount: '650', flatAmount: null },
    { upTo: null, unitAmount: '600', flatAmount: '100' },
  ]
  const model: PriceModel = { type: 'volume', tiers }
  assert.equal(priceUsage(model, '5').amount, 3500n)
  assert.equal(priceUsage(model, '6').amount, 3900n) // 6 × 650
  assert.equal(priceUsage(model, '11').amount, 6700n) // 11 × 600 + 100
})

test('packages cover the usage and never more than one package beyond it', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), fc.bigInt({ min: 2n, max: 10n ** 6n }), (used, size) => {
      const model: PriceModel = { type: 'package', unitAmount: '1', perUnits: size.toString(), round: 'up' }
      const packages = priceUsage(model, used.toString()).amount
      assert.ok(packages * size >= used && (packages - 1n) * size < used)
    }),
  )
})

test('graduated tiers charge every unit exactly once', () => {
  const bounds = fc.uniqueArray(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(bounds, fc.integer({ min: 0, max: 20_000 }), (unsorted, used) => {
      const upTo: (string | null)[] = unsorted.sort((a, b) => a - b).map(String)
      const tiers = [...upTo, null].map((bound) => ({ upTo: bound, unitAmount: '1', flatAmount: null }))
      assert.equal(priceUsage({ type: 'graduated', tiers }, String(used)).amount, BigInt(used))
    }),
  )
})

test('the arithmetic is laid open in words', () => {
  const [line] = priceUsage(essential, '12345').lines
  assert.equal(describeLine(essential, line!, 'tokens', 'usd'), '12,345 tokens → 13 packages of 1,000 × $0.05')
  const [single] = priceUsage(essential, '1').lines
  assert.equal(describeLine(essential, single!, 'tokens', 'usd'), '1 token → 1 package of 1,000 × $0.05')
  assert.equal(formatAmount(65n, 'usd'), '$0.65')
  assert.equal(formatAmount('0.025', 'usd'), '$0.00025')
  assert.equal(formatAmount(1234567n, 'jpy'), '¥1,234,567')
  assert.equal(formatAmount(-1250n, 'kwd'), '-KWD 1.250')
})
