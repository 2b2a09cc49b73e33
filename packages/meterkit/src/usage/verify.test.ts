import assert from 'node:assert/strict'
import { test } from 'node:test'
import { subscriber, use, type World, world } from '../../test/world.ts'
import type { SubscriptionCheck } from './verify.ts'

async function verified({ meterkit }: World, scope = {}): Promise<SubscriptionCheck[]> {
  const checks: SubscriptionCheck[] = []
  for await (const check of meterkit.verify(scope)) checks.push(check)
  return checks
}

const kinds = (checks: SubscriptionCheck[]) =>
  checks.flatMap(({ customerName, disagreements }) => disagreements.map(({ kind }) => `${customerName} ${kind}`)).sort()

test('what was recorded, voided and reported agrees; what waits is said, and is no error', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const mistaken = use(w, acme, 300)
  use(w, acme, '12.5')
  w.meterkit.recordEvent({
    meter: 'ai_tokens',
    customerId: acme.customer.id,
    subscriptionId: acme.subscription.id,
    quantity: 7,
    id: 'call-1',
  })
  await w.meterkit.events.drained()

  const [before] = await verified(w)
  assert.deepEqual([before!.agrees, before!.events, before!.unreported.quantity], [true, 3, '319.5'])
  await w.meterkit.reports.sync()
  await w.meterkit.events.void(mistaken.id, { by: 'omar', reason: 'a test run' })

  const [after] = await verified(w, { customerId: acme.customer.id })
  assert.deepEqual([after!.agrees, after!.events, after!.unreported.quantity], [true, 2, '-300'])
})

test('each disagreement is found, by its name, with the subscription it is in', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const other = await subscriber(w, { organization: 'other' })
  const hour = (hours: number) => new Date(w.clock().getTime() - hours * 3_600_000)
  await w.stripeLocal.advance(new Date(w.clock().getTime() + 10 * 3_600_000))
  const events = [1, 2, 3, 4, 5].map((hours) => use(w, acme, 100, hour(hours)))
  use(w, other, 100)
  w.meterkit.recordEvent({
    meter: 'ai_tokens',
    customerId: acme.customer.id,
    subscriptionId: acme.subscription.id,
    id: 'call-1',
  })
  await w.meterkit.events.drained()
  await w.meterkit.reports.sync()
  assert.deepEqual(kinds(await verified(w)), [])

  const rollupOf = (hours: number, change: string) =>
    w.pool.query(
      `update billing.rollups set ${change} where subscription_id = $1 and since = date_trunc('hour', $2::timestamptz, 'UTC')`,
      [acme.subscription.id, hour(hours)],
    )
  await rollupOf(1, 'quantity = 99, due = true') // not the sum of its events
  await rollupOf(2, 'reported = 90, due = true') // not what its reports say
  await rollupOf(3, 'quantity = 150, reported = 100, due = false') // owes 50, and no sync would look
  await w.pool.query(
    `insert into billing.event_voids (customer_id, id, voided_by, reason) values ($1, $2, 'omar', 'by hand')`,
    [acme.customer.id, events[3]!.id], // taken back without its rollup
  )
  await w.pool.query(`delete from billing.event_keys where key = 'call-1'`)

  const checks = await verified(w)
  assert.deepEqual(kinds(checks), ['acme due', 'acme key', 'acme reported', 'acme rollup', 'acme rollup', 'acme void'])
  const wrong = checks.find(({ agrees }) => !agrees)!
  assert.equal(wrong.disagreementCount, 6)
  const due = wrong.disagreements.find(({ kind }) => kind === 'due')!
  assert.match(due.explanation, /150 was used and 100 reported, and the rollup is not marked as due/)
  assert.deepEqual(kinds(await verified(w, { subscriptionId: other.subscription.id })), [])
})
