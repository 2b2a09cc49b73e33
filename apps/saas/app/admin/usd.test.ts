import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatUsd, formatUsdBriefly, sumUsd } from './usd.ts'

test('what a provider charges is shown exactly', () => {
  assert.equal(formatUsd('0.00006275'), '$0.00006275')
  assert.equal(formatUsd('12'), '$12.00')
  assert.equal(formatUsd('0.5'), '$0.50')
})

test('sums are shown to a hundredth of a cent', () => {
  assert.equal(formatUsdBriefly('12.345678'), '$12.3457')
  assert.equal(formatUsdBriefly('0.00004'), '$0.00')
  assert.equal(formatUsdBriefly('0.00005'), '$0.0001')
  assert.equal(formatUsdBriefly('3'), '$3.00')
})

test('sums are exact', () => {
  assert.equal(sumUsd([]), '0')
  assert.equal(sumUsd(['0.1', '0.2']), '0.3')
  assert.equal(sumUsd(['0.00006275', '12', '0.5']), '12.50006275')
})
