import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance } from './conformance.ts'
import { refused } from './refusal.ts'

conformance(
  'a card is made from a token, with what is known of its holder',
  'PaymentMethods.d.ts, card.token; docs.stripe.com/testing: tok_visa',
  async ({ stripe }) => {
    const method = await stripe.paymentMethods.create({
      type: 'card',
      card: { token: 'tok_visa' },
      billing_details: { name: 'Ada', email: 'ada@example.com', address: { city: 'London', country: 'GB' } },
      metadata: { seat: '1' },
      allow_redisplay: 'always',
    })
    assert.match(method.id, /^pm_/)
    assert.equal(method.type, 'card')
    assert.equal(method.customer, null)
    assert.equal(method.card!.brand, 'visa')
    assert.equal(method.card!.last4, '4242')
    assert.equal(method.billing_details.name, 'Ada')
    assert.equal(method.billing_details.address!.city, 'London')
    assert.equal(method.billing_details.address!.line1, null)
    assert.equal(method.metadata!.seat, '1')
    assert.equal(method.allow_redisplay, 'always')
  },
)

conformance(
  'a test name stands for a new card each time',
  'docs.stripe.com/testing: "use a PaymentMethod such as pm_card_visa"',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    const first = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
    const second = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
    assert.notEqual(first.id, second.id)
    assert.equal(first.card!.fingerprint, second.card!.fingerprint)
    assert.equal(first.customer, customer.id)
    const listed = await stripe.customers.listPaymentMethods(customer.id)
    assert.deepEqual(
      listed.data.map(({ id }) => id),
      [second.id, first.id],
    )
    const one = await stripe.customers.retrievePaymentMethod(customer.id, first.id)
    assert.equal(one.id, first.id)
  },
)

conformance(
  'a card belongs to one customer',
  'observed: "The payment method you provided has already been attached to a customer."',
  async ({ stripe }) => {
    const [mine, theirs] = [await stripe.customers.create(), await stripe.customers.create()]
    const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: mine.id })
    const failure = await refused(stripe.paymentMethods.attach(card.id, { customer: theirs.id }))
    assert.equal(failure.statusCode, 400)
    assert.match(failure.message, /already been attached/)
    const foreign = await refused(
      stripe.customers.update(theirs.id, { invoice_settings: { default_payment_method: card.id } }),
    )
    assert.equal(foreign.statusCode, 400)
  },
)

conformance(
  'a detached card is nobody’s default and is not taken again',
  'docs.stripe.com/api/payment_methods/detach: "After a PaymentMethod is detached, it can no longer be used for a payment or re-attached to a Customer."',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
    await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: card.id } })

    const detached = await stripe.paymentMethods.detach(card.id)
    assert.equal(detached.customer, null)
    const after = (await stripe.customers.retrieve(customer.id)) as Stripe.Customer
    assert.equal(after.invoice_settings.default_payment_method, null)
    assert.equal((await refused(stripe.paymentMethods.attach(card.id, { customer: customer.id }))).statusCode, 400)
    assert.equal((await refused(stripe.paymentMethods.detach(card.id))).statusCode, 400)
  },
)

conformance(
  'an attached card can be corrected',
  'docs.stripe.com/api/payment_methods/update: "A PaymentMethod must be attached to a customer to be updated."',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
    const changed = await stripe.paymentMethods.update(card.id, {
      card: { exp_month: 5, exp_year: 2040 },
      billing_details: { name: 'Grace' },
      metadata: { seat: '2' },
      allow_redisplay: 'limited',
    })
    assert.equal(changed.card!.exp_month, 5)
    assert.equal(changed.card!.exp_year, 2040)
    assert.equal(changed.billing_details.name, 'Grace')
    assert.equal(changed.allow_redisplay, 'limited')

    const loose = await stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } })
    assert.equal((await refused(stripe.paymentMethods.update(loose.id, { metadata: { a: 'b' } }))).statusCode, 400)
  },
)

conformance(
  'cards are listed by customer, and by what may be shown again',
  'docs.stripe.com/api/payment_methods/customer_list; PaymentMethods.d.ts, allow_redisplay',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    const shown = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
    await stripe.paymentMethods.update(shown.id, { allow_redisplay: 'always' })
    await stripe.paymentMethods.attach('pm_card_mastercard', { customer: customer.id })
    const all = await stripe.paymentMethods.list({ customer: customer.id, type: 'card' })
    assert.equal(all.data.length, 2)
    const again = await stripe.paymentMethods.list({ customer: customer.id, allow_redisplay: 'always' })
    assert.deepEqual(
      again.data.map(({ id }) => id),
      [shown.id],
    )
  },
)

conformance(
  'attaching and detaching are events',
  'docs.stripe.com/api/events/types: payment_method.attached, payment_method.detached',
  async ({ stripe, eventually }) => {
    const customer = await stripe.customers.create()
    const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })
    await stripe.paymentMethods.detach(card.id)
    await eventually(async () => {
      const { data } = await stripe.events.list({ types: ['payment_method.attached', 'payment_method.detached'] })
      const types = data.filter((event) => (event.data.object as { id: string }).id === card.id).map(({ type }) => type)
      assert.deepEqual(types.toSorted(), ['payment_method.attached', 'payment_method.detached'])
    })
  },
)

conformance(
  'unknown ids and tokens are missing resources',
  'docs.stripe.com/error-codes, resource_missing',
  async ({ stripe }) => {
    const method = await refused(stripe.paymentMethods.retrieve('pm_nope'))
    assert.equal(method.statusCode, 404)
    assert.equal(method.code, 'resource_missing')
    const token = await refused(stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_nope' } }))
    assert.equal(token.statusCode, 400)
    assert.equal(token.code, 'resource_missing')
  },
)
