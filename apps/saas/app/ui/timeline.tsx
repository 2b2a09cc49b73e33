import type { ReactNode } from 'react'
import { cn } from './cn.ts'
import { Time } from './time.tsx'

export interface TimelineStep {
  title: ReactNode
  /** Null: this has not happened yet. */
  at?: Date | string | null
  detail?: ReactNode
  tone?: 'positive' | 'warning' | 'danger' | 'accent' | 'muted'
}

const dots = {
  positive: 'border-positive bg-positive',
  warning: 'border-warning bg-warning',
  danger: 'border-danger bg-danger',
  accent: 'border-accent bg-accent',
  muted: 'border-border-strong bg-surface',
}

/** What happened to one thing, in order; what is still to come is hollow. */
export function Timeline({ steps }: { steps: readonly TimelineStep[] }) {
  return (
    <ol>
      {steps.map((step, index) => {
        const tone = step.tone ?? (step.at ? 'positive' : 'muted')
        const last = index === steps.length - 1
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: the order is the identity of a step
          <li key={index} className="relative flex gap-3.5">
            <span aria-hidden className="flex w-3 flex-col items-center">
              <span className={cn('mt-1.5 size-2.5 shrink-0 rounded-full border-2', dots[tone])} />
              {!last && <span className="mt-1 w-px flex-1 bg-border" />}
            </span>
            <div className={cn('min-w-0 flex-1', !last && 'pb-5')}>
              <p className="flex flex-wrap items-baseline justify-between gap-x-4">
                <span
                  className={cn(tone === 'muted' ? 'text-muted' : 'font-medium', tone === 'danger' && 'text-danger')}
                >
                  {step.title}
                </span>
                {step.at && <Time at={step.at} format="second" className="text-muted text-xs" />}
              </p>
              {step.detail && <div className="mt-0.5 break-words text-muted">{step.detail}</div>}
            </div>
          </li>
        )
      })}
    </ol>
  )
}
