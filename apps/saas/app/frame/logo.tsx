import { cn } from '../ui/cn.ts'

/** The mark: four readings of a meter. */
export function Logo({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" className={cn('size-6 shrink-0', className)}>
      <rect width="32" height="32" rx="8" className="fill-accent" />
      <path
        d="M8.5 21v-6M13.5 21v-9.5M18.5 21v-4M23.5 21V8.5"
        fill="none"
        strokeWidth="2.6"
        strokeLinecap="round"
        className="stroke-on-accent"
      />
    </svg>
  )
}
