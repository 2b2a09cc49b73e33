import { useHydrated } from '~/ui/hydrated'
import { Time } from '~/ui/time'

/** Whether the figures above move by themselves, and how old they are when they do not. */
export function LiveStatus({ heardAt, stale }: { heardAt: string; stale: boolean }) {
  const hydrated = useHydrated()
  return (
    <p role="status" className="flex min-h-4 items-center justify-end gap-2 text-muted text-xs">
      {hydrated && !stale ? (
        <>
          <span className="size-1.5 rounded-full bg-positive" aria-hidden />
          Live
        </>
      ) : (
        <>
          <span className="size-1.5 rounded-full bg-warning" aria-hidden />
          <span>
            As of <Time at={heardAt} format="clock" />
            {stale && ', reconnecting'}
          </span>
        </>
      )}
    </p>
  )
}
