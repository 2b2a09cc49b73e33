import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasTooManyDigits, isCountable, plainNotation } from './value.ts'

test('plain notation counts, everything else does not', () => {
  for (const value of ['0', '12345', '-3', '0.000000000001', '007']) assert.ok(isCountable(value), value)
  for (const value of ['', 'many', '1e3', '+1', '1.', '.5', '1,000', '0.0000000000001', ' 1'])
    assert.ok(!isCountable(value), value)
})

test('scientific notation becomes plain without losing a digit', () => {
  const cases: [written: string, plain: string][] = [
    ['1e3', '1000'],
    ['+12.5', '12.5'],
    ['1.5E-3', '0.0015'],
    ['-2.50e1', '-25'],
    ['1e-12', '0.000000000001'],
    ['1e-13', '1e-13'], // too small to be counted
    ['many', 'many'],
  ]
  for (const [written, plain] of cases) assert.equal(plainNotation(written), plain)
})

test('fifteen digits, integer and fraction together', () => {
  for (const value of ['123456789012345', '-123456789012.345', '000123456789012345', '0.00000000001'])
    assert.ok(!hasTooManyDigits(value), value)
  for (const value of ['1234567890123456', '1.234567890123456', '-1234567890.123456'])
    assert.ok(hasTooManyDigits(value), value)
})
