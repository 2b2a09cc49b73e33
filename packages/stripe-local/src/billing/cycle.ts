/** How long a period is, as a price has it. */
export interface Interval {
  interval: 'day' | 'week' | 'month' | 'year'
  interval_count: number
}

/** Unix seconds; the start belongs to the period, the end to the next. */
export interface Period {
  start: number
  end: number
}

const DAY = 86_400

/**
 * The anchor moved by `count` intervals. Days and weeks are of fixed length. Months and years keep the anchor's day and
 * time of day in UTC; a month that is too short gets its last day, and the day comes back in the next long month.
 */
export function addIntervals(anchor: number, { interval, interval_count: each }: Interval, count: number): number {
  if (interval === 'day') return anchor + count * each * DAY
  if (interval === 'week') return anchor + count * each * 7 * DAY
  return addMonths(anchor, count * each * (interval === 'year' ? 12 : 1))
}

/** The period on the anchor's grid that holds the instant. */
export function periodAt(anchor: number, interval: Interval, at: number): Period {
  let index = estimate(anchor, interval, at)
  while (addIntervals(anchor, interval, index) > at) index -= 1
  while (addIntervals(anchor, interval, index + 1) <= at) index += 1
  return { start: addIntervals(anchor, interval, index), end: addIntervals(anchor, interval, index + 1) }
}

/** Within one of the right index; `periodAt` does the rest. */
function estimate(anchor: number, { interval, interval_count: each }: Interval, at: number): number {
  if (interval === 'day' || interval === 'week')
    return Math.floor((at - anchor) / (each * DAY * (interval === 'week' ? 7 : 1)))
  const [from, to] = [new Date(anchor * 1000), new Date(at * 1000)]
  const months = (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth()
  return Math.floor(months / (each * (interval === 'year' ? 12 : 1)))
}

function addMonths(anchor: number, months: number): number {
  const from = new Date(anchor * 1000)
  const year = from.getUTCFullYear()
  const month = from.getUTCMonth() + months
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
  const day = Math.min(from.getUTCDate(), lastDay)
  return Date.UTC(year, month, day, from.getUTCHours(), from.getUTCMinutes(), from.getUTCSeconds()) / 1000
}
