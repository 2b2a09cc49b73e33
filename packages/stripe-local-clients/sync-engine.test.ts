import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { testDatabase } from 'local-postgres/testing'
import { Stripe } from 'stripe'
import { type StripeLocal, startStripeLocal } from 'stripe-local'
import { payAt } from '../stripe-local/test/world.ts'
import { redirectStripe } from './redirect.ts'

// Its ES module looks for the migrations at `__dirname`, which such modules do not have, and only logs that it failed.
const engine = createRequire(import.meta.url)(
  '@supabase/stripe-sync-engine',
) as typeof import('@supabase/stripe-sync-engine')

/** Every table a backfill fills, and where the API lists the same; `{}` stands for each customer. */
const LISTED: { [table: string]: string } = {
  charges: '/v1/charges',
  checkout_sessions: '/v1/checkout/sessions',
  credit_notes: '/v1/credit_notes',
  customers: '/v1/customers',
  disputes: '/v1/disputes',
  early_fraud_warnings: '/v1/radar/early_fraud_warnings',
  features: '/v1/entitlements/features',
  invoices: '/v1/invoices',
  payment_intents: '/v1/payment_intents',
  payment_methods: '/v1/payment_methods?customer={}',
  plans: '/v1/plans',
  prices: '/v1/prices',
  products: '/v1/products',
  refunds: '/v1/refunds',
  setup_intents: '/v1/setup_intents',
  subscription_schedules: '/v1/subscription_schedules',
  subscriptions: '/v1/subscriptions?status=all',
  tax_ids: '/v1/tax_ids',
}
/** What an account has none of here. */
const EMPTY = ['disputes', 'early_fraud_warnings', 'features']

test('a backfill of everything leaves in every table what the API says', async (t) => {
  const { local, stripe, sync, rows, listed } = await world(t)
  await live(local, stripe)

  await sync.syncBackfill({ object: 'all' })
  await sync.syncFeatures()
  for (const { id } of await rows('customers')) await sync.syncEntitlements(id)

  for (const [table, path] of Object.entries(LISTED)) {
    const [stored, objects] = [await rows(table), await listed(path)]
    assert.equal(stored.length === 0, EMPTY.includes(table), `${table} has ${stored.length} rows`)
    assertSameObjects(table, stored, objects)
  }
  const subscriptions = await listed('/v1/subscriptions?status=all')
  assertSameObjects('subscription_items', await rows('subscription_items'), subscriptions.flatMap(itemsOf))
  const [session] = await listed('/v1/checkout/sessions')
  const lines = await listed(`/v1/checkout/sessions/${session!.id}/line_items`)
  assertSameObjects('checkout_session_line_items', await rows('checkout_session_line_items'), lines.map(pricedById))
})

test('webhooks alone leave in every table what the API says', async (t) => {
  const { local, stripe, rows, listed, failures } = await world(t, { webhooks: true })

  await live(local, stripe)
  await local.idle()

  assert.deepEqual(failures, [])
  const told = Object.entries(LISTED).filter(([table]) => !EMPTY.includes(table) && table !== 'tax_ids')
  for (const [table, path] of told) {
    // A finalized invoice moves the sequence on, and no event says so.
    assertSameObjects(table, await rows(table), await listed(path), ['next_invoice_sequence'])
  }
  const subscriptions = await listed('/v1/subscriptions?status=all')
  assertSameObjects('subscription_items', await rows('subscription_items'), subscriptions.flatMap(itemsOf))
  const customers = await listed('/v1/customers')
  const taxIds = await Promise.all(customers.map(({ id }) => listed(`/v1/customers/${id}/tax_ids`)))
  assertSameObjects('tax_ids', await rows('tax_ids'), taxIds.flat())
  const invoices = await listed('/v1/invoices')
  const payments = await Promise.all(invoices.map(({ id }) => listed(`/v1/invoice_payments?invoice=${id}`)))
  assertSameObjects('invoice_payments', await rows('invoice_payments'), payments.flat())
})

test('one object is fetched by its id, and a deleted customer is marked', async (t) => {
  const { local, stripe, sync, rows, listed, failures } = await world(t, { webhooks: true })
  const { seats, tom } = await live(local, stripe)
  await sync.postgresClient.query('delete from stripe.subscriptions')
  await sync.postgresClient.query('delete from stripe.invoices')

  await sync.syncSingleEntity(seats.id)
  await sync.syncSingleEntity(String(seats.latest_invoice))

  assert.deepEqual(
    (await rows('subscriptions')).map(({ id }) => id),
    [seats.id],
  )
  assert.deepEqual(
    (await rows('invoices')).map(({ id }) => id),
    [seats.latest_invoice],
  )

  await stripe.customers.del(tom)
  await local.idle()
  assert.deepEqual(failures, [])
  assert.equal((await rows('customers')).find(({ id }) => id === tom)?.deleted, true)
  assert.equal((await listed('/v1/customers')).length, 1)
})

test('a webhook with a wrong signature changes nothing', async (t) => {
  const { sync, rows, url } = await world(t, { webhooks: true })
  const event = { object: 'event', type: 'customer.created', created: 1, data: { object: { id: 'cus_forged' } } }
  const body = JSON.stringify(event)

  const signature = sync.stripe.webhooks.generateTestHeaderString({ payload: body, secret: 'whsec_of_somebody_else' })
  const answer = await fetch(url, { method: 'POST', body, headers: { 'stripe-signature': signature } })

  assert.equal(answer.status, 400)
  assert.deepEqual(await rows('customers'), [])
})

/** Two customers' month: Priya came by Checkout and pays for usage, Tom pays for two seats and gets $5 back. */
async function live(local: StripeLocal, stripe: Stripe) {
  const meter = await stripe.billing.meters.create({
    display_name: 'AI tokens',
    event_name: 'ai_tokens',
    default_aggregation: { formula: 'sum' },
  })
  const essential = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 5,
    transform_quantity: { divide_by: 1000, round: 'up' },
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    product_data: { name: 'Essential' },
  })
  const seat = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 1000,
    recurring: { interval: 'month' },
    product_data: { name: 'Seat' },
    lookup_key: 'seat',
    metadata: { sold_by: 'the seat' },
  })
  await stripe.taxIds.create({ type: 'eu_vat', value: 'DE987654321' })

  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    success_url: 'https://example.com/done',
    line_items: [{ price: essential.id }],
  })
  assert.equal((await payAt(session.url!, { number: '4242 4242 4242 4242' })).status, 303)
  const { customer: priya } = await stripe.checkout.sessions.retrieve(session.id)
  await stripe.billing.meterEvents.create({
    event_name: 'ai_tokens',
    payload: { stripe_customer_id: String(priya), value: '12345' },
  })

  const { id: tom } = await stripe.customers.create({ email: 'tom@example.com', metadata: { team: 'Acme' } })
  await stripe.customers.createTaxId(tom, { type: 'eu_vat', value: 'DE123456789' })
  const { payment_method: card } = await stripe.setupIntents.create({
    customer: tom,
    payment_method: 'pm_card_visa',
    confirm: true,
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
  })
  await stripe.customers.update(tom, { invoice_settings: { default_payment_method: String(card) } })
  const seats = await stripe.subscriptions.create({ customer: tom, items: [{ price: seat.id, quantity: 2 }] })

  await local.advance(new Date(local.now().getTime() + 31 * DAY_MS + 2 * HOUR_MS))
  const { data: invoices } = await stripe.invoices.list({ customer: tom })
  await stripe.creditNotes.create({ invoice: invoices[0]!.id, amount: 500, refund_amount: 500 })
  await stripe.subscriptionSchedules.create({ from_subscription: seats.id })
  await stripe.subscriptions.update(seats.id, { metadata: { seen: 'yes' } })
  return { tom, seats }
}

const HOUR_MS = 60 * 60 * 1000
const DAY_MS = 24 * HOUR_MS

interface Row {
  id: string
  [column: string]: unknown
}

/** The engine over an empty database of its own, and the account it copies. */
async function world(t: TestContext, { webhooks = false } = {}) {
  const local = await startStripeLocal({ aggregationDelayMs: 0 })
  t.after(() => local.close())
  redirectStripe(t, local)
  const stripe = new Stripe(local.secretKey, { telemetry: false })
  const databaseUrl = await testDatabase(t)
  await engine.runMigrations({ databaseUrl, schema: 'stripe' })

  const failures: string[] = []
  const { url, secret, receive } = await endpoint(t, stripe, webhooks)
  const sync = new engine.StripeSync({
    stripeSecretKey: local.secretKey,
    stripeWebhookSecret: secret,
    autoExpandLists: true,
    // Events of one second would otherwise hide each other: the engine compares their `created`.
    revalidateObjectsViaStripeApi: REVALIDATED,
    poolConfig: { connectionString: databaseUrl, max: 4 },
  })
  t.after(() => sync.close())
  receive((body, signature) =>
    sync.processWebhook(body, signature).catch((error) => {
      failures.push(`${JSON.parse(body.toString('utf8')).type}: ${error}`)
      throw error
    }),
  )

  const answer = async (path: string) => {
    const headers = { authorization: `Bearer ${local.secretKey}` }
    const answer = await fetch(new URL(path, local.url), { headers })
    assert.equal(answer.status, 200, path)
    return ((await answer.json()) as { data: Row[] }).data
  }
  return {
    local,
    stripe,
    sync,
    url,
    failures,
    rows: async (table: string) => (await sync.postgresClient.query(`select * from stripe.${table}`)).rows as Row[],
    listed: async (path: string) => {
      if (!path.includes('{}')) return await answer(path)
      const customers = await answer('/v1/customers')
      return (await Promise.all(customers.map(({ id }) => answer(path.replace('{}', id))))).flat()
    },
  }
}

const REVALIDATED = [
  'charge',
  'credit_note',
  'customer',
  'invoice',
  'payment_intent',
  'payment_method',
  'plan',
  'price',
  'product',
  'refund',
  'setup_intent',
  'subscription',
  'subscription_schedule',
  'tax_id',
] as const satisfies NonNullable<
  ConstructorParameters<typeof engine.StripeSync>[0]['revalidateObjectsViaStripeApi']
>[number][]

/** The types the engine knows; it answers all others with an error. A preview, which has no address, is not for it. */
const HANDLED: Stripe.WebhookEndpointCreateParams.EnabledEvent[] = [
  'charge.failed',
  'charge.refunded',
  'charge.succeeded',
  'charge.updated',
  'checkout.session.completed',
  'checkout.session.expired',
  'credit_note.created',
  'credit_note.updated',
  'credit_note.voided',
  'customer.created',
  'customer.deleted',
  'customer.subscription.created',
  'customer.subscription.deleted',
  'customer.subscription.updated',
  'customer.tax_id.created',
  'customer.tax_id.deleted',
  'customer.tax_id.updated',
  'customer.updated',
  'invoice.created',
  'invoice.finalized',
  'invoice.paid',
  'invoice.payment_failed',
  'invoice.payment_succeeded',
  'invoice.updated',
  'invoice.voided',
  'invoice_payment.paid',
  'payment_intent.created',
  'payment_intent.payment_failed',
  'payment_intent.succeeded',
  'payment_method.attached',
  'payment_method.detached',
  'plan.created',
  'plan.updated',
  'price.created',
  'price.updated',
  'product.created',
  'product.updated',
  'refund.created',
  'refund.updated',
  'setup_intent.created',
  'setup_intent.succeeded',
  'subscription_schedule.created',
  'subscription_schedule.released',
  'subscription_schedule.updated',
]

/** A port that webhooks come to: 200 when the receiver is content, else 400. */
async function endpoint(t: TestContext, stripe: Stripe, registered: boolean) {
  let receiver: (body: Buffer, signature: string) => Promise<void> = async () => {}
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const signature = String(request.headers['stripe-signature'])
    response.statusCode = await receiver(Buffer.concat(chunks), signature).then(
      () => 200,
      () => 400,
    )
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const made = registered ? await stripe.webhookEndpoints.create({ url, enabled_events: HANDLED }) : undefined
  return { url, secret: made?.secret ?? 'whsec_none', receive: (by: typeof receiver) => (receiver = by) }
}

/** Each object has its row and each row its object, alike in every column both have. */
function assertSameObjects(table: string, rows: Row[], objects: Row[], except: string[] = []) {
  assert.deepEqual(rows.map(({ id }) => id).toSorted(), objects.map(({ id }) => id).toSorted(), table)
  for (const object of objects) {
    const row = rows.find(({ id }) => id === object.id)!
    for (const [column, value] of Object.entries(row)) {
      if (!(column in object) || except.includes(column)) continue
      assert.deepEqual(stored(value), wire(object[column]), `${table}.${column} of ${object.id}`)
    }
  }
}

/** Some columns hold JSON as text. */
function stored(value: unknown): unknown {
  return typeof value === 'string' && /^[{["]/.test(value) ? JSON.parse(value) : wire(value)
}

/** Large integers come from PostgreSQL's driver as text, small ones as numbers. */
function wire(value: unknown): unknown {
  return typeof value === 'number' ? String(value) : value
}

function itemsOf(subscription: Row): Row[] {
  return (subscription.items as { data: Row[] }).data.map(pricedById)
}

/** As an item is stored: beside its price, not around it. */
function pricedById(item: Row): Row {
  return { ...item, price: (item.price as Row).id }
}
