import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Stripe } from 'stripe'
import { essential, world } from '../../test/world.ts'
import type { StripeLocalOptions } from '../index.ts'

const AT = '2026-11-24T12:00:00Z'
const FEATURES: Stripe.BillingPortal.ConfigurationCreateParams.Features = {
  customer_update: { enabled: true, allowed_updates: ['name', 'email'] },
  invoice_history: { enabled: true },
  payment_method_update: { enabled: true },
  subscription_cancel: { enabled: true, mode: 'at_period_end' },
}

async function visit(t: TestContext, features: Partial<typeof FEATURES> = {}) {
  const { local, stripe } = await world(t, AT)
  const { price, customer, use } = await essential(stripe, local)
  const configuration = await stripe.billingPortal.configurations.create({ features: { ...FEATURES, ...features } })
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  const open = async (more: Partial<Stripe.BillingPortal.SessionCreateParams> = {}) =>
    (
      await stripe.billingPortal.sessions.create({
        customer: customer.id,
        configuration: configuration.id,
        return_url: 'https://shop.example/billing',
        ...more,
      })
    ).url
  const post = (url: string, form: { [field: string]: string } = {}) =>
    fetch(url, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' })
  return { local, stripe, price, customer, subscription, use, open, post }
}

test('the portal shows the plan, its card and why a metered plan is not switched here', async (t) => {
  const { open } = await visit(t, { subscription_update: { enabled: true, default_allowed_updates: ['price'] } })
  const page = await (await fetch(await open())).text()

  assert.match(page, /<h3>Essential<\/h3>/)
  assert.match(page, /\$0\.05<\/span> per 1,000 units/)
  assert.match(page, /Renews on Dec 24, 2026/) // a month after the subscription began
  assert.match(page, /Visa •••• 4242, expires 12\/2034/)
  assert.match(page, /billed by usage can&#39;t be switched here/)
  assert.ok(!page.includes('/switch"'))
  assert.match(page, /href="https:\/\/shop\.example\/billing"/)
})

test('canceling at the period end is confirmed, and can be taken back', async (t) => {
  const { stripe, subscription, open, post } = await visit(t)
  const portal = await open()
  const address = `${portal}/subscriptions/${subscription.id}`
  assert.match(await (await fetch(`${address}/cancel`)).text(), /You keep Essential until Dec 24, 2026/)

  const canceled = await post(`${address}/cancel`)
  assert.equal(canceled.status, 303)
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).cancel_at_period_end, true)
  assert.match(await (await fetch(`${portal}/home`)).text(), /Ends on Dec 24, 2026 and does not renew/)

  assert.equal((await post(`${address}/renew`)).status, 303)
  const renewed = await stripe.subscriptions.retrieve(subscription.id)
  assert.deepEqual([renewed.cancel_at_period_end, renewed.status], [false, 'active'])
})

test('canceling at once where the configuration says so, with the reason', async (t) => {
  const { stripe, subscription, open, post } = await visit(t, {
    subscription_cancel: {
      enabled: true,
      mode: 'immediately',
      cancellation_reason: { enabled: true, options: ['too_expensive'] },
    },
  })
  const address = `${await open()}/subscriptions/${subscription.id}/cancel`
  const page = await (await fetch(address)).text()
  assert.ok(page.includes('It&#39;s too expensive') && !page.includes('Some features are missing'))

  await post(address, { feedback: 'too_expensive' })
  const over = await stripe.subscriptions.retrieve(subscription.id)
  assert.deepEqual([over.status, over.cancellation_details?.feedback], ['canceled', 'too_expensive'])
})

test('what the configuration does not offer, and what belongs to others, stays shut', async (t) => {
  const { stripe, price, subscription, open, post } = await visit(t, { subscription_cancel: { enabled: false } })
  const portal = await open()
  assert.equal((await post(`${portal}/subscriptions/${subscription.id}/cancel`)).status, 404)

  const other = await stripe.customers.create({ email: 'other@example.com' })
  const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: other.id })
  const items = [{ price: price.id }]
  const foreign = await stripe.subscriptions.create({ customer: other.id, default_payment_method: card.id, items })
  const configuration = await stripe.billingPortal.configurations.create({ features: FEATURES })
  const able = await open({ configuration: configuration.id })
  assert.equal((await post(`${able}/subscriptions/${foreign.id}/cancel`)).status, 404)
  assert.equal((await stripe.subscriptions.retrieve(foreign.id)).cancel_at_period_end, false)

  assert.equal((await fetch(`${portal}x`)).status, 404)
})

test('a new card is the one charged from now on; the old one stays, a bad one is refused beside its field', async (t) => {
  const { stripe, customer, open, post } = await visit(t)
  const address = `${await open()}/payment-method`
  const typed = { number: '5555 5555 5555 4444', expiry: '10 / 33', cvc: '123' }

  const refused = await post(address, { ...typed, cvc: '' })
  assert.equal(refused.status, 422)
  assert.match(await refused.text(), /id="cvc-error">Enter the security code\./)

  assert.equal((await post(address, typed)).status, 303)
  const { data } = await stripe.customers.listPaymentMethods(customer.id)
  assert.deepEqual(
    data.map(({ card }) => [card?.brand, card?.last4, card?.exp_month, card?.exp_year]),
    [
      ['mastercard', '4444', 10, 2033],
      ['visa', '4242', 12, 2034],
    ],
  )
  const after = (await stripe.customers.retrieve(customer.id)) as Stripe.Customer
  assert.equal(after.invoice_settings.default_payment_method, data[0]?.id)
})

test('billing information is changed within what the configuration allows', async (t) => {
  const { stripe, customer, open, post } = await visit(t, {
    customer_update: { enabled: true, allowed_updates: ['name'] },
  })
  const address = `${await open()}/information`
  assert.equal((await post(address, { name: 'Priya N.', email: 'mallory@example.com' })).status, 303)
  const after = (await stripe.customers.retrieve(customer.id)) as Stripe.Customer
  assert.deepEqual([after.name, after.email], ['Priya N.', 'priya@example.com'])
})

test('flat plans are switched within the configuration', async (t) => {
  const { local, stripe } = await world(t, AT)
  const { customer } = await essential(stripe, local)
  const plan = (name: string, unit_amount: number) =>
    stripe.prices.create({ currency: 'usd', unit_amount, recurring: { interval: 'month' }, product_data: { name } })
  const [team, company, hidden] = [await plan('Team', 4900), await plan('Company', 19900), await plan('Hidden', 1)]
  const offered = [team, company].map(({ id, product }) => ({ product: product as string, prices: [id] }))
  const configuration = await stripe.billingPortal.configurations.create({
    features: {
      payment_method_update: { enabled: true },
      subscription_update: {
        enabled: true,
        default_allowed_updates: ['price'],
        products: offered,
        proration_behavior: 'create_prorations',
      },
    },
  })
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: team.id }] })
  const session = await stripe.billingPortal.sessions.create({
    customer: customer.id,
    configuration: configuration.id,
  })
  const address = `${session.url}/subscriptions/${subscription.id}/switch`

  const choice = await (await fetch(address)).text()
  assert.ok(choice.includes('Company') && !choice.includes('Hidden'))
  // A whole period is left: +199 −49 for this one, and 199 for the next.
  assert.match(
    await (await fetch(`${address}?price=${company.id}`)).text(),
    /Next invoice[\s\S]*<td class="number">\$349\.00/,
  )

  const post = (price: string) =>
    fetch(address, { method: 'POST', body: new URLSearchParams({ price }), redirect: 'manual' })
  assert.equal((await post(hidden.id)).status, 404)
  assert.equal((await post(company.id)).status, 303)
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).items.data[0]?.price.id, company.id)
})

test('a deep link leads to its task and afterwards to where the flow says', async (t) => {
  const { subscription, open, post } = await visit(t)
  const cancel = await open({
    flow_data: {
      type: 'subscription_cancel',
      subscription_cancel: { subscription: subscription.id },
      after_completion: { type: 'redirect', redirect: { return_url: 'https://shop.example/sorry' } },
    },
  })
  const entry = await fetch(cancel, { redirect: 'manual' })
  assert.equal(entry.headers.get('location'), `${new URL(cancel).pathname}/subscriptions/${subscription.id}/cancel`)
  const done = await post(`${cancel}/subscriptions/${subscription.id}/cancel`)
  assert.equal(done.headers.get('location'), 'https://shop.example/sorry')

  const card = await open({
    flow_data: {
      type: 'payment_method_update',
      after_completion: { type: 'hosted_confirmation', hosted_confirmation: { custom_message: 'Thank you, Priya.' } },
    },
  })
  const saved = await post(`${card}/payment-method`, { number: '4242424242424242', expiry: '12/34', cvc: '123' })
  assert.equal(saved.status, 200)
  assert.match(await saved.text(), /Thank you, Priya\./)
})

/** A customer on a flat plan of $49, and a portal that offers others. */
async function flatPlans(
  t: TestContext,
  update: Partial<Stripe.BillingPortal.ConfigurationCreateParams.Features.SubscriptionUpdate> = {},
  options: StripeLocalOptions = {},
) {
  const { local, stripe } = await world(t, AT, options)
  const { customer } = await essential(stripe, local)
  const plan = (name: string, unit_amount: number, interval: 'month' | 'year' = 'month') =>
    stripe.prices.create({ currency: 'usd', unit_amount, recurring: { interval }, product_data: { name } })
  const [team, company, solo] = [await plan('Team', 4900), await plan('Company', 19900), await plan('Solo', 900)]
  const configuration = await stripe.billingPortal.configurations.create({
    features: {
      payment_method_update: { enabled: true },
      subscription_cancel: { enabled: true },
      subscription_update: {
        enabled: true,
        default_allowed_updates: ['price', 'quantity'],
        products: [team, company, solo].map(({ id, product }) => ({
          product: product as string,
          prices: [id],
          adjustable_quantity: { enabled: true, minimum: 1, maximum: 5 },
        })),
        ...update,
      },
    },
  })
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: team.id }] })
  const session = (flow?: Stripe.BillingPortal.SessionCreateParams.FlowData) =>
    stripe.billingPortal.sessions.create({
      customer: customer.id,
      configuration: configuration.id,
      return_url: 'https://shop.example/billing',
      ...(flow && { flow_data: flow }),
    })
  const address = `${(await session()).url}/subscriptions/${subscription.id}/switch`
  const post = (form: { [field: string]: string }) =>
    fetch(address, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' })
  return { local, stripe, customer, subscription, team, company, solo, session, address, post }
}

test('the quantity is changed within its limits', async (t) => {
  const { stripe, subscription, team, address, post } = await flatPlans(t)
  const refused = await fetch(`${address}?price=${team.id}&quantity=6`)
  assert.equal(refused.status, 422)
  assert.match(await refused.text(), /Enter a whole number from 1 to 5/)
  assert.match(await (await fetch(`${address}?price=${team.id}&quantity=3`)).text(), /Update quantity\?/)

  assert.equal((await post({ price: team.id, quantity: '3' })).status, 303)
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).items.data[0]?.quantity, 3)
})

test('a configuration may keep cheaper plans for the end of the period', async (t) => {
  const { local, stripe, subscription, solo, company, address, post } = await flatPlans(t, {
    schedule_at_period_end: { conditions: [{ type: 'decreasing_item_amount' }] },
  })
  assert.match(
    await (await fetch(`${address}?price=${solo.id}`)).text(),
    /On Dec 24, 2026, when the current period ends/,
  )
  assert.match(await (await fetch(`${address}?price=${company.id}`)).text(), /Takes effect<\/dt><dd>Now/)

  const scheduled = await post({ price: solo.id })
  assert.match(scheduled.headers.get('location') ?? '', /done=scheduled/)
  const price = async () => (await stripe.subscriptions.retrieve(subscription.id)).items.data[0]?.price.unit_amount
  assert.equal(await price(), 4900)
  // Nothing more can be changed while one change is planned.
  assert.equal((await fetch(address)).status, 404)
  assert.equal((await fetch(address.replace(/switch$/, 'cancel'))).status, 404)
  await local.advance(new Date('2026-12-24T13:00:00Z'))
  assert.equal(await price(), 900)
})

test('metered plans are switched where the reading says so', async (t) => {
  const { local, stripe } = await world(t, AT, { readings: { portalUpdatesMetered: true } })
  const { meter, price, customer } = await essential(stripe, local)
  const business = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 4,
    transform_quantity: { divide_by: 1000, round: 'up' },
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    product_data: { name: 'Business' },
  })
  const products = [price, business].map(({ id, product }) => ({ product: product as string, prices: [id] }))
  const configuration = await stripe.billingPortal.configurations.create({
    features: {
      payment_method_update: { enabled: true },
      subscription_update: { enabled: true, default_allowed_updates: ['price'], products },
    },
  })
  const subscription = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  const { url } = await stripe.billingPortal.sessions.create({
    customer: customer.id,
    configuration: configuration.id,
    flow_data: {
      type: 'subscription_update_confirm',
      subscription_update_confirm: {
        subscription: subscription.id,
        items: [{ id: subscription.items.data[0]!.id, price: business.id }],
      },
      after_completion: { type: 'redirect', redirect: { return_url: 'https://shop.example/switched' } },
    },
  })
  assert.match(await (await fetch(url)).text(), /Switch to Business\?/)

  const body = new URLSearchParams({ price: business.id })
  const address = `${url}/subscriptions/${subscription.id}/switch`
  const done = await fetch(address, { method: 'POST', body, redirect: 'manual' })
  assert.equal(done.headers.get('location'), 'https://shop.example/switched')
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).items.data[0]?.price.id, business.id)
})

test('cards: another becomes the default, the last one of a subscriber stays', async (t) => {
  const { stripe, customer, open, post } = await visit(t)
  const portal = await open()
  const [first] = (await stripe.customers.listPaymentMethods(customer.id)).data
  const kept = await post(`${portal}/payment-methods/${first!.id}/remove`)
  assert.match(await (await fetch(new URL(kept.headers.get('location')!, portal))).text(), /Add another one first/)

  const second = await stripe.paymentMethods.attach('pm_card_mastercard', { customer: customer.id })
  await post(`${portal}/payment-methods/${second.id}/default`)
  const after = (await stripe.customers.retrieve(customer.id)) as Stripe.Customer
  assert.equal(after.invoice_settings.default_payment_method, second.id)
  await post(`${portal}/payment-methods/${first!.id}/remove`)
  const left = (await stripe.customers.listPaymentMethods(customer.id)).data.map(({ id }) => id)
  assert.deepEqual(left, [second.id])
})

test('a card that the bank asks about is saved once the answer is yes', async (t) => {
  const { stripe, customer, open, post } = await visit(t)
  const typed = { number: '4000 0025 0000 3155', expiry: '12 / 34', cvc: '123' }
  for (const [answer, cards] of [
    ['fail', 1],
    ['complete', 2],
  ] as const) {
    const asked = await post(`${await open()}/payment-method`, typed)
    const bank = asked.headers.get('location') ?? ''
    assert.match(bank, /3d-secure/)
    const back = await post(bank, { authentication: answer })
    await fetch(back.headers.get('location') ?? '')
    assert.equal((await stripe.customers.listPaymentMethods(customer.id)).data.length, cards, answer)
  }
})

test('pausing for a month and resuming', async (t) => {
  const { stripe, subscription, open, post } = await visit(t, { subscription_pause: { enabled: true } })
  const portal = await open()
  const address = `${portal}/subscriptions/${subscription.id}`
  assert.match(await (await fetch(`${address}/pause`)).text(), /For 1 month, until Dec 24, 2026/)
  await post(`${address}/pause`, { duration: '1-month' })
  const paused = await stripe.subscriptions.retrieve(subscription.id)
  assert.deepEqual(paused.pause_collection, { behavior: 'void', resumes_at: Date.parse('2026-12-24T12:00:00Z') / 1000 })
  assert.match(await (await fetch(`${portal}/home`)).text(), /Paused until Dec 24, 2026/)
  await post(`${address}/resume`)
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).pause_collection, null)
})

test('address, phone and tax ID are changed where the configuration allows them', async (t) => {
  const { stripe, customer, open, post } = await visit(t, {
    customer_update: { enabled: true, allowed_updates: ['address', 'phone', 'tax_id'] },
  })
  const portal = await open()
  const done = await post(`${portal}/information`, {
    address_line1: 'Unter den Linden 1',
    address_city: 'Berlin',
    address_postal_code: '10117',
    address_country: 'de',
    phone: '+49 30 1234',
    tax_type: 'eu_vat',
    tax_value: 'DE123456789',
  })
  assert.equal(done.status, 303)
  const after = (await stripe.customers.retrieve(customer.id)) as Stripe.Customer
  assert.deepEqual([after.address?.city, after.address?.country, after.phone], ['Berlin', 'DE', '+49 30 1234'])
  assert.deepEqual(
    (await stripe.customers.listTaxIds(customer.id)).data.map(({ value }) => value),
    ['DE123456789'],
  )
  assert.match(await (await fetch(`${portal}/home`)).text(), /Unter den Linden 1, 10117 Berlin, DE/)
})

test('a session ends five minutes unused or an hour after its last use; who may log in again, can', async (t) => {
  const { local, stripe, customer, open } = await visit(t)
  const later = async (minutes: number) => await local.advance(new Date(local.now().getTime() + minutes * 60_000))
  const [unused, used] = [await open(), await open()]
  assert.equal((await fetch(used)).status, 200)
  await later(6)
  assert.equal((await fetch(unused)).status, 404)
  assert.equal((await fetch(used)).status, 200)
  await later(61)
  assert.equal((await fetch(used)).status, 404)

  const [configuration] = (await stripe.billingPortal.configurations.list()).data
  const { url } = await stripe.billingPortal.sessions.create({
    customer: customer.id,
    configuration: configuration!.id,
    after_expiration: { type: 'customer_login' },
  })
  await later(6)
  assert.match(await (await fetch(url)).text(), /Log in again/)
  assert.equal((await fetch(`${url}/log-in`, { method: 'POST' })).status, 200)
  assert.equal((await fetch(url)).status, 200)
})

test('the login page leads a known address to its portal, and closes when it is disabled', async (t) => {
  const { stripe } = await visit(t)
  const [configuration] = (await stripe.billingPortal.configurations.list()).data
  const enabled = await stripe.billingPortal.configurations.update(configuration!.id, { login_page: { enabled: true } })
  const login = async (email: string) =>
    await fetch(enabled.login_page.url!, { method: 'POST', body: new URLSearchParams({ email }) })
  assert.equal((await login('nobody@example.com')).status, 422)
  const link = (await (await login('priya@example.com')).text()).match(/href="([^"]+\/p\/session\/[^"]+)"/)?.[1]
  assert.match(await (await fetch(link!)).text(), /Essential/)

  await stripe.billingPortal.configurations.update(configuration!.id, { login_page: { enabled: false } })
  assert.equal((await fetch(enabled.login_page.url!)).status, 404)
})
