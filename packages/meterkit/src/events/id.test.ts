import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createIds } from './id.ts'

test('ids are UUIDv7s of the clock, and each is greater than the one before', () => {
  const times = [1_700_000_000_000, 1_700_000_000_000, 1_699_999_999_000, 1_700_000_000_001]
  const newId = createIds(() => times.shift() ?? 1_700_000_000_001)

  const ids = Array.from({ length: 1_000 }, newId)

  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.deepEqual(
    ids.slice(0, 4).map((id) => id.slice(0, 13)), // 1,700,000,000,000 is 18bcfe56800 in hexadecimal
    ['018bcfe5-6800', '018bcfe5-6800', '018bcfe5-6800', '018bcfe5-6801'],
  )
  assert.deepEqual(ids.toSorted(), ids)
})

test('two sources never give the same id', () => {
  const [one, other] = [createIds(() => 1_700_000_000_000), createIds(() => 1_700_000_000_000)]

  assert.equal(new Set(Array.from({ length: 1_000 }, () => [one(), other()]).flat()).size, 2_000)
})
