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
}

const START = new Date('2026-11-24T12:00:00Z')

/**
 * A database, a local Stripe and an engine of its own for one test, provisioned, with webhooks delivered to the
 * engine's handler over HTTP. Time stands still but for `stripeLocal.advance`.
 */
export async function world(t: TestContext, { journal = true }: { journal?: boolean } = {}): Promise<World> {
  const users: (() => Promise<void>)[] = []
  const pool = await database(t, users)
  const stripeLocal = await startStripeLocal({ now: () => START, aggregationDelayMs: 0 })
  const stripe = new Stripe(stripeLocal.secretKey, { ...stripeLocal.clientConfig, telemetry: false })
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
  return { pool, stripe, stripeLocal, meterkit, clock: stripeLocal.now, webhooks }
}

/** A customer on a plan, subscribed through the API with a card that works. */
export async function subscriber(
  { meterkit, stripeLocal }: World,
  {
    plan = 'essential',
    organization = 'acme',
  }: { plan?: 'essential' | 'business' | 'enterprise'; organization?: string } = {},
): Promise<{ customer: Customer; subscription: Subscription }> {
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
async function pay(stripeLocal: StripeLocal, url: string): Promise<void> {
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
