import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pass, subscriber, until, use, within, world } from '../../test/world.ts'
import { sendable } from './write.ts'

const MINUTE_MS = 60_000

test('five syncs at once over 14 customers: none waits for ever, each report is sent once', {
  timeout: 60_000,
}, async (t) => {
  const w = await world(t)
  const subscribers = []
  for (let i = 0; i < 14; i++) subscribers.push(await subscriber(w, { organization: `organization-${i}` }))
  for (const each of subscribers) use(w, each, 5_000)
  await w.meterkit.events.drained()

  await within(15_000, Promise.all(Array.from({ length: 5 }, () => w.meterkit.reports.sync())))

  const usages = subscribers.map(({ customer }) => w.stripeLocal.usage(customer.stripeId!, 'ai_tokens'))
  assert.deepEqual(usages, Array(14).fill('5000'))
  assert.equal(w.stripeLocal.receivedMeterEvents().length, 14)
})

test('PostgreSQL may drop every connection in the middle of a sync: the process lives, and usage arrives once', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  use(w, acme, 5_000)
  await w.meterkit.events.drained()
  w.stripeLocal.faults.delay(400, 1, '/v1/billing/meter_events')

  const interrupted = w.meterkit.reports.sync()
  await until(() => w.stripeLocal.requestCount('/v1/billing/meter_events') === 1)
  await w.pool.query(`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`)
  await Promise.allSettled([interrupted])
  await pass(w, MINUTE_MS) // past a back-off, if there is one
  await w.meterkit.reports.sync()

  assert.equal(w.stripeLocal.usage(acme.customer.stripeId!, 'ai_tokens'), '5000')
  assert.equal((await w.meterkit.events.counts()).processed, 1)
})

test('500 and 409 after the work was done: the same identifier under another key, counted once', async (t) => {
  for (const status of [500, 409] as const) {
    const w = await world(t, { sdkRetries: 0 })
    const acme = await subscriber(w)
    use(w, acme, 5_000)
    w.stripeLocal.faults.answer(status, 1, '/v1/billing/meter_events', true)
    assert.equal((await w.meterkit.reports.sync()).postponed, 1)

    await pass(w, MINUTE_MS)
    const { created, accepted } = await w.meterkit.reports.sync()

    assert.deepEqual([created, accepted], [0, 1])
    assert.equal(w.stripeLocal.usage(acme.customer.stripeId!, 'ai_tokens'), '5000')
  }
})

test('an hour whose sum has more digits than Stripe takes is sent in parts', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  use(w, acme, '1234567.5')
  use(w, acme, '0.0000000001')

  const { created, accepted, failed } = await w.meterkit.reports.sync()

  assert.deepEqual([created, accepted, failed], [2, 2, 0])
  assert.equal(w.stripeLocal.usage(acme.customer.stripeId!, 'ai_tokens'), '1234567.5000000001')
  assert.equal((await w.meterkit.events.counts()).processed, 2)
})

test('zeros at the end of a quantity are no digits', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  use(w, acme, '1234567.000000000000')

  const { created, accepted, failed } = await w.meterkit.reports.sync()

  assert.deepEqual([created, accepted, failed], [1, 1, 0])
  assert.equal(w.stripeLocal.usage(acme.customer.stripeId!, 'ai_tokens'), '1234567')
})

test('so is an hour whose whole number has more', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  for (let i = 0; i < 2; i++) use(w, acme, '999999999999999') // 15 digits each, 16 together

  const { accepted, failed } = await w.meterkit.reports.sync()

  assert.deepEqual([accepted, failed], [2, 0])
  assert.equal(w.stripeLocal.usage(acme.customer.stripeId!, 'ai_tokens'), '1999999999999998')
})

test('a value is cut into parts of at most 15 digits, which add up to it', () => {
  const cases: [value: string, parts: string[]][] = [
    ['0.5', ['0.5']],
    ['-700', ['-700']],
    ['123456789012345', ['123456789012345']], // 15 digits: whole
    ['12345.0000000001', ['12345.0000000001']], // 5 + 10
    ['1234567.5000000001', ['1234567.5', '0.0000000001']], // 7 + 10
    ['-1234567.5000000001', ['-1234567.5', '-0.0000000001']],
    ['123456789012345.123456789012', ['123456789012345', '0.123456789012']], // 15 + 12
  ]
  for (const [value, parts] of cases) assert.deepEqual(sendable(value), parts, value)
})

test('a subscription that Stripe does not know keeps its own usage back, and nobody else’s', async (t) => {
  const w = await world(t)
  const lost = await subscriber(w, { organization: 'lost' })
  const others = []
  for (let i = 0; i < 10; i++) others.push(await subscriber(w, { organization: `organization-${i}` }))
  for (const each of [lost, ...others]) use(w, each, 10)
  await w.meterkit.events.drained()
  await w.pool.query(`update billing.subscriptions set stripe_id = 'sub_gone' where id = $1`, [lost.subscription.id])
  // without word of the invoices, each period that has ended is looked up at Stripe; the drafts are still open
  w.webhooks.reach = false
  await w.stripeLocal.advance(new Date(lost.subscription.currentPeriod!.end.getTime() + 45 * MINUTE_MS))

  const { accepted, postponed, reason } = await w.meterkit.reports.sync()

  assert.deepEqual([accepted, postponed, reason], [10, 1, "No such subscription: 'sub_gone'"])
  const usages = others.map(({ customer }) => w.stripeLocal.usage(customer.stripeId!, 'ai_tokens'))
  assert.deepEqual(usages, Array(10).fill('10'))
})
