/** The same numbers for the same seed. */
export interface Random {
  chance: (probability: number) => boolean
  /** Both ends included. */
  whole: (from: number, to: number) => number
  pick: <T>(choices: readonly T[]) => T
}

/** Mulberry32. @see https://github.com/cprosche/mulberry32 */
export function randomOf(seed: number): Random {
  let state = (seed * 7919) >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const whole = (from: number, to: number) => from + Math.floor(next() * (to - from + 1))
  return {
    chance: (probability) => next() < probability,
    whole,
    pick: (choices) => choices[whole(0, choices.length - 1)]!,
  }
}
