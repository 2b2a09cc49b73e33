import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  billed,
  changePriceAtStripe,
  pass,
  type Subscriber,
  settled,
  subscriber,
  until,
  use,
  type World,
  within,
  world,
} from '../../test/world.ts'

// Essential: 5 cents per 1,000 tokens begun. Business: 50 cents per 15,000 tokens begun.

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

type Plan = 'essential' | 'business' | 'enterprise'

function switchTo(w: World, { subscription }: Subscriber, plan: Plan): Promise<unknown> {
  return w.meterkit.subscriptions.switchPlan({ subscriptionId: subscription.id, plan })
}

async function upcoming(w: World, { subscription }: Subscriber) {
  const { lines, amount } = (await w.meterkit.invoices.upcoming(subscription.id))!
  return { lines: lines.map((line) => [line.plan, line.quantity, line.amount]), amount }
}

test('usage of before a switch that comes after it is billed late, at the price of now', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  await pass(w, 48 * HOUR_MS)
  const switchedAt = w.clock()
  await switchTo(w, acme, 'business')
  await pass(w, 5 * MINUTE_MS)

  use(w, acme, 100_000, new Date(switchedAt.getTime() - MINUTE_MS))
  await w.meterkit.reports.sync()

  // Stripe has priced what was before the switch: nothing. 100,000 / 15,000 = 6.67: seven packages of $0.50
  assert.equal((await upcoming(w, acme)).amount, 350n)
  assert.deepEqual(await billed(w, acme), [350n])
  assert.equal(w.stripeLocal.usage(acme.customer.stripeId!, 'ai_tokens'), '100000')
})

test('usage of before a switch that is voided after it is given back at the old price', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const mistaken = use(w, acme, 100_000)
  await pass(w, 2 * HOUR_MS)
  await switchTo(w, acme, 'business')

  await w.meterkit.events.void(mistaken.id, { by: 'omar', reason: 'a test run' })
  await w.meterkit.reports.sync()
  // Stripe has priced it at the switch, 100 packages of $0.05, and they are given back
  assert.equal((await upcoming(w, acme)).amount, 0n)
  use(w, acme, 130_000)
  await w.meterkit.reports.sync()

  // 130,000 / 15,000 = 8.67: nine packages of Business
  assert.equal((await upcoming(w, acme)).amount, 450n)
  assert.deepEqual(await billed(w, acme), [450n])
})

test('a void after a switch with nothing used after it: upcoming charges and invoice agree', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const mistaken = use(w, acme, 100_000)
  await pass(w, 2 * HOUR_MS)
  await switchTo(w, acme, 'business')

  await w.meterkit.events.void(mistaken.id, { by: 'omar', reason: 'a test run' })
  await w.meterkit.reports.sync()

  assert.equal((await upcoming(w, acme)).amount, 0n)
  assert.deepEqual(await billed(w, acme), [0n])
})

test('usage in the very second of a switch is billed once, on the plan it was used on', async (t) => {
  for (const sinceStart of [2 * HOUR_MS, 2 * HOUR_MS + 17 * MINUTE_MS]) {
    const w = await world(t)
    const acme = await subscriber(w)
    await pass(w, sinceStart + 300)
    use(w, acme, 100_000)
    await pass(w, 400) // .700 of the same second

    await switchTo(w, acme, 'business')
    await w.meterkit.reports.sync()

    assert.equal((await upcoming(w, acme)).amount, 500n) // 100 packages of Essential
    assert.deepEqual(await billed(w, acme), [500n])
    assert.deepEqual(
      w.stripeLocal.receivedMeterEvents().map((event) => event.value),
      ['100000'],
    )
  }
})

test('usage that arrives while a switch is under way is billed once', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  await pass(w, 2 * HOUR_MS)
  use(w, acme, 5_000)
  await pass(w, SECOND_MS)
  w.stripeLocal.faults.delay(500, 1, '/v1/billing/meter_events')

  const switching = switchTo(w, acme, 'business')
  await until(() => w.stripeLocal.requestCount('/v1/billing/meter_events') === 1)
  use(w, acme, 100_000, new Date(w.clock().getTime() - SECOND_MS))
  await w.meterkit.events.drained()
  await switching
  await w.meterkit.reports.sync()

  // five packages of $0.05 in the flush of the switch, and late on Business seven of $0.50
  assert.deepEqual(await upcoming(w, acme), {
    lines: [
      ['essential', '5000', 25n],
      ['business', '100000', 350n],
    ],
    amount: 375n,
  })
  assert.deepEqual(await billed(w, acme), [375n])
})

test('a switch made at Stripe is dated by its usage there, not by an older webhook that comes late', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const { stripeId } = acme.subscription
  w.webhooks.reach = false
  await w.stripe.subscriptions.update(stripeId, { metadata: { note: 'a webhook that is lost for now' } })
  await w.stripeLocal.idle()
  await pass(w, 9 * SECOND_MS)
  use(w, acme, 100_000)
  await w.meterkit.reports.sync()
  await pass(w, 500)
  await changePriceAtStripe(w, acme.subscription, 'business')

  w.webhooks.reach = true
  await pass(w, 2 * HOUR_MS)
  await settled(w)
  await w.meterkit.reports.sync()

  // reported under the start of its hour, it was before the switch for Stripe: 100 packages of Essential
  assert.equal((await upcoming(w, acme)).amount, 500n)
  assert.deepEqual(await billed(w, acme), [500n])
})

test('fifteen clicks on Switch: it is switched, nobody waits for ever, and who lost is told why', {
  timeout: 60_000,
}, async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  use(w, acme, 5_000)
  await pass(w, SECOND_MS)

  const clicks = Array.from({ length: 15 }, () => switchTo(w, acme, 'business'))
  const answers = await within(15_000, Promise.allSettled(clicks))

  const refusals = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as Error] : []))
  assert.deepEqual(
    refusals.filter((error) => (error as { code?: unknown }).code !== 'same_plan').map((error) => error.message),
    [],
  )
  assert.ok(refusals.length < 15, 'one click at least has switched')
  assert.deepEqual((await upcoming(w, acme)).lines, [
    ['essential', '5000', 25n], // five packages of $0.05
    ['business', '0', 0n],
  ])
  assert.deepEqual(await billed(w, acme), [25n])
})

test('a switch that an outage refuses leaves the prices as they were: before and after it is one segment', async (t) => {
  const w = await world(t, { sdkRetries: 0 })
  const acme = await subscriber(w)
  await pass(w, 17 * MINUTE_MS)
  use(w, acme, 300)
  await pass(w, SECOND_MS)
  w.stripeLocal.faults.answer(503, 1, '/v1/billing/meter_events')
  await assert.rejects(switchTo(w, acme, 'business'), { code: 'usage_unreported' })

  await pass(w, MINUTE_MS)
  use(w, acme, 300)
  await w.meterkit.reports.sync()

  // 600 tokens are one package; 300 and 300 priced apart would be two
  assert.deepEqual(await upcoming(w, acme), { lines: [['essential', '600', 5n]], amount: 5n })
  assert.deepEqual(await billed(w, acme), [5n])
})

test('of two subscriptions on a meter, the one that is cancelled as its problem says is billed nothing', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const [price] = (await w.stripe.prices.list({ lookup_keys: ['essential_ai_tokens_month'] })).data
  await pass(w, 5 * SECOND_MS)
  const created = await w.stripe.subscriptions.create({
    customer: acme.customer.stripeId!,
    items: [{ price: price!.id }],
    billing_mode: { type: 'flexible' },
    collection_method: 'send_invoice',
    days_until_due: 30,
  })
  const second = await w.meterkit.subscriptions.refresh(created.id)
  assert.match(second.problem!, new RegExp(`Cancel ${created.id} now`))
  assert.equal((await w.meterkit.subscriptions.get(acme.subscription.id))!.problem, null)

  await pass(w, 5 * HOUR_MS)
  use(w, acme, 20_000)
  await w.meterkit.reports.sync()
  await pass(w, MINUTE_MS)
  await w.meterkit.subscriptions.cancel({ subscriptionId: second.id, when: 'now' })

  const totals = await billed(w, acme)
  assert.deepEqual(
    totals.filter((total) => total > 0n),
    [100n], // twenty packages of $0.05, once
  )
})

test('a switch whose answer was lost: usage of before it that comes until we hear of it is billed', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  await pass(w, 2 * HOUR_MS)
  w.webhooks.reach = false
  w.stripeLocal.faults.loseAnswers(3, '/v1/subscriptions') // the first try and both of the SDK's own
  await assert.rejects(switchTo(w, acme, 'business'))

  use(w, acme, 100_000, new Date(w.clock().getTime() - MINUTE_MS))
  assert.match((await w.meterkit.reports.sync()).reason!, /has not answered a change/)
  await pass(w, 6 * MINUTE_MS)
  await w.meterkit.reports.sync()
  w.webhooks.reach = true

  assert.deepEqual(await billed(w, acme), [350n]) // late, on Business: seven packages of $0.50
})

test('a switch that Stripe made and said it had not, and one refused after it: the first is dated when it was', async (t) => {
  const w = await world(t, { sdkRetries: 0 })
  const acme = await subscriber(w)
  use(w, acme, 5_000)
  await pass(w, 2 * HOUR_MS)
  use(w, acme, 20_000, new Date(w.clock().getTime() + 2 * MINUTE_MS)) // by a clock that is ahead: after the switch
  w.webhooks.reach = false
  w.stripeLocal.faults.answer(409, 2, '/v1/subscriptions', true) // the change, and the question what became of it
  await assert.rejects(switchTo(w, acme, 'business'))
  await pass(w, 2 * HOUR_MS)
  w.stripeLocal.faults.answer(503, 1, '/v1/subscriptions')
  await assert.rejects(switchTo(w, acme, 'enterprise'), { code: 'usage_unreported' })

  await pass(w, HOUR_MS)
  await w.meterkit.reports.sync()
  w.webhooks.reach = true

  assert.deepEqual(await upcoming(w, acme), {
    lines: [
      ['essential', '5000', 25n], // five packages of $0.05
      ['business', '20000', 100n], // two of $0.50
    ],
    amount: 125n,
  })
  assert.deepEqual(await billed(w, acme), [125n])
})

test('a switch made at Stripe after one of ours is dated by its own usage', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  use(w, acme, 5_000)
  await pass(w, 2 * HOUR_MS)
  await switchTo(w, acme, 'business')
  use(w, acme, 20_000)
  await pass(w, 2 * HOUR_MS)
  await w.meterkit.reports.sync()
  w.webhooks.reach = false
  await changePriceAtStripe(w, acme.subscription, 'enterprise')
  w.webhooks.reach = true
  await pass(w, 2 * HOUR_MS)
  use(w, acme, 1_000)
  await settled(w)
  await w.meterkit.reports.sync()

  assert.deepEqual(await upcoming(w, acme), {
    lines: [
      ['essential', '5000', 25n],
      ['business', '20000', 100n],
      ['enterprise', '1000', 500n],
    ],
    amount: 625n,
  })
  assert.deepEqual(await billed(w, acme), [625n])
})
