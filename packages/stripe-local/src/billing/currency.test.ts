import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAmount } from './currency.ts'

test('minor units as people write them, with the decimals Stripe gives a currency', () => {
  const cases: [minorUnits: string, currency: string, text: string][] = [
    ['5', 'usd', '$0.05'],
    ['0.05', 'usd', '$0.0005'],
    ['123456', 'usd', '$1,234.56'],
    ['500', 'jpy', '¥500'],
    ['1500', 'huf', 'Ft15.00'], // two decimals at Stripe, none in Intl
    ['1230', 'kwd', 'KWD1.230'],
  ]
  for (const [minorUnits, currency, text] of cases) assert.equal(formatAmount(minorUnits, currency), text)
})
