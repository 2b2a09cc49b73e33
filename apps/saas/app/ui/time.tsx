import { useEffect, useState } from 'react'
import { formatClock, formatDate, formatRelative, formatTime, formatTimeLeft } from './clock.ts'
import { useHydrated } from './hydrated.ts'

/**
 * An instant. The server writes UTC; the browser then shows the viewer's zone, with UTC on hover.
 * `format`: `time` (Nov 24, 14:05), `date`, `clock` (14:05:09), `relative` (3 minutes ago), `left` (6 days left).
 */
export function Time({
  at,
  format = 'time',
  className,
}: {
  at: Date | string | number
  format?: 'time' | 'date' | 'clock' | 'relative' | 'left'
  className?: string
}) {
  const hydrated = useHydrated()
  const now = useNow(format === 'relative' || format === 'left')
  const instant = new Date(at)
  if (Number.isNaN(instant.getTime())) return <span className={className}>–</span>
  const zone = hydrated ? undefined : 'UTC'
  const shown = {
    time: () => formatTime(instant, zone, now) + (hydrated ? '' : ' UTC'),
    date: () => formatDate(instant, zone, now),
    clock: () => formatClock(instant, zone),
    relative: () => formatRelative(instant, now),
    left: () => formatTimeLeft(instant, now),
  }[format]()
  const utc = `${instant.toISOString().slice(0, 19).replace('T', ' ')} UTC`
  return (
    <time
      dateTime={instant.toISOString()}
      title={utc}
      className={`whitespace-nowrap tabular-nums${className ? ` ${className}` : ''}`}
      suppressHydrationWarning
    >
      {shown}
    </time>
  )
}

/** The present, told again every half minute while `ticking`. */
function useNow(ticking: boolean): Date {
  const [now, setNow] = useState(() => new Date())
  useEffect(() => {
    if (!ticking) return
    const timer = setInterval(() => setNow(new Date()), 30_000)
    return () => clearInterval(timer)
  }, [ticking])
  return now
}
