import { wholeSecond } from '../subscriptions/segments.ts'
import { segmentAt } from '../subscriptions/store.ts'
import type { Segment } from '../subscriptions/subscription.ts'

/** How old a meter event may be for Stripe. @see https://docs.stripe.com/api/billing/meter-event/create */
export const DAYS_TAKEN = 35
/** An hour less leaves room for slow clocks and queues. */
const AGE_MS_MAX = (DAYS_TAKEN * 24 - 1) * 60 * 60 * 1000

/** Which timestamp a rollup's usage is reported under, so that the right invoice carries it. */
export type Placement =
  /** `late`: in the open period rather than its own. */
  | { to: 'period'; timestamp: Date; late: boolean }
  /** Taken back after Stripe has priced it: given back in money, minor units and negative, or 0. */
  | { to: 'credit'; timestamp: Date; pricedIn: Date; amount: bigint; currency: string }
  /** Free: before the start, in a trial, after the end. */
  | { to: 'nobody' }
  /** It would have to be billed, and no invoice to come can carry it. */
  | { to: 'nowhere'; reason: string }

/**
 * A rollup's usage keeps its own time while the invoice of its period is open and Stripe takes its age. Else it is
 * billed in the open period, because Stripe never bills a timestamp whose invoice is final.
 *
 * @param since  the rollup's start, inside its segment
 * @see https://docs.stripe.com/billing/subscriptions/usage-based/configure-grace-period
 */
export function placement(segments: readonly Segment[], since: Date, now: Date): Placement {
  const segment = segmentAt(segments, since)
  if (segment?.kind !== 'billable') return { to: 'nobody' }
  const fresh = now.getTime() - since.getTime() < AGE_MS_MAX
  if (segment.closedAt === null && fresh) return { to: 'period', timestamp: since, late: false }

  const open = segmentAt(segments, now)
  if (open?.kind !== 'billable' || open.closedAt !== null) {
    const why = segment.closedAt ? 'the invoice of its period is final' : 'it is older than the 35 days Stripe takes'
    return {
      to: 'nowhere',
      reason: `This usage cannot be billed by a meter any more: ${why}, and the subscription has no open period. Add an invoice item at Stripe, or void the events.`,
    }
  }
  const timestamp = wholeSecond(now)
  return { to: 'period', timestamp: timestamp < open.start ? open.start : timestamp, late: true }
}
