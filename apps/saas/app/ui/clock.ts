/** `Nov 24, 14:05`, or `Nov 24, 14:05:09`; with the year where it is not `now`'s. `zone` undefined: the viewer's own. */
export function formatTime(at: Date, zone: string | undefined, now: Date, { seconds = false } = {}): string {
  const year = at.getUTCFullYear() === now.getUTCFullYear() ? undefined : 'numeric'
  return new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    year,
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: seconds ? '2-digit' : undefined,
    hourCycle: 'h23',
  }).format(at)
}

/** `Nov 24`, or `Nov 24, 2025` in another year. */
export function formatDate(at: Date, zone: string | undefined, now: Date): string {
  const year = at.getUTCFullYear() === now.getUTCFullYear() ? undefined : 'numeric'
  return new Intl.DateTimeFormat('en-US', { timeZone: zone, year, month: 'short', day: 'numeric' }).format(at)
}

/** `14:05:09`, for what changes while one looks. */
export function formatClock(at: Date, zone: string | undefined): string {
  return new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).format(at)
}

const spans: [unit: string, seconds: number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
]

/** `3 minutes ago`, `in 6 days`, `just now`; whole units, cut. */
export function formatRelative(at: Date, now: Date): string {
  const seconds = (now.getTime() - at.getTime()) / 1000
  const span = spans.find(([, length]) => Math.abs(seconds) >= length)
  if (!span) return Math.abs(seconds) < 10 ? 'just now' : ago(Math.trunc(seconds), 'second')
  const [unit, length] = span
  return ago(Math.trunc(seconds / length), unit)
}

/** `6 days left`, `5 hours left`, `ended`: beside a period's end. Begun units count, so that the last day is `1 day left`. */
export function formatTimeLeft(end: Date, now: Date): string {
  const seconds = (end.getTime() - now.getTime()) / 1000
  if (seconds <= 0) return 'ended'
  const [unit, length] = spans.find(([, candidate]) => seconds > candidate) ?? ['minute', 60]
  const count = Math.ceil(seconds / length)
  return `${count} ${unit}${count === 1 ? '' : 's'} left`
}

function ago(count: number, unit: string): string {
  const amount = Math.abs(count)
  const words = `${amount} ${unit}${amount === 1 ? '' : 's'}`
  return count > 0 ? `${words} ago` : `in ${words}`
}
