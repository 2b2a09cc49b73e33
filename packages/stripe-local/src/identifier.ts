import { randomFillSync } from 'node:crypto'

const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** Seven letters count milliseconds, in 62nds, until long after us; one more counts within a millisecond. */
const TIME_LETTERS = 7

/** Random letters in store: asking the system for random bytes is slow; asked for many at once it is not. */
const store = Buffer.alloc(8192)
let stored = 0

/** Random letters and digits, without the bias of a remainder: bytes past the last whole alphabet are dropped. */
export function randomLetters(count: number): string {
  if (stored < count) refill()
  stored -= count
  return store.toString('latin1', stored, stored + count)
}

function refill(): void {
  randomFillSync(store)
  stored = 0
  for (const byte of store) if (byte < 248) store[stored++] = LETTERS.charCodeAt(byte % 62)
}

let millisecond = 0
let within = 0
let time = ''

/**
 * A new id such as `cus_Q3…`: the prefix says what it names. As Stripe's do, ids begin with the time they were made at, so
 * that they sort in that order, also those of one millisecond, and an index grows at its end; what follows is random.
 */
export function newId(prefix: string, length = 24): string {
  const now = Date.now()
  within += 1
  if (now > millisecond || within === LETTERS.length) {
    millisecond = Math.max(now, millisecond + (within === LETTERS.length ? 1 : 0))
    within = 0
    time = ''
    for (let rest = millisecond; time.length < TIME_LETTERS; rest = Math.floor(rest / 62))
      time = LETTERS[rest % 62] + time
  }
  return `${prefix}_${time}${LETTERS[within]}${randomLetters(length - TIME_LETTERS - 1)}`
}

/** A secret with Stripe's prefix: all of it random. */
export function newSecret(prefix: string, length = 32): string {
  return `${prefix}_${randomLetters(length)}`
}
