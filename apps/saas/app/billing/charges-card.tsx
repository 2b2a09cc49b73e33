import { Fragment, type ReactNode } from 'react'
import { Card, CardHeader } from '~/ui/card'
import { cn } from '~/ui/cn'
import { unbroken } from '~/ui/formula'
import { Money } from '~/ui/money'
import { formatQuantity } from '~/ui/quantity'
import { Time } from '~/ui/time'
import { dueOf } from './balance.ts'
import type { WireStanding } from './standing.ts'

type Upcoming = NonNullable<WireStanding['upcoming']>
type Line = Upcoming['lines'][number]

/** How the upcoming charges were worked out: the arithmetic of every line, to be checked by whoever pays. */
export function ChargesCard({ upcoming, endsWithPeriod }: { upcoming: Upcoming; endsWithPeriod: boolean }) {
  const { lines, amount, carried, currency, belowMinimum, period } = upcoming
  const due = dueOf(amount, carried)
  return (
    <Card flush>
      <CardHeader
        className="mb-0 p-5"
        title="How this was worked out"
        description="One line for each price and each part of the period, rounded as on the invoice."
      />
      <ChargeLines lines={lines} carried={carried} currency={currency} amount={due.amount} total="Upcoming charges" />
      {belowMinimum !== null && (
        <p className="border-t px-5 py-3 text-pretty text-muted">
          Cards are charged from <Money amount={belowMinimum} currency={currency} /> on. If it stays below that,{' '}
          {endsWithPeriod ? (
            <>
              no card is charged when the subscription ends: it stays on your balance, and only a later subscription
              would bill it.
            </>
          ) : (
            <>
              <Money amount={due.amount} currency={currency} /> moves to the invoice after{' '}
              <Time at={period.end} format="date" />.
            </>
          )}
        </p>
      )}
      {due.creditLeft > 0n && (
        <p className="border-t px-5 py-3 text-pretty text-muted">
          <Money amount={due.creditLeft} currency={currency} /> of your credit would be left for later invoices.
        </p>
      )}
    </Card>
  )
}

/** Lines of charges with their sum. Lines of one whole period say nothing about it; parts name theirs. */
export function ChargeLines({
  lines,
  carried = '0',
  currency,
  amount,
  total,
}: {
  lines: Line[]
  /** From earlier invoices, minor units; a credit is negative. */
  carried?: string
  currency: string
  amount: string | bigint
  total: ReactNode
}) {
  const inParts = lines.some(
    ({ segment, current, credit }) => !credit && (!current || segment.start !== lines[0]?.segment.start),
  )
  return (
    <table className="w-full border-collapse text-left tabular-nums">
      <caption className="sr-only">Charges, line by line</caption>
      <thead className="sr-only">
        <tr>
          <th scope="col">Worked out</th>
          <th scope="col">Amount</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <Fragment key={`${line.plan} ${line.meter} ${line.segment.start} ${line.formula}`}>
            <tr className="border-t align-top">
              <th scope="row" className="py-3 pr-3 pl-5 font-normal">
                <span className="block text-muted text-xs">
                  {line.planName}, {line.meter === null ? 'flat' : line.meterName}
                  {inParts && !line.credit && <PartOfPeriod line={line} />}
                </span>
                <span className="mt-0.5 block break-words">{unbroken(line.formula)}</span>
              </th>
              <AmountCell amount={line.amount} currency={currency} equals />
            </tr>
            {isSomething(line.lateQuantity) && (
              <tr className="align-top text-muted">
                <th scope="row" className="pr-3 pb-3 pl-5 font-normal">
                  of which {formatQuantity(line.lateQuantity, line.unit)} from an earlier period, recorded late
                </th>
                <td className="pr-5 pb-3 text-right">included</td>
              </tr>
            )}
          </Fragment>
        ))}
        {isSomething(carried) && (
          <tr className="border-t">
            <th scope="row" className="py-3 pr-3 pl-5 font-normal">
              {carried.startsWith('-') ? 'Credit from earlier invoices' : 'Carried over from earlier invoices'}
            </th>
            <AmountCell amount={carried} currency={currency} />
          </tr>
        )}
      </tbody>
      <tfoot>
        <tr className="border-t bg-raised">
          <th scope="row" className="py-3 pr-3 pl-5 font-medium">
            {total}
          </th>
          <AmountCell amount={amount} currency={currency} className="font-medium" />
        </tr>
      </tfoot>
    </table>
  )
}

function AmountCell({
  amount,
  currency,
  equals = false,
  className,
}: {
  amount: string | bigint
  currency: string
  /** The end of an equation, not a sum of its own. */
  equals?: boolean
  className?: string
}) {
  return (
    <td className={cn('whitespace-nowrap py-3 pr-5 text-right align-bottom', className)}>
      {equals && <span className="text-muted">= </span>}
      <Money amount={amount} currency={currency} />
    </td>
  )
}

function PartOfPeriod({ line: { segment, current } }: { line: Line }) {
  return current ? (
    <>
      , since <Time at={segment.start} />
    </>
  ) : (
    <>
      , <Time at={segment.start} /> to <Time at={segment.end} />
    </>
  )
}

function isSomething(decimal: string): boolean {
  return /[1-9]/.test(decimal)
}
