import assert from 'node:assert/strict'
import { test } from 'node:test'
import { amountDue } from './finalize.ts'
import type { Invoice } from './invoice.ts'

test('what is due, and what goes to the balance instead', () => {
  const cases: [
    currency: string,
    method: Invoice['collection_method'],
    total: number,
    balance: number,
    due: number,
    ending: number,
  ][] = [
    ['usd', 'charge_automatically', 1000, 0, 1000, 0],
    ['usd', 'charge_automatically', 1000, -300, 700, 0], // credit pays part
    ['usd', 'charge_automatically', 1000, -1200, 0, -200], // credit is left
    ['usd', 'charge_automatically', -400, 100, 0, -300], // a negative total is credit
    ['usd', 'charge_automatically', 40, 5, 0, 45], // below 50 cents a card is not charged
    ['usd', 'charge_automatically', 40, 10, 50, 0],
    ['usd', 'send_invoice', 40, 0, 40, 0], // nobody's card
    ['isk', 'charge_automatically', 12_345, 0, 12_300, 45], // whole krónur
    ['isk', 'charge_automatically', 12_350, 0, 12_400, -50],
    ['ugx', 'charge_automatically', 10_049, 0, 10_000, 49],
    ['kwd', 'charge_automatically', 1505, 0, 1510, -5], // fils in tens
  ]
  for (const [currency, collection_method, total, balance, amount, endingBalance] of cases) {
    assert.deepEqual(
      amountDue({ currency, collection_method }, total, balance),
      { amount, endingBalance },
      `${total} + ${balance} ${currency}`,
    )
  }
})
