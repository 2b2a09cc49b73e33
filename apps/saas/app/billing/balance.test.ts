import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dueOf, settlementOf } from './balance.ts'

test('what is due is the charges with what earlier invoices left; a credit pays first, and its rest stays', () => {
  assert.deepEqual(dueOf('50', '20'), { amount: 70n, creditLeft: 0n })
  assert.deepEqual(dueOf('0', '20'), { amount: 20n, creditLeft: 0n })
  assert.deepEqual(dueOf('65', '-15'), { amount: 50n, creditLeft: 0n })
  assert.deepEqual(dueOf('65', '-1000'), { amount: 0n, creditLeft: 935n })
})

test('an invoice says what it took from the card, and what went to the balance or came from it', () => {
  const invoice = { status: 'paid', currency: 'usd' }
  const cases = [
    [
      { total: 65n, amountDue: 65n },
      { kind: 'plain', charged: 65n },
    ],
    [
      { total: 0n, amountDue: 0n },
      { kind: 'plain', charged: 0n },
    ],
    // cards are charged from $0.50 on
    [
      { total: 20n, amountDue: 0n },
      { kind: 'carried_over', amount: 20n },
    ],
    [
      { total: 50n, amountDue: 70n },
      { kind: 'with_carried', charged: 70n, carried: 20n },
    ],
    [
      { total: 500n, amountDue: 400n },
      { kind: 'less_credit', charged: 400n, credit: 100n },
    ],
    // five dollars are not too little: a credit has paid them
    [
      { total: 500n, amountDue: 0n },
      { kind: 'less_credit', charged: 0n, credit: 500n },
    ],
  ] as const
  for (const [amounts, settlement] of cases) assert.deepEqual(settlementOf({ ...invoice, ...amounts }), settlement)
})
