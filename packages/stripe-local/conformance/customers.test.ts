import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance, seconds } from './conformance.ts'
import { refusal } from './refusal.ts'

conformance(
  'a customer needs nothing and shows whole addresses',
  'stripe Customer.address: Address { city: string | null … }; Customer.balance: "If zero, the customer has no balance"',
  async ({ stripe }) => {
    const nobody = await stripe.customers.create()
    assert.deepEqual(
      [nobody.email, nobody.name, nobody.balance, nobody.delinquent, nobody.address, nobody.shipping],
      [null, null, 0, false, null, null],
    )
    assert.deepEqual(nobody.preferred_locales, [])
    assert.equal(nobody.tax_exempt, 'none')
    assert.equal(nobody.invoice_settings.default_payment_method, null)

    const priya = await stripe.customers.create({
      email: 'priya@example.com',
      name: 'Priya',
      phone: '+44 20 7946 0000',
      address: { line1: '1 High Street', city: 'London', country: 'GB' },
      shipping: { name: 'Priya', address: { line1: '2 Low Street' } },
      preferred_locales: ['en-GB'],
      invoice_settings: { footer: 'Thank you', custom_fields: [{ name: 'PO', value: '7' }] },
      tax_exempt: 'reverse',
    })
    assert.deepEqual(priya.address, {
      city: 'London',
      country: 'GB',
      line1: '1 High Street',
      line2: null,
      postal_code: null,
      state: null,
    })
    assert.equal(priya.shipping!.address!.line1, '2 Low Street')
    assert.deepEqual(priya.invoice_settings.custom_fields, [{ name: 'PO', value: '7' }])
    assert.deepEqual(
      [priya.phone, priya.preferred_locales, priya.invoice_settings.footer, priya.tax_exempt],
      ['+44 20 7946 0000', ['en-GB'], 'Thank you', 'reverse'],
    )
  },
)

conformance(
  'an update changes what it names and leaves the rest',
  'stripe CustomerResource.update: "Updates the specified customer by setting the values of the parameters passed. Any parameters not provided are left unchanged."',
  async ({ stripe }) => {
    const { id } = await stripe.customers.create({ email: 'a@example.com', name: 'A', metadata: { a: '1', b: '2' } })

    const changed = await stripe.customers.update(id, { email: 'b@example.com', metadata: { a: '', c: '3' } })

    assert.deepEqual([changed.email, changed.name], ['b@example.com', 'A'])
    assert.deepEqual({ ...changed.metadata }, { b: '2', c: '3' })
  },
)

conformance(
  'an event tells what was before',
  'stripe Event.Data.previous_attributes: "Object containing the names of the updated attributes and their values prior to the event"',
  async ({ stripe, eventually }) => {
    const { id } = await stripe.customers.create({ email: 'a@example.com', name: 'A' })
    await stripe.customers.update(id, { email: 'b@example.com' })

    await eventually(async () => {
      const events = await stripe.events.list({ type: 'customer.updated', limit: 20 })
      const event = events.data.find(({ data }) => (data.object as Stripe.Customer).id === id)
      assert.deepEqual(event?.data.previous_attributes, { email: 'a@example.com' })
    })
  },
)

conformance(
  'an address of email without an @ is refused',
  'observed: code email_invalid, "Invalid email address: …"',
  async ({ stripe }) => {
    await assert.rejects(
      stripe.customers.create({ email: 'nobody' }),
      refusal({ code: 'email_invalid', param: 'email', message: 'Invalid email address: nobody' }),
    )
  },
)

conformance(
  "an invoice prefix is 3 to 12 capitals or digits and nobody else's",
  'stripe CustomerCreateParams.invoice_prefix: "The prefix for the customer used to generate unique invoice numbers. Must be 3–12 uppercase letters or numbers."',
  async ({ stripe }) => {
    const prefix = `T${crypto.randomUUID().replaceAll('-', '').slice(0, 9).toUpperCase()}`

    const customer = await stripe.customers.create({ invoice_prefix: prefix, next_invoice_sequence: 7 })

    assert.deepEqual([customer.invoice_prefix, customer.next_invoice_sequence], [prefix, 7])
    await assert.rejects(stripe.customers.create({ invoice_prefix: 'ab' }), refusal({ param: 'invoice_prefix' }))
  },
)

conformance(
  'a payment method given at creation is attached',
  'stripe CustomerCreateParams.payment_method: the PaymentMethod is attached to the new customer (docs.stripe.com/api/customers/create)',
  async ({ stripe }) => {
    const { id } = await stripe.customers.create({ payment_method: 'pm_card_visa' })

    const methods = await stripe.customers.listPaymentMethods(id)
    assert.equal(methods.data.length, 1)
    assert.equal(methods.data[0]!.customer, id)
  },
)

conformance(
  'a token given as source is what subscriptions charge',
  'stripe Customer.default_source: "ID of the default payment source for the customer."; Subscription.default_payment_method: "If neither are set, invoices will use the customer\'s invoice_settings.default_payment_method or default_source."',
  async ({ stripe }) => {
    const customer = await stripe.customers.create({ source: 'tok_visa' })
    assert.equal(typeof customer.default_source, 'string')
    const price = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 1000,
      recurring: { interval: 'month' },
      product_data: { name: 'Flat' },
    })

    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      expand: ['latest_invoice'],
    })

    assert.equal(subscription.status, 'active')
    assert.equal((subscription.latest_invoice as Stripe.Invoice).status, 'paid')
  },
)

conformance(
  'a balance set by hand is a transaction',
  'stripe CustomerUpdateParams.balance: "An integer amount in cents (or local equivalent) that represents the customer\'s current balance, which affect the customer\'s future invoices."',
  async ({ stripe }) => {
    const { id } = await stripe.customers.create()

    assert.equal((await stripe.customers.update(id, { balance: -500 })).balance, -500)

    const [transaction] = (await stripe.customers.listBalanceTransactions(id)).data
    assert.deepEqual([transaction!.amount, transaction!.ending_balance, transaction!.type], [-500, -500, 'adjustment'])
  },
)

conformance(
  'lists find by the exact email and by age',
  'stripe CustomerListParams.email: "A case-sensitive filter on the list based on the customer\'s `email` field. The value must be a string."',
  async ({ stripe, unique }) => {
    const email = `${unique('Priya')}@example.com`
    const { id, created } = await stripe.customers.create({ email })
    const idsOf = async (params: Stripe.CustomerListParams) =>
      (await stripe.customers.list(params)).data.map((customer) => customer.id)

    assert.deepEqual(await idsOf({ email }), [id])
    assert.deepEqual(await idsOf({ email: email.toLowerCase() }), [])
    assert.deepEqual(await idsOf({ email, created: { gt: created } }), [])
    assert.deepEqual(await idsOf({ email, created }), [id])
  },
)

conformance(
  'a deleted customer can still be read, as a tombstone',
  'stripe CustomerResource.del: "Permanently deletes a customer. It cannot be undone. Also immediately cancels any active subscriptions on the customer."',
  async ({ stripe, unique }) => {
    const email = `${unique('gone')}@example.com`
    const { id } = await stripe.customers.create({ email, payment_method: 'pm_card_visa' })
    const [card] = (await stripe.customers.listPaymentMethods(id)).data
    const price = await stripe.prices.create({
      currency: 'usd',
      unit_amount: 1000,
      recurring: { interval: 'month' },
      product_data: { name: 'Flat' },
    })
    const subscription = await stripe.subscriptions.create({
      customer: id,
      items: [{ price: price.id }],
      default_payment_method: card!.id,
    })

    assert.deepEqual({ ...(await stripe.customers.del(id)) }, { id, object: 'customer', deleted: true })

    assert.deepEqual({ ...(await stripe.customers.retrieve(id)) }, { id, object: 'customer', deleted: true })
    assert.equal((await stripe.subscriptions.retrieve(subscription.id)).status, 'canceled')
    assert.deepEqual((await stripe.customers.list({ email })).data, [])
    await assert.rejects(
      stripe.customers.update(id, { name: 'Back' }),
      refusal({ status: 404, code: 'resource_missing' }),
    )
  },
)

conformance(
  "a test clock's customers are in no plain list",
  'docs.stripe.com/billing/testing/test-clocks: "list all" leaves out what test clocks made; stripe CustomerListParams.test_clock: "The response will not include customers with test clocks if this and other filter parameters is not set."',
  async ({ stripe, clock, unique }) => {
    const { id: test_clock } = await clock('2026-01-10T08:00:00Z')
    const email = `${unique('clock')}@example.com`
    const customer = await stripe.customers.create({ email, test_clock })

    assert.equal(customer.test_clock, test_clock)
    assert.equal(customer.created, seconds('2026-01-10T08:00:00Z'))
    assert.deepEqual(
      (await stripe.customers.list({ created: { gte: customer.created, lte: customer.created } })).data,
      [],
    )
    assert.deepEqual(
      (await stripe.customers.list({ test_clock })).data.map(({ id }) => id),
      [customer.id],
    )
  },
)
