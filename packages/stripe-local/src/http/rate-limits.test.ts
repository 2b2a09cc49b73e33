import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RateLimited, RateLimits } from './rate-limits.ts'

/** How many of `count` requests at one instant are let through, and why the others are not. */
function burst(limits: RateLimits, count: number, path: string, nowMs: number) {
  const reasons = new Set<string>()
  let admitted = 0
  for (let n = 0; n < count; n += 1) {
    try {
      limits.admit('POST', path, nowMs)
      admitted += 1
    } catch (error) {
      assert.ok(error instanceof RateLimited)
      reasons.add(error.reason)
    }
  }
  return [admitted, ...reasons]
}

test('test mode: 25 requests a second in all, meter events among them', () => {
  const limits = new RateLimits({ livemode: false })
  assert.deepEqual(burst(limits, 20, '/v1/billing/meter_events', 0), [20])
  assert.deepEqual(burst(limits, 20, '/v1/customers', 0), [5, 'global-rate'])
  assert.deepEqual(burst(limits, 20, '/v1/customers', 400), [10, 'global-rate']) // 0.4 s × 25/s
  assert.deepEqual(burst(limits, 40, '/v1/customers', 60_000), [25, 'global-rate']) // a pause saves up one second's worth
})

test('live mode: 100 a second in all, 25 for each endpoint, 1,000 meter events beside them', () => {
  const limits = new RateLimits({ livemode: true })
  assert.deepEqual(burst(limits, 30, '/v1/customers', 0), [25, 'endpoint-rate'])
  assert.deepEqual(burst(limits, 15, '/v1/customers/cus_0123456789ab', 0), [15])
  assert.deepEqual(burst(limits, 15, '/v1/customers/cus_ba9876543210', 0), [10, 'endpoint-rate']) // one endpoint
  assert.deepEqual(burst(limits, 25, '/v1/invoices', 0), [25])
  assert.deepEqual(burst(limits, 30, '/v1/prices', 0), [25, 'endpoint-rate'])
  assert.deepEqual(burst(limits, 5, '/v1/products', 0), [0, 'global-rate']) // 4 × 25 are 100
  assert.deepEqual(burst(limits, 1001, '/v1/billing/meter_events', 0), [1000, 'endpoint-rate'])
})

test('one call at a time for each customer and meter', () => {
  const limits = new RateLimits({ livemode: false })
  const end = limits.enter('/v1/billing/meter_events', 'tokens', 'cus_1')
  limits.enter('/v1/billing/meter_events', 'tokens', 'cus_2')
  limits.enter('/v1/billing/meter_events', 'images', 'cus_1')
  assert.throws(
    () => limits.enter('/v2/billing/meter_events', 'tokens', 'cus_1'),
    (error: RateLimited) => error.reason === 'endpoint-concurrency' && error.error.type === 'rate_limit',
  )
  end()
  limits.enter('/v1/billing/meter_events', 'tokens', 'cus_1')
})
