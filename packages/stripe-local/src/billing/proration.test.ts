import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proratedFrom } from './proration.ts'

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
