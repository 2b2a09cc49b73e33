import { AxisBottom, AxisLeft, AxisRight } from '@visx/axis'
import { GridRows } from '@visx/grid'
import { scaleBand, scaleLinear } from '@visx/scale'
import { Area, LinePath } from '@visx/shape'
import { currencyExponent } from 'meterkit/pricing'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { Button } from './button.tsx'
import { cn } from './cn.ts'
import { evenTicks } from './even-ticks.ts'
import { formatMoney } from './money.ts'
import { formatQuantity, formatQuantityShort } from './quantity.ts'
import { Time } from './time.tsx'
import { type ChartDay, daysOfPeriod, describeUsage, type Projection, shortDate, type UsageDay } from './usage-days.ts'

const height = 240
const edge = { top: 12, bottom: 28 }
/** Of one character of an axis label, generously. */
const characterWidth = 7
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
  const [activeDate, setActiveDate] = useState<string | null>(null)
  const place = useRef<HTMLDivElement>(null)
  const width = useWidth(place)
  const chartDays = daysOfPeriod(days, period && { start: new Date(period.start), end: new Date(period.end) })
  const active = chartDays.find(({ date }) => date === activeDate) ?? null
  return (
    <figure className="min-w-0">
      <figcaption className="mb-2 flex min-h-8 flex-wrap items-center gap-x-4 gap-y-1 text-muted text-xs">
        <Legend mark={<span className="size-2.5 rounded-sm bg-accent/55" />}>Usage by day</Legend>
        <Legend mark={<span className="h-0.5 w-4 bg-text" />}>Cost so far</Legend>
        {projection && (
          <Legend mark={<span className="w-4 border-muted border-t-2 border-dotted" />}>
            At this pace {formatMoney(projection.amount, currency)}
            {formatMoney(projection.low, currency) !== formatMoney(projection.high, currency) && (
              <span className="max-sm:hidden">
                {' '}
                ({formatMoney(projection.low, currency)} – {formatMoney(projection.high, currency)})
              </span>
            )}
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
      <div ref={place} className={cn('relative overflow-hidden', staleSince && 'opacity-60')} style={{ height }}>
        <Drawing
          {...{ width, unit, currency, projection, active }}
          days={chartDays}
          label={describeUsage(days, { unit, currency, projection })}
          onActive={setActiveDate}
        />
        {active && <Readout {...{ width, unit, currency, projection }} day={active} days={chartDays} />}
      </div>
      <div className={tableShown ? 'mt-4' : 'sr-only noscript:not-sr-only'}>
        <DayTable {...{ days, unit, currency }} />
      </div>
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
  onActive: (date: string | null) => void
}

function Drawing({ days, width, unit, currency, projection, label, active, onActive }: DrawingProps) {
  const { x, usage, cost, usageTicks, costTicks, left, right } = layoutOf({ days, width, currency, projection })
  const center = (date: string) => (x(date) ?? 0) + x.bandwidth() / 2
  const spent = days.filter((day) => day.cost !== null)
  const latest = spent.at(-1)
  const last = days.at(-1)
  const ahead = projection && latest && last && latest !== last ? { latest, last, projection } : null
  const axisText = { fill: 'var(--muted)', fontSize: 12, fontFamily: 'var(--font-sans)' } as const
  return (
    <svg width={width} height={height} role="img" aria-label={label} className="block">
      <GridRows scale={usage} left={left} width={right - left} tickValues={usageTicks} stroke="var(--border)" />
      {days.map((day) => (
        <rect
          key={day.date}
          x={x(day.date)}
          y={usage(day.quantity)}
          width={x.bandwidth()}
          height={Math.max(height - edge.bottom - usage(day.quantity), 0)}
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
        left={left}
        tickValues={usageTicks}
        hideAxisLine
        hideTicks
        tickFormat={(value) => compact(Number(value))}
        tickLabelProps={{ ...axisText, textAnchor: 'end', dx: -2, dy: 4 }}
      />
      <AxisRight
        scale={cost}
        left={right}
        tickValues={costTicks}
        hideAxisLine
        hideTicks
        tickFormat={(value) => moneyLabel(Number(value), costTicks, currency)}
        tickLabelProps={{ ...axisText, textAnchor: 'start', dx: 2, dy: 4 }}
      />
      <AxisBottom
        scale={x}
        top={height - edge.bottom}
        hideTicks
        stroke="var(--border-strong)"
        tickValues={labelledDates(days, right - left)}
        tickFormat={shortDate}
        tickLabelProps={{ ...axisText, textAnchor: 'middle', dy: 2 }}
      />
      {days.map((day) => (
        <rect
          key={day.date}
          x={center(day.date) - x.step() / 2}
          y={edge.top}
          width={x.step()}
          height={height - edge.top - edge.bottom}
          fill="transparent"
          onPointerEnter={() => onActive(day.date)}
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
  projection,
}: {
  day: ChartDay
  days: readonly ChartDay[]
  width: number
  unit: string
  currency: string
  projection: Projection | null
}) {
  const { x } = layoutOf({ days, width, currency, projection })
  const left = (x(day.date) ?? 0) + x.bandwidth() / 2
  const isRight = left > width / 2
  return (
    <div
      aria-hidden
      className="pointer-events-none absolute top-1 z-10 whitespace-nowrap rounded-md border bg-popover px-2.5 py-1.5 text-xs tabular-nums shadow-float"
      style={isRight ? { right: width - left + 10 } : { left: left + 10 }}
    >
      <p className="text-muted">{shortDate(day.date)}</p>
      <p>{day.day ? formatQuantity(day.day.quantity, unit) : day.cost === null ? 'Still to come' : `0 ${unit}`}</p>
      {day.cost !== null && <p>{formatMoney(day.cost, currency)} so far</p>}
    </div>
  )
}

function DayTable({ days, unit, currency }: { days: readonly UsageDay[]; unit: string; currency: string }) {
  return (
    <table className="w-full border-collapse text-left tabular-nums">
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

/** Scales, ticks, and the place between the two axes, which are as wide as their labels. */
function layoutOf({
  days,
  width,
  currency,
  projection,
}: {
  days: readonly ChartDay[]
  width: number
  currency: string
  projection: Projection | null
}) {
  const range: [number, number] = [height - edge.bottom, edge.top]
  const usageMax = Math.max(...days.map(({ quantity }) => quantity), 1)
  const costMax = Math.max(...days.map(({ cost }) => cost ?? 0), Number(projection?.high ?? 0), 1)
  const usageTicks = evenTicks(
    usageMax,
    days.every(({ quantity }) => Number.isInteger(quantity)),
  )
  const costTicks = evenTicks(costMax, true)
  const usage = scaleLinear<number>({ domain: [0, usageTicks.at(-1) ?? 1], range })
  const cost = scaleLinear<number>({ domain: [0, costTicks.at(-1) ?? 1], range })
  const left = labelWidth(usageTicks.map(compact))
  const right = width - labelWidth(costTicks.map((tick) => moneyLabel(tick, costTicks, currency)))
  const x = scaleBand<string>({ domain: days.map(({ date }) => date), range: [left, right], padding: 0.28 })
  return { x, usage, cost, usageTicks, costTicks, left, right }
}

function labelWidth(labels: readonly string[]): number {
  return Math.max(...labels.map((label) => label.length), 3) * characterWidth + 12
}

/** `$120` where every tick is whole, `$0.05` where they are not. */
function moneyLabel(amount: number, ticks: readonly number[], currency: string): string {
  const unit = 10 ** currencyExponent(currency)
  const label = formatMoney(amount, currency)
  return ticks.every((tick) => tick % unit === 0) ? label.replace(/\.0+$/, '') : label
}

/** As many dates as fit, always with the first. */
function labelledDates(days: readonly ChartDay[], space: number): string[] {
  const fitting = Math.max(Math.floor(space / 70), 2)
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
