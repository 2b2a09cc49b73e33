import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkAnswer } from './answers.ts'

const METER = {
  id: 'mtr_1',
  object: 'billing.meter',
  created: 1,
  customer_mapping: { event_payload_key: 'stripe_customer_id', type: 'by_id' },
  default_aggregation: { formula: 'sum' },
  display_name: 'AI tokens',
  event_name: 'ai_tokens',
  event_time_window: null,
  livemode: false,
  status: 'active',
  status_transitions: { deactivated_at: null },
  updated: 1,
  value_settings: { event_payload_key: 'value' },
}
const problemsOf = (meter: object) => checkAnswer('GET', '/v1/billing/meters/mtr_1', JSON.stringify(meter))

test('an answer as the SDK types it has no problems', () => {
  assert.deepEqual(problemsOf(METER), [])
})

test('a field that is missing, unknown, of the wrong kind or null where it must not be is named', () => {
  const { updated: _gone, ...rest } = METER

  assert.deepEqual(
    problemsOf({ ...rest, status: 'asleep', livemode: null, colour: 'red', value_settings: { event_payload_key: 3 } }),
    [
      'GET /v1/billing/meters/:.livemode should be boolean, and is null',
      'GET /v1/billing/meters/:.status has a value, "asleep", unknown to the SDK',
      'GET /v1/billing/meters/:.updated is missing',
      'GET /v1/billing/meters/:.value_settings.event_payload_key should be string, and is 3',
      'GET /v1/billing/meters/:.colour is unknown to the SDK',
    ],
  )
})

test('an address the SDK does not know is a problem too', () => {
  assert.deepEqual(checkAnswer('GET', '/v1/nothing', '{}'), ['GET /v1/nothing is no endpoint the SDK knows'])
})
