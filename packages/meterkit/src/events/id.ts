import { randomFillSync } from 'node:crypto'
import { v7 } from 'uuid'

/** A call for random bytes costs more than all the rest of an id, however few they are: so many ids share one. */
const IDS_PER_CALL = 256
const BYTES_PER_ID = 16

/**
 * UUIDv7s, each greater than the one before, also within a millisecond and when the clock steps back.
 * @see https://www.rfc-editor.org/rfc/rfc9562#section-6.2 (method 1: a counter, its first value of a millisecond random)
 */
export function createIds(now: () => number = Date.now): () => string {
  const randomness = Buffer.alloc(IDS_PER_CALL * BYTES_PER_ID)
  let used = randomness.length
  let msecs = Number.NEGATIVE_INFINITY
  let seq = 0

  return () => {
    if (used === randomness.length) {
      randomFillSync(randomness)
      used = 0
    }
    const random = randomness.subarray(used, used + BYTES_PER_ID)
    used += BYTES_PER_ID
    const at = now()
    if (at > msecs) {
      msecs = at
      seq = random.readUInt32BE(6) >>> 1
    } else {
      seq += 1
    }
    return v7({ random, msecs, seq })
  }
}

/** This process's own. */
export const newEventId = createIds()
