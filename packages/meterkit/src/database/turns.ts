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

/** One at a time for each key, in the order of asking. */
export type TurnsByKey = <Result>(key: string, work: () => Promise<Result>) => Promise<Result>

export function createTurnsByKey(): TurnsByKey {
  const queues = new Map<string, { turns: Turns; waiting: number }>()
  return async (key, work) => {
    const queue = queues.get(key) ?? { turns: createTurns(1), waiting: 0 }
    queues.set(key, queue)
    queue.waiting += 1
    try {
      return await queue.turns(work)
    } finally {
      queue.waiting -= 1
      if (queue.waiting === 0) queues.delete(key)
    }
  }
}
