import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Stripe } from 'stripe'
import { startStripeLocal } from '../src/index.ts'
import { essential, receiver, world } from './world.ts'

test('the same file brings everything back: key, time, usage that was not counted, webhooks that were not sent', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'stripe-local-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'state.sqlite')
  const { local, stripe } = await world(t, '2026-01-10T08:00:00Z', { file, aggregationDelayMs: 60_000 })
  const { price, customer } = await essential(stripe, local)
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  await local.advance(new Date('2026-01-20T08:00:00Z'))
  const hooks = await receiver(t)
  await stripe.webhookEndpoints.create({ url: hooks.url, enabled_events: ['customer.updated'] })
  await stripe.billing.meterEvents.create({
    event_name: 'ai_tokens',
    identifier: 'x',
    payload: { stripe_customer_id: customer.id, value: '1001' },
  })
  await local.close()
  await local.close() // a second time does nothing

  const again = await startStripeLocal({ file, now: () => new Date('2026-01-10T08:00:00Z'), aggregationDelayMs: 0 })
  t.after(() => again.close())
  assert.equal(again.secretKey, local.secretKey)
  assert.equal(again.now().toISOString(), '2026-01-20T08:00:00.000Z')
  await again.idle()
  const reopened = new Stripe(again.secretKey, again.clientConfig)
  assert.equal((await reopened.invoices.createPreview({ subscription: subscription.id })).total, 10)
  await assert.rejects(
    reopened.billing.meterEvents.create({
      event_name: 'ai_tokens',
      identifier: 'x',
      payload: { stripe_customer_id: customer.id, value: '1' },
    }),
    /already exists with identifier x/,
  )
  await reopened.customers.update(customer.id, { name: 'Priya' })
  await again.idle()
  assert.deepEqual(hooks.types(), ['customer.updated'])
})

test('closing in the middle of an advance ends in peace', async (t) => {
  const { local, stripe } = await world(t, '2026-01-10T08:00:00Z')
  const { price, customer } = await essential(stripe, local)
  const hooks = await receiver(t, () => new Promise<number>(() => {})) // never answers
  await stripe.webhookEndpoints.create({ url: hooks.url, enabled_events: ['invoice.created'] })
  await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  const advancing = local.advance(new Date('2026-06-10T08:00:00Z'))
  while (hooks.received.length === 0) await wait(5)
  await local.close()
  await advancing
})

test('a taken port is refused by name, or another one taken', async (t) => {
  const { local } = await world(t, '2026-01-10T08:00:00Z')
  await assert.rejects(startStripeLocal({ port: local.port }), new RegExp(`port ${local.port} on 127.0.0.1 is taken`))
  const other = await startStripeLocal({ port: local.port, strictPort: false })
  t.after(() => other.close())
  assert.notEqual(other.port, local.port)
})

test('a state file serves one Stripe at a time', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'stripe-local-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'state.sqlite')
  const first = await startStripeLocal({ file })
  t.after(() => first.close())
  await assert.rejects(startStripeLocal({ file }), /state\.sqlite is in use by a stripe-local that runs\./)
  await first.close()
  const second = await startStripeLocal({ file })
  t.after(() => second.close())
  assert.equal(second.secretKey, first.secretKey)
})
