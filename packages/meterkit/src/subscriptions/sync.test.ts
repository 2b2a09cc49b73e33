import assert from 'node:assert/strict'
import { test } from 'node:test'
import { subscriber, until, use, world } from '../../test/world.ts'

test('a subscription in the classic billing mode is reported, and says why it cannot be switched', async (t) => {
  const w = await world(t)
  const customer = await w.meterkit.customers.ensure({
    source: 'organization',
    sourceId: 'classic',
    name: 'classic',
    email: null,
  })
  const [price] = (await w.stripe.prices.list({ lookup_keys: ['essential_ai_tokens_month'] })).data
  const stripeCustomer = await w.stripe.customers.create({ metadata: { meterkit_customer: customer.id } })
  const created = await w.stripe.subscriptions.create({
    customer: stripeCustomer.id,
    items: [{ price: price!.id }],
    billing_mode: { type: 'classic' },
    collection_method: 'send_invoice',
    days_until_due: 30,
  })

  const subscription = await w.meterkit.subscriptions.refresh(created.id)
  use(w, { customer, subscription }, 20_000)
  // Classic begins with an invoice: while its webhook flushes the customer, a sync of all would go elsewhere.
  await w.meterkit.reports.sync({ customerId: customer.id })

  assert.match(subscription.problem!, /billing mode classic.*Migrate it to flexible/)
  assert.equal(w.stripeLocal.usage(stripeCustomer.id, 'ai_tokens'), '20000')
  const switching = w.meterkit.subscriptions.switchPlan({ subscriptionId: subscription.id, plan: 'business' })
  await assert.rejects(switching, { code: 'subscription_problem' })
})

test('while Stripe is slow, whoever asks it holds no connection of the database', async (t) => {
  const w = await world(t)
  // more than the pool has connections
  const names = Array.from({ length: w.pool.options.max + 2 }, (_, index) => `organization-${index}`)
  const subscribers = []
  for (const organization of names) subscribers.push(await subscriber(w, { organization }))
  const before = w.stripeLocal.requestCount('/v1/subscriptions')
  w.stripeLocal.faults.delay(1_500, names.length, '/v1/subscriptions')

  const refreshes = subscribers.map(({ subscription }) => w.meterkit.subscriptions.refresh(subscription.stripeId))
  await until(() => w.stripeLocal.requestCount('/v1/subscriptions') - before >= w.pool.options.max)
  const first = await Promise.race([
    w.pool.query('select 1').then(() => 'the query'),
    Promise.any(refreshes).then(() => 'a refresh'),
  ])

  assert.equal(first, 'the query')
  w.stripeLocal.faults.clear()
  await Promise.allSettled(refreshes)
})
