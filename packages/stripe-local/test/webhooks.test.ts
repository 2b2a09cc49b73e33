import assert from 'node:assert/strict'
import { test } from 'node:test'
import { essential, receiver, world } from './world.ts'

const NOW = '2026-01-10T08:00:00Z'

test('a delivery that fails is tried again, signed anew, until it is answered with 2xx', async (t) => {
  const { local, stripe } = await world(t, NOW, { webhookRetryDelaysMs: [60_000, 600_000] })
  const answers = [500, 302, 200]
  const hooks = await receiver(t, () => answers.shift() ?? 200)
  const { secret } = await stripe.webhookEndpoints.create({ url: hooks.url, enabled_events: ['customer.created'] })
  await stripe.customers.create({ email: 'priya@example.com' })
  await local.idle()
  assert.equal(hooks.received.length, 1)
  const [event] = (await stripe.events.list({ type: 'customer.created' })).data
  assert.equal(event!.pending_webhooks, 1)

  await local.advance(new Date('2026-01-10T08:01:00Z'))
  await local.advance(new Date('2026-01-10T09:00:00Z'))
  assert.equal(hooks.received.length, 3)
  assert.deepEqual(new Set(hooks.received.map(({ event: { id } }) => id)), new Set([event!.id]))
  for (const { body, signature } of hooks.received) stripe.webhooks.constructEvent(body, signature, secret!, 1e12)
  assert.equal((await stripe.events.retrieve(event!.id)).pending_webhooks, 0)
})

test('endpoints get what they asked for; a disabled one gets nothing; changes carry what was before', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const hooks = await receiver(t)
  const endpoint = await stripe.webhookEndpoints.create({ url: hooks.url, enabled_events: ['customer.updated'] })
  const { id } = await stripe.customers.create({ email: 'a@example.com' })
  await stripe.customers.update(id, { email: 'b@example.com', metadata: { plan: 'x' } })
  await stripe.customers.update(id, { email: 'b@example.com' }) // nothing changes, nothing is told
  await local.idle()
  assert.deepEqual(hooks.types(), ['customer.updated'])
  assert.deepEqual(hooks.received[0]!.event.data.previous_attributes, {
    email: 'a@example.com',
    metadata: { plan: null },
  })
  await stripe.webhookEndpoints.update(endpoint.id, { disabled: true })
  await stripe.customers.update(id, { email: 'c@example.com' })
  await local.idle()
  assert.equal(hooks.received.length, 1)
})

test('the draft hour begins with the 2xx to invoice.created; without it the draft waits for 72 hours', async (t) => {
  const { local, stripe } = await world(t, NOW, { webhookRetryDelaysMs: Array.from({ length: 100 }, () => 3_600_000) })
  const { price, customer, use } = await essential(stripe, local)
  let isDown = true
  const hooks = await receiver(t, () => (isDown ? 503 : 200))
  await stripe.webhookEndpoints.create({ url: hooks.url, enabled_events: ['invoice.created'] })
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  await use('12345', new Date(NOW))
  const latest = async () => (await stripe.invoices.list({ subscription: subscription.id })).data[0]!

  await local.advance(new Date('2026-02-10T18:30:00Z'))
  assert.deepEqual([(await latest()).status, (await latest()).webhooks_delivered_at], ['draft', null])
  isDown = false
  await local.advance(new Date('2026-02-10T19:59:00Z')) // tried again at 19:00
  assert.equal((await latest()).status, 'draft')
  assert.equal((await latest()).webhooks_delivered_at, Date.parse('2026-02-10T19:00:00Z') / 1000)
  await local.advance(new Date('2026-02-10T20:00:00Z'))
  assert.equal((await latest()).status, 'paid')

  isDown = true
  await local.advance(new Date('2026-03-13T07:59:00Z'))
  assert.equal((await latest()).status, 'draft')
  await local.advance(new Date('2026-03-13T08:00:00Z'))
  assert.equal((await latest()).status, 'paid')
})

test('auto_advance=false keeps a draft open; finalizing it by hand bills what came meanwhile', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const { price, customer, use } = await essential(stripe, local)
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  await local.advance(new Date('2026-02-10T08:00:00Z'))
  const [draft] = (await stripe.invoices.list({ subscription: subscription.id })).data
  const held = await stripe.invoices.update(draft!.id, { auto_advance: false })
  assert.equal(held.automatically_finalizes_at, null)
  await local.advance(new Date('2026-02-12T08:00:00Z'))
  await use('10000', new Date('2026-02-10T07:00:00Z'))
  const open = await stripe.invoices.finalizeInvoice(draft!.id)
  assert.deepEqual([open.status, open.total], ['open', 50])
  await use('10000', new Date('2026-02-10T07:00:00Z')) // too late: never billed
  assert.equal((await stripe.invoices.pay(open.id)).status, 'paid')
  assert.equal((await stripe.invoices.createPreview({ subscription: subscription.id })).total, 0)
})

test('a renewal is announced a week before, with what it would be', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const { price, customer, use } = await essential(stripe, local)
  const hooks = await receiver(t)
  await stripe.webhookEndpoints.create({ url: hooks.url, enabled_events: ['invoice.upcoming', 'invoice.created'] })
  await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  await use('12345', new Date(NOW))
  await local.advance(new Date('2026-02-03T07:59:59Z'))
  assert.deepEqual(hooks.types(), [])
  await local.advance(new Date('2026-02-03T08:00:00Z'))
  assert.deepEqual(hooks.types(), ['invoice.upcoming'])
  const { id, total } = hooks.received[0]!.event.data.object
  assert.match(String(id), /^upcoming_in_/)
  assert.equal(total, 65)
  await local.advance(new Date('2026-02-10T08:00:00Z'))
  assert.deepEqual(hooks.types(), ['invoice.upcoming', 'invoice.created'])
})

test('a rolled secret signs too, until its time is over', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const hooks = await receiver(t)
  const { id, secret: old } = await stripe.webhookEndpoints.create({
    url: hooks.url,
    enabled_events: ['customer.created'],
  })
  const fresh = local.rollWebhookSecret(id, 3_600_000)
  const acceptedBy = async (secret: string) => {
    await stripe.customers.create({})
    await local.idle()
    const { body, signature } = hooks.received.at(-1)!
    try {
      stripe.webhooks.constructEvent(body, signature, secret, 1e12)
      return true
    } catch {
      return false
    }
  }

  assert.deepEqual([await acceptedBy(old!), await acceptedBy(fresh)], [true, true])
  assert.equal(hooks.received.at(-1)!.signature.match(/v1=/g)!.length, 2)
  await local.advance(new Date('2026-01-10T09:00:00Z'))
  assert.deepEqual([await acceptedBy(old!), await acceptedBy(fresh)], [false, true])
  assert.throws(() => local.rollWebhookSecret(id, 25 * 3_600_000), RangeError)
  assert.throws(() => local.rollWebhookSecret('we_nope', 0), RangeError)
})

test('a thin notification carries no data, is signed, and leads to its event and its object', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const hooks = await receiver(t)
  const destination = await stripe.v2.core.eventDestinations.create({
    name: 'all',
    type: 'webhook_endpoint',
    event_payload: 'thin',
    enabled_events: ['*'],
    webhook_endpoint: { url: hooks.url },
    include: ['webhook_endpoint.signing_secret'],
  })
  const customer = await stripe.customers.create({ name: 'Priya' }, { idempotencyKey: 'once' })
  await local.idle()

  assert.deepEqual(hooks.types(), ['v1.customer.created'])
  const { body, signature } = hooks.received[0]!
  const secret = destination.webhook_endpoint!.signing_secret!
  assert.throws(() => stripe.webhooks.constructEvent(body, signature, secret, 1e12), /thin event notification/)
  const notification = stripe.parseEventNotification(body, signature, secret, 1e12)
  assert.equal(notification.type, 'v1.customer.created')
  assert.equal('data' in JSON.parse(body), false)
  assert.equal(JSON.parse(body).reason.request.idempotency_key, 'once')
  if (notification.type !== 'v1.customer.created') return
  const related = await notification.fetchRelatedObject()
  assert.equal((related as { id: string }).id, customer.id)
  const event = await notification.fetchEvent()
  assert.equal((await stripe.events.retrieve(event.snapshot_event!)).type, 'customer.created')
})

test('snapshot destinations get snapshots, and a disabled or deleted one nothing', async (t) => {
  const { local, stripe } = await world(t, NOW)
  const hooks = await receiver(t)
  const { id, webhook_endpoint: endpoint } = await stripe.v2.core.eventDestinations.create({
    name: 'snapshots',
    type: 'webhook_endpoint',
    event_payload: 'snapshot',
    enabled_events: ['customer.created'],
    webhook_endpoint: { url: hooks.url },
    include: ['webhook_endpoint.signing_secret'],
  })
  const createdAfter = async (change: () => Promise<unknown>) => {
    await change()
    await stripe.customers.create({})
    await local.idle()
    return hooks.received.length
  }

  assert.equal(await createdAfter(async () => {}), 1)
  const { body, signature } = hooks.received[0]!
  const event = stripe.webhooks.constructEvent(body, signature, endpoint!.signing_secret!, 1e12)
  assert.equal(event.type, 'customer.created')
  assert.equal(await createdAfter(() => stripe.v2.core.eventDestinations.disable(id)), 1)
  assert.equal(await createdAfter(() => stripe.v2.core.eventDestinations.enable(id)), 2)
  assert.equal(await createdAfter(() => stripe.v2.core.eventDestinations.del(id)), 2)
})

test('events can be read for 30 days', async (t) => {
  const { local, stripe } = await world(t, NOW)
  await stripe.customers.create({})
  const [event] = (await stripe.events.list({ type: 'customer.created' })).data
  await local.advance(new Date('2026-02-09T07:59:59Z'))
  assert.equal((await stripe.events.retrieve(event!.id)).id, event!.id)
  await local.advance(new Date('2026-02-09T08:00:00Z'))
  await assert.rejects(stripe.events.retrieve(event!.id), { statusCode: 404 })
  assert.deepEqual((await stripe.events.list()).data, [])
})
