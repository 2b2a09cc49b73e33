import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  billed,
  changePriceAtStripe,
  pass,
  type Subscriber,
  settled,
  subscriber,
  use,
  type World,
  world,
} from '../../test/world.ts'

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** A job syncs in the minutes before the webhook of a change made at Stripe arrives. */
async function syncBeforeWord(w: World): Promise<void> {
  await pass(w, 5 * SECOND_MS)
  await w.meterkit.reports.sync()
  w.webhooks.reach = true
  await pass(w, 3 * HOUR_MS)
  await settled(w)
  await w.meterkit.reports.sync()
}

async function paid(w: World, { customer }: Subscriber): Promise<number> {
  const { data } = await w.stripe.invoices.list({ customer: customer.stripeId!, limit: 100 })
  return data.reduce((sum, invoice) => sum + invoice.total, 0)
}

test('cancelled at Stripe: usage sent to it before we heard of it is on no invoice, and shown so', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  await pass(w, 2 * HOUR_MS)
  use(w, acme, 20_000)
  await w.meterkit.events.drained()
  await pass(w, 10 * MINUTE_MS)
  w.webhooks.reach = false
  await w.stripe.subscriptions.cancel(acme.subscription.stripeId, { invoice_now: true, prorate: true })

  await syncBeforeWord(w)

  assert.equal(await paid(w, acme), 0)
  assert.equal((await w.meterkit.events.counts()).failed, 1)
  const [failed] = (await w.meterkit.reports.list({ status: 'failed' })).rows
  assert.match(failed!.error!, /cannot be billed by a meter any more/)
  assert.deepEqual((await w.meterkit.reports.reconcile()).differences, [])
})

test('cancelled at Stripe: usage of after it, sent before we heard of it, is owed by nobody', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  await pass(w, 2 * HOUR_MS + 10 * MINUTE_MS)
  w.webhooks.reach = false
  await w.stripe.subscriptions.cancel(acme.subscription.stripeId, { invoice_now: true, prorate: true })
  await pass(w, 10 * SECOND_MS)
  use(w, acme, 20_000)
  await w.meterkit.events.drained()

  await syncBeforeWord(w)

  const { free, failed } = await w.meterkit.events.counts()
  assert.deepEqual([free, failed], [1, 0])
  assert.deepEqual((await w.meterkit.reports.list({ status: 'failed' })).rows, [])
})

test('switched at Stripe: usage of before it, sent before we heard of it, is billed late', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  await pass(w, 2 * HOUR_MS)
  use(w, acme, 20_000)
  await w.meterkit.events.drained()
  await pass(w, 10 * MINUTE_MS)
  w.webhooks.reach = false
  await changePriceAtStripe(w, acme.subscription, 'business')

  await syncBeforeWord(w)

  assert.equal((await w.meterkit.invoices.upcoming(acme.subscription.id))!.amount, 100n)
  assert.deepEqual(await billed(w, acme), [100n]) // on Business: two packages of $0.50
  for await (const { agrees, disagreements } of w.meterkit.verify()) assert.ok(agrees, JSON.stringify(disagreements))
})

test('switched at Stripe: usage of after it, sent before we heard of it, is billed once', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  await pass(w, 2 * HOUR_MS + 10 * MINUTE_MS)
  w.webhooks.reach = false
  await changePriceAtStripe(w, acme.subscription, 'business')
  await pass(w, 10 * SECOND_MS)
  use(w, acme, 20_000)
  await w.meterkit.events.drained()

  await syncBeforeWord(w)

  assert.equal((await w.meterkit.invoices.upcoming(acme.subscription.id))!.amount, 100n)
  assert.deepEqual(await billed(w, acme), [100n])
})

test('an invoice that becomes final while a report is on its way: its usage is on the next', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const end = acme.subscription.currentPeriod!.end
  use(w, acme, 5_000)
  await w.meterkit.reports.sync()
  await w.stripeLocal.advance(new Date(end.getTime() + 59 * MINUTE_MS))
  await settled(w)
  use(w, acme, 20_000, new Date(end.getTime() - MINUTE_MS))
  await w.meterkit.events.drained()
  const { meterEvents } = w.stripe.billing
  const create = meterEvents.create.bind(meterEvents)
  let sent = 0
  meterEvents.create = async (...given: Parameters<typeof create>) => {
    sent += 1
    if (sent === 1) await pass(w, 10 * MINUTE_MS) // a slow network
    return create(...given)
  }

  await w.meterkit.reports.sync({ customerId: acme.customer.id }) // waits for its turn
  assert.ok(sent >= 1)
  await settled(w)
  await w.meterkit.reports.sync({ customerId: acme.customer.id })

  const next = (await w.meterkit.subscriptions.get(acme.subscription.id))!
  assert.deepEqual(await billed(w, { ...acme, subscription: next }), [100n, 25n]) // 20 and 5 packages of $0.05
})

test('a switch of ours whose flush takes a while at Stripe: what was flushed is billed once', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  await pass(w, 2 * HOUR_MS)
  use(w, acme, 20_000)
  await pass(w, 10 * MINUTE_MS)
  const { meterEvents } = w.stripe.billing
  const create = meterEvents.create.bind(meterEvents)
  meterEvents.create = async (...given: Parameters<typeof create>) => {
    await pass(w, 3 * SECOND_MS)
    return create(...given)
  }

  await w.meterkit.subscriptions.switchPlan({ subscriptionId: acme.subscription.id, plan: 'business' })
  await w.meterkit.reports.sync()

  assert.deepEqual(await billed(w, acme), [100n]) // twenty packages of $0.05
  assert.equal(w.stripeLocal.usage(acme.customer.stripeId!, 'ai_tokens'), '20000')
})

test('ended with its period, and the word of its invoice lost: what was flushed into it is billed once', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const { end } = acme.subscription.currentPeriod!
  await w.meterkit.subscriptions.cancel({ subscriptionId: acme.subscription.id, when: 'period_end' })
  await w.stripeLocal.advance(new Date(end.getTime() - MINUTE_MS))
  use(w, acme, 20_000)
  await w.meterkit.events.drained()
  await w.stripeLocal.advance(new Date(end.getTime() + 10 * MINUTE_MS))
  await settled(w)
  w.webhooks.reach = false
  await pass(w, 4 * HOUR_MS)
  await w.meterkit.subscriptions.refresh(acme.subscription.stripeId)
  await w.meterkit.reports.sync()

  assert.equal(await paid(w, acme), 100)
  const { processed, failed } = await w.meterkit.events.counts()
  assert.deepEqual([processed, failed], [1, 0])
})
