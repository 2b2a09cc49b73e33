import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { type TestContext, test } from 'node:test'
import { Stripe } from 'stripe'
import { startStripeLocal } from 'stripe-local'
import { payAt } from '../stripe-local/test/world.ts'
import { redirectStripe } from './redirect.ts'

/** What the local Stripe answers as, whoever asks. */
const PINNED = '2026-10-28.endive'

// Its types call themselves `stripe` and would take the place of the newer ones; what is used here has not changed since.
const Stripe18 = createRequire(import.meta.url)('stripe-18') as typeof Stripe

const SDKS = [
  { name: 'stripe 18.5.0', Sdk: Stripe18, version: '2025-08-27.basil' },
  { name: 'stripe 22.6.2', Sdk: Stripe, version: '2026-08-26.dahlia' },
]

for (const { name, Sdk, version } of SDKS) {
  test(`${name} lives through the metered month of a customer`, async (t) => {
    const stripe = await client(t, Sdk)

    const meter = await stripe.billing.meters.create({
      display_name: 'AI tokens',
      event_name: 'ai_tokens',
      default_aggregation: { formula: 'sum' },
    })
    assertNoticed(meter, version)
    const price = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 5,
      transform_quantity: { divide_by: 1000, round: 'up' },
      recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
      product_data: { name: 'Essential' },
    })
    const { id: clock } = await stripe.testHelpers.testClocks.create({ frozen_time: at('2026-01-10T08:00:00Z') })
    const { id: customer } = await stripe.customers.create({ test_clock: clock })
    const card = await stripe.paymentMethods.attach('pm_card_visa', { customer })
    await stripe.customers.update(customer, { invoice_settings: { default_payment_method: card.id } })
    const subscription = await stripe.subscriptions.create({
      customer,
      items: [{ price: price.id }],
      billing_mode: { type: 'flexible' },
    })
    assert.equal(subscription.status, 'active')
    assert.equal(subscription.items.data[0]!.current_period_end, at('2026-02-10T08:00:00Z'))

    await stripe.billing.meterEvents.create({
      event_name: 'ai_tokens',
      payload: { stripe_customer_id: customer, value: '12345' },
      timestamp: at('2026-01-10T08:00:00Z'),
    })
    await advance(stripe, clock, '2026-02-10T07:00:00Z')
    const preview = await stripe.invoices.createPreview({ subscription: subscription.id })
    assert.equal(preview.amount_due, 65, '13 packages of $0.05')
    await advance(stripe, clock, '2026-02-10T10:00:00Z')

    const invoices = await stripe.invoices.list({ customer })
    assertNoticed(invoices, version)
    const [invoice] = invoices.data
    assert.equal(invoice!.status, 'paid')
    assert.equal(invoice!.amount_paid, 65)
    const [line] = invoice!.lines.data
    assert.equal(line!.quantity, 12345)
    assert.equal(line!.pricing?.price_details?.price, price.id)
    const { data: summaries } = await stripe.billing.meters.listEventSummaries(meter.id, {
      customer,
      start_time: at('2026-01-10T08:00:00Z'),
      end_time: at('2026-02-10T08:00:00Z'),
    })
    assert.equal(summaries[0]!.aggregated_value, 12345)
  })

  test(`${name} lists page by page, and knows the errors it is answered with`, async (t) => {
    const stripe = await client(t, Sdk)
    const made: string[] = []
    for (let i = 0; i < 5; i++) made.unshift((await stripe.customers.create({ name: `Customer ${i}` })).id)

    const listed: string[] = []
    for await (const { id } of stripe.customers.list({ limit: 2 })) listed.push(id)
    assert.deepEqual(listed, made)

    await assert.rejects(stripe.customers.retrieve('cus_unknown'), (error) => {
      assert(error instanceof Sdk.errors.StripeInvalidRequestError)
      assert.equal(error.code, 'resource_missing')
      return true
    })
  })
}

test('stripe 18.5.0 may ask in the words of its version, and gets a classic subscription as it was then', async (t) => {
  const stripe = await client(t, Stripe18)
  const price = await monthly(stripe)

  const asked = {
    mode: 'subscription',
    ui_mode: 'hosted',
    payment_method_types: ['card'],
    success_url: 'https://example.com/done',
    line_items: [{ price, quantity: 1 }],
  } as unknown as Stripe.Checkout.SessionCreateParams
  const session = await stripe.checkout.sessions.create(asked)
  assert.equal((await payAt(session.url!, { number: '4242 4242 4242 4242' })).status, 303)

  const { subscription } = await stripe.checkout.sessions.retrieve(session.id, { expand: ['subscription'] })
  assert.equal((subscription as Stripe.Subscription).billing_mode.type, 'classic')
})

test('stripe 22.6.2 may reset a billing cycle in the words of its version', async (t) => {
  const stripe = await client(t, Stripe)
  const price = await monthly(stripe)
  const { id: clock } = await stripe.testHelpers.testClocks.create({ frozen_time: at('2026-01-10T08:00:00Z') })
  const { id: customer } = await stripe.customers.create({ test_clock: clock })
  const card = await stripe.paymentMethods.attach('pm_card_visa', { customer })
  const params = { customer, default_payment_method: card.id, items: [{ price }] }
  const { id, billing_mode } = await stripe.subscriptions.create(params)
  assert.equal(billing_mode.type, 'flexible')
  await advance(stripe, clock, '2026-01-20T08:00:00Z')

  const reset = await stripe.subscriptions.update(id, { billing_cycle_anchor: 'now', proration_behavior: 'none' })

  assert.equal(reset.billing_cycle_anchor, at('2026-01-20T08:00:00Z'))
  assert.equal(reset.items.data[0]!.current_period_end, at('2026-02-20T08:00:00Z'))
})

test('the oldest version with meters is answered, an older one refused by name', async (t) => {
  const local = await startStripeLocal()
  t.after(() => local.close())
  redirectStripe(t, local)
  const asking = (apiVersion: string) =>
    new Stripe18(local.secretKey, { apiVersion: apiVersion as Stripe.LatestApiVersion, maxNetworkRetries: 0 })

  assertNoticed(await asking('2025-03-31.basil').customers.list(), '2025-03-31.basil')
  for (const version of ['2024-06-20', '2025-02-24.acacia']) {
    await assert.rejects(asking(version).customers.list(), (error) => {
      assert(error instanceof Stripe18.errors.StripeInvalidRequestError)
      assert.equal(error.statusCode, 400)
      assert.match(error.message, new RegExp(`^Invalid Stripe API version: ${version}\\.`))
      assert.match(error.message, /nothing older than 2025-03-31\.basil/)
      return true
    })
  }
})

/** The SDK with nothing but a key, as its readme shows it. */
async function client(t: TestContext, Sdk: typeof Stripe): Promise<Stripe> {
  const local = await startStripeLocal({ aggregationDelayMs: 0 })
  t.after(() => local.close())
  redirectStripe(t, local)
  return new Sdk(local.secretKey)
}

async function monthly(stripe: Stripe): Promise<string> {
  const price = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 2000,
    recurring: { interval: 'month' },
    product_data: { name: 'Pro' },
  })
  return price.id
}

function assertNoticed(answer: Stripe.Response<unknown>, version: string) {
  assert.equal(answer.lastResponse.apiVersion, version)
  assert.equal(
    answer.lastResponse.headers['stripe-notice'],
    `The local Stripe answers in the shapes of version ${PINNED}; you asked for ${version}.`,
  )
}

async function advance(stripe: Stripe, clock: string, to: string): Promise<void> {
  await stripe.testHelpers.testClocks.advance(clock, { frozen_time: at(to) })
  for (;;) if ((await stripe.testHelpers.testClocks.retrieve(clock)).status === 'ready') return
}

/** Unix seconds. */
function at(instant: string): number {
  return Date.parse(instant) / 1000
}
