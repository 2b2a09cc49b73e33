import { AxisBottom, AxisLeft, AxisRight } from '@visx/axis'
import { GridRows } from '@visx/grid'
import { scaleBand, scaleLinear } from '@visx/scale'
import { Area, LinePath } from '@visx/shape'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { Button } from './button.tsx'
import { cn } from './cn.ts'
import { formatMoney } from './money.ts'
import { formatQuantity, formatQuantityShort } from './quantity.ts'
import { Skeleton } from './skeleton.tsx'
import { Time } from './time.tsx'
import { type ChartDay, daysOfPeriod, describeUsage, type Projection, shortDate, type UsageDay } from './usage-days.ts'

const height = 240
const margin = { top: 12, right: 52, bottom: 28, left: 48 }
/** What the server draws, before the width of the place is known. */
const usualWidth = 960

export interface UsageChartProps {
  days: readonly UsageDay[]
  unit: string
  currency: string
  period?: { start: Date | string; end: Date | string } | null
  projection?: Projection | null
  /** When the figures are older than they should be: since when. */
  staleSince?: Date | string | null
}

/** A period by day: bars are usage, the thin line is the cost so far, dotted is where it leads. With the same as a table. */
export function UsageChart({
  days,
  unit,
  currency,
  period = null,
  projection = null,
  staleSince = null,
}: UsageChartProps) {
  const [tableShown, setTableShown] = useState(false)
  const [active, setActive] = useState<ChartDay | null>(null)
  const place = useRef<HTMLDivElement>(null)
  const width = useWidth(place)
  const chartDays = daysOfPeriod(days, period && { start: new Date(period.start), end: new Date(period.end) })
  return (
    <figure className={cn('min-w-0', staleSince && 'opacity-80')}>
      <figcaption className="mb-2 flex min-h-8 flex-wrap items-center gap-x-4 gap-y-1 text-muted text-xs">
        <Legend mark={<span className="size-2.5 rounded-sm bg-accent/55" />}>Usage by day</Legend>
        <Legend mark={<span className="h-0.5 w-4 bg-text" />}>Cost so far</Legend>
        {projection && (
          <Legend mark={<span className="w-4 border-muted border-t-2 border-dotted" />}>
            At this pace {formatMoney(projection.amount, currency)}
            <span className="max-sm:hidden">
              {' '}
              ({formatMoney(projection.low, currency)} – {formatMoney(projection.high, currency)})
            </span>
          </Legend>
        )}
        {staleSince && (
          <span role="status">
            As of <Time at={staleSince} format="clock" />, reconnecting
          </span>
        )}
        <Button
          variant="ghost"
          size="sm"
          aria-pressed={tableShown}
          className="noscript:hidden ml-auto text-muted"
          onClick={() => setTableShown(!tableShown)}
        >
          {tableShown ? 'Hide the table' : 'Show as table'}
        </Button>
      </figcaption>
      <div ref={place} className="relative overflow-hidden" style={{ height }}>
        <Drawing
          {...{ width, unit, currency, projection, active }}
          days={chartDays}
          label={describeUsage(days, { unit, currency, projection })}
          onActive={setActive}
        />
        {active && <Readout {...{ width, unit, currency }} day={active} days={chartDays} />}
      </div>
      <DayTable {...{ days, unit, currency }} className={tableShown ? 'mt-4' : 'sr-only noscript:not-sr-only'} />
    </figure>
  )
}

interface DrawingProps {
  days: readonly ChartDay[]
  width: number
  unit: string
  currency: string
  projection: Projection | null
  label: string
  active: ChartDay | null
  onActive: (day: ChartDay | null) => void
}

function Drawing({ days, width, unit, currency, projection, label, active, onActive }: DrawingProps) {
  const { x, usage, cost } = scalesFor(days, width, projection)
  const center = (date: string) => (x(date) ?? 0) + x.bandwidth() / 2
  const spent = days.filter((day) => day.cost !== null)
  const latest = spent.at(-1)
  const last = days.at(-1)
  const ahead = projection && latest && last && latest !== last ? { latest, last, projection } : null
  const axisText = { fill: 'var(--muted)', fontSize: 12, fontFamily: 'var(--font-sans)' } as const
  return (
    <svg width={width} height={height} role="img" aria-label={label} className="block">
      <GridRows
        scale={usage}
        left={margin.left}
        width={width - margin.left - margin.right}
        numTicks={4}
        stroke="var(--border)"
      />
      {days.map((day) => (
        <rect
          key={day.date}
          x={x(day.date)}
          y={usage(day.quantity)}
          width={x.bandwidth()}
          height={Math.max(height - margin.bottom - usage(day.quantity), 0)}
          rx={Math.min(3, x.bandwidth() / 3)}
          className={cn('fill-accent/55', day === active && 'fill-accent')}
        />
      ))}
      {ahead && (
        <Area
          data={[
            { date: ahead.latest.date, low: ahead.latest.cost ?? 0, high: ahead.latest.cost ?? 0 },
            { date: ahead.last.date, low: Number(ahead.projection.low), high: Number(ahead.projection.high) },
          ]}
          x={({ date }) => center(date)}
          y0={({ low }) => cost(low)}
          y1={({ high }) => cost(high)}
          className="fill-muted/15"
        />
      )}
      {ahead && (
        <LinePath
          data={[
            { date: ahead.latest.date, amount: ahead.latest.cost ?? 0 },
            { date: ahead.last.date, amount: Number(ahead.projection.amount) },
          ]}
          x={({ date }) => center(date)}
          y={({ amount }) => cost(amount)}
          className="stroke-muted"
          strokeWidth={1.5}
          strokeDasharray="1.5 4"
          strokeLinecap="round"
        />
      )}
      <LinePath
        data={spent}
        x={({ date }) => center(date)}
        y={(day) => cost(day.cost ?? 0)}
        className="stroke-text"
        strokeWidth={1.5}
        strokeLinejoin="round"
      />
      {latest && <circle cx={center(latest.date)} cy={cost(latest.cost ?? 0)} r={3} className="fill-text" />}
      <AxisLeft
        scale={usage}
        left={margin.left}
        numTicks={4}
        hideAxisLine
        hideTicks
        tickFormat={(value) => compact(Number(value))}
        tickLabelProps={{ ...axisText, textAnchor: 'end', dx: -2, dy: 4 }}
      />
      <AxisRight
        scale={cost}
        left={width - margin.right}
        numTicks={4}
        hideAxisLine
        hideTicks
        tickFormat={(value) => formatMoney(Math.round(Number(value)), currency)}
        tickLabelProps={{ ...axisText, textAnchor: 'start', dx: 2, dy: 4 }}
      />
      <AxisBottom
        scale={x}
        top={height - margin.bottom}
        hideTicks
        stroke="var(--border-strong)"
        tickValues={labelledDates(days, width)}
        tickFormat={shortDate}
        tickLabelProps={{ ...axisText, textAnchor: 'middle', dy: 2 }}
      />
      {days.map((day) => (
        <rect
          key={day.date}
          x={center(day.date) - x.step() / 2}
          y={margin.top}
          width={x.step()}
          height={height - margin.top - margin.bottom}
          fill="transparent"
          onPointerEnter={() => onActive(day)}
          onPointerLeave={() => onActive(null)}
        >
          <title>{`${shortDate(day.date)}: ${day.day ? formatQuantity(day.day.quantity, unit) : 'nothing yet'}`}</title>
        </rect>
      ))}
    </svg>
  )
}

/** The day under the pointer, kept inside the drawing. */
function Readout({
  day,
  days,
  width,
  unit,
  currency,
}: {
  day: ChartDay
  days: readonly ChartDay[]
  width: number
  unit: string
  currency: string
}) {
  const position = (days.indexOf(day) + 0.5) / Math.max(days.length, 1)
  const left = margin.left + position * (width - margin.left - margin.right)
  return (
    <div
      aria-hidden
      className="pointer-events-none absolute top-1 z-10 whitespace-nowrap rounded-md border bg-popover px-2.5 py-1.5 text-xs tabular-nums shadow-float"
      style={position > 0.5 ? { right: width - left + 10 } : { left: left + 10 }}
    >
      <p className="text-muted">{shortDate(day.date)}</p>
      <p>{day.day ? formatQuantity(day.day.quantity, unit) : day.cost === null ? 'Still to come' : `0 ${unit}`}</p>
      {day.cost !== null && <p>{formatMoney(day.cost, currency)} so far</p>}
    </div>
  )
}

function DayTable({
  days,
  unit,
  currency,
  className,
}: {
  days: readonly UsageDay[]
  unit: string
  currency: string
  className: string
}) {
  return (
    <table className={cn('w-full border-collapse text-left tabular-nums', className)}>
      <caption className="sr-only">Usage and cost by day</caption>
      <thead>
        <tr className="border-b text-muted text-xs">
          <th scope="col" className="h-8 font-normal">
            Day (UTC)
          </th>
          <th scope="col" className="h-8 text-right font-normal">
            Usage
          </th>
          <th scope="col" className="h-8 text-right font-normal">
            Cost so far
          </th>
        </tr>
      </thead>
      <tbody>
        {days.map((day) => (
          <tr key={day.date} className="border-b last:border-b-0">
            <th scope="row" className="h-8 font-normal">
              {shortDate(day.date)}
            </th>
            <td className="h-8 text-right">{formatQuantity(day.quantity, unit)}</td>
            <td className="h-8 text-right">{formatMoney(day.amount, currency)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** The chart on its way, in its own size. */
export function UsageChartSkeleton() {
  return (
    <div role="status">
      <span className="sr-only">Loading…</span>
      <div className="mb-2 flex h-8 items-center gap-4">
        <Skeleton className="h-3 w-24" />
        <Skeleton className="h-3 w-24" />
      </div>
      <div className="flex items-end gap-1.5" style={{ height }}>
        {skeletonBars.map((share, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: shapes have no identity
          <span key={index} className="flex-1 animate-pulse rounded-t-sm bg-border" style={{ height: `${share}%` }} />
        ))}
      </div>
    </div>
  )
}

const skeletonBars = [20, 34, 28, 44, 52, 38, 30, 58, 64, 48, 40, 70, 62, 54, 76, 68, 46, 58, 72, 66]

function Legend({ mark, children }: { mark: ReactNode; children: ReactNode }) {
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap tabular-nums">
      <span aria-hidden className="inline-flex">
        {mark}
      </span>
      <span>{children}</span>
    </span>
  )
}

function scalesFor(days: readonly ChartDay[], width: number, projection: Projection | null) {
  const range: [number, number] = [height - margin.bottom, margin.top]
  const usageMax = Math.max(...days.map(({ quantity }) => quantity), 1)
  const costMax = Math.max(...days.map(({ cost }) => cost ?? 0), Number(projection?.high ?? 0), 1)
  return {
    x: scaleBand<string>({
      domain: days.map(({ date }) => date),
      range: [margin.left, width - margin.right],
      padding: 0.28,
    }),
    usage: scaleLinear<number>({ domain: [0, usageMax], range, nice: 4 }),
    cost: scaleLinear<number>({ domain: [0, costMax], range, nice: 4 }),
  }
}

/** As many dates as fit, always with the first. */
function labelledDates(days: readonly ChartDay[], width: number): string[] {
  const fitting = Math.max(Math.floor((width - margin.left - margin.right) / 84), 2)
  const every = Math.max(Math.ceil(days.length / fitting), 1)
  return days.filter((_, index) => index % every === 0).map(({ date }) => date)
}

/** `12K` on an axis, where rounding is what one wants. */
function compact(value: number): string {
  if (!Number.isInteger(value)) return String(Number(value.toPrecision(3)))
  if (value >= 1000 && value < 1_000_000 && value % 100 === 0) return `${value / 1000}K`
  return formatQuantityShort(value)
}

/** The width of the place, followed; the usual one until it is known. */
function useWidth(place: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(usualWidth)
  useEffect(() => {
    const element = place.current
    if (!element) return
    const measure = () => setWidth(Math.max(Math.floor(element.clientWidth), 240))
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [place])
  return width
}
