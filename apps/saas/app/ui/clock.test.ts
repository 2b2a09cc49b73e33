import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatClock, formatDate, formatRelative, formatTime, formatTimeLeft } from './clock.ts'

const now = new Date('2026-11-24T14:05:09Z')
const before = (seconds: number) => new Date(now.getTime() - seconds * 1000)

test('an instant is told in the zone asked for, with the year only where it is another', () => {
  assert.equal(formatTime(now, 'UTC', now), 'Nov 24, 14:05')
  assert.equal(formatTime(new Date('2026-11-24T00:00:00Z'), 'UTC', now), 'Nov 24, 00:00')
  assert.equal(formatTime(now, 'Asia/Tokyo', now), 'Nov 24, 23:05')
  assert.equal(formatTime(new Date('2025-01-02T03:04:00Z'), 'UTC', now), 'Jan 2, 2025, 03:04')
  assert.equal(formatTime(now, 'UTC', now, { seconds: true }), 'Nov 24, 14:05:09')
  assert.equal(formatDate(new Date('2026-12-01T00:00:00Z'), 'America/New_York', now), 'Nov 30')
  assert.equal(formatClock(now, 'UTC'), '14:05:09')
})

test('how long ago is told in whole units, cut', () => {
  const cases: [secondsAgo: number, told: string][] = [
    [0, 'just now'],
    [59, '59 seconds ago'],
    [60, '1 minute ago'],
    [3599, '59 minutes ago'],
    [7200, '2 hours ago'],
    [86_400 * 3, '3 days ago'],
    [-86_400 * 6, 'in 6 days'],
  ]
  for (const [secondsAgo, told] of cases) assert.equal(formatRelative(before(secondsAgo), now), told)
})

test('what is left of a period counts the day that has begun', () => {
  const cases: [secondsLeft: number, told: string][] = [
    [86_400 * 6, '6 days left'],
    [86_400 * 5 + 1, '6 days left'],
    [86_400, '24 hours left'],
    [3_601, '2 hours left'],
    [30, '1 minute left'],
    [0, 'ended'],
    [-5, 'ended'],
  ]
  for (const [secondsLeft, told] of cases) assert.equal(formatTimeLeft(before(-secondsLeft), now), told)
})
