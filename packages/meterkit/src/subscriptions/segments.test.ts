import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SegmentStart, segmentStarts } from './segments.ts'
import type { SubscriptionFacts, SubscriptionItem } from './subscription.ts'

const essential: SubscriptionItem = { stripeId: 'si_1', stripePriceId: 'price_e', meter: 'ai_tokens' }
const business: SubscriptionItem = { stripeId: 'si_1', stripePriceId: 'price_b', meter: 'ai_tokens' }
const at = (text: string) => new Date(`2026-${text}:00Z`)
const november = { start: at('11-10T08:30'), end: at('12-10T08:30') }
const december = { start: at('12-10T08:30'), end: new Date('2027-01-10T08:30:00Z') }

const subscription: SubscriptionFacts = {
  id: 's',
  customerId: 'c',
  stripeId: 'sub_1',
  status: 'active',
  plan: 'essential',
  items: [essential],
  currentPeriod: november,
  startedAt: november.start,
  trialEnd: null,
  cancelAtPeriodEnd: false,
  cancelAt: null,
  endedAt: null,
}

/** "11-10T08:30 billable price_e 11-10/12-10": start, kind, prices, period. */
function told(starts: SegmentStart[]): string[] {
  return starts.map(({ start, kind, items, period }) => {
    const days = period ? `${period.start.toISOString().slice(5, 10)}/${period.end.toISOString().slice(5, 10)}` : '-'
    return [start.toISOString().slice(5, 16), kind, ...items.map((item) => item.stripePriceId), days].join(' ')
  })
}

const later = (now: Date, facts: Partial<SubscriptionFacts>, known: SegmentStart[], changedAt = now) =>
  segmentStarts({ ...subscription, ...facts }, known, { now, changedAt })

test('a new subscription is one segment, and the next period is expected', () => {
  const starts = later(at('11-10T08:31'), {}, [])
  assert.deepEqual(told(starts), ['11-10T08:30 billable price_e 11-10/12-10', '12-10T08:30 billable price_e -'])
})

test('told the same again, nothing changes', () => {
  const once = later(at('11-10T08:31'), {}, [])
  assert.deepEqual(told(later(at('11-20T00:00'), {}, once)), told(once))
})

test('a switch cuts at its instant and keeps the old price before it', () => {
  const known = later(at('11-10T08:31'), {}, [])
  const starts = later(at('11-24T10:18'), { items: [business] }, known, at('11-24T10:17'))
  assert.deepEqual(told(starts), [
    '11-10T08:30 billable price_e 11-10/12-10',
    '11-24T10:17 billable price_b 11-10/12-10',
    '12-10T08:30 billable price_b -',
  ])
})

test('a switch heard of late is dated when it was, cuts of refused ones after it notwithstanding', () => {
  const [first] = later(at('11-10T08:31'), {}, [])
  const known = [first!, { ...first!, start: at('11-12T00:00') }, { ...first!, start: at('11-13T00:00') }]
  const starts = later(at('11-14T00:00'), { items: [business] }, known, at('11-12T00:00'))
  assert.deepEqual(told(starts), [
    '11-10T08:30 billable price_e 11-10/12-10',
    '11-12T00:00 billable price_b 11-10/12-10',
    '11-13T00:00 billable price_b 11-10/12-10',
    '12-10T08:30 billable price_b -',
  ])
  assert.deepEqual(starts[0]!.closedAt, at('11-12T00:00'))
})

test('a switch heard of after the renewal lies in the period it was made in', () => {
  const known = later(at('11-10T08:31'), {}, [])
  const starts = later(at('12-12T00:00'), { items: [business], currentPeriod: december }, known, at('11-24T10:17'))
  assert.deepEqual(told(starts), [
    '11-10T08:30 billable price_e 11-10/12-10',
    '11-24T10:17 billable price_b 11-10/12-10',
    '12-10T08:30 billable price_b 12-10/01-10',
    '01-10T08:30 billable price_b -',
  ])
})

test('a renewal fills in the period that was expected, with the prices of its start', () => {
  const known = later(at('11-10T08:31'), {}, [])
  const starts = later(at('12-10T08:40'), { currentPeriod: december }, known)
  assert.deepEqual(told(starts), [
    '11-10T08:30 billable price_e 11-10/12-10',
    '12-10T08:30 billable price_e 12-10/01-10',
    '01-10T08:30 billable price_e -',
  ])
})

test('two renewals missed are made up for: what lies between belongs to the period before', () => {
  const known = later(at('11-10T08:31'), {}, [])
  const february = { start: new Date('2027-01-10T08:30:00Z'), end: new Date('2027-02-10T08:30:00Z') }
  const starts = later(new Date('2027-01-12T00:00:00Z'), { currentPeriod: february }, known)
  assert.deepEqual(told(starts).slice(-2), [
    '01-10T08:30 billable price_e 01-10/02-10',
    '02-10T08:30 billable price_e -',
  ])
})

test('cancelled at the period end it is expected to end there, resumed to go on', () => {
  const known = later(at('11-10T08:31'), {}, [])
  const ending = later(at('11-20T00:00'), { cancelAtPeriodEnd: true, cancelAt: november.end }, known)
  assert.deepEqual(told(ending).at(-1), '12-10T08:30 ended -')
  assert.deepEqual(told(later(at('11-21T00:00'), {}, ending)), told(known))
})

test('cancelled now, its period ends now, and nothing is billable after it', () => {
  const known = later(at('11-10T08:31'), {}, [])
  const endedAt = at('11-24T10:17')
  const starts = later(at('11-24T10:18'), { status: 'canceled', endedAt }, known)
  assert.deepEqual(told(starts), ['11-10T08:30 billable price_e 11-10/11-24', '11-24T10:17 ended -'])
})

test('ended at the period end, the last period keeps its bounds', () => {
  const known = later(at('11-10T08:31'), { cancelAtPeriodEnd: true }, [])
  const starts = later(at('12-10T08:31'), { status: 'canceled', endedAt: november.end }, known)
  assert.deepEqual(told(starts), ['11-10T08:30 billable price_e 11-10/12-10', '12-10T08:30 ended -'])
})

test('a trial is free until its end', () => {
  const trial = { start: november.start, end: at('11-17T08:30') }
  const known = later(at('11-10T08:31'), { status: 'trialing', trialEnd: trial.end, currentPeriod: trial }, [])
  assert.deepEqual(told(known), ['11-10T08:30 free price_e 11-10/11-17', '11-17T08:30 billable price_e -'])
  const paying = { start: trial.end, end: at('12-17T08:30') }
  const starts = later(at('11-17T08:31'), { status: 'active', trialEnd: trial.end, currentPeriod: paying }, known)
  assert.deepEqual(told(starts), [
    '11-10T08:30 free price_e 11-10/11-17',
    '11-17T08:30 billable price_e 11-17/12-17',
    '12-17T08:30 billable price_e -',
  ])
})
