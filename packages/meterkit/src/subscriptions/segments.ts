import type { Period, Segment, SegmentKind, SubscriptionFacts, SubscriptionItem } from './subscription.ts'

/** A segment to be stored, by its start. */
export type SegmentStart = Omit<Segment, 'end'>

/**
 * The segments a subscription has, given those known and what Stripe says now. A past that is known is not rewritten;
 * a future that was only expected is replaced.
 *
 * A segment starts with the subscription, with each period, when the prices change, with the end of a trial and with
 * the end of all. The start of the period to come is noted ahead, so that usage recorded after it, before Stripe's word
 * has arrived, lands on its own side.
 *
 * @param known      oldest first
 * @param changedAt  when the prices changed, if they did, also where that was in a period before; UTC, whole seconds
 */
export function segmentStarts(
  subscription: SubscriptionFacts,
  known: readonly SegmentStart[],
  { now, changedAt }: { now: Date; changedAt: Date },
): SegmentStart[] {
  const { items, currentPeriod, startedAt, trialEnd, endedAt } = subscription
  const past = known.filter((segment) => segment.start <= now)
  const starts: SegmentStart[] =
    past.length > 0
      ? past.map((segment) => ({ ...segment }))
      : [start(startedAt, kindAt(subscription, startedAt), currentPeriod, items)]

  if (currentPeriod) {
    const { start: periodStart } = currentPeriod
    const before = starts.findLast((segment) => segment.start < periodStart)
    if (before && before.start < periodStart) endPeriod(starts, periodStart)
    put(
      starts,
      start(periodStart, kindAt(subscription, periodStart), currentPeriod, itemsAt(starts, periodStart) ?? items),
    )
  }
  const latest = starts.at(-1)!
  if (!sameItems(latest.items, items) && latest.kind !== 'ended' && !endedAt)
    changeItems(starts, subscription, changedAt)
  for (const segment of starts) {
    const current = currentPeriod && segment.start >= currentPeriod.start
    if (current && segment.kind !== 'ended')
      segment.period = endedAt && endedAt < currentPeriod.end ? { ...currentPeriod, end: endedAt } : currentPeriod
  }
  const pausedNow = subscription.status === 'paused' && starts.at(-1)!.kind === 'billable'
  if (pausedNow) put(starts, start(changedAt, 'free', currentPeriod, items))
  if (endedAt) {
    const kept = frozen(starts.filter((segment) => segment.start < endedAt))
    return [...kept, start(endedAt, 'ended', null, [])]
  }
  if (trialEnd && currentPeriod && trialEnd > now && trialEnd < currentPeriod.end) {
    put(starts, start(trialEnd, 'billable', currentPeriod, items))
  }
  return [...frozen(starts), ...expected(subscription)].sort((a, b) => a.start.getTime() - b.start.getTime())
}

/** From a change on all that was known under the old prices is under the new ones: a cut, and a renewal, among it. */
function changeItems(starts: SegmentStart[], subscription: SubscriptionFacts, changedAt: Date): void {
  const { items, currentPeriod } = subscription
  const since = sinceWithItems(starts)!
  const at = changedAt > since ? changedAt : since
  const before = starts.findLast((segment) => segment.start <= at)!
  const isNow = currentPeriod === null || at >= currentPeriod.start
  put(starts, isNow ? start(at, kindAt(subscription, at), currentPeriod, items) : { ...before, start: at, items })
  for (const segment of starts) if (segment.start > at) segment.items = items
}

/** Since when the prices have been those of the latest segment; cuts and renewals in between do not count. */
export function sinceWithItems(starts: readonly SegmentStart[]): Date | undefined {
  const latest = starts.at(-1)
  if (!latest) return undefined
  const other = starts.findLastIndex((segment) => !sameItems(segment.items, latest.items))
  return starts[other + 1]!.start
}

/**
 * At a change of prices Stripe prices what was used until then, once: the segments before it are closed from that instant.
 * @see https://docs.stripe.com/billing/subscriptions/usage-based/manage-billing (update prices mid-cycle)
 */
function frozen(starts: readonly SegmentStart[]): SegmentStart[] {
  return starts.map((segment, index) => {
    const change = starts
      .slice(index + 1)
      .find((later) => samePeriod(later.period, segment.period) && !sameItems(later.items, segment.items))
    return { ...segment, closedAt: segment.closedAt ?? change?.start ?? null }
  })
}

function samePeriod(a: Period | null, b: Period | null): boolean {
  return a !== null && b !== null && a.start.getTime() === b.start.getTime()
}

/** What begins when the current period, or the subscription, is due to end. */
function expected({ currentPeriod, cancelAt, cancelAtPeriodEnd, items }: SubscriptionFacts): SegmentStart[] {
  if (!currentPeriod) return cancelAt ? [start(cancelAt, 'ended', null, [])] : []
  const end = cancelAt ?? (cancelAtPeriodEnd ? currentPeriod.end : null)
  if (end && end <= currentPeriod.end) return [start(end, 'ended', null, [])]
  return [start(currentPeriod.end, 'billable', null, items)]
}

function kindAt({ status, trialEnd }: SubscriptionFacts, at: Date): SegmentKind {
  if (trialEnd && at < trialEnd) return 'free'
  return status === 'paused' || status === 'incomplete' || status === 'incomplete_expired' ? 'free' : 'billable'
}

/** The period before ended where the current one starts, whatever was expected. */
function endPeriod(starts: SegmentStart[], at: Date): void {
  for (const segment of starts) {
    if (segment.start < at && segment.kind !== 'ended' && (segment.period === null || segment.period.end > at)) {
      segment.period = { start: segment.period?.start ?? segment.start, end: at }
    }
  }
}

function itemsAt(starts: readonly SegmentStart[], at: Date): SubscriptionItem[] | undefined {
  return starts.findLast((segment) => segment.start <= at && segment.kind !== 'ended')?.items
}

function put(starts: SegmentStart[], segment: SegmentStart): void {
  const same = starts.findIndex((other) => other.start.getTime() === segment.start.getTime())
  if (same === -1) starts.push(segment)
  else starts[same] = segment
  starts.sort((a, b) => a.start.getTime() - b.start.getTime())
}

function start(at: Date, kind: SegmentKind, period: Period | null, items: SubscriptionItem[]): SegmentStart {
  return { start: at, kind, period, items, closedAt: null }
}

export function sameItems(a: readonly SubscriptionItem[], b: readonly SubscriptionItem[]): boolean {
  const names = (items: readonly SubscriptionItem[]) =>
    items.map((item) => `${item.stripeId} ${item.stripePriceId}`).sort()
  return names(a).join() === names(b).join()
}

/**
 * The segments a period consists of as Stripe prices them: clipped to it, the last ending with it, and joined where only
 * a cut lies between (a switch that was prepared and then refused leaves one).
 */
export function segmentsIn(segments: readonly Segment[], period: Period): (Segment & { end: Date })[] {
  const joined: (Segment & { end: Date })[] = []
  for (const segment of segments) {
    if (segment.start >= period.end || (segment.end !== null && segment.end <= period.start)) continue
    const start = segment.start < period.start ? period.start : segment.start
    const end = segment.end === null || segment.end > period.end ? period.end : segment.end
    const before = joined.at(-1)
    if (before && isOne(before, segment)) before.end = end
    else joined.push({ ...segment, start, end })
  }
  return joined
}

function isOne(a: Segment, b: Segment): boolean {
  return a.kind === b.kind && (a.closedAt === null) === (b.closedAt === null) && sameItems(a.items, b.items)
}

/** Stripe knows no less. */
export function wholeSecond(at: Date): Date {
  return new Date(Math.floor(at.getTime() / 1000) * 1000)
}
