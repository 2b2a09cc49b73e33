import { randomFillSync } from 'node:crypto'

const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** Eight letters count milliseconds, in 62nds, until long after us. */
const TIME_LETTERS = 8
const TIME_UNITS_PER_MS = 62

/** Asking the system for random bytes is slow; asked for many at once it is not. */
const pool = new Uint8Array(16_384)
let used = pool.length

/** Random letters and digits, without the bias of a remainder: bytes past the last whole alphabet are dropped. */
export function randomLetters(count: number): string {
  let letters = ''
  for (let left = count; left > 0; ) {
    if (used === pool.length) {
      randomFillSync(pool)
      used = 0
    }
    const byte = pool[used++]!
    if (byte >= 248) continue
    letters += LETTERS[byte % 62]
    left -= 1
  }
  return letters
}

let latest = 0

/**
 * A new id such as `cus_Q3…`: the prefix says what it names. As Stripe's do, ids begin with the time they were made at, so
 * that they sort in that order, also those of one millisecond, and an index grows at its end; what follows is random.
 */
export function newId(prefix: string, length = 24): string {
  latest = Math.max(latest + 1, Date.now() * TIME_UNITS_PER_MS)
  let time = ''
  for (let rest = latest; time.length < TIME_LETTERS; rest = Math.floor(rest / 62)) time = LETTERS[rest % 62] + time
  return `${prefix}_${time}${randomLetters(length - TIME_LETTERS)}`
}

/** A secret with Stripe's prefix: all of it random. */
export function newSecret(prefix: string, length = 32): string {
  return `${prefix}_${randomLetters(length)}`
}
