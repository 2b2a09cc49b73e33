import CircleAlert from 'lucide-react/icons/circle-alert'
import CircleCheck from 'lucide-react/icons/circle-check'
import Info from 'lucide-react/icons/info'
import TriangleAlert from 'lucide-react/icons/triangle-alert'
import type { ReactNode } from 'react'
import { cn } from './cn.ts'

const tones = {
  info: { Icon: Info, classes: 'border-accent/25 bg-accent-soft', icon: 'text-accent' },
  positive: { Icon: CircleCheck, classes: 'border-positive/25 bg-positive-soft', icon: 'text-positive' },
  warning: { Icon: TriangleAlert, classes: 'border-warning/30 bg-warning-soft', icon: 'text-warning' },
  danger: { Icon: CircleAlert, classes: 'border-danger/30 bg-danger-soft', icon: 'text-danger' },
}

/** A message that stays on the page: what happened, that nothing was lost, what to do. */
export function Alert({
  tone = 'info',
  title,
  children,
  actions,
  className,
}: {
  tone?: keyof typeof tones
  title?: ReactNode
  children?: ReactNode
  actions?: ReactNode
  className?: string
}) {
  const { Icon, classes, icon } = tones[tone]
  return (
    <div
      role={tone === 'danger' || tone === 'warning' ? 'alert' : 'status'}
      className={cn('flex gap-3 rounded-card border p-4', classes, className)}
    >
      <Icon className={cn('mt-0.5 size-4 shrink-0', icon)} aria-hidden />
      <div className="min-w-0 flex-1">
        {title && <p className="font-medium">{title}</p>}
        {children && <div className={cn('break-words', title && 'mt-0.5')}>{children}</div>}
        {actions && <div className="mt-3 flex flex-wrap gap-2">{actions}</div>}
      </div>
    </div>
  )
}
