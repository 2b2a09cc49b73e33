import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addIntervals, type Interval, periodAt } from './cycle.ts'

const seconds = (iso: string) => Date.parse(iso) / 1000
const iso = (at: number) => new Date(at * 1000).toISOString().slice(0, 19)
const month: Interval = { interval: 'month', interval_count: 1 }

test('a month that is too short gets its last day, and the day comes back', () => {
  const anchor = seconds('2026-01-31T09:30:15Z')
  const ends = [1, 2, 3, 4, 13].map((count) => iso(addIntervals(anchor, month, count)))
  assert.deepEqual(ends, [
    '2026-02-28T09:30:15',
    '2026-03-31T09:30:15', // the 31st again, not the 28th
    '2026-04-30T09:30:15',
    '2026-05-31T09:30:15',
    '2027-02-28T09:30:15',
  ])
})

test('29 February: a yearly anchor falls on the 28th in between', () => {
  const year: Interval = { interval: 'year', interval_count: 1 }
  const anchor = seconds('2028-02-29T00:00:00Z')
  assert.equal(iso(addIntervals(anchor, year, 1)), '2029-02-28T00:00:00')
  assert.equal(iso(addIntervals(anchor, year, 4)), '2032-02-29T00:00:00')
})

test('weeks, days and several months have fixed grids', () => {
  const anchor = seconds('2026-03-29T00:30:00Z') // in Europe the clocks change this night; UTC does not care
  assert.equal(iso(addIntervals(anchor, { interval: 'week', interval_count: 2 }, 1)), '2026-04-12T00:30:00')
  assert.equal(iso(addIntervals(anchor, { interval: 'day', interval_count: 1 }, 1)), '2026-03-30T00:30:00')
  assert.equal(iso(addIntervals(anchor, { interval: 'month', interval_count: 3 }, 1)), '2026-06-29T00:30:00')
})

test('the start belongs to its period, the end to the next', () => {
  const anchor = seconds('2026-01-31T12:00:00Z')
  const cases: [at: string, start: string, end: string][] = [
    ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00', '2026-02-28T12:00:00'],
    ['2026-02-28T11:59:59Z', '2026-01-31T12:00:00', '2026-02-28T12:00:00'],
    ['2026-02-28T12:00:00Z', '2026-02-28T12:00:00', '2026-03-31T12:00:00'],
    ['2027-06-01T00:00:00Z', '2027-05-31T12:00:00', '2027-06-30T12:00:00'],
    ['2025-12-31T12:00:00Z', '2025-12-31T12:00:00', '2026-01-31T12:00:00'], // before a future anchor
  ]
  for (const [at, start, end] of cases) {
    const period = periodAt(anchor, month, seconds(at))
    assert.deepEqual([iso(period.start), iso(period.end)], [start, end], at)
  }
})
