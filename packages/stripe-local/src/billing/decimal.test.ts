import assert from 'node:assert/strict'
import { test } from 'node:test'
import { divideCeil, divideFloor, divideRounded, formatPico, pico } from './decimal.ts'

test('what is read is written the same', () => {
  for (const text of ['0', '1', '-1', '0.5', '-0.000000000001', '999999999999999', '123.456'])
    assert.equal(formatPico(pico(text)), text)
  assert.equal(formatPico(pico('1.500')), '1.5')
})

test('anything but plain notation is refused', () => {
  for (const text of ['', '1e5', '+1', '.5', 'NaN', '1,000', '0.0000000000001', ' 1'])
    assert.throws(() => pico(text), RangeError, text)
})

test('three ways to divide, on both sides of zero', () => {
  const cases: [numerator: bigint, nearest: bigint, floor: bigint, ceil: bigint][] = [
    [9n, 2n, 2n, 3n], // 2.25
    [10n, 3n, 2n, 3n], // 2.5: the half goes away from zero
    [12n, 3n, 3n, 3n],
    [-10n, -3n, -3n, -2n],
    [-9n, -2n, -3n, -2n],
    [0n, 0n, 0n, 0n],
  ]
  for (const [numerator, nearest, floor, ceil] of cases) {
    assert.deepEqual(
      [divideRounded(numerator, 4n), divideFloor(numerator, 4n), divideCeil(numerator, 4n)],
      [nearest, floor, ceil],
    )
  }
})
