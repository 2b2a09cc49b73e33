import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Pool } from 'pg'
import { Stripe } from 'stripe'
import { type StripeLocal, startStripeLocal } from 'stripe-local'
import { createMeterkit } from '../src/create-meterkit.ts'
import type { Customer } from '../src/customers/customer.ts'
import type { RecordedEvent } from '../src/events/event.ts'
import type { Meterkit } from '../src/meterkit.ts'
import type { Subscription } from '../src/subscriptions/subscription.ts'
import { billing, database } from './database.ts'

export type World = {
  pool: Pool
  stripe: Stripe
  stripeLocal: StripeLocal
  meterkit: Meterkit<'ai_tokens', 'essential' | 'business' | 'enterprise'>
  /** The clock of everybody: the local Stripe's. */
  clock: () => Date
  /** Set to false to let webhooks go astray. */
  webhooks: { reach: boolean }
  /** What deliveries are signed with. */
  webhookSecrets: readonly string[]
}

export type Subscriber = { customer: Customer; subscription: Subscription }

const START = new Date('2026-11-24T12:00:00Z')

/**
 * A database, a local Stripe and an engine of its own for one test, provisioned, with webhooks delivered to the
 * engine's handler over HTTP. Time stands still but for `stripeLocal.advance`.
 * @param sdkRetries  how often Stripe's SDK tries again by itself, half a second and more later; its default is 2
 */
export async function world(
  t: TestContext,
  { journal = true, sdkRetries }: { journal?: boolean; sdkRetries?: number } = {},
): Promise<World> {
  const users: (() => Promise<void>)[] = []
  const pool = await database(t, users)
  const stripeLocal = await startStripeLocal({ now: () => START, aggregationDelayMs: 0 })
  const retries = sdkRetries === undefined ? {} : { maxNetworkRetries: sdkRetries }
  const stripe = new Stripe(stripeLocal.secretKey, { ...stripeLocal.clientConfig, telemetry: false, ...retries })
  const secrets: string[] = []
  const webhooks = { reach: true }
  const directory = mkdtempSync(join(tmpdir(), 'meterkit-'))
  const meterkit = createMeterkit({
    config: billing,
    pool,
    stripe,
    clock: stripeLocal.now,
    journal: journal && { directory },
    webhookSecrets: () => secrets,
    reportsPerSecond: 10_000,
  })
  await meterkit.start()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    if (!webhooks.reach) return response.writeHead(503).end()
    const answer = await meterkit.handler(
      new Request(`http://127.0.0.1${request.url}`, {
        method: 'POST',
        headers: request.headers as Record<string, string>,
        body: Buffer.concat(chunks),
      }),
    )
    return response.writeHead(answer.status).end(await answer.text())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const { webhookSecrets } = await meterkit.provision({ webhookUrl: `http://127.0.0.1:${port}/webhooks/stripe` })
  secrets.push(...webhookSecrets)
  users.push(async () => {
    await stripeLocal.close()
    server.closeAllConnections()
    server.close()
    await meterkit.stop()
    rmSync(directory, { recursive: true, force: true })
  })
  return { pool, stripe, stripeLocal, meterkit, clock: stripeLocal.now, webhooks, webhookSecrets: secrets }
}

/** A customer on a plan, subscribed through the API with a card that works. */
export async function subscriber(
  { meterkit, stripeLocal }: World,
  {
    plan = 'essential',
    organization = 'acme',
  }: { plan?: 'essential' | 'business' | 'enterprise'; organization?: string } = {},
): Promise<Subscriber> {
  const customer = await meterkit.customers.ensure({
    source: 'organization',
    sourceId: organization,
    name: organization,
    email: null,
  })
  const session = await meterkit.subscriptions.checkout({
    customerId: customer.id,
    plan,
    successUrl: 'http://app/ok',
    cancelUrl: 'http://app/no',
  })
  await pay(stripeLocal, session.url)
  const subscription = await meterkit.subscriptions.completeCheckout({
    customerId: customer.id,
    sessionId: session.sessionId,
  })
  await settled({ meterkit, stripeLocal })
  return { customer: (await meterkit.customers.get(customer.id))!, subscription: subscription! }
}

/** Fills in the hosted Checkout page as a person would, without a browser. */
export async function pay(stripeLocal: Pick<StripeLocal, 'url'>, url: string): Promise<void> {
  const form = new URLSearchParams({
    email: 'priya@example.com',
    name: 'Priya',
    number: '4242 4242 4242 4242',
    expiry: '12 / 34',
    cvc: '123',
  })
  const answer = await fetch(url, {
    method: 'POST',
    body: form,
    redirect: 'manual',
    headers: { origin: stripeLocal.url },
  })
  if (answer.status !== 303)
    throw new Error(`Checkout answered ${answer.status}: ${(await answer.text()).slice(0, 2_000)}`)
}

/** All webhooks that have arrived are processed. */
export async function settled({ meterkit, stripeLocal }: Pick<World, 'meterkit' | 'stripeLocal'>): Promise<void> {
  await stripeLocal.idle()
  for (let round = 0; round < 200; round++) {
    const waiting = await meterkit.webhooks.unprocessed()
    if (waiting.length === 0) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(
    `webhooks were not processed: ${JSON.stringify((await meterkit.webhooks.list({ status: 'failed' })).rows)}`,
  )
}

/** A switch made at Stripe itself: in its dashboard, or in its portal. */
export async function changePriceAtStripe(
  { stripe }: World,
  { stripeId }: Subscription,
  plan: 'essential' | 'business' | 'enterprise',
): Promise<void> {
  const [item] = (await stripe.subscriptions.retrieve(stripeId)).items.data
  const [price] = (await stripe.prices.list({ lookup_keys: [`${plan}_ai_tokens_month`] })).data
  await stripe.subscriptions.update(stripeId, {
    items: [{ id: item!.id, price: price!.id }],
    proration_behavior: 'create_prorations',
  })
}

/** Records tokens; `timestamp` is now where it is left out. */
export function use(
  { meterkit }: Pick<World, 'meterkit'>,
  { customer, subscription }: Subscriber,
  quantity: number | string,
  timestamp?: Date,
): RecordedEvent {
  return meterkit.recordEvent({
    meter: 'ai_tokens',
    customerId: customer.id,
    subscriptionId: subscription.id,
    quantity,
    ...(timestamp ? { timestamp } : {}),
  })
}

/** Moves everybody's clock. */
export async function pass({ stripeLocal, clock }: World, milliseconds: number): Promise<void> {
  await stripeLocal.advance(new Date(clock().getTime() + milliseconds))
}

const FINALIZED_MS = 3 * 60 * 60 * 1000

/** Lets the period end, and time enough for its invoice to become final. @returns all of the customer's totals, newest first */
export async function billed(w: World, { customer, subscription }: Subscriber): Promise<bigint[]> {
  await w.stripeLocal.advance(new Date(subscription.currentPeriod!.end.getTime() + FINALIZED_MS))
  await settled(w)
  return (await w.meterkit.invoices.list(customer.id)).map((invoice) => invoice.total)
}

/** Hands an event of Stripe's to the engine, signed as Stripe does. */
export function deliver(
  { meterkit, stripe, clock, webhookSecrets }: World,
  event: Pick<Stripe.Event, 'id'>,
): Promise<Response> {
  const payload = JSON.stringify(event)
  const timestamp = Math.floor(clock().getTime() / 1000)
  const signature = stripe.webhooks.generateTestHeaderString({ payload, secret: webhookSecrets[0]!, timestamp })
  const headers = { 'stripe-signature': signature }
  return meterkit.handler(new Request('http://app/webhooks/stripe', { method: 'POST', body: payload, headers }))
}

/** Resolves once a condition of another's making holds, such as a request that has arrived. @throws after five seconds */
export async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 1_000; round++) {
    if (condition()) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`it never came true: ${condition}`)
}

/** The promise, or an error where it hangs. */
export async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it hangs: not done within ${milliseconds} ms`)), milliseconds)
  })
  try {
    return await Promise.race([promise, patience])
  } finally {
    clearTimeout(timer)
  }
}
