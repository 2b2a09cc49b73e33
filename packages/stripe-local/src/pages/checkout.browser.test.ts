import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { Page } from 'playwright-core'
import type { Stripe } from 'stripe'
import { visitors } from '../../test/visitor.ts'
import { world } from '../../test/world.ts'

const test = visitors()

test('a good card subscribes and comes back with the session’s id', async (visit, t) => {
  const { stripe, monthly, shop } = await stall(t)
  const session = await subscription(stripe, shop, monthly)
  const page = await visit()

  await page.goto(session.url!)
  await page.getByRole('heading', { name: 'Subscribe to Team seat' }).waitFor()
  await page.getByText('Due today').waitFor()
  await fill(page, '4242424242424242')
  assert.equal(await page.getByLabel('Card number').inputValue(), '4242 4242 4242 4242')
  await page.getByRole('button', { name: 'Subscribe', exact: true }).click()

  await page.getByText(`Thank you, ${session.id}`).waitFor()
  const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ['subscription'] })
  assert.equal((done.subscription as Stripe.Subscription).status, 'active')
})

test('each refusal is said where it belongs, and what was typed stays', async (visit, t) => {
  const { stripe, monthly, shop } = await stall(t)
  const session = await subscription(stripe, shop, monthly)
  const page = await visit()
  const cases: [number: string, said: string][] = [
    ['4000000000000002', 'Your card was declined.'],
    ['4000000000009995', 'Your card has insufficient funds.'],
    ['4000000000000069', 'Your card has expired.'],
    ['4000000000000127', "Your card's security code is incorrect."],
    ['4000000000000341', 'Your card was declined.'], // it attaches, and fails when the first invoice is paid
    ['4242424242424241', 'Your card number is invalid.'],
    ['4242', 'Your card number is incomplete.'],
  ]
  await page.goto(session.url!)
  for (const [number, said] of cases) {
    await fill(page, number)
    await page.getByRole('button', { name: 'Subscribe', exact: true }).click()
    await page.locator('[role=alert]:focus', { hasText: said }).waitFor()
    assert.equal(await page.getByLabel('Cardholder name').inputValue(), 'Jenny Rosen', number)
  }
  assert.equal((await stripe.customers.list()).data.length, 0)
  assert.equal((await stripe.checkout.sessions.retrieve(session.id)).status, 'open')

  await fill(page, '378282246310005', '123') // American Express has four digits
  await page.getByRole('button', { name: 'Subscribe', exact: true }).click()
  await page.locator('#cvc-error', { hasText: 'incomplete' }).waitFor()
  await fill(page, '378282246310005', '1234')
  await page.getByRole('button', { name: 'Subscribe', exact: true }).click()
  await page.getByText(`Thank you, ${session.id}`).waitFor()
})

test('a card that attaches and fails later is taken where nothing is due yet', async (visit, t) => {
  const { stripe, metered, shop } = await stall(t)
  const session = await stripe.checkout.sessions.create({
    mode: 'subscription',
    line_items: [{ price: metered }],
    success_url: shop.success,
  })
  const page = await visit()
  await page.goto(session.url!)
  await page.getByRole('button', { name: 'Fails on first invoice' }).click()
  await page.getByRole('button', { name: 'Subscribe', exact: true }).click()
  await page.getByText(`Thank you, ${session.id}`).waitFor()
})

test('the bank’s question: failing leads back to the form, completing pays', async (visit, t) => {
  const { stripe, monthly, shop } = await stall(t)
  for (const number of ['4000002500003155', '4000002760003184']) {
    const session = await subscription(stripe, shop, monthly)
    const page = await visit()
    await page.goto(session.url!)
    await fill(page, number)
    await page.getByRole('button', { name: 'Subscribe', exact: true }).click()
    await page.getByRole('button', { name: 'Fail authentication' }).click()
    await page.getByRole('alert').getByText('unable to authenticate').waitFor()

    await page.getByRole('button', { name: 'Subscribe', exact: true }).click()
    await page.getByRole('button', { name: 'Complete authentication' }).click()
    await page.getByText(`Thank you, ${session.id}`).waitFor()
  }
})

test('a card may pass the bank’s question and still have no funds', async (visit, t) => {
  const { stripe, monthly, shop } = await stall(t)
  const session = await subscription(stripe, shop, monthly)
  const page = await visit()
  await page.goto(session.url!)
  await fill(page, '4000008260003178')
  await page.getByRole('button', { name: 'Subscribe', exact: true }).click()
  await page.getByRole('button', { name: 'Complete authentication' }).click()
  await page.getByRole('alert').getByText('Your card has insufficient funds.').waitFor()
})

test('a payment shows its total, and quantities change it', async (visit, t) => {
  const { stripe, book, shop } = await stall(t)
  const session = await stripe.checkout.sessions.create({
    mode: 'payment',
    line_items: [{ price: book, quantity: 1, adjustable_quantity: { enabled: true, minimum: 1, maximum: 9 } }],
    success_url: shop.success,
    cancel_url: shop.cancel,
  })
  const page = await visit()
  await page.goto(session.url!)
  await page.getByRole('button', { name: 'Pay $5.00' }).waitFor()
  await page.getByLabel('Quantity').fill('3')
  await page.getByRole('button', { name: 'Update total' }).click()
  await page.getByRole('button', { name: 'Pay $15.00' }).waitFor()
  await fill(page, '5555555555554444')
  await page.getByRole('button', { name: 'Pay $15.00' }).click()
  await page.getByText(`Thank you, ${session.id}`).waitFor()

  const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent'] })
  assert.equal((done.payment_intent as Stripe.PaymentIntent).amount_received, 1500)
})

test('a card is saved in setup mode', async (visit, t) => {
  const { stripe, shop } = await stall(t)
  const customer = await stripe.customers.create({ email: 'grace@example.com' })
  const session = await stripe.checkout.sessions.create({
    mode: 'setup',
    currency: 'usd',
    customer: customer.id,
    success_url: shop.success,
  })
  const page = await visit()
  await page.goto(session.url!)
  assert.equal(await page.getByLabel('Email').inputValue(), 'grace@example.com')
  assert.equal(await page.getByLabel('Email').isEditable(), false)
  await fill(page, '4242424242424242')
  await page.getByRole('button', { name: 'Save card' }).click()
  await page.getByText(`Thank you, ${session.id}`).waitFor()
  assert.equal((await stripe.customers.listPaymentMethods(customer.id)).data.length, 1)
})

test('a saved card pays without being typed again', async (visit, t) => {
  const { stripe, book, shop } = await stall(t)
  const customer = await stripe.customers.create({ email: 'grace@example.com' })
  const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
  await stripe.paymentMethods.update(card.id, { allow_redisplay: 'always' })
  const session = await stripe.checkout.sessions.create({
    mode: 'payment',
    customer: customer.id,
    line_items: [{ price: book, quantity: 1 }],
    success_url: shop.success,
  })
  const page = await visit()
  await page.goto(session.url!)
  await page.getByLabel('Visa •••• 4242').waitFor()
  assert.equal(await page.getByLabel('Card number').isVisible(), false)
  await page.getByLabel('Use another card').check()
  assert.equal(await page.getByLabel('Card number').isVisible(), true)
  await page.getByLabel('Visa •••• 4242').check()
  await page.getByRole('button', { name: 'Pay $5.00' }).click()
  await page.getByText(`Thank you, ${session.id}`).waitFor()
})

test('going back leads to cancel_url, and an expired session says so', async (visit, t) => {
  const { stripe, monthly, shop } = await stall(t)
  const session = await subscription(stripe, shop, monthly)
  const page = await visit()
  await page.goto(session.url!)
  await page.getByRole('link', { name: /Back to Test business/ }).click()
  await page.getByText('The plans').waitFor()

  await stripe.checkout.sessions.expire(session.id)
  await page.goto(session.url!)
  await page.getByRole('heading', { name: 'Session expired' }).waitFor()
  await page.getByRole('link', { name: 'Go back' }).click()
  await page.getByText('The plans').waitFor()
})

test('all of it works without JavaScript, on a phone, by keyboard', async (visit, t) => {
  const { stripe, monthly, shop } = await stall(t)
  const session = await subscription(stripe, shop, monthly)
  const page = await visit({ javaScript: false, viewport: { width: 390, height: 844 } })
  await page.goto(session.url!)
  assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390) // nothing sticks out
  await page.getByRole('button', { name: 'Asks for authentication' }).click()
  assert.equal(await page.getByLabel('Card number').inputValue(), '4000 0025 0000 3155')
  await page.getByLabel('Email').fill('jenny.rosen@example.com')
  await page.getByLabel('Cardholder name').fill('Jenny Rosen')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Complete authentication' }).focus()
  await page.keyboard.press('Enter')
  await page.getByText(`Thank you, ${session.id}`).waitFor()
})

test('custom fields, address and terms are asked for and refused when empty', async (visit, t) => {
  const { stripe, book, shop } = await stall(t)
  const session = await stripe.checkout.sessions.create({
    mode: 'payment',
    line_items: [{ price: book, quantity: 1 }],
    billing_address_collection: 'required',
    phone_number_collection: { enabled: true },
    consent_collection: { terms_of_service: 'required' },
    custom_fields: [
      {
        key: 'size',
        type: 'dropdown',
        label: { type: 'custom', custom: 'Size' },
        dropdown: { options: [{ label: 'Large', value: 'l' }] },
      },
    ],
    custom_text: { submit: { message: 'We send it within a week.' } },
    success_url: shop.success,
  })
  const page = await visit()
  await page.goto(session.url!)
  await fill(page, '4242424242424242')
  await page.getByRole('button', { name: 'Pay $5.00' }).click()
  await page.getByText('7 fields need your attention.').waitFor() // phone, 4 of the address, size, terms

  await page.getByLabel('Phone number').fill('+1 555 0100')
  await page.getByLabel('Address line 1').fill('1 Main Street')
  await page.getByLabel('Postal code').fill('94105')
  await page.getByLabel('City').fill('San Francisco')
  await page.getByLabel(/^Country/).fill('US')
  await page.getByLabel('Size').selectOption('Large')
  await page.getByLabel(/terms of service/).check()
  await page.getByText('We send it within a week.').waitFor()
  await page.getByRole('button', { name: 'Pay $5.00' }).click()
  await page.getByText(`Thank you, ${session.id}`).waitFor()
})

/** A local Stripe with things to sell, and a shop that people come back to. */
async function stall(t: TestContext) {
  const { stripe } = await world(t, '2026-11-24T12:00:00Z')
  const shop = await openShop(t)
  const [seat, copy] = await Promise.all([
    stripe.prices.create({
      currency: 'usd',
      unit_amount: 2000,
      recurring: { interval: 'month' },
      product_data: { name: 'Team seat' },
    }),
    stripe.prices.create({ currency: 'usd', unit_amount: 500, product_data: { name: 'A book' } }),
  ])
  const meter = await stripe.billing.meters.create({
    display_name: 'Tokens',
    event_name: 'tokens',
    default_aggregation: { formula: 'sum' },
  })
  const usage = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 5,
    transform_quantity: { divide_by: 1000, round: 'up' },
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    product_data: { name: 'Essential' },
  })
  return { stripe, shop, monthly: seat.id, book: copy.id, metered: usage.id }
}

type Shop = { success: string; cancel: string }

async function openShop(t: TestContext): Promise<Shop> {
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://shop')
    const id = searchParams.get('session')
    response.setHeader('Content-Type', 'text/html; charset=utf-8')
    response.end(
      `<!doctype html><link rel="icon" href="data:,"><title>Shop</title>${id ? `Thank you, ${id}` : 'The plans'}`,
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { success: `${url}/?session={CHECKOUT_SESSION_ID}`, cancel: `${url}/` }
}

function subscription(stripe: Stripe, shop: Shop, price: string): Promise<Stripe.Checkout.Session> {
  return stripe.checkout.sessions.create({
    mode: 'subscription',
    line_items: [{ price, quantity: 1 }],
    success_url: shop.success,
    cancel_url: shop.cancel,
  })
}

async function fill(page: Page, number: string, cvc = number.startsWith('37') ? '1234' : '123'): Promise<void> {
  if (await page.getByLabel('Email').isEditable()) await page.getByLabel('Email').fill('jenny.rosen@example.com')
  await page.getByLabel('Card number').fill('')
  await page.getByLabel('Card number').pressSequentially(number)
  await page.getByLabel('Expiration').fill('12 / 34')
  await page.getByLabel('CVC').fill(cvc)
  await page.getByLabel('Cardholder name').fill('Jenny Rosen')
}
