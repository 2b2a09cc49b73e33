import assert from 'node:assert/strict'
import { test } from 'node:test'
import tls, { connect } from 'node:tls'
import { Stripe } from 'stripe'
import { startStripeLocal } from 'stripe-local'
import { redirectStripe } from './redirect.ts'

process.env.STRIPE_SUPPRESS_NOTICES = 'true'

test('an unconfigured SDK, over node:https and over fetch, talks to the local Stripe', async (t) => {
  const local = await startStripeLocal()
  t.after(() => local.close())
  const hosts = redirectStripe(t, local)

  const overHttps = await new Stripe(local.secretKey).customers.create({ email: 'priya@example.com' })
  const overFetch = new Stripe(local.secretKey, { httpClient: Stripe.createFetchHttpClient() })

  assert.equal((await overFetch.customers.retrieve(overHttps.id)).id, overHttps.id)
  assert.deepEqual(hosts, ['api.stripe.com', 'api.stripe.com'], 'one connection each')
})

test('a request under the stream of another host of the API arrives as well', async (t) => {
  const local = await startStripeLocal()
  t.after(() => local.close())
  const hosts = redirectStripe(t, local)
  const stripe = new Stripe(local.secretKey)

  const session = await stripe.v2.billing.meterEventSession.create()
  const streaming = new Stripe(session.authentication_token)
  await streaming.v2.billing.meterEventStream.create({
    events: [{ event_name: 'ai_tokens', payload: { stripe_customer_id: 'cus_1', value: '1' } }],
  })

  assert.deepEqual(hosts, ['api.stripe.com', 'meter-events.stripe.com'])
})

test('no other host of Stripe is reached, and when the test is over nothing is redirected', async () => {
  const before = tls.connect
  const releases: (() => void)[] = []
  redirectStripe({ after: (release) => releases.push(release) }, { host: '127.0.0.1', port: 9 })

  await assert.rejects(fetch('https://mcp.stripe.com/'), (error: Error) => {
    assert.match(String(error.cause), /mcp\.stripe\.com, which the local Stripe does not serve/)
    return true
  })
  assert.notEqual(connect, before)

  for (const release of releases) release()
  assert.equal(tls.connect, before)
  assert.equal(connect, before)
})
