import { useEffect, useState } from 'react'
import { formatClock, formatDate, formatRelative, formatTime, formatTimeLeft } from './clock.ts'
import { useHydrated } from './hydrated.ts'

/**
 * An instant. Beside the present (`relative`, `left`), give `now` as the server had it: whoever moves the local
 * Stripe's clock moves the product's time, and not the browser's. The server writes UTC; the browser then shows the viewer's zone, with UTC on hover.
 * `format`: `time` (Nov 24, 14:05), `second` (Nov 24, 14:05:09), `date`, `clock` (14:05:09), `relative` (3 minutes ago), `left` (6 days left).
 */
export function Time({
  at,
  now: given,
  format = 'time',
  className,
}: {
  at: Date | string | number
  now?: Date | string | number
  format?: 'time' | 'second' | 'date' | 'clock' | 'relative' | 'left'
  className?: string
}) {
  const hydrated = useHydrated()
  const now = useNow(given, format === 'relative' || format === 'left')
  const instant = new Date(at)
  if (Number.isNaN(instant.getTime())) return <span className={className}>–</span>
  const zone = hydrated ? undefined : 'UTC'
  const shown = {
    time: () => formatTime(instant, zone, now) + (hydrated ? '' : ' UTC'),
    second: () => formatTime(instant, zone, now, { seconds: true }) + (hydrated ? '' : ' UTC'),
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

/** The present, counted on from `given` or else the browser's own, and told again every half minute while `ticking`. */
function useNow(given: Date | string | number | undefined, ticking: boolean): Date {
  const base = given === undefined ? null : new Date(given).getTime()
  const [told, setTold] = useState({ base, now: base ?? Date.now() })
  useEffect(() => {
    if (!ticking) return
    const ahead = base === null ? 0 : base - Date.now()
    const timer = setInterval(() => setTold({ base, now: Date.now() + ahead }), 30_000)
    return () => clearInterval(timer)
  }, [base, ticking])
  return new Date(told.base === base ? told.now : (base ?? Date.now()))
}
