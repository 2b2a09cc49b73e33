import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Stripe } from 'stripe'
import { essential, payAt, receiver, world } from './world.ts'

test('from provision over Checkout to usage on the upcoming invoice', async (t) => {
  const { local, stripe } = await world(t, '2026-01-10T08:00:00Z')
  const { meter, price, use, customer } = await essential(stripe, local)
  const hooks = await receiver(t)
  const endpoint = await stripe.webhookEndpoints.create({
    url: hooks.url,
    enabled_events: ['checkout.session.completed', 'customer.subscription.created'],
  })
  assert.match(endpoint.secret!, /^whsec_/)
  const configuration = await stripe.billingPortal.configurations.create({
    features: {
      payment_method_update: { enabled: true },
      subscription_cancel: { enabled: true, mode: 'at_period_end' },
      subscription_update: {
        enabled: true,
        default_allowed_updates: ['price'],
        products: [{ product: String(price.product), prices: [price.id] }],
      },
    },
    metadata: { meterkit: 'portal' },
    expand: ['features.subscription_update.products'],
  })
  assert.equal(configuration.features.subscription_update.products![0]!.prices[0], price.id)

  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    customer: customer.id,
    line_items: [{ price: price.id }],
    success_url: 'http://localhost:4000/done?session={CHECKOUT_SESSION_ID}',
    subscription_data: { billing_mode: { type: 'flexible' }, metadata: { organization: 'acme' } },
  })
  assert.equal(session.amount_total, 0)
  assert.equal(session.url, `${local.url}/c/pay/${session.id}`)
  assert.match(await (await fetch(session.url!)).text(), /Essential/)
  const paid = await payAt(session.url!, { number: '4242 4242 4242 4242' })
  assert.equal(paid.headers.get('location'), `http://localhost:4000/done?session=${session.id}`)

  await local.idle()
  assert.deepEqual(hooks.types().toSorted(), ['checkout.session.completed', 'customer.subscription.created'])
  for (const { body, signature } of hooks.received)
    stripe.webhooks.constructEvent(body, signature, endpoint.secret!, 1e12)
  const done = await stripe.checkout.sessions.retrieve(session.id, {
    expand: ['subscription', 'customer', 'line_items'],
  })
  const subscription = done.subscription as Stripe.Subscription
  assert.equal(done.status, 'complete')
  assert.equal(done.invoice, null)
  assert.equal(subscription.status, 'active')
  assert.equal(subscription.metadata.organization, 'acme')
  assert.equal(done.line_items!.data[0]!.price!.id, price.id)

  await use('1', new Date('2026-01-10T08:01:00Z'))
  const summaries = await stripe.billing.meters.listEventSummaries(meter.id, {
    customer: customer.id,
    start_time: Date.parse('2026-01-10T08:00:00Z') / 1000,
    end_time: Date.parse('2026-01-10T09:00:00Z') / 1000,
  })
  assert.equal(summaries.data[0]!.aggregated_value, 1)
  const upcoming = await stripe.invoices.createPreview({ customer: customer.id })
  assert.equal(upcoming.amount_due, 5) // the first token opens a package
  const portal = await stripe.billingPortal.sessions.create({
    customer: customer.id,
    return_url: 'http://localhost:4000',
  })
  assert.equal((await fetch(portal.url)).status, 200)
})

test('a declined card leaves the session open and no customer behind', async (t) => {
  const { local, stripe } = await world(t, '2026-01-10T08:00:00Z')
  const { price } = await essential(stripe, local)
  const before = (await stripe.customers.list()).data.length
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    line_items: [{ price: price.id }],
    success_url: 'http://localhost:4000/done',
  })
  const declined = await payAt(session.url!, { number: '4000000000000002' })
  assert.match(await declined.text(), /Your card was declined/)
  const mistyped = await payAt(session.url!, { number: '4242424242424241' })
  assert.match(await mistyped.text(), /card number is (incorrect|invalid)/i)
  assert.equal((await stripe.checkout.sessions.retrieve(session.id)).status, 'open')
  assert.equal((await stripe.customers.list()).data.length, before)
})

test('a card that asks for authentication is taken once the question was answered', async (t) => {
  const { local, stripe } = await world(t, '2026-01-10T08:00:00Z')
  const { price } = await essential(stripe, local)
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    line_items: [{ price: price.id }],
    success_url: 'http://localhost:4000/done',
  })
  const asked = await payAt(session.url!, { number: '4000002500003155' })
  assert.equal(asked.status, 200)
  assert.equal((await stripe.checkout.sessions.retrieve(session.id)).status, 'open')
  const answered = await payAt(session.url!, { number: '4000002500003155', authentication: 'complete' })
  assert.equal(answered.headers.get('location'), 'http://localhost:4000/done')
  const { customer } = await stripe.checkout.sessions.retrieve(session.id, { expand: ['customer'] })
  assert.equal((customer as Stripe.Customer).email, 'priya@example.com')
})

test('a quantity for a metered price is refused in the words of Checkout', async (t) => {
  const { local, stripe } = await world(t, '2026-01-10T08:00:00Z')
  const { price } = await essential(stripe, local)
  await assert.rejects(
    stripe.checkout.sessions.create({
      mode: 'subscription',
      line_items: [{ price: price.id, quantity: 1 }],
      success_url: 'http://localhost:4000',
    }),
    (error) => {
      assert.ok(error instanceof Stripe.errors.StripeInvalidRequestError)
      assert.equal(
        error.message,
        'Quantity should not be specified where usage_type is `metered`. Remove quantity from `line_items[0]`',
      )
      return true
    },
  )
})
