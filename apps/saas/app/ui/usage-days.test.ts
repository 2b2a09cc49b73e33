import assert from 'node:assert/strict'
import { test } from 'node:test'
import { daysOfPeriod, describeUsage, type UsageDay } from './usage-days.ts'

const period = { start: new Date('2026-11-22T09:30:00Z'), end: new Date('2026-11-26T09:30:00Z') }
const days: UsageDay[] = [
  { date: '2026-11-22', quantity: '900', amount: 5n },
  { date: '2026-11-24', quantity: '12345', amount: 70n },
]

test('every day of the period is there: the quiet one keeps the cost, those to come have none', () => {
  const shown = daysOfPeriod(days, period).map(({ date, quantity, cost }) => [date, quantity, cost])
  assert.deepEqual(shown, [
    ['2026-11-22', 900, 5],
    ['2026-11-23', 0, 5],
    ['2026-11-24', 12345, 70],
    ['2026-11-25', 0, null],
    ['2026-11-26', 0, null],
  ])
})

test('a period that ends at midnight does not touch the day after', () => {
  const midnight = { start: new Date('2026-11-01T00:00:00Z'), end: new Date('2026-12-01T00:00:00Z') }
  const dates = daysOfPeriod([], midnight).map(({ date }) => date)
  assert.equal(dates.length, 30)
  assert.equal(dates.at(-1), '2026-11-30')
})

test('without a period the days themselves are the chart', () => {
  assert.equal(daysOfPeriod(days, null).length, 3)
  assert.equal(daysOfPeriod([], null).length, 0)
})

test('the chart says in words what it draws', () => {
  const projection = { amount: 140, low: 110, high: 190 }
  assert.equal(
    describeUsage(days, { unit: 'tokens', currency: 'usd', projection }),
    "Usage on 2 days; most on Nov 24 with 12,345 tokens. Cost so far $0.70. At this pace $1.40 at the period's end, between $1.10 and $1.90.",
  )
  assert.equal(describeUsage([], { unit: 'tokens', currency: 'usd', projection: null }), 'No usage in this period yet.')
})
