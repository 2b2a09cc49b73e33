import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../test/simulation.ts'

const STEPS = 40

/** `SIMULATION_SEEDS=100-120` tries others than the usual. */
function seeds(): number[] {
  const asked = process.env.SIMULATION_SEEDS
  if (!asked) return [1, 2, 3, 4]
  const [first, last = first] = asked.split('-').map(Number)
  return Array.from({ length: last! - first! + 1 }, (_, index) => first! + index)
}

for (const seed of seeds()) {
  test(`whatever happens, in whatever order, every event is billed exactly once (seed ${seed})`, {
    timeout: 120_000,
  }, async (t) => {
    const { trail, disagreements } = await simulate(t, seed, STEPS)

    if (disagreements.length > 0) {
      assert.fail(`seed ${seed} disagrees:\n  ${disagreements.join('\n  ')}\nafter\n  ${trail.join('\n  ')}`)
    }
  })
}
