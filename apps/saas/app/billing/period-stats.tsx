import type { ReactNode } from 'react'
import { formatDate, formatTimeLeft } from '~/ui/clock'
import { useHydrated } from '~/ui/hydrated'
import { Money } from '~/ui/money'
import { Quantity } from '~/ui/quantity'
import { Stat, StatRow } from '~/ui/stat'
import { Time } from '~/ui/time'
import { dueOf } from './balance.ts'
import type { WireStanding } from './standing.ts'

type Usage = NonNullable<WireStanding['usage']>
type Upcoming = NonNullable<WireStanding['upcoming']>

/** The three figures on top: what it costs, what was used, how long the period still runs. */
export function PeriodStats({
  usage,
  upcoming,
  endsWithPeriod,
}: {
  usage: Usage
  upcoming: Upcoming
  endsWithPeriod: boolean
}) {
  const { period, amount, carried, currency, projection, belowMinimum } = upcoming
  const due = dueOf(amount, carried).amount
  return (
    <StatRow>
      <Stat
        label="Upcoming charges"
        value={
          <Ticking value={due.toString()}>
            <Money amount={due} currency={currency} />
          </Ticking>
        }
        hint={
          projection ? (
            <>
              About <Money amount={dueOf(projection.amount, carried).amount} currency={currency} /> by{' '}
              <Time at={period.end} format="date" /> at the pace so far
            </>
          ) : belowMinimum !== null ? (
            <>
              No card is charged below <Money amount={belowMinimum} currency={currency} />
            </>
          ) : (
            <>
              Charged on <Time at={period.end} format="date" />
            </>
          )
        }
      />
      {usage.meters.map((meter) => (
        <Stat
          key={meter.meter}
          label={usage.meters.length > 1 ? meter.displayName : 'Usage'}
          value={
            <Ticking value={meter.quantity}>
              <Quantity value={meter.quantity} unit={meter.unit} />
            </Ticking>
          }
          hint={
            meter.lastEventAt ? (
              <>
                {meter.events === 1 ? '1 event' : `${meter.events.toLocaleString('en-US')} events`}, the last{' '}
                <Time at={meter.lastEventAt} />
              </>
            ) : (
              'Nothing used yet in this period'
            )
          }
        />
      ))}
      <Stat
        label="Period"
        value={
          <>
            <Day at={period.start} /> – <Day at={period.end} />
          </>
        }
        hint={
          <>
            {formatTimeLeft(new Date(period.end), new Date(upcoming.asOf))}
            {endsWithPeriod && ', then the subscription ends'}
          </>
        }
      />
    </StatRow>
  )
}

/** A day without its year: a period is too short to leave a doubt, and the figure would not fit its place. */
function Day({ at }: { at: string }) {
  const zone = useHydrated() ? undefined : 'UTC'
  const instant = new Date(at)
  return (
    <time dateTime={at} title={`${at.slice(0, 19).replace('T', ' ')} UTC`} className="whitespace-nowrap">
      {formatDate(instant, zone, instant)}
    </time>
  )
}

/** Fades in when its value has changed, so that the eye finds it. */
function Ticking({ value, children }: { value: string; children: ReactNode }) {
  return (
    <span key={value} className="inline-block animate-fade-in">
      {children}
    </span>
  )
}
