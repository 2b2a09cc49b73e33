import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Stripe } from 'stripe'
import { world } from './world.ts'

const NOW = '2026-01-10T08:00:00Z'

test('an invoice paid on its hosted page asks the bank, and is paid once it has answered', async (t) => {
  const { stripe, local } = await world(t, NOW)
  const customer = await customerWith(stripe, 'pm_card_authenticationRequired')
  const invoice = await openInvoice(stripe, customer)
  const page = `${local.url}/i/${invoice.id}`

  const asked = await post(`${page}/pay`, {})
  const bank = asked.headers.get('location')!
  assert.match(bank, /\/3d-secure\/pi_/)
  assert.match(await (await fetch(bank)).text(), /charge <strong>\$20\.00<\/strong> to your card ending in 3184/)

  const failed = await post(bank, { authentication: 'fail' })
  assert.match(await (await fetch(failed.headers.get('location')!)).text(), /unable to authenticate/)
  assert.equal((await stripe.invoices.retrieve(invoice.id)).status, 'open')

  const again = await post(`${page}/pay`, {})
  await post(again.headers.get('location')!, { authentication: 'complete' })
  const paid = await stripe.invoices.retrieve(invoice.id, { expand: ['payments'] })
  assert.equal(paid.status, 'paid')
  assert.equal(paid.amount_paid, 2000)
  assert.equal(paid.payments!.data.filter(({ status }) => status === 'paid').length, 1)
})

test('a new card on the invoice’s page asks once, and is then charged unattended', async (t) => {
  const { stripe, local } = await world(t, NOW)
  const customer = await customerWith(stripe, 'pm_card_visa')
  const invoice = await openInvoice(stripe, customer)
  const card = { number: '4000 0025 0000 3155', expiry: '12 / 34', cvc: '123' }

  const asked = await post(`${local.url}/i/${invoice.id}/pay`, card)
  await post(asked.headers.get('location')!, { authentication: 'complete' })
  assert.equal((await stripe.invoices.retrieve(invoice.id)).status, 'paid')

  const next = await openInvoice(stripe, customer)
  assert.equal((await stripe.invoices.pay(next.id, { off_session: true })).status, 'paid')
})

test('a subscription whose card asks is incomplete until the bank has its answer', async (t) => {
  const { stripe } = await world(t, NOW)
  const customer = await customerWith(stripe, 'pm_card_authenticationRequired')
  const price = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 2000,
    recurring: { interval: 'month' },
    product_data: { name: 'Seat' },
  })
  const subscription = await stripe.subscriptions.create({
    customer,
    items: [{ price: price.id }],
  })
  assert.equal(subscription.status, 'incomplete')
  const invoice = await stripe.invoices.retrieve(subscription.latest_invoice as string, {
    expand: ['payments.data.payment.payment_intent'],
  })
  const [payment] = invoice.payments!.data
  const intent = payment!.payment.payment_intent as Stripe.PaymentIntent
  assert.equal(intent.status, 'requires_action')
  assert.equal(intent.next_action!.type, 'use_stripe_sdk')

  const asked = await stripe.paymentIntents.confirm(intent.id, { return_url: 'https://example.com/back' })
  const bank = asked.next_action!.redirect_to_url!.url!
  const back = new URL((await post(bank, { authentication: 'complete' })).headers.get('location')!)
  assert.equal(back.searchParams.get('redirect_status'), 'succeeded')
  assert.equal(back.searchParams.get('payment_intent_client_secret'), intent.client_secret)
  assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, 'active')
})

test('the bank’s page wants the secret, and takes one answer', async (t) => {
  const { stripe, local } = await world(t, NOW)
  const intent = await stripe.paymentIntents.create({
    amount: 1000,
    currency: 'usd',
    confirm: true,
    payment_method: 'pm_card_authenticationRequired',
    return_url: 'https://example.com/back',
    allowed_payment_method_types: ['card'],
  })
  assert.equal((await fetch(`${local.url}/3d-secure/${intent.id}?client_secret=guess`)).status, 404)

  const bank = intent.next_action!.redirect_to_url!.url!
  await post(bank, { authentication: 'complete' })
  await post(bank, { authentication: 'fail' }) // the button of a stale tab
  assert.equal((await stripe.paymentIntents.retrieve(intent.id)).status, 'succeeded')
  const charges = await stripe.charges.list({ payment_intent: intent.id })
  assert.equal(charges.data.length, 1)
})

async function customerWith(stripe: Stripe, card: string): Promise<string> {
  const { id } = await stripe.customers.create({ email: 'priya@example.com' })
  const method = await stripe.paymentMethods.attach(card, { customer: id })
  await stripe.customers.update(id, { invoice_settings: { default_payment_method: method.id } })
  return id
}

async function openInvoice(stripe: Stripe, customer: string): Promise<Stripe.Invoice> {
  await stripe.invoiceItems.create({ customer, amount: 2000, currency: 'usd' })
  const draft = await stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' })
  return await stripe.invoices.finalizeInvoice(draft.id)
}

async function post(url: string, form: { [field: string]: string }): Promise<Response> {
  return await fetch(url, { method: 'POST', body: new URLSearchParams(form), redirect: 'manual' })
}
