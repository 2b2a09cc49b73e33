/** Lets a few in at a time; the others wait in order. */
export type Turns = <Result>(work: () => Promise<Result>) => Promise<Result>

/** @param atOnce  how many may be at work, 1 or more */
export function createTurns(atOnce: number): Turns {
  const waiting: (() => void)[] = []
  let free = atOnce
  return async (work) => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free += 1
    }
  }
}
