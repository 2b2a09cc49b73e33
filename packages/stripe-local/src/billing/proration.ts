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
