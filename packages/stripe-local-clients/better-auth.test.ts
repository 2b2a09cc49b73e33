import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { type StripePlan, stripe as stripePlugin } from '@better-auth/stripe'
import { type BetterAuthOptions, betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import { organization } from 'better-auth/plugins'
import { Stripe } from 'stripe'
import { type StripeLocal, startStripeLocal } from 'stripe-local'
import { payAt } from '../stripe-local/test/world.ts'
import { submitAt } from './hosted-pages.ts'
import { redirectStripe } from './redirect.ts'

const GOOD_CARD = { number: '4242 4242 4242 4242' }

test('signing up makes a customer, and takes over nobody who merely has the same address', async (t) => {
  const { stripe, signUp, row } = await site(t)
  const earlier = await stripe.customers.create({ email: 'priya@example.com' })

  const priya = await signUp('priya@example.com', 'Priya')

  const { stripeCustomerId } = row<{ stripeCustomerId: string }>('select * from user where id = ?', priya.id)
  assert.notEqual(stripeCustomerId, earlier.id)
  const customer = (await stripe.customers.retrieve(stripeCustomerId)) as Stripe.Customer
  assert.equal(customer.email, 'priya@example.com')
  assert.equal(customer.name, 'Priya')
  assert.deepEqual(customer.metadata, { userId: priya.id, customerType: 'user' })
})

test('a metered plan: Checkout, the webhook, usage on the coming invoice', async (t) => {
  const { local, stripe, plans, signUp, subscriptionOf } = await site(t)
  const priya = await signUp('priya@example.com', 'Priya')

  const checkout = await priya.post<{ url: string }>('/subscription/upgrade', {
    plan: 'essential',
    successUrl: '/billing',
    cancelUrl: '/pricing',
  })
  assert.equal(subscriptionOf(priya.id)?.status, 'incomplete')
  const paid = await payAt(checkout.url, GOOD_CARD)
  assert.equal(await priya.visit(paid.headers.get('location')!), '/billing')
  await local.idle()

  const mine = subscriptionOf(priya.id)!
  assert.equal(mine.status, 'active')
  assert.equal(mine.plan, 'essential')
  assert.equal(mine.billingInterval, 'month')
  const subscription = await stripe.subscriptions.retrieve(mine.stripeSubscriptionId!)
  assert.equal(subscription.items.data[0]!.price.id, plans.essential)
  assert.equal(Date.parse(mine.periodEnd!), subscription.items.data[0]!.current_period_end * 1000)
  const [listed] = await priya.get<{ plan: string; priceId: string }[]>('/subscription/list')
  assert.equal(listed?.priceId, plans.essential)

  await stripe.billing.meterEvents.create({
    event_name: 'ai_tokens',
    payload: { stripe_customer_id: mine.stripeCustomerId!, value: '12345' },
  })
  await local.idle()
  const preview = await stripe.invoices.createPreview({ subscription: mine.stripeSubscriptionId! })
  assert.equal(preview.amount_due, 65, '13 packages of $0.05')
})

test('a licensed plan for three seats, changed, canceled and restored on the portal', async (t) => {
  const { local, stripe, plans, signUp, subscriptionOf } = await site(t)
  const priya = await signUp('priya@example.com', 'Priya')
  await priya.subscribe('pro', { seats: 3 })
  assert.deepEqual(pick(subscriptionOf(priya.id)!, 'plan', 'status', 'seats'), {
    plan: 'pro',
    status: 'active',
    seats: 3,
  })

  const again = await priya.refused('/subscription/upgrade', { plan: 'pro', seats: 3, successUrl: '/', cancelUrl: '/' })
  assert.equal(again.code, 'ALREADY_SUBSCRIBED_PLAN')

  const change = await priya.post<{ url: string }>('/subscription/upgrade', {
    plan: 'team',
    seats: 3,
    returnUrl: '/billing',
  })
  assert.equal(new URL(await submitAt(change.url)).pathname, '/billing')
  await local.idle()
  assert.equal(subscriptionOf(priya.id)?.plan, 'team')
  const { stripeSubscriptionId: id } = subscriptionOf(priya.id)!
  assert.equal((await stripe.subscriptions.retrieve(id!)).items.data[0]!.price.id, plans.team)

  const cancel = await priya.post<{ url: string }>('/subscription/cancel', { returnUrl: '/billing' })
  await submitAt(cancel.url)
  await local.idle()
  assert.equal(subscriptionOf(priya.id)?.cancelAtPeriodEnd, 1)
  assert.equal((await stripe.subscriptions.retrieve(id!)).cancel_at_period_end, true)

  await priya.post('/subscription/restore', {})
  await local.idle()
  assert.equal(subscriptionOf(priya.id)?.cancelAtPeriodEnd, 0)
  assert.equal((await stripe.subscriptions.retrieve(id!)).cancel_at_period_end, false)

  const portal = await priya.post<{ url: string }>('/subscription/billing-portal', { returnUrl: '/billing' })
  assert.match(await (await fetch(portal.url)).text(), /Team/)
})

test('a change for the end of the period is a schedule, and restoring releases it', async (t) => {
  const { local, stripe, plans, signUp, subscriptionOf } = await site(t)
  const priya = await signUp('priya@example.com', 'Priya')
  await priya.subscribe('team')

  await priya.post('/subscription/upgrade', { plan: 'pro', scheduleAtPeriodEnd: true, returnUrl: '/billing' })
  await local.idle()
  const { stripeScheduleId, stripeSubscriptionId } = subscriptionOf(priya.id)!
  const schedule = await stripe.subscriptionSchedules.retrieve(stripeScheduleId!)
  assert.equal(schedule.status, 'active')
  assert.deepEqual(
    schedule.phases.map((phase) => phase.items[0]!.price),
    [plans.team, plans.pro],
  )

  await priya.post('/subscription/restore', {})
  await local.idle()
  assert.equal((await stripe.subscriptionSchedules.retrieve(stripeScheduleId!)).status, 'released')
  assert.equal(subscriptionOf(priya.id)?.stripeScheduleId, null)
  assert.equal((await stripe.subscriptions.retrieve(stripeSubscriptionId!)).items.data[0]!.price.id, plans.team)

  await priya.post('/subscription/upgrade', { plan: 'pro', scheduleAtPeriodEnd: true, returnUrl: '/billing' })
  await local.advance(new Date(local.now().getTime() + 32 * DAY_MS))
  await local.idle()
  assert.equal(subscriptionOf(priya.id)?.plan, 'pro')
})

test('a metered plan changes with the period, and each bills its own usage', async (t) => {
  const { local, stripe, plans, signUp, subscriptionOf } = await site(t)
  const priya = await signUp('priya@example.com', 'Priya')
  await priya.subscribe('essential')
  const { stripeCustomerId, stripeSubscriptionId } = subscriptionOf(priya.id)!
  const use = async (value: string) => {
    const payload = { stripe_customer_id: stripeCustomerId!, value }
    await stripe.billing.meterEvents.create({
      event_name: 'ai_tokens',
      payload,
      timestamp: Math.floor(local.now().getTime() / 1000),
    })
    await local.idle()
  }

  await use('20000')
  await priya.post('/subscription/upgrade', { plan: 'business', scheduleAtPeriodEnd: true, returnUrl: '/billing' })
  await local.advance(new Date(local.now().getTime() + 32 * DAY_MS))
  assert.equal(subscriptionOf(priya.id)?.plan, 'business')
  const [renewal] = (await stripe.invoices.list({ subscription: stripeSubscriptionId! })).data
  assert.equal(renewal?.amount_paid, 100, '20 packages of $0.05')

  await use('20000')
  const next = await stripe.invoices.createPreview({ subscription: stripeSubscriptionId! })
  assert.equal(next.lines.data[0]?.pricing?.price_details?.price, plans.business)
  assert.equal(next.amount_due, 100, '2 packages of $0.50')
})

test('a promotion code typed in at Checkout is off the first invoice', async (t) => {
  const { local, stripe, signUp, subscriptionOf } = await site(t)
  const coupon = await stripe.coupons.create({ percent_off: 50 })
  await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: coupon.id }, code: 'WELCOME' })
  const priya = await signUp('priya@example.com', 'Priya')

  const wanted = { plan: 'pro', successUrl: '/billing', cancelUrl: '/pricing' }
  const { url } = await priya.post<{ url: string }>('/subscription/upgrade', wanted)
  const body = new URLSearchParams({ update: 'yes', promotion_code: 'welcome' })
  assert.equal((await fetch(url, { method: 'POST', body })).status, 200)
  assert.equal((await payAt(url, GOOD_CARD)).status, 303)
  await local.idle()

  assert.equal(subscriptionOf(priya.id)?.status, 'active')
  const [first] = (await stripe.invoices.list({ subscription: subscriptionOf(priya.id)!.stripeSubscriptionId! })).data
  assert.equal(first?.amount_paid, 1000, 'half of $20.00')
})

test('a trial is told from a paid period, and given once', async (t) => {
  const { local, stripe, signUp, subscriptionOf } = await site(t)
  const priya = await signUp('priya@example.com', 'Priya')
  await priya.subscribe('trial')

  const trial = subscriptionOf(priya.id)!
  assert.equal(trial.status, 'trialing')
  assert.equal(Date.parse(trial.trialEnd!) - Date.parse(trial.trialStart!), 14 * DAY_MS)

  await local.advance(new Date(local.now().getTime() + 15 * DAY_MS))
  assert.equal(subscriptionOf(priya.id)?.status, 'active')

  await stripe.subscriptions.cancel(trial.stripeSubscriptionId!)
  await local.idle()
  await priya.subscribe('trial')
  const { data } = await stripe.subscriptions.list({ customer: trial.stripeCustomerId! })
  assert.deepEqual(
    data.map(({ status, trial_end }) => ({ status, trial_end })),
    [{ status: 'active', trial_end: null }],
  )
})

test('an organization pays for its members, and its name and their number follow', async (t) => {
  const { local, stripe, plans, signUp, row, auth } = await site(t)
  const priya = await signUp('priya@example.com', 'Priya')
  const acme = await priya.post<{ id: string }>('/organization/create', { name: 'Acme', slug: 'acme' })

  await priya.subscribe('seats', { customerType: 'organization', referenceId: acme.id })

  const customerOf = () =>
    row<{ stripeCustomerId: string }>('select * from organization where id = ?', acme.id).stripeCustomerId
  const customer = (await stripe.customers.retrieve(customerOf())) as Stripe.Customer
  assert.equal(customer.name, 'Acme')
  assert.deepEqual(customer.metadata, { organizationId: acme.id, customerType: 'organization' })
  const seats = async () => {
    const { data } = await stripe.subscriptions.list({ customer: customer.id })
    return data[0]!.items.data.find((item) => item.price.id === plans.seat)?.quantity
  }
  assert.equal(await seats(), 1)

  const tom = await signUp('tom@example.com', 'Tom')
  await auth.api.addMember({ body: { userId: tom.id, organizationId: acme.id, role: 'member' } })
  await local.idle()
  assert.equal(await seats(), 2)

  await priya.post('/organization/update', { organizationId: acme.id, data: { name: 'Acme Ltd' } })
  assert.equal(((await stripe.customers.retrieve(customer.id)) as Stripe.Customer).name, 'Acme Ltd')

  const gone = await priya.refused('/organization/delete', { organizationId: acme.id })
  assert.equal(gone.code, 'ORGANIZATION_HAS_ACTIVE_SUBSCRIPTION')
})

test('a subscription that ends is canceled in the table, and a forged webhook is refused', async (t) => {
  const { local, stripe, signUp, subscriptionOf, url, allowError } = await site(t)
  const priya = await signUp('priya@example.com', 'Priya')
  await priya.subscribe('essential')

  await stripe.subscriptions.cancel(subscriptionOf(priya.id)!.stripeSubscriptionId!, { invoice_now: true })
  await local.idle()
  assert.equal(subscriptionOf(priya.id)?.status, 'canceled')

  allowError(/No signatures found matching/)
  const forged = await fetch(`${url}/api/auth/stripe/webhook`, {
    method: 'POST',
    headers: { 'stripe-signature': 't=1,v1=00' },
    body: '{}',
  })
  assert.equal(forged.status, 400)
})

const DAY_MS = 24 * 60 * 60 * 1000

interface SubscriptionRow {
  plan: string
  status: string
  seats: number | null
  stripeCustomerId: string | null
  stripeSubscriptionId: string | null
  stripeScheduleId: string | null
  cancelAtPeriodEnd: number
  billingInterval: string | null
  periodEnd: string | null
  trialStart: string | null
  trialEnd: string | null
}

/** A web site of better-auth's: its routes on a port, its tables in SQLite, its plugin on Stripe's own address. */
async function site(t: TestContext) {
  const local = await startStripeLocal({ aggregationDelayMs: 0 })
  t.after(() => local.close())
  redirectStripe(t, local)
  const stripe = new Stripe(local.secretKey, { telemetry: false })
  const plans = await createPlans(stripe)

  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { secret } = await stripe.webhookEndpoints.create({
    url: `${url}/api/auth/stripe/webhook`,
    enabled_events: [
      'checkout.session.completed',
      'customer.subscription.created',
      'customer.subscription.updated',
      'customer.subscription.deleted',
    ],
  })

  const db = new DatabaseSync(':memory:')
  t.after(() => db.close())
  const complaints: string[] = []
  const allowed: RegExp[] = []
  const options = {
    baseURL: url,
    secret: 'a secret of at least thirty-two characters',
    database: db,
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: false },
    logger: { level: 'warn', log: (_level, message) => void complaints.push(message) },
    plugins: [
      organization(),
      stripePlugin({
        stripeClient: stripe,
        stripeWebhookSecret: secret!,
        createCustomerOnSignUp: true,
        organization: { enabled: true },
        subscription: {
          enabled: true,
          authorizeReference: async () => true,
          getCheckoutSessionParams: async () => ({ params: { allow_promotion_codes: true } }),
          plans: [
            { name: 'essential', priceId: plans.essential },
            { name: 'business', priceId: plans.business },
            { name: 'pro', lookupKey: 'pro' },
            { name: 'team', priceId: plans.team },
            { name: 'trial', priceId: plans.pro, freeTrial: { days: 14 } },
            { name: 'seats', priceId: plans.base, seatPriceId: plans.seat },
          ] satisfies StripePlan[],
        },
      }),
    ],
  } satisfies BetterAuthOptions
  await (await getMigrations(options)).runMigrations()
  const auth = betterAuth(options)
  server.on('request', toNodeHandler(auth.handler))
  // The plugin logs what fails and goes on; a test that passes must not have made it complain.
  t.after(() =>
    assert.deepEqual(
      complaints.filter((complaint) => !allowed.some((pattern) => pattern.test(complaint))),
      [],
    ),
  )

  const row = <T>(sql: string, id: string) => db.prepare(sql).get(id) as T
  return {
    local,
    stripe,
    plans,
    url,
    auth,
    row,
    allowError: (pattern: RegExp) => allowed.push(pattern),
    subscriptionOf: (referenceId: string) =>
      row<SubscriptionRow | undefined>('select * from subscription where referenceId = ?', referenceId),
    signUp: (email: string, name: string) => signUp(local, url, { email, name }),
  }
}

async function createPlans(stripe: Stripe) {
  const meter = await stripe.billing.meters.create({
    display_name: 'AI tokens',
    event_name: 'ai_tokens',
    default_aggregation: { formula: 'sum' },
  })
  const monthly = async (name: string, unit_amount: number, params: Partial<Stripe.PriceCreateParams> = {}) => {
    return await stripe.prices.create({
      currency: 'usd',
      unit_amount,
      tax_behavior: 'exclusive',
      product_data: { name },
      recurring: { interval: 'month' },
      ...params,
    })
  }
  const essential = await monthly('Essential', 5, {
    transform_quantity: { divide_by: 1000, round: 'up' },
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  })
  const business = await monthly('Business', 50, {
    transform_quantity: { divide_by: 15_000, round: 'up' },
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
  })
  const pro = await monthly('Pro', 2000, { lookup_key: 'pro' })
  const team = await monthly('Team', 5000)
  const base = await monthly('Base', 1000)
  const seat = await monthly('Seat', 500)
  await stripe.billingPortal.configurations.create({
    features: {
      payment_method_update: { enabled: true },
      subscription_cancel: { enabled: true, mode: 'at_period_end' },
      subscription_update: {
        enabled: true,
        default_allowed_updates: ['price'],
        proration_behavior: 'create_prorations',
        products: [pro, team].map((price) => ({ product: price.product as string, prices: [price.id] })),
      },
    },
  })
  const made = { essential, business, pro, team, base, seat }
  return Object.fromEntries(Object.entries(made).map(([name, { id }]) => [name, id])) as Record<
    keyof typeof made,
    string
  >
}

/** A person with an account, whose browser keeps the cookies. */
async function signUp(local: StripeLocal, url: string, given: { email: string; name: string }) {
  const cookies = new Map<string, string>()
  const ask = async (method: string, address: string, body?: unknown) => {
    const answer = await fetch(new URL(address, url), {
      method,
      redirect: 'manual',
      headers: {
        origin: url,
        'content-type': 'application/json',
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!
      cookies.set(name!, value!)
    }
    return answer
  }
  const read = async <T>(answer: Response): Promise<T> => {
    const body = await answer.text()
    if (!answer.ok) throw new Error(`${answer.url} answers ${answer.status}: ${body}`)
    return JSON.parse(body)
  }
  const post = async <T>(path: string, body: unknown) => await read<T>(await ask('POST', `/api/auth${path}`, body))
  const { user } = await post<{ user: { id: string } }>('/sign-up/email', { ...given, password: 'correct horse' })
  return {
    id: user.id,
    post,
    get: async <T>(path: string) => await read<T>(await ask('GET', `/api/auth${path}`)),
    refused: async (path: string, body: unknown) => {
      const answer = await ask('POST', `/api/auth${path}`, body)
      assert.equal(answer.status, 400)
      return (await answer.json()) as { code: string }
    },
    /** @returns the path that the address sends on to */
    visit: async (address: string) => new URL((await ask('GET', address)).headers.get('location')!, url).pathname,
    /** From the choice of a plan over Checkout to the webhook. */
    subscribe: async (plan: string, more: { [name: string]: unknown } = {}) => {
      const wanted = { plan, successUrl: '/billing', cancelUrl: '/pricing', ...more }
      const { url: checkout } = await post<{ url: string }>('/subscription/upgrade', wanted)
      assert.equal((await payAt(checkout, GOOD_CARD)).status, 303)
      await local.idle()
    },
  }
}

function pick<T, K extends keyof T>(from: T, ...keys: K[]): Pick<T, K> {
  return Object.fromEntries(keys.map((key) => [key, from[key]])) as Pick<T, K>
}
