import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance } from './conformance.ts'
import { refusal } from './refusal.ts'

conformance(
  'what happens is told by an event with the object as it was then',
  'stripe EventBase: data, type, request { id, idempotency_key }, api_version',
  async ({ stripe, eventually, unique }) => {
    const idempotencyKey = unique('key')
    const customer = await stripe.customers.create({ name: 'First' }, { idempotencyKey })
    await stripe.customers.update(customer.id, { name: 'Second' })

    await eventually(async () => {
      const { data } = await stripe.events.list({ type: 'customer.created', limit: 20 })
      const event = data.find(({ data: { object } }) => (object as Stripe.Customer).id === customer.id)
      assert(event)
      assert.equal((event.data.object as Stripe.Customer).name, 'First')
      assert.equal(event.data.previous_attributes, undefined)
      assert.equal(event.request?.idempotency_key, idempotencyKey)
      assert.match(event.request?.id ?? '', /^req_/)
      assert.equal(event.object, 'event')
      const again = await stripe.events.retrieve(event.id)
      assert.deepEqual({ ...again }, { ...event })
    })
  },
)

conformance(
  'a list is filtered by types, a wildcard and age',
  'stripe EventListParams.type: "A string containing a specific event name, or group of events using * as a wildcard."; types: "An array of up to 20 strings containing specific event names. … You may pass either `type` or `types`, but not both."',
  async ({ stripe, eventually }) => {
    const { id, created } = await stripe.products.create({ name: 'Told' })
    await stripe.products.update(id, { name: 'Told again' })
    await stripe.products.del(id)
    const typesOf = async (params: Stripe.EventListParams) =>
      (await stripe.events.list({ ...params, created: { gte: created }, limit: 100 })).data
        .filter(({ data: { object } }) => (object as { id?: string }).id === id)
        .map(({ type }) => type)

    await eventually(async () => {
      assert.deepEqual(await typesOf({ type: 'product.*' }), ['product.deleted', 'product.updated', 'product.created'])
      assert.deepEqual(await typesOf({ type: 'product.updated' }), ['product.updated'])
      assert.deepEqual(await typesOf({ types: ['product.created', 'product.deleted'] }), [
        'product.deleted',
        'product.created',
      ])
      assert.deepEqual(await typesOf({ type: 'customer.*' }), [])
    })
    await assert.rejects(
      stripe.events.list({ type: 'product.created', types: ['product.deleted'] }),
      refusal({ type: 'invalid_request_error' }),
    )
  },
)

conformance(
  'a recurring price is told as a plan, too',
  'observed: plan.created beside price.created for every recurring price (`stripe listen`)',
  async ({ stripe, eventually }) => {
    const price = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 1000,
      recurring: { interval: 'month' },
      product_data: { name: 'Flat' },
    })

    await eventually(async () => {
      const { data } = await stripe.events.list({ types: ['plan.created', 'price.created'], limit: 20 })
      const told = data.filter(({ data: { object } }) => (object as { id?: string }).id === price.id)
      assert.deepEqual(told.map(({ type }) => type).toSorted(), ['plan.created', 'price.created'])
    })
  },
)

conformance('an unknown event is missing', 'docs.stripe.com/error-codes: resource_missing', async ({ stripe }) => {
  await assert.rejects(
    stripe.events.retrieve('evt_nope'),
    refusal({ status: 404, code: 'resource_missing', message: /No such event: 'evt_nope'/ }),
  )
})
