import type { ReactNode } from 'react'
import { cn } from './cn.ts'

/** A figure: what it is, how much, and what to know about it. Stand several in a `StatRow`. */
export function Stat({
  label,
  value,
  hint,
  tone,
  className,
}: {
  label: ReactNode
  value: ReactNode
  hint?: ReactNode
  tone?: 'positive' | 'warning' | 'danger'
  className?: string
}) {
  const color = tone && { positive: 'text-positive', warning: 'text-warning', danger: 'text-danger' }[tone]
  return (
    <div className={cn('min-w-0 bg-surface p-5', className)}>
      <dt className="text-muted">{label}</dt>
      <dd className={cn('mt-1 break-words font-medium text-3xl tabular-nums tracking-tight', color)}>{value}</dd>
      {hint && <dd className="mt-1 text-muted text-xs">{hint}</dd>}
    </div>
  )
}

/** Figures side by side in one frame; below each other on a phone. */
export function StatRow({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <dl
      className={cn(
        'grid gap-px overflow-clip rounded-card border bg-border md:auto-cols-fr md:grid-flow-col',
        className,
      )}
    >
      {children}
    </dl>
  )
}
