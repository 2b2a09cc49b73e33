import { useNavigation } from 'react-router'

/** A line on top while a page is on its way; it appears only when that takes longer than a glance. */
export function Progress() {
  const busy = useNavigation().state !== 'idle'
  return (
    <div role="status" className="fixed inset-x-0 top-0 z-60 h-0.5">
      {busy && (
        <>
          <span className="sr-only">Loading…</span>
          <span className="progress-bar block h-full bg-accent" />
        </>
      )}
    </div>
  )
}
