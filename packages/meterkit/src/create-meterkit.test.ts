import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { Stripe } from 'stripe'
import { billing, database, subscribed } from '../test/database.ts'
import { createMeterkit, defineBilling } from './index.ts'

const stripe = new Stripe('sk_test_unused')

test('switched off, recordEvent says so rather than lose events', async (t) => {
  const users: (() => Promise<void>)[] = []
  const pool = await database(t, users)
  const { customerId, id } = await subscribed(pool)
  const meterkit = createMeterkit({ config: billing, pool, stripe, journal: false, collect: false })
  users.push(meterkit.stop)
  await meterkit.start()
  assert.throws(() => meterkit.recordEvent({ meter: 'ai_tokens', customerId, subscriptionId: id }), {
    code: 'collecting_off',
  })
})

test('before the start and after the stop it refuses', async (t) => {
  const pool = await database(t)
  const { customerId, id } = await subscribed(pool)
  const meterkit = createMeterkit({ config: billing, pool, stripe, journal: false })
  const record = () => meterkit.recordEvent({ meter: 'ai_tokens', customerId, subscriptionId: id })
  assert.throws(record, { code: 'not_started' })
  await meterkit.start()
  await record().durable
  await meterkit.stop()
  assert.throws(record, { code: 'not_started' })
})

test('a database of test mode does not serve live mode', async (t) => {
  const users: (() => Promise<void>)[] = []
  const pool = await database(t, users)
  const first = createMeterkit({ config: billing, pool, stripe, journal: false })
  users.push(first.stop)
  await first.start()
  const live = createMeterkit({ config: billing, pool, stripe, journal: false, productionMode: true })
  await assert.rejects(live.start(), { code: 'mode_mismatch', message: /ids of Stripe's test mode/ })
})

test('an unreachable database is one readable sentence', async () => {
  const pool = new pg.Pool({ connectionString: 'postgresql://nobody:secret@127.0.0.1:1/none' })
  const meterkit = createMeterkit({ config: billing, pool, stripe, journal: false })
  await assert.rejects(meterkit.start(), (error: Error & { code: string }) => {
    assert.equal(error.code, 'database_unreachable')
    assert.doesNotMatch(error.message, /secret/)
    return true
  })
  await pool.end()
})

test('a customer made by another process is known here at once', async (t) => {
  const users: (() => Promise<void>)[] = []
  const pool = await database(t, users)
  const meterkit = createMeterkit({ config: billing, pool, stripe, journal: false })
  users.push(meterkit.stop)
  await meterkit.start()
  const { customerId, id } = await subscribed(pool)
  for (let waited = 0; ; waited++) {
    try {
      await meterkit.recordEvent({
        meterId: meterkit.getMeterByEventName('ai_tokens').id,
        customerId,
        subscriptionId: id,
      }).durable
      break
    } catch (error) {
      if (waited > 200) throw error
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
})

test('a config that cannot be honoured is refused, naming plan and field', () => {
  const meters = { ai_tokens: { displayName: 'AI tokens' } }
  const plan = (facts: object) => ({
    p: { name: 'P', prices: [{ meter: 'ai_tokens' as const, unitAmount: 5 }], ...facts },
  })
  const cases: [config: Parameters<typeof createMeterkit>[0]['config'], code: string, says: RegExp][] = [
    [
      { meters, plans: plan({ trialDays: 14 }) },
      'invalid_config',
      /plans\.p\.trialDays \(14\) cannot be honoured on a metered plan/,
    ],
    [
      { meters, plans: plan({ prices: [{ meter: 'ai_tokns', unitAmount: 5 }] }) },
      'invalid_price',
      /"ai_tokns"\) is not a meter of this config\. Its meters: ai_tokens/,
    ],
    [
      { meters, plans: plan({ prices: [{ meter: 'ai_tokens', unitAmount: 0 }] }) },
      'invalid_price',
      /must be more than 0/,
    ],
    [{ meters, plans: plan({ prices: [{ meter: 'ai_tokens', unitAmount: -5 }] }) }, 'invalid_price', /0 or more/],
    [
      { meters, plans: plan({ prices: [{ meter: 'ai_tokens', unitAmount: 0.5 }] }) },
      'invalid_price',
      /whole number of minor units/,
    ],
    [{ meters, plans: plan({ prices: [] }) }, 'invalid_config', /needs at least one price/],
    [{ meters: { 'AI tokens': { displayName: '' } }, plans: {} }, 'invalid_config', /lower-case letters/],
  ]
  const pool = new pg.Pool()
  for (const [config, code, says] of cases) {
    assert.throws(() => createMeterkit({ config, pool, stripe, journal: false }), { code, message: says })
  }
})

test('names of meters and plans are checked by TypeScript', () => {
  const config = defineBilling({
    meters: { ai_tokens: { displayName: 'AI tokens' } },
    // @ts-expect-error a meter that is not there
    plans: { p: { name: 'P', prices: [{ meter: 'ai_tokns', unitAmount: 5 }] } },
  })
  assert.ok(config)
})
