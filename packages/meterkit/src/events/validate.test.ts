import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Directory } from '../directory.ts'
import { MeterkitError } from '../errors.ts'
import type { EventInput } from './event.ts'
import { validEvent } from './validate.ts'

const tokens = { id: 1, eventName: 'ai_tokens', displayName: 'AI tokens', aggregation: 'sum' as const, unit: 'tokens' }
const calls = { id: 2, eventName: 'calls', displayName: 'Calls', aggregation: 'count' as const, unit: 'calls' }
const meters = {
  byName: new Map([tokens, calls].map((meter) => [meter.eventName, meter])),
  byId: new Map([tokens, calls].map((meter) => [meter.id, meter])),
}
const directory: Directory = {
  hasCustomer: (id) => ['acme', 'globex'].includes(id),
  ownerOf: (id) => ({ sub_acme: 'acme', sub_globex: 'globex' })[id],
  add: () => {},
  close: async () => {},
}
const now = Date.parse('2026-11-24T12:00:00Z')
const good: EventInput = { meter: 'ai_tokens', customerId: 'acme', subscriptionId: 'sub_acme', quantity: 12 }
const check = (input: Partial<EventInput>) =>
  validEvent({ meters, directory, now, newId: () => 'new' }, { ...good, ...input })

test('what is left out has its default: one unit, now, no key', () => {
  assert.deepEqual(check({ quantity: undefined }), {
    id: 'new',
    key: null,
    customerId: 'acme',
    subscriptionId: 'sub_acme',
    meterId: 1,
    quantity: '1',
    occurredAt: now,
    properties: null,
  })
})

test('quantities are taken exactly, in whatever form', () => {
  const cases: [EventInput['quantity'], string][] = [
    [0, '0'],
    [0.1, '0.1'],
    ['0.100000000001', '0.100000000001'],
    [999_999_999_999_999, '999999999999999'],
    [123n, '123'],
    ['00012', '00012'],
  ]
  for (const [given, stored] of cases) assert.equal(check({ quantity: given }).quantity, stored)
})

/** Inputs the types forbid. */
function untyped(cases: [Record<string, unknown>, code: string, field: string][]) {
  return cases as [Partial<EventInput>, code: string, field: string][]
}

test('each wrong input is refused by its own code, naming field and value', () => {
  const cases: [Partial<EventInput>, code: string, field: string][] = [
    [{ meter: 'ai_tokns' }, 'unknown_meter', 'meter'],
    [{ meter: undefined, meterId: 9 }, 'unknown_meter', 'meterId'],
    [{ meterId: 1 }, 'unknown_meter', 'meter'], // both
    [{ customerId: 'nobody' }, 'unknown_customer', 'customerId'],
    [{ subscriptionId: 'sub_nope' }, 'unknown_subscription', 'subscriptionId'],
    [{ subscriptionId: 'sub_globex' }, 'foreign_subscription', 'subscriptionId'],
    [{ quantity: -3 }, 'negative_quantity', 'quantity'],
    [{ quantity: '-0.5' }, 'negative_quantity', 'quantity'],
    [{ quantity: Number.NaN }, 'invalid_quantity', 'quantity'],
    [{ quantity: Number.POSITIVE_INFINITY }, 'invalid_quantity', 'quantity'],
    [{ quantity: Number.NEGATIVE_INFINITY }, 'invalid_quantity', 'quantity'],
    [{ quantity: '1e3' }, 'invalid_quantity', 'quantity'],
    [{ quantity: '+1' }, 'invalid_quantity', 'quantity'],
    [{ quantity: '' }, 'invalid_quantity', 'quantity'],
    [{ quantity: '0.1234567890123' }, 'invalid_quantity', 'quantity'], // 13 decimals
    [{ quantity: '1234567890123456' }, 'quantity_too_large', 'quantity'], // 16 digits
    [{ quantity: '1234567890.123456' }, 'quantity_too_large', 'quantity'],
    [{ quantity: 1e21 }, 'quantity_too_large', 'quantity'],
    [{ meter: 'calls', quantity: 2 }, 'invalid_quantity', 'quantity'],
    [{ timestamp: new Date(now + 5 * 60_000 + 1) }, 'future_timestamp', 'timestamp'],
    [{ timestamp: new Date('never') }, 'invalid_timestamp', 'timestamp'],
    [{ id: '' }, 'invalid_event_id', 'id'],
    [{ id: 'x'.repeat(201) }, 'invalid_event_id', 'id'],
    [{ properties: { note: 'a\0b' } }, 'invalid_properties', 'properties.note'],
    [{ properties: { cost: Number.NaN } }, 'invalid_properties', 'properties.cost'],
    // what PostgreSQL cannot store
    [{ id: 'x\ud800' }, 'invalid_event_id', 'id'],
    [{ properties: { 'a\0b': 1 } }, 'invalid_properties', 'properties.a\0b'],
    [{ properties: { note: '\ud800' } }, 'invalid_properties', 'properties.note'],
    [{ properties: { ['x'.repeat(101)]: 1 } }, 'invalid_properties', `properties.${'x'.repeat(100)}`],
    // a time in seconds, and what no calendar of PostgreSQL has
    [{ timestamp: new Date(-1) }, 'invalid_timestamp', 'timestamp'],
    [{ timestamp: new Date('0000-06-01T00:00:00Z') }, 'invalid_timestamp', 'timestamp'],
    [{ timestamp: new Date(-8e15) }, 'invalid_timestamp', 'timestamp'],
    // from JavaScript, where no compiler looks
    ...untyped([
      [{ quantity: null }, 'invalid_quantity', 'quantity'],
      [{ quantity: true }, 'invalid_quantity', 'quantity'],
      [{ quantity: [7] }, 'invalid_quantity', 'quantity'],
      [{ quantity: { toString: () => '9' } }, 'invalid_quantity', 'quantity'],
      [{ timestamp: '2026-11-24' }, 'invalid_timestamp', 'timestamp'],
      [{ properties: null }, 'invalid_properties', 'properties'],
      [{ properties: ['a'] }, 'invalid_properties', 'properties'],
      [{ properties: { model: { name: 'a' } } }, 'invalid_properties', 'properties.model'],
    ]),
  ]
  for (const [input, code, field] of cases) {
    assert.throws(
      () => check(input),
      (error: unknown) => {
        assert.ok(error instanceof MeterkitError)
        assert.deepEqual([error.code, error.field], [code, field])
        assert.match(error.message, new RegExp(`docs/errors\\.md#${code}`))
        return true
      },
      JSON.stringify(Object.entries(input).map(([name, value]) => [name, String(value)])),
    )
  }
})

test('five minutes ahead is still taken, and any age', () => {
  check({ timestamp: new Date(now + 5 * 60_000) })
  check({ timestamp: new Date(0) })
})
