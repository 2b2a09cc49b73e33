import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Segment } from '../subscriptions/subscription.ts'
import { placement } from './placement.ts'

const at = (text: string) => new Date(`2026-${text}:00Z`)
const november = { start: at('11-10T08:30'), end: at('12-10T08:30') }
const segment = (start: Date, end: Date | null, facts: Partial<Segment> = {}): Segment => ({
  start,
  end,
  kind: 'billable',
  period: november,
  items: [],
  closedAt: null,
  ...facts,
})

test('usage keeps its own time while the invoice of its period is open, also as a draft after its end', () => {
  const segments = [segment(november.start, november.end), segment(november.end, null)]
  const since = at('11-24T10:00')
  assert.deepEqual(placement(segments, since, at('11-24T10:30')), { to: 'period', timestamp: since, late: false })
  assert.deepEqual(placement(segments, since, at('12-10T09:00')), { to: 'period', timestamp: since, late: false })
})

test('once that invoice is final, it is billed in the open period', () => {
  const segments = [segment(november.start, november.end, { closedAt: at('12-10T09:40') }), segment(november.end, null)]
  const now = new Date('2026-12-11T10:00:00.900Z')
  assert.deepEqual(placement(segments, at('11-24T10:00'), now), {
    to: 'period',
    timestamp: new Date('2026-12-11T10:00:00Z'),
    late: true,
  })
})

test('what Stripe is too young for goes there too: 34 days keep their time, 36 do not', () => {
  const segments = [segment(at('01-01T00:00'), null)]
  const now = at('11-24T12:00')
  const days = (count: number) => new Date(now.getTime() - count * 24 * 3_600_000)
  assert.equal((placement(segments, days(34), now) as { late: boolean }).late, false)
  assert.deepEqual(placement(segments, days(36), now), { to: 'period', timestamp: now, late: true })
})

test('before the start, in a trial and after the end nobody pays', () => {
  const segments = [
    segment(at('11-01T00:00'), november.start, { kind: 'free' }),
    segment(november.start, november.end),
    segment(november.end, null, { kind: 'ended' }),
  ]
  for (const since of [at('10-01T00:00'), at('11-02T00:00'), at('12-11T00:00')]) {
    assert.deepEqual(placement(segments, since, at('12-12T00:00')), { to: 'nobody' })
  }
})

test('late usage of a subscription that has ended can go nowhere, and says so', () => {
  const segments = [
    segment(november.start, november.end, { closedAt: at('12-10T09:40') }),
    segment(november.end, null, { kind: 'ended' }),
  ]
  const place = placement(segments, at('11-24T10:00'), at('12-11T00:00'))
  assert.equal(place.to, 'nowhere')
  assert.match(
    (place as { reason: string }).reason,
    /invoice of its period is final, and the subscription has no open period/,
  )
})
