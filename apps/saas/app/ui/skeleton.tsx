import { cn } from './cn.ts'

/** The grey shape of what is on its way; give it the size of the real thing, so that nothing jumps. */
export function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden className={cn('block animate-pulse rounded-md bg-border', className ?? 'h-4 w-full')} />
}
