import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Stripe } from 'stripe'
import { essential, world } from '../../test/world.ts'

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
  assert.match(page, /\$0\.05 per 1,000 units/)
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

test('a new card takes the place of the old one; a bad one is refused beside its field', async (t) => {
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
    [['mastercard', '4444', 10, 2033]],
  )
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
  assert.match(await (await fetch(`${address}?price=${company.id}`)).text(), /Next invoice<\/dt><dd>\$349\.00/)

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
