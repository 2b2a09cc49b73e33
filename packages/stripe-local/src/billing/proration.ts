import type { Period } from './cycle.ts'
import { divideFloor } from './decimal.ts'

/**
 * The part of a licensed amount that falls between an instant and the end of its period, by the second. Credits and
 * debits alike are rounded toward negative infinity, as recorded answers show.
 */
export function proratedFrom(amount: bigint, at: number, period: Period): bigint {
  const remaining = Math.min(Math.max(period.end - at, 0), period.end - period.start)
  return divideFloor(amount * BigInt(remaining), BigInt(period.end - period.start))
}

/** The part of an amount for a whole period that falls on a span within it; rounded as above. */
export function proratedSpan(amount: bigint, span: Period, whole: Period): bigint {
  const seconds = Math.max(0, Math.min(span.end, whole.end) - Math.max(span.start, whole.start))
  return divideFloor(amount * BigInt(seconds), BigInt(whole.end - whole.start))
}
