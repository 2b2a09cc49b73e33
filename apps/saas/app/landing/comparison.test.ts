import assert from 'node:assert/strict'
import { test } from 'node:test'
import { catalogOf } from 'meterkit'
import billing from 'saas/billing.config'
import { comparedPlans, quantityFrom, quotesFor, stopFor, stops } from './comparison.ts'

const { meters, plans } = catalogOf(billing)
const meter = meters.get('ai_tokens')
assert.ok(meter)
const compared = comparedPlans([...plans.values()], meter)
const cents = (quantity: string) => quotesFor(compared, quantity, 'tokens').map(({ amount }) => amount)
const cheapest = (quantity: string) =>
  quotesFor(compared, quantity, 'tokens')
    .filter((quote) => quote.cheapest)
    .map(({ name }) => name)

test('each plan is quoted by the packages it has begun', () => {
  assert.deepEqual(cents('0'), [0n, 0n, 0n])
  assert.deepEqual(cents('12345'), [65n, 50n, 500n]) // 13 × 5, 1 × 50, 1 × 500
  assert.deepEqual(cents('200000'), [1000n, 700n, 500n]) // 200 × 5, 14 × 50 (13.3 begun), 1 × 500
})

test('the cheapest plan is marked, and none where all cost the same', () => {
  assert.deepEqual(cheapest('1000'), ['Essential'])
  assert.deepEqual(cheapest('10000'), ['Essential', 'Business']) // 10 × 5 = 1 × 50
  assert.deepEqual(cheapest('12345'), ['Business'])
  assert.deepEqual(cheapest('200000'), ['Enterprise'])
  assert.deepEqual(cheapest('0'), [])
})

test('a quote shows its arithmetic', () => {
  const [essential] = quotesFor(compared, '12345', 'tokens')
  assert.deepEqual(essential?.lines, ['12,345 tokens → 13 packages of 1,000 × $0.05'])
})

test('the slider stops where one expects and finds the place of any number', () => {
  assert.equal(stops[0], 1000)
  assert.equal(stops.at(-1), 10_000_000)
  assert.deepEqual(
    [...stops].sort((a, b) => a - b),
    stops,
  )
  assert.equal(stops[stopFor('12345')], 10_000)
  assert.equal(stopFor('5'), 0)
  assert.equal(stopFor('999999999999'), stops.length - 1)
})

test('a quantity is read as people type it, and nothing else is', () => {
  assert.equal(quantityFrom('12,345'), '12345')
  assert.equal(quantityFrom(' 1 000 000 '), '1000000')
  assert.equal(quantityFrom('1.000.000'), '1000000')
  assert.equal(quantityFrom('1.5'), '1')
  assert.equal(quantityFrom('12,345.67'), '12345')
  assert.equal(quantityFrom('007'), '7')
  for (const text of [null, '', '-5', '1e6', '1234567890123', '1.2.3', '.5', 'many'])
    assert.equal(quantityFrom(text), null, `${text}`)
})
