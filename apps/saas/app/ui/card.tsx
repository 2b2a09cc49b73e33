import type { ComponentProps, ReactNode } from 'react'
import { cn } from './cn.ts'

/** A bordered panel. With `flush` its content reaches the border, as a table wants it. */
export function Card({ flush = false, className, ...rest }: ComponentProps<'section'> & { flush?: boolean }) {
  return (
    <section
      {...rest}
      className={cn('min-w-0 rounded-card border bg-surface', flush ? 'overflow-clip' : 'p-5', className)}
    />
  )
}

/** A card's heading. In a `flush` card give it `className="p-5"`. */
export function CardHeader({
  title,
  description,
  actions,
  className,
}: {
  title: ReactNode
  description?: ReactNode
  actions?: ReactNode
  className?: string
}) {
  return (
    <header className={cn('mb-4 flex flex-wrap items-start justify-between gap-x-6 gap-y-3', className)}>
      <div className="min-w-0">
        <h2 className="font-medium text-base">{title}</h2>
        {description && <p className="mt-0.5 text-muted">{description}</p>}
      </div>
      {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </header>
  )
}
