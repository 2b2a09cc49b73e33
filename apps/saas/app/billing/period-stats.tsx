import { Money } from '~/ui/money'
import { Quantity } from '~/ui/quantity'
import { Stat, StatRow } from '~/ui/stat'
import { Time } from '~/ui/time'
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
  const { period, amount, currency, projection } = upcoming
  return (
    <StatRow>
      <Stat
        label="Upcoming charges"
        value={
          <Ticking value={amount}>
            <Money amount={amount} currency={currency} />
          </Ticking>
        }
        hint={
          projection ? (
            <>
              About <Money amount={projection.amount} currency={currency} /> by <Time at={period.end} format="date" />{' '}
              at the pace so far
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
                <Time at={meter.lastEventAt} format="relative" />
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
            <Time at={period.start} format="date" /> – <Time at={period.end} format="date" />
          </>
        }
        hint={
          <>
            <Time at={period.end} format="left" />
            {endsWithPeriod && ', then the subscription ends'}
          </>
        }
      />
    </StatRow>
  )
}

/** Fades in when its value has changed, so that the eye finds it. */
function Ticking({ value, children }: { value: string; children: React.ReactNode }) {
  return (
    <span key={value} className="inline-block animate-fade-in">
      {children}
    </span>
  )
}
