import { formatMoney } from '~/ui/money'
import type { BusinessDay } from './business.ts'
import { formatUsdBriefly, sumUsd } from './usd.ts'

/** What each day earned beside what its AI calls cost, as bars and as a table. */
export function RevenueChart({ days, currency }: { days: BusinessDay[]; currency: string }) {
  const highest = Math.max(...days.flatMap(({ revenue, aiCost }) => [Number(revenue), centsOf(aiCost)]), 1)
  const height = (cents: number) => `${cents <= 0 ? 0 : Math.max((cents / highest) * 100, 1.5)}%`
  const earned = formatMoney(
    days.reduce((total, { revenue }) => total + revenue, 0n),
    currency,
  )
  const spent = formatUsdBriefly(sumUsd(days.map(({ aiCost }) => aiCost)))
  return (
    <figure>
      <figcaption className="mb-4 flex flex-wrap gap-x-5 gap-y-1 text-muted text-xs tabular-nums">
        <Legend className="bg-accent" label={`Usage charged: ${earned}`} />
        <Legend className="bg-warning" label={`Providers charge: ${spent}`} />
      </figcaption>
      <div role="img" aria-label={`${days.length} days: usage charged ${earned}, providers charge ${spent}.`}>
        <div className="flex h-36 items-end gap-1 border-b sm:gap-2">
          {days.map(({ date, revenue, aiCost }) => (
            <div
              key={date}
              title={`${shortDate(date)}: ${formatMoney(revenue, currency)} charged, ${formatUsdBriefly(aiCost)} to providers`}
              className="flex h-full flex-1 items-end justify-center gap-px hover:bg-raised"
            >
              <span className="w-2/5 max-w-5 rounded-t-sm bg-accent" style={{ height: height(Number(revenue)) }} />
              <span className="w-2/5 max-w-5 rounded-t-sm bg-warning" style={{ height: height(centsOf(aiCost)) }} />
            </div>
          ))}
        </div>
        <div className="mt-1.5 flex justify-between text-muted text-xs">
          <span>{shortDate(days.at(0)?.date)}</span>
          <span>{shortDate(days.at(-1)?.date)}</span>
        </div>
      </div>
      <table className="sr-only">
        <caption>Usage charged and AI cost by day</caption>
        <thead>
          <tr>
            <th scope="col">Day</th>
            <th scope="col">Charged</th>
            <th scope="col">Providers charge</th>
          </tr>
        </thead>
        <tbody>
          {days.map(({ date, revenue, aiCost }) => (
            <tr key={date}>
              <th scope="row">{date}</th>
              <td>{formatMoney(revenue, currency)}</td>
              <td>{formatUsdBriefly(aiCost)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  )
}

function Legend({ className, label }: { className: string; label: string }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <span aria-hidden className={`size-2.5 rounded-sm ${className}`} /> {label}
    </span>
  )
}

/** For the height of a bar only. */
function centsOf(dollars: string): number {
  return Number(dollars) * 100
}

const DATE = new Intl.DateTimeFormat('en-US', { month: 'short', day: 'numeric', timeZone: 'UTC' })

function shortDate(date: string | undefined): string {
  return date ? DATE.format(new Date(`${date}T00:00:00Z`)) : ''
}
