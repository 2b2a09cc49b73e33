import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { Stripe } from 'stripe'
import { type StripeLocal, type StripeLocalOptions, startStripeLocal } from '../src/index.ts'

process.env.STRIPE_SUPPRESS_NOTICES = 'true'

/** A local Stripe whose real time stands still at `at`, and the official SDK talking to it. */
export async function world(t: TestContext, at: string, options: StripeLocalOptions = {}) {
  const local = await startStripeLocal({ now: () => new Date(at), aggregationDelayMs: 0, ...options })
  t.after(() => local.close())
  const stripe = new Stripe(local.secretKey, { ...local.clientConfig, maxNetworkRetries: 0, telemetry: false })
  return { local, stripe }
}

export interface Received {
  body: string
  signature: string
  event: {
    id: string
    type: string
    data: { object: { [key: string]: unknown }; previous_attributes?: { [key: string]: unknown } }
  }
}

/** An endpoint that keeps what it receives; `answer` decides the status. */
export async function receiver(t: TestContext, answer: (received: Received) => Promise<number> | number = () => 200) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString('utf8')
    const one = { body, signature: String(request.headers['stripe-signature']), event: JSON.parse(body) }
    received.push(one)
    response.statusCode = await answer(one)
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    received,
    types: () => received.map(({ event }) => event.type),
  }
}

/** A meter, a package price of $0.05 for every 1,000, and a customer with a good card. */
export async function essential(stripe: Stripe, local: StripeLocal) {
  const meter = await stripe.billing.meters.create({
    display_name: 'AI tokens',
    event_name: 'ai_tokens',
    default_aggregation: { formula: 'sum' },
  })
  const price = await packagePrice(stripe, meter.id, { name: 'Essential', unitAmount: 5, perUnits: 1000 })
  const customer = await stripe.customers.create({ email: 'priya@example.com' })
  const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: card.id } })
  /** Without waiting for the aggregation: a webhook handler must not wait for webhooks. */
  const send = async (value: string, timestamp: Date, identifier: string = crypto.randomUUID()) => {
    await stripe.billing.meterEvents.create({
      event_name: 'ai_tokens',
      identifier,
      timestamp: Math.floor(timestamp.getTime() / 1000),
      payload: { stripe_customer_id: customer.id, value },
    })
  }
  const use = async (value: string, timestamp: Date, identifier?: string) => {
    await send(value, timestamp, identifier)
    await local.idle()
  }
  return { meter, price, customer, send, use }
}

export async function packagePrice(
  stripe: Stripe,
  meter: string,
  plan: { name: string; unitAmount: number; perUnits: number },
) {
  return await stripe.prices.create({
    currency: 'usd',
    unit_amount: plan.unitAmount,
    transform_quantity: { divide_by: plan.perUnits, round: 'up' },
    recurring: { interval: 'month', usage_type: 'metered', meter },
    product_data: { name: plan.name },
  })
}

/** Fills in the hosted Checkout page and presses the button. */
export async function payAt(url: string, card: { number: string; authentication?: 'complete' }): Promise<Response> {
  const { number, ...more } = card
  const form = new URLSearchParams({
    email: 'priya@example.com',
    name: 'Priya',
    number,
    expiry: '12 / 34',
    cvc: '123',
    ...more,
  })
  return await fetch(url, { method: 'POST', body: form, redirect: 'manual' })
}
