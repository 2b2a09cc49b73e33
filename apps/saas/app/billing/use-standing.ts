import { useEffect, useState } from 'react'
import { useRevalidator } from 'react-router'
import type { WireStanding } from './standing.ts'

/** The stream says something every ten seconds; two of them missed, and it is dead. */
const SILENCE_MS_MAX = 25_000
/** A reconnect shorter than this is nobody's business. */
const GAP_MS_MAX = 2_000
const POLL_EVERY_MS = 3_000
const STREAM_AGAIN_MS = 30_000

/**
 * Follows a payer's standing from the page's own on: by a stream of events, by polling where that does not come
 * through, and not at all while the page is out of sight.
 *
 * @param path    of `billing/live`
 * @param loaded  what came with the page; whichever is newer, it or what came since, is returned
 * @returns `stale`: it may have changed since `heardAt`, and we are trying to find out
 */
export function useStanding(
  path: string,
  loaded: WireStanding,
): { standing: WireStanding; heardAt: string; stale: boolean } {
  const [received, setReceived] = useState(loaded)
  const [heardAt, setHeardAt] = useState(loaded.at)
  const [stale, setStale] = useState(false)

  useEffect(() => {
    const heard = (at: string, standing?: WireStanding) => {
      if (standing) setReceived(standing)
      setHeardAt(at)
      setStale(false)
    }
    let stop = () => {}
    const followWhileVisible = () => {
      stop()
      stop = document.hidden ? () => {} : follow(path, { heard, lost: () => setStale(true) })
    }
    followWhileVisible()
    document.addEventListener('visibilitychange', followWhileVisible)
    return () => {
      document.removeEventListener('visibilitychange', followWhileVisible)
      stop()
    }
  }, [path])

  return { standing: received.at > loaded.at ? received : loaded, heardAt, stale }
}

interface Listener {
  heard: (at: string, standing?: WireStanding) => void
  lost: () => void
}

function follow(path: string, listener: Listener): () => void {
  let stop = () => {}
  const stream = () => {
    stop = openStream(path, listener, poll)
  }
  const poll = () => {
    stop()
    stop = startPolling(path, listener, stream)
  }
  stream()
  return () => stop()
}

function openStream(path: string, { heard, lost }: Listener, giveUp: () => void): () => void {
  const source = new EventSource(path)
  let silence = setTimeout(giveUp, SILENCE_MS_MAX)
  let gap: ReturnType<typeof setTimeout> | undefined
  const wellAt = (at: string, standing?: WireStanding) => {
    clearTimeout(gap)
    gap = undefined
    clearTimeout(silence)
    silence = setTimeout(() => {
      lost()
      giveUp()
    }, SILENCE_MS_MAX)
    heard(at, standing)
  }
  source.addEventListener('standing', ({ data }) => {
    const standing: WireStanding = JSON.parse(data)
    wellAt(standing.at, standing)
  })
  source.addEventListener('alive', ({ data }) => wellAt(JSON.parse(data)))
  source.addEventListener('error', () => {
    gap ??= setTimeout(lost, GAP_MS_MAX)
    if (source.readyState === EventSource.CLOSED) giveUp()
  })
  return () => {
    clearTimeout(silence)
    clearTimeout(gap)
    source.close()
  }
}

function startPolling(path: string, { heard, lost }: Listener, streamAgain: () => void): () => void {
  const leaving = new AbortController()
  const poll = async () => {
    try {
      const response = await fetch(path, { headers: { accept: 'application/json' }, signal: leaving.signal })
      if (response.status !== 200) return lost()
      const standing: WireStanding = await response.json()
      heard(standing.at, standing)
    } catch {
      if (!leaving.signal.aborted) lost()
    }
  }
  const timer = setInterval(poll, POLL_EVERY_MS)
  const again = setTimeout(streamAgain, STREAM_AGAIN_MS)
  poll()
  return () => {
    clearInterval(timer)
    clearTimeout(again)
    leaving.abort()
  }
}

/** Usage often comes in bursts; the rest of the page follows once it has been quiet for this long. */
const QUIET_MS = 2_000

/**
 * Loads the page anew when what it shows besides the standing has become old: at once after a change of the
 * subscription or an invoice, and after usage (Stripe's view, the figure in the header) once that has settled.
 */
export function useRefresh(loaded: WireStanding, standing: WireStanding): void {
  const { revalidate } = useRevalidator()
  const isNewer = standing.at > loaded.at
  const isOther = isNewer && stateOf(standing) !== stateOf(loaded)
  const isMore = isNewer && standing.upcoming?.amount !== loaded.upcoming?.amount
  useEffect(() => {
    if (isOther) revalidate()
  }, [isOther, revalidate])
  // biome-ignore lint/correctness/useExhaustiveDependencies: every newer standing begins the quiet time anew
  useEffect(() => {
    if (!isMore) return
    const timer = setTimeout(revalidate, QUIET_MS)
    return () => clearTimeout(timer)
  }, [isMore, standing.at, revalidate])
}

function stateOf({ subscription, invoicesMark }: WireStanding): string {
  return JSON.stringify([subscription, invoicesMark])
}
