import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toWire } from './standing.ts'

test('a standing is the same whether it came with the page or over the stream: amounts and instants are texts', () => {
  const standing = {
    at: new Date('2026-11-24T14:05:00Z'),
    live: true,
    upcoming: {
      amount: 900719925474099299n,
      carried: -20n,
      belowMinimum: null,
      lines: [{ amount: 65n, quantity: '12345' }],
    },
  }
  assert.deepEqual(toWire(standing), {
    at: '2026-11-24T14:05:00.000Z',
    live: true,
    upcoming: {
      amount: '900719925474099299',
      carried: '-20',
      belowMinimum: null,
      lines: [{ amount: '65', quantity: '12345' }],
    },
  })
})
