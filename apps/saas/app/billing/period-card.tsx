import { LinkButton } from '~/ui/button'
import { Card, CardHeader } from '~/ui/card'
import { EmptyState } from '~/ui/empty-state'
import { UsageChart } from '~/ui/usage-chart'
import type { WireStanding } from './standing.ts'

type Usage = NonNullable<WireStanding['usage']>
type Upcoming = NonNullable<WireStanding['upcoming']>

/** The period day by day: usage as bars, what it cost so far as a line, and where that leads. */
export function PeriodCard({ usage, upcoming, chatPath }: { usage: Usage; upcoming: Upcoming; chatPath: string }) {
  const used = upcoming.days.some(({ quantity }) => /[1-9]/.test(quantity))
  return (
    <Card flush={!used} className="relative overflow-clip">
      <CardHeader className={used ? '' : 'mb-0 p-5'} title="This period, day by day" />
      {used ? (
        <UsageChart
          days={upcoming.days.map(({ date, quantity, amountSoFar }) => ({ date, quantity, amount: amountSoFar }))}
          unit={usage.meters[0]?.unit ?? 'units'}
          currency={upcoming.currency}
          period={upcoming.period}
          projection={upcoming.projection}
        />
      ) : (
        <div className="border-t">
          <EmptyState
            title="Nothing used yet in this period"
            action={<LinkButton to={chatPath}>Open AI chat</LinkButton>}
          >
            Usage appears here within a second of being recorded. What is not used costs nothing.
          </EmptyState>
        </div>
      )}
    </Card>
  )
}
