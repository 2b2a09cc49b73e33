import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId, newSecret, randomLetters } from './identifier.ts'

test('ids have their prefix and length, sort by when they were made, and never repeat', () => {
  const made = Array.from({ length: 20_000 }, () => newId('evt'))
  for (const id of made) assert.match(id, /^evt_[0-9A-Za-z]{24}$/)
  assert.deepEqual(made.toSorted(), made)
  assert.equal(new Set(made).size, made.length)
  assert.match(newId('cus', 14), /^cus_[0-9A-Za-z]{14}$/)
})

test('random letters are evenly spread: none of 62 is more than a tenth off its share of 620,000', () => {
  const counts = new Map<string, number>()
  for (let n = 0; n < 10_000; n += 1)
    for (const letter of randomLetters(62)) counts.set(letter, (counts.get(letter) ?? 0) + 1)
  assert.equal(counts.size, 62)
  for (const [letter, count] of counts) assert.ok(Math.abs(count - 10_000) < 1_000, `${letter}: ${count}`)
  assert.match(newSecret('whsec'), /^whsec_[0-9A-Za-z]{32}$/)
})
