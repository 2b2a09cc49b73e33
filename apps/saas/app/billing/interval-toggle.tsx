import { Link } from 'react-router'
import { cn } from '~/ui/cn'
import type { Offer } from './offer.ts'

const WORDS: Record<Offer['interval'], string> = { day: 'Daily', week: 'Weekly', month: 'Monthly', year: 'Yearly' }

/** Plans are billed in several rhythms; this chooses one, in the address. */
export function IntervalToggle({ intervals, current }: { intervals: Offer['interval'][]; current: Offer['interval'] }) {
  return (
    <nav aria-label="Billing interval" className="flex gap-1 rounded-lg border bg-raised p-1">
      {intervals.map((interval) => (
        <Link
          key={interval}
          to={`?interval=${interval}`}
          preventScrollReset
          aria-current={interval === current ? 'true' : undefined}
          className={cn(
            'rounded-md px-3 py-1 text-muted transition-colors hover:text-text',
            interval === current && 'bg-surface text-text',
          )}
        >
          {WORDS[interval]}
        </Link>
      ))}
    </nav>
  )
}
