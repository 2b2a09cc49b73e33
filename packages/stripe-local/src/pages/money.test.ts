import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAmount, formatQuantity } from './money.ts'

test('amounts have the decimals of Stripe, not those of Intl', () => {
  const cases: [minor: number | string | bigint, currency: string, shown: string][] = [
    [0, 'usd', '$0.00'],
    [5, 'usd', '$0.05'],
    [123456, 'usd', '$1,234.56'],
    [-65, 'usd', '-$0.65'],
    [500, 'jpy', '¥500'], // no minor unit
    [1230, 'kwd', 'KWD 1.230'], // three decimals
    [1250, 'huf', 'Ft 12.50'], // Intl would say none
    [10000, 'isk', 'kr 100'], // sent in hundredths, paid in whole units
  ]
  for (const [minor, currency, shown] of cases) {
    assert.equal(formatAmount(minor, currency).replaceAll('\u00a0', ' '), shown)
  }
})

test('unit prices keep every digit', () => {
  assert.equal(formatAmount('0.05', 'usd'), '$0.0005')
  assert.equal(formatAmount('0.000000000001', 'usd').length, '$0.00000000000001'.length)
  // 2^53 + 1 cents: a double would lose the last cent.
  assert.equal(formatAmount(9007199254740993n, 'usd'), '$90,071,992,547,409.93')
})

test('quantities are grouped and exact', () => {
  assert.equal(formatQuantity('123456789012345'), '123,456,789,012,345')
  assert.equal(formatQuantity('1000.125'), '1,000.125')
  assert.throws(() => formatQuantity('1e5'), RangeError)
})
