import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Stripe } from 'stripe'
import { type CreateOptions, createStripeLocal } from '../src/index.ts'
import { essential, receiver } from './world.ts'

const NOW = '2026-01-10T08:00:00Z'

function embedded(t: { after: (work: () => Promise<void>) => void }, options: CreateOptions = {}) {
  const local = createStripeLocal({ now: () => new Date(NOW), aggregationDelayMs: 0, ...options })
  t.after(() => local.close())
  return local
}

test('without a socket: the SDK, the hosted page and a webhook by HTTP', async (t) => {
  const local = embedded(t, { baseUrl: 'https://pay.shop.test' })
  const { stripe } = local
  const hooks = await receiver(t)
  const { secret } = await stripe.webhookEndpoints.create({ url: hooks.url, enabled_events: ['customer.created'] })
  const customer = await stripe.customers.create({ email: 'priya@example.com' })
  assert.deepEqual(await stripe.customers.retrieve(customer.id), customer)
  await local.idle()
  const [hook] = hooks.received
  assert.equal(stripe.webhooks.constructEvent(hook!.body, hook!.signature, secret!).type, 'customer.created')

  const price = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 900,
    recurring: { interval: 'month' },
    product_data: { name: 'Flat' },
  })
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    line_items: [{ price: price.id, quantity: 1 }],
    success_url: 'https://shop.test/done',
  })
  assert.ok(session.url?.startsWith('https://pay.shop.test/c/pay/cs_test_'), session.url ?? '')
  assert.match(await (await local.fetch(new Request(session.url!))).text(), /Flat/)
})

test('a cut connection is an error of the connection', async (t) => {
  const { stripe, faults } = embedded(t)
  faults.dropRequests(10)
  await assert.rejects(
    stripe.customers.list({}, { maxNetworkRetries: 0 }),
    (error) => error instanceof Stripe.errors.StripeConnectionError,
  )
})

test('a live key makes a live account: objects, lists, events, thin events and ids say so', async (t) => {
  const hooks = await receiver(t)
  const thin = await receiver(t)
  const local = embedded(t, {
    secretKey: 'sk_live_x',
    forwardTo: { snapshot: hooks.url, thin: thin.url },
  })
  const { stripe } = local
  const { price, customer } = await essential(stripe, local as never)
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    expand: ['customer'],
  })
  assert.equal(subscription.livemode, true)
  assert.equal((subscription.customer as Stripe.Customer).livemode, true)
  assert.equal(subscription.items.data[0]!.price.livemode, true)
  const list = await stripe.customers.list()
  assert.ok(list.data.length > 0 && list.data.every(({ livemode }) => livemode))
  const events = await stripe.events.list({ limit: 100 })
  for (const { livemode, data } of events.data) {
    assert.equal(livemode, true)
    assert.equal((data.object as { livemode?: boolean }).livemode, true)
  }
  const session = await stripe.checkout.sessions.create({
    mode: 'setup',
    currency: 'usd',
    success_url: 'https://shop.test/done',
  })
  assert.match(session.id, /^cs_live_/)
  await local.idle()
  assert.ok(hooks.received.length > 0)
  for (const { body } of [...hooks.received, ...thin.received]) assert.equal(JSON.parse(body).livemode, true)

  const wrong = new Stripe('sk_test_x', {
    httpClient: Stripe.createFetchHttpClient((url, init) => local.fetch(new Request(url as string, init))),
  })
  await assert.rejects(wrong.customers.list(), (error: Stripe.errors.StripeError) => {
    assert.equal(error.statusCode, 401)
    assert.match(error.message, /^Invalid API Key provided: sk_test_/)
    return true
  })
})

test('metadata that looks like a mode stays what it is', async (t) => {
  const { stripe } = embedded(t, { secretKey: 'sk_live_x' })
  const { metadata } = await stripe.customers.create({ metadata: { livemode: 'false' } })
  assert.equal(metadata.livemode, 'false')
})

test('a state file keeps its mode', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'stripe-local-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'state.sqlite')
  return createStripeLocal({ file, secretKey: 'sk_test_x' })
    .close()
    .then(() => {
      assert.throws(
        () => createStripeLocal({ file, secretKey: 'sk_live_x' }),
        /of test mode, but the key is a live key/,
      )
      assert.throws(() => createStripeLocal({ file, live: true }), /the state file is of test mode/)
      assert.throws(() => createStripeLocal({ secretKey: 'sk_test_x', live: true }), /the key is of test mode/)
    })
})

test('events are forwarded to one endpoint for as long as it is asked for, signed by one secret', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'stripe-local-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'state.sqlite')
  const [first, second, thin] = [await receiver(t), await receiver(t), await receiver(t)]
  const secrets = new Set<string>()
  for (const forwardTo of [{ snapshot: first.url }, { snapshot: second.url, thin: thin.url }, {}]) {
    const local = createStripeLocal({ file, forwardTo, aggregationDelayMs: 0 })
    secrets.add(`${local.webhookSecrets.snapshot} ${local.webhookSecrets.thin}`)
    await local.stripe.customers.create()
    await local.idle()
    assert.ok((await local.stripe.webhookEndpoints.list()).data.length === 1)
    await local.close()
  }
  assert.equal(secrets.size, 1)
  assert.deepEqual([first.types(), second.types()], [['customer.created'], ['customer.created']])
  const [snapshotSecret, thinSecret] = [...secrets][0]!.split(' ')
  const stripe = new Stripe('sk_test_x')
  const [one] = first.received
  assert.equal(stripe.webhooks.constructEvent(one!.body, one!.signature, snapshotSecret!).type, 'customer.created')
  const [notice] = thin.received
  assert.equal(stripe.parseEventNotification(notice!.body, notice!.signature, thinSecret!).type, 'v1.customer.created')
})

test('with rate limits: 25 requests a second, and one call at a time for a customer and meter', async (t) => {
  const local = embedded(t, { rateLimits: true })
  const fast = { maxNetworkRetries: 0 }
  const { stripe } = local
  const { customer } = await essential(stripe, local as never)
  const event = () =>
    stripe.billing.meterEvents.create(
      { event_name: 'ai_tokens', payload: { stripe_customer_id: customer.id, value: '1' } },
      fast,
    )
  const pair = await Promise.allSettled([event(), event()])
  assert.deepEqual(pair.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  await event() // one after the other is fine
  const many = await Promise.allSettled(
    Array.from({ length: 60 }, () => stripe.customers.retrieve(customer.id, {}, fast)),
  )
  const refused = many.flatMap((one) => (one.status === 'rejected' ? [one.reason as Stripe.errors.StripeError] : []))
  assert.ok(refused.length >= 30, `${refused.length} of 60 refused`)
  const { statusCode, code, headers } = refused[0]!
  assert.deepEqual(
    [
      statusCode,
      code,
      headers?.['stripe-rate-limited-reason'],
      refused[0] instanceof Stripe.errors.StripeRateLimitError,
    ],
    [429, 'rate_limit', 'global-rate', true],
  )
})

test('the limit of customers on a test clock can be lifted', async (t) => {
  const fill = async (local: ReturnType<typeof embedded>) => {
    const { id } = await local.stripe.testHelpers.testClocks.create({ frozen_time: Date.parse(NOW) / 1000 })
    for (let n = 0; n < 4; n += 1) await local.stripe.customers.create({ test_clock: id })
  }
  await assert.rejects(fill(embedded(t)), /at most 3 customers/)
  await assert.rejects(fill(embedded(t, { testClockCustomersMax: 2 })), /at most 2 customers/)
  await fill(embedded(t, { testClockCustomersMax: Number.POSITIVE_INFINITY }))
})
