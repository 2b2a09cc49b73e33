import { randomBytes } from 'node:crypto'

const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Random letters and digits, without the bias of a remainder: bytes past the last whole alphabet are dropped. */
export function randomLetters(count: number): string {
  let letters = ''
  while (letters.length < count) {
    for (const byte of randomBytes(count)) {
      if (byte < 248 && letters.length < count) letters += LETTERS[byte % 62]
    }
  }
  return letters
}

/** A new id such as `cus_Q3…`: the prefix says what it names. */
export function newId(prefix: string, length = 24): string {
  return `${prefix}_${randomLetters(length)}`
}
