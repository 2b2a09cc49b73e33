import RefreshCw from 'lucide-react/icons/refresh-cw'
import { useEffect } from 'react'
import { type FetcherWithComponents, useRevalidator } from 'react-router'
import { Alert } from '~/ui/alert'
import { Button } from '~/ui/button'
import { formatQuantity } from '~/ui/quantity'
import type { SyncDeed } from './sync.ts'

const LOOK_EVERY_MS = 1_000

/** What an operator's deed on usage has done: sent it, or cleared the errors of so many reports. */
export type Deed = { sync: SyncDeed } | { cleared: number }

/** Sends a sync through `fetcher`, to this page's own action, and shows how far it is. */
export function SyncButton({ fetcher, waiting }: { fetcher: FetcherWithComponents<unknown>; waiting: number }) {
  const busy = fetcher.state !== 'idle'
  useProgress(busy)
  return (
    <fetcher.Form method="post" className="flex items-center">
      <input type="hidden" name="intent" value="sync" />
      <span role="status" className="mr-3 text-muted text-xs tabular-nums empty:mr-0">
        {busy && (waiting > 0 ? `Sending … ${formatQuantity(waiting, 'reports')} to go` : 'Sending …')}
      </span>
      <Button type="submit" variant="primary" loading={busy}>
        <RefreshCw aria-hidden /> Sync now
      </Button>
    </fetcher.Form>
  )
}

/** The page's figures move while the sync runs. */
function useProgress(busy: boolean): void {
  const { revalidate } = useRevalidator()
  useEffect(() => {
    if (!busy) return
    const timer = setInterval(() => void revalidate(), LOOK_EVERY_MS)
    return () => clearInterval(timer)
  }, [busy, revalidate])
}

/** What it did, in numbers, and why something was left. */
export function SyncOutcome({ deed }: { deed: Deed | null | undefined }) {
  if (!deed) return null
  if ('cleared' in deed) return <Cleared count={deed.cleared} />
  const { created, accepted, failed, postponed, reason, milliseconds, waiting } = deed.sync
  const nothing = created + accepted + failed + postponed === 0
  const tone = failed > 0 ? 'danger' : postponed > 0 || waiting > 0 ? 'warning' : 'positive'
  const counts = [
    [created, 'created'],
    [accepted, 'accepted'],
    [failed, 'failed'],
    [postponed, 'postponed'],
  ] as const
  return (
    <Alert tone={tone} title={titleOf(deed.sync, nothing)} className="mb-6">
      <span className="tabular-nums">
        {!nothing && `${counts.map(([count, word]) => `${formatQuantity(count)} ${word}`).join(' · ')} · `}
        {formatQuantity(Math.round(milliseconds))} ms
      </span>
      {reason && <p>Postponed: {reason}</p>}
    </Alert>
  )
}

function Cleared({ count }: { count: number }) {
  if (count === 0) return <Alert className="mb-6" title="There was no error left to clear" />
  return (
    <Alert tone="positive" className="mb-6" title={`${formatQuantity(count, 'reports')} cleared`}>
      Their usage is pending again and goes out with the next sync, under a new identifier.
    </Alert>
  )
}

function titleOf({ accepted, failed, postponed, waiting }: SyncDeed, nothing: boolean): string {
  if (nothing && waiting > 0)
    return `${formatQuantity(waiting, 'reports')} still wait for Stripe; another sync is at it`
  if (nothing) return 'Stripe is in step: there was nothing to report'
  if (failed > 0) return 'Stripe refused a part of the usage; nothing was lost'
  if (postponed > 0) return 'A part of the usage waits for the next sync'
  return `${formatQuantity(accepted, 'reports')} accepted by Stripe`
}
