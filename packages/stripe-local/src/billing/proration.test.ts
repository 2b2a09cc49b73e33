import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proratedFrom, proratedSpan } from './proration.ts'

const april = { start: Date.parse('2026-04-01T00:00:00Z') / 1000, end: Date.parse('2026-05-01T00:00:00Z') / 1000 }

test('credit and debit of a switch are both rounded down', () => {
  const at = Date.parse('2026-04-11T00:00:00Z') / 1000 // 20 of 30 days are left
  assert.equal(proratedFrom(1000n, at, april), 666n) // 666.67 down
  assert.equal(proratedFrom(-1000n, at, april), -667n) // -666.67 down
})

test('nothing is left at the end, all of it at the start', () => {
  assert.equal(proratedFrom(1000n, april.end, april), 0n)
  assert.equal(proratedFrom(1000n, april.start, april), 1000n)
})

test('a span within the period is its share by the second', () => {
  // The 11th to the 16th: 5 of 30 days of $10.00 are 166.67 cents, down.
  const span = { start: april.start + 10 * 86_400, end: april.start + 15 * 86_400 }
  assert.equal(proratedSpan(1000n, span, april), 166n)
  assert.equal(proratedSpan(1000n, april, april), 1000n)
})
