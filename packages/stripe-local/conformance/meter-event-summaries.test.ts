import assert from 'node:assert/strict'
import { conformance, type Subject } from './conformance.ts'
import { beginning, metered, now } from './metered.ts'
import { refusal } from './refusal.ts'

const HOUR = 3600
const DAY = 86_400

conformance(
  'without grouping there is one summary of the range, start inclusive, end exclusive',
  'stripe MeterListEventSummariesParams.end_time: "The timestamp from when to stop aggregating meter events (exclusive)."; value_grouping_window: "If not specified, a single event summary would be returned for the specified time range."',
  async (subject) => {
    const { meter, send, summaries } = await metered(subject)
    const start_time = beginning('minute', now() - 2 * HOUR)
    const end_time = start_time + HOUR
    for (const [value, timestamp] of [
      ['1', start_time - 1],
      ['2', start_time],
      ['4.5', end_time - 1],
      ['8', end_time],
    ] as const) {
      await send(value, { timestamp })
    }

    await subject.eventually(async () => {
      const { data } = await summaries({ start_time, end_time })
      assert.equal(data.length, 1)
      const [summary] = data
      assert.deepEqual(
        [summary!.aggregated_value, summary!.start_time, summary!.end_time, summary!.meter],
        [6.5, start_time, end_time, meter.id],
      )
    })
  },
)

conformance(
  'grouped by hour: newest first, hours without usage left out',
  'docs.stripe.com/api/billing/meter-event-summary/list: the example with value_grouping_window',
  async (subject) => {
    const { send, summaries } = await metered(subject)
    const noon = beginning('hour', now() - 5 * HOUR)
    await send('1', { timestamp: noon })
    await send('2', { timestamp: noon + HOUR - 1 })
    await send('4', { timestamp: noon + 2 * HOUR })

    await subject.eventually(async () => {
      const { data } = await summaries({
        start_time: noon - HOUR,
        end_time: noon + 4 * HOUR,
        value_grouping_window: 'hour',
      })
      assert.deepEqual(
        data.map((row) => [row.start_time, row.end_time, row.aggregated_value]),
        [
          [noon + 2 * HOUR, noon + 3 * HOUR, 4],
          [noon, noon + HOUR, 3],
        ],
      )
    })
  },
)

conformance(
  'grouped by UTC day, and paged by id',
  'stripe MeterListEventSummariesParams.value_grouping_window: "For daily granularity, start and end times must align with UTC day boundaries (00:00 UTC)."; PaginationParams.starting_after',
  async (subject) => {
    const { send, summaries } = await metered(subject)
    const today = beginning('day', now())
    for (const [index, value] of ['1', '2', '4'].entries()) await send(value, { timestamp: today - (index + 1) * DAY })
    const range = { start_time: today - 7 * DAY, end_time: today, value_grouping_window: 'day' as const }

    await subject.eventually(async () => {
      const first = await summaries({ ...range, limit: 2 })
      assert.deepEqual([first.data.map((row) => row.aggregated_value), first.has_more], [[1, 2], true])
      const second = await summaries({ ...range, limit: 2, starting_after: first.data[1]!.id })
      assert.deepEqual([second.data.map((row) => row.aggregated_value), second.has_more], [[4], false])
    })
  },
)

conformance(
  'count counts, last takes the latest',
  'docs.stripe.com/billing/subscriptions/usage-based/recording-usage: `last`: the most recent event of the billing period; stripe Meter.DefaultAggregation.formula',
  async (subject) => {
    const start_time = beginning('minute', now() - HOUR)
    const expected = { count: 3, last: 9, sum: 21 }
    for (const formula of ['count', 'last', 'sum'] as const) {
      const { send, summaries } = await metered(subject, { default_aggregation: { formula } })
      await send('5', { timestamp: start_time + 600 })
      await send('9', { timestamp: start_time + 1200 })
      await send('7', { timestamp: start_time + 900 })

      await subject.eventually(async () => {
        const { data } = await summaries({ start_time, end_time: start_time + 1800 })
        assert.equal(data[0]!.aggregated_value, expected[formula], formula)
      })
    }
  },
)

conformance(
  'a pre-aggregated meter counts what came last of each window',
  'docs.stripe.com/billing/subscriptions/usage-based/meters/configure: event_time_window hour: in each window only the event received last counts',
  async (subject) => {
    const { send, summaries } = await metered(subject, { event_time_window: 'hour' })
    const hour = beginning('hour', now() - 3 * HOUR)
    await send('10', { timestamp: hour + 1800 })
    await send('12', { timestamp: hour + 60 }) // received later, though it happened earlier
    await send('5', { timestamp: hour + HOUR })

    await subject.eventually(async () => {
      const { data } = await summaries({ start_time: hour, end_time: hour + 2 * HOUR })
      assert.equal(data[0]!.aggregated_value, 17)
    })
  },
)

conformance(
  'a negative value corrects',
  'docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api: "accepts decimal values"; meters/configure: negative quantities correct what is older than an adjustment can reach',
  async (subject) => {
    const { send, summaries } = await metered(subject)
    const start_time = beginning('minute', now() - HOUR)
    await send('10', { timestamp: start_time })
    await send('-2.5', { timestamp: start_time })

    await subject.eventually(async () => {
      const { data } = await summaries({ start_time, end_time: start_time + 60 })
      assert.equal(data[0]!.aggregated_value, 7.5)
    })
  },
)

async function refusedRange(subject: Subject, start: number, end: number, window?: 'day' | 'hour') {
  const { summaries } = await metered(subject)
  await assert.rejects(
    summaries({ start_time: start, end_time: end, ...(window && { value_grouping_window: window }) }),
    refusal({ type: 'invalid_request_error' }),
  )
}

conformance(
  'ranges align with minutes, hours or days',
  'stripe MeterListEventSummariesParams.start_time: "Must be aligned with minute boundaries."; value_grouping_window: "For hourly granularity, start and end times must align with hour boundaries"',
  async (subject) => {
    const hour = beginning('hour', now() - 2 * HOUR)
    await refusedRange(subject, hour + 1, hour + HOUR)
    await refusedRange(subject, hour, hour + HOUR + 1)
    await refusedRange(subject, hour + 60, hour + HOUR, 'hour')
    await refusedRange(subject, beginning('day', hour) + HOUR, beginning('day', hour) + DAY, 'day')
    await refusedRange(subject, hour + HOUR, hour)
  },
)

conformance(
  'summaries are of one customer, who exists',
  'stripe MeterListEventSummariesParams.customer: "The customer for which to fetch event summaries."',
  async (subject) => {
    const { meter } = await metered(subject)
    const start_time = beginning('hour', now() - HOUR)

    await assert.rejects(
      subject.stripe.billing.meters.listEventSummaries(meter.id, {
        customer: 'cus_nope',
        start_time,
        end_time: start_time + HOUR,
      }),
      refusal({ code: 'resource_missing' }),
    )
  },
)
