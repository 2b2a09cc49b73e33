import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evenTicks } from './even-ticks.ts'

test('an axis has five round numbers that reach the highest value', () => {
  const cases: [max: number, whole: boolean, ticks: number[]][] = [
    [0, true, [0, 1, 2, 3, 4]],
    [1, true, [0, 1, 2, 3, 4]], // no cent is divided
    [1, false, [0, 0.25, 0.5, 0.75, 1]],
    [5, true, [0, 2, 4, 6, 8]], // a quarter is 1.25, the next whole step 2
    [65, true, [0, 20, 40, 60, 80]], // a quarter is 16.25
    [12_345, true, [0, 4_000, 8_000, 12_000, 16_000]], // a quarter is 3,086
    [100, true, [0, 25, 50, 75, 100]],
    [0.3, false, [0, 0.08, 0.16, 0.24, 0.32]],
  ]
  for (const [max, whole, ticks] of cases) assert.deepEqual(evenTicks(max, whole), ticks, `${max}`)
})
