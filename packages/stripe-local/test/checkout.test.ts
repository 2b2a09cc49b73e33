import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Stripe } from 'stripe'
import { essential, payAt, receiver, world } from './world.ts'

const NOW = '2026-01-10T08:00:00Z'
const SUCCESS = 'http://localhost:4000/done?session={CHECKOUT_SESSION_ID}'

test('a session nobody completes expires by itself, and says so', async (t) => {
  const { stripe, local } = await world(t, NOW)
  const hooks = await receiver(t)
  await stripe.webhookEndpoints.create({ url: hooks.url, enabled_events: ['checkout.session.expired'] })
  const session = await stripe.checkout.sessions.create({
    mode: 'payment',
    line_items: [{ price: await book(stripe), quantity: 1 }],
    success_url: SUCCESS,
    expires_at: Date.parse('2026-01-10T09:00:00Z') / 1000,
  })
  await payAt(session.url!, { number: '4000000000000002' })

  await local.advance(new Date('2026-01-10T08:59:59Z'))
  assert.equal((await stripe.checkout.sessions.retrieve(session.id)).status, 'open')
  await local.advance(new Date('2026-01-10T09:00:00Z'))
  await local.idle()
  const expired = await stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent'] })
  assert.equal(expired.status, 'expired')
  assert.equal((expired.payment_intent as Stripe.PaymentIntent).status, 'canceled')
  assert.deepEqual(hooks.types(), ['checkout.session.expired'])
  assert.equal(
    (await payAt(session.url ?? `${local.url}/c/pay/${session.id}`, { number: '4242424242424242' })).status,
    410,
  )
})

test('a card that fails at its first charge is taken for a trial and fails when it ends', async (t) => {
  const { stripe, local } = await world(t, NOW)
  const price = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 2000,
    recurring: { interval: 'month' },
    product_data: { name: 'Seat' },
  })
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    line_items: [{ price: price.id, quantity: 1 }],
    subscription_data: { trial_period_days: 7 },
    success_url: SUCCESS,
  })
  const paid = await payAt(session.url!, { number: '4000000000000341' })
  assert.equal(paid.status, 303)
  const done = await stripe.checkout.sessions.retrieve(session.id)

  await local.advance(new Date('2026-01-17T10:00:00Z')) // the trial's end, and the hour of the draft
  const subscription = await stripe.subscriptions.retrieve(done.subscription as string, { expand: ['latest_invoice'] })
  assert.equal(subscription.status, 'past_due')
  assert.equal((subscription.latest_invoice as Stripe.Invoice).status, 'open')
  assert.equal((subscription.latest_invoice as Stripe.Invoice).amount_due, 2000)
})

test('the payment of metered prices is called as the reading says', async (t) => {
  const readings = { meteredCheckoutPaymentStatus: 'paid' as const }
  const { stripe, local } = await world(t, NOW, { readings })
  const { price } = await essential(stripe, local)
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    line_items: [{ price: price.id }],
    success_url: SUCCESS,
  })
  await payAt(session.url!, { number: '4242424242424242' })
  assert.equal((await stripe.checkout.sessions.retrieve(session.id)).payment_status, 'paid')
})

test('an embedded session has the hosted page as its stand-in', async (t) => {
  const { stripe, local } = await world(t, NOW)
  const session = await stripe.checkout.sessions.create({
    mode: 'payment',
    ui_mode: 'embedded_page',
    line_items: [{ price: await book(stripe), quantity: 1 }],
    return_url: SUCCESS,
  })
  const paid = await payAt(`${local.url}/c/pay/${session.id}`, { number: '4242424242424242' })
  assert.equal(paid.headers.get('location'), `http://localhost:4000/done?session=${session.id}`)
})

test('the button pressed twice pays once', async (t) => {
  const { stripe } = await world(t, NOW)
  const session = await stripe.checkout.sessions.create({
    mode: 'payment',
    line_items: [{ price: await book(stripe), quantity: 1 }],
    success_url: SUCCESS,
  })
  const [first, second] = await Promise.all([
    payAt(session.url!, { number: '4242424242424242' }),
    payAt(session.url!, { number: '4242424242424242' }),
  ])
  assert.equal(first.headers.get('location'), second.headers.get('location'))
  assert.equal((await stripe.charges.list()).data.length, 1)
})

test('a price that the customer names is charged as typed, within its bounds', async (t) => {
  const { stripe } = await world(t, NOW)
  const price = await stripe.prices.create({
    currency: 'usd',
    custom_unit_amount: { enabled: true, minimum: 500, maximum: 10_000, preset: 1000 },
    product_data: { name: 'A gift' },
  })
  const session = await stripe.checkout.sessions.create({
    mode: 'payment',
    submit_type: 'donate',
    line_items: [{ price: price.id, quantity: 1 }],
    success_url: SUCCESS,
  })
  assert.equal(session.amount_total, 1000)
  const page = await (await fetch(session.url!)).text()
  assert.match(page, />Donate<\/button>/)

  const person = {
    email: 'priya@example.com',
    name: 'Priya',
    number: '4242424242424242',
    expiry: '12 / 34',
    cvc: '123',
  }
  const post = (amount: string) =>
    fetch(session.url!, { method: 'POST', body: new URLSearchParams({ ...person, amount }), redirect: 'manual' })
  assert.match(await (await post('4.99')).text(), /at least \$5\.00/)
  assert.match(await (await post('100.01')).text(), /at most \$100\.00/)
  assert.match(await (await post('ten')).text(), /Enter an amount such as 10\.00/)
  await post('12.34')
  const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent'] })
  assert.equal((done.payment_intent as Stripe.PaymentIntent).amount_received, 1234)
})

async function book(stripe: Stripe): Promise<string> {
  const { id } = await stripe.prices.create({ currency: 'usd', unit_amount: 500, product_data: { name: 'A book' } })
  return id
}
