import type { ReactNode } from 'react'

/** A list with nothing in it yet: what it is for, and the one thing to do. */
export function EmptyState({
  title,
  children,
  action,
  icon,
}: {
  title: ReactNode
  children?: ReactNode
  action?: ReactNode
  icon?: ReactNode
}) {
  return (
    <div className="flex flex-col items-center px-6 py-14 text-center">
      {icon && (
        <div className="mb-4 grid size-10 place-items-center rounded-card border bg-raised text-muted [&_svg]:size-5">
          {icon}
        </div>
      )}
      <p className="font-medium text-base">{title}</p>
      {children && <div className="mt-1 max-w-md text-pretty text-muted">{children}</div>}
      {action && <div className="mt-5">{action}</div>}
    </div>
  )
}
