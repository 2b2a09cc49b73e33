import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Amount, formatMoney } from './money.ts'
import { formatQuantity, formatQuantityShort } from './quantity.ts'

test('money is shown with the digits of its currency in Stripe’s table', () => {
  const cases: [amount: Amount, currency: string, shown: string][] = [
    [65, 'usd', '$0.65'],
    [0, 'usd', '$0.00'],
    [5n, 'usd', '$0.05'],
    [123456789, 'usd', '$1,234,567.89'],
    [-65, 'usd', '-$0.65'],
    ['-0', 'usd', '$0.00'],
    [500, 'eur', '€5.00'],
    [500, 'jpy', '¥500'], // no decimals
    [1500000, 'krw', '₩1,500,000'],
    [5000, 'kwd', 'KWD\u00a05.000'], // three decimals
    [12345, 'huf', 'HUF\u00a0123.45'], // Intl would show none
    [50000, 'isk', 'ISK\u00a0500'], // sent with two decimals, which do not exist
    [50050, 'ugx', 'UGX\u00a0500.50'], // never hides what is there
  ]
  for (const [amount, currency, shown] of cases) assert.equal(formatMoney(amount, currency), shown)
})

test('a unit price below one cent keeps every digit it has', () => {
  assert.equal(formatMoney('0.5', 'usd'), '$0.005')
  assert.equal(formatMoney('0.000000000001', 'usd'), '$0.00000000000001')
  assert.equal(formatMoney('12.50', 'usd'), '$0.125')
  assert.equal(formatMoney('5.000', 'usd'), '$0.05')
  assert.equal(formatMoney('0.5', 'jpy'), '¥0.5')
})

test('amounts past 2^53 lose nothing', () => {
  assert.equal(formatMoney(900719925474099299n, 'usd'), '$9,007,199,254,740,992.99')
  assert.equal(formatMoney('900719925474099299', 'usd'), '$9,007,199,254,740,992.99')
})

test('a number that is not exact is refused, not shown', () => {
  assert.throws(() => formatMoney(0.65, 'usd'), /formatMoney got the number 0.65, which is not a safe integer/)
  assert.throws(() => formatMoney(Number.NaN, 'usd'), RangeError)
  assert.throws(() => formatMoney(2 ** 53, 'usd'), RangeError)
  assert.throws(() => formatMoney('1e3', 'usd'), /"1e3", which is not a decimal number/)
  assert.throws(() => formatQuantity('', 'tokens'), RangeError)
})

test('every currency of Stripe’s zero- and three-decimal lists is shown with that many', () => {
  const lists: [currencies: string, number: string][] = [
    ['BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF', '12,340'],
    ['BHD JOD KWD OMR TND', '12.340'],
    ['USD EUR GBP HUF TWD', '123.40'],
  ]
  for (const [currencies, number] of lists)
    for (const currency of currencies.split(' ')) {
      assert.equal(formatMoney(12_340, currency).replace(/[^\d.,]/g, ''), number, currency)
    }
})

test('quantities keep their digits and know one from many', () => {
  const cases: [value: Amount, unit: string | undefined, shown: string][] = [
    [12345, 'tokens', '12,345 tokens'],
    [1, 'tokens', '1 token'],
    ['1.0', 'tokens', '1 token'],
    [0, 'tokens', '0 tokens'],
    ['0.250', 'hours', '0.25 hours'],
    ['123456789012345', undefined, '123,456,789,012,345'],
    [-300, 'tokens', '-300 tokens'],
  ]
  for (const [value, unit, shown] of cases) assert.equal(formatQuantity(value, unit), shown)
})

test('a short quantity is cut, never rounded up', () => {
  const cases: [value: Amount, shown: string][] = [
    [999_999, '999,999'],
    [1_000_000, '1M'],
    [1_234_567, '1.23M'],
    [1_999_999, '1.99M'],
    [12_345_678, '12.3M'],
    [999_999_999, '999M'],
    [1_050_000_000, '1.05B'],
    ['123456789012345', '123T'],
    [-1_500_000, '-1.5M'],
  ]
  for (const [value, shown] of cases) assert.equal(formatQuantityShort(value), shown)
})
