import ChevronRight from 'lucide-react/icons/chevron-right'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { cn } from '~/ui/cn'

export interface Stage {
  title: string
  /** The figure on the pipe. */
  value: ReactNode
  detail: ReactNode
  /** What is wrong here, in a few words; null when nothing is. */
  trouble: { tone: 'warning' | 'danger'; text: ReactNode } | null
  to: string
}

const tones = {
  warning: { frame: 'border-warning/40 bg-warning-soft', text: 'text-warning' },
  danger: { frame: 'border-danger/40 bg-danger-soft', text: 'text-danger' },
}

/** The way of usage from the call to the invoice, with what is where; a stage leads to what mends it. */
export function Pipe({ stages }: { stages: Stage[] }) {
  return (
    <ol className="grid gap-2 md:grid-cols-5 md:gap-5">
      {stages.map(({ title, value, detail, trouble, to }, index) => (
        <li key={title} className="relative">
          <Link
            to={to}
            className={cn(
              'block h-full rounded-card border bg-surface p-4 transition-colors hover:border-border-strong',
              trouble && tones[trouble.tone].frame,
            )}
          >
            <span className="text-muted">{title}</span>
            <span className="mt-1 block truncate font-medium text-xl tabular-nums tracking-tight">{value}</span>
            <span className="mt-1 block text-muted text-xs tabular-nums">{detail}</span>
            {trouble && (
              <span className={cn('mt-1 block font-medium text-xs', tones[trouble.tone].text)}>{trouble.text}</span>
            )}
          </Link>
          {index < stages.length - 1 && (
            <ChevronRight
              aria-hidden
              className="absolute top-1/2 -right-[1.15rem] size-4 -translate-y-1/2 text-muted max-md:hidden"
            />
          )}
        </li>
      ))}
    </ol>
  )
}
