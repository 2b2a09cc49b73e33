import { cn } from './cn.ts'

/** The grey shape of what is on its way; give it the size of the real thing, so that nothing jumps. */
export function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden className={cn('block animate-pulse rounded-md bg-border', className ?? 'h-4 w-full')} />
}

/** A table on its way: as many rows and columns as it will probably have. */
export function TableSkeleton({ rows = 8, columns = 5 }: { rows?: number; columns?: number }) {
  return (
    <div role="status">
      <span className="sr-only">Loading…</span>
      <div className="h-9 border-b" />
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: shapes have no identity
        <div key={row} className="flex h-11 items-center gap-6 border-b px-5 last:border-b-0">
          {Array.from({ length: columns }, (_, column) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: shapes have no identity
            <Skeleton key={column} className={cn('h-3 flex-1', column === 0 && 'flex-[2]')} />
          ))}
        </div>
      ))}
    </div>
  )
}

/** A row of figures on its way. */
export function StatSkeleton({ count = 3 }: { count?: number }) {
  return (
    <div
      role="status"
      className="grid gap-px overflow-clip rounded-card border bg-border md:auto-cols-fr md:grid-flow-col"
    >
      <span className="sr-only">Loading…</span>
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: shapes have no identity
        <div key={index} className="bg-surface p-5">
          <Skeleton className="h-5 w-28" />
          <Skeleton className="mt-2 h-7 w-36" />
          <Skeleton className="mt-2 h-3 w-24" />
        </div>
      ))}
    </div>
  )
}
