import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance, seconds } from './conformance.ts'
import { refused } from './refusal.ts'

const PAGE = { localOnly: 'a hosted page has to be filled in' }
const SUCCESS = 'https://example.com/done?session={CHECKOUT_SESSION_ID}'

conformance(
  'a session is open, unpaid and has the address of its page',
  'Checkout/Sessions.d.ts, Session.url: "Redirect customers to this URL to take them to Checkout"; Session.status; docs.stripe.com/api/checkout/sessions/create',
  async ({ stripe, unique }) => {
    const { monthly } = await prices(stripe, unique)
    const session = await stripe.checkout.sessions.create({
      mode: 'subscription',
      line_items: [{ price: monthly.id, quantity: 3 }],
      success_url: SUCCESS,
      cancel_url: 'https://example.com/plans',
      client_reference_id: 'cart_7',
      metadata: { cart: '7' },
    })

    assert.match(session.id, /^cs_(test|live)_/)
    assert.match(session.url!, /^https?:\/\//)
    assert.equal(session.status, 'open')
    assert.equal(session.payment_status, 'unpaid')
    assert.equal(session.mode, 'subscription')
    assert.equal(session.ui_mode, 'hosted_page')
    assert.equal(session.amount_subtotal, 6000) // 3 seats of $20.00
    assert.equal(session.amount_total, 6000)
    assert.equal(session.currency, 'usd')
    assert.equal(session.client_reference_id, 'cart_7')
    assert.deepEqual({ ...session.metadata }, { cart: '7' })
    assert.equal(session.customer, null)
    assert.equal(session.subscription, null)
    assert.equal(session.line_items, undefined)
    const day = session.expires_at - session.created
    assert.ok(Math.abs(day - 86_400) <= 5, `${day} s`)
  },
)

conformance(
  'lines are listed by a call of their own, with paging, or expanded',
  'docs.stripe.com/api/checkout/sessions/line_items: "When retrieving a Checkout Session, there is an includable line_items property containing the first handful of those items."',
  async ({ stripe, unique }) => {
    const { monthly, once } = await prices(stripe, unique)
    const session = await stripe.checkout.sessions.create({
      mode: 'subscription',
      line_items: [
        { price: monthly.id, quantity: 1 },
        { price: once.id, quantity: 2 },
      ],
      success_url: SUCCESS,
      expand: ['line_items'],
    })

    assert.equal(session.amount_total, 2000 + 2 * 500)
    assert.equal(session.line_items!.data.length, 2)
    const first = await stripe.checkout.sessions.listLineItems(session.id, { limit: 1 })
    assert.equal(first.has_more, true)
    assert.equal(first.data[0]!.price!.id, monthly.id)
    assert.equal(first.data[0]!.amount_total, 2000)
    const rest = await stripe.checkout.sessions.listLineItems(session.id, { starting_after: first.data[0]!.id })
    assert.equal(rest.data[0]!.price!.id, once.id)
    assert.equal(rest.data[0]!.quantity, 2)
    assert.equal(rest.data[0]!.amount_subtotal, 1000)
    assert.equal(rest.has_more, false)
  },
)

conformance(
  'a price may be made on the spot',
  'Checkout/Sessions.d.ts, LineItem.price_data: "Data used to generate a new Price object inline. One of price or price_data is required."',
  async ({ stripe }) => {
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      line_items: [
        {
          price_data: { currency: 'usd', unit_amount: 1250, product_data: { name: 'A book', metadata: { isbn: '1' } } },
          quantity: 2,
        },
      ],
      success_url: SUCCESS,
      expand: ['line_items.data.price.product'],
    })

    assert.equal(session.amount_total, 2500)
    const [item] = session.line_items!.data
    assert.equal(item!.description, 'A book')
    assert.equal(item!.price!.type, 'one_time')
    assert.equal((item!.price!.product as Stripe.Product).name, 'A book')
  },
)

conformance(
  'mode and prices must fit each other',
  'Checkout/Sessions.d.ts, mode: "Pass subscription if the Checkout Session includes at least one recurring item."; observed: the sentences of the refusals',
  async ({ stripe, unique }) => {
    const { monthly, once } = await prices(stripe, unique)
    const recurringInPayment = await refused(
      stripe.checkout.sessions.create({
        mode: 'payment',
        line_items: [{ price: monthly.id, quantity: 1 }],
        success_url: SUCCESS,
      }),
    )
    assert.match(recurringInPayment.message, /You specified `payment` mode but passed a recurring price/)
    const nothingRecurring = await refused(
      stripe.checkout.sessions.create({
        mode: 'subscription',
        line_items: [{ price: once.id, quantity: 1 }],
        success_url: SUCCESS,
      }),
    )
    assert.match(nothingRecurring.message, /at least one recurring price in `subscription` mode/)
  },
)

conformance(
  'data of another mode is refused',
  'observed: "You can not pass `payment_intent_data` in `subscription` mode."',
  async ({ stripe, unique }) => {
    const { monthly, once } = await prices(stripe, unique)
    const payment = await refused(
      stripe.checkout.sessions.create({
        mode: 'subscription',
        line_items: [{ price: monthly.id, quantity: 1 }],
        payment_intent_data: { description: 'x' },
        success_url: SUCCESS,
      }),
    )
    assert.match(payment.message, /You can not pass `payment_intent_data` in `subscription` mode/)
    const subscription = await refused(
      stripe.checkout.sessions.create({
        mode: 'payment',
        line_items: [{ price: once.id, quantity: 1 }],
        subscription_data: { description: 'x' },
        success_url: SUCCESS,
      }),
    )
    assert.match(subscription.message, /You can not pass `subscription_data` in `payment` mode/)
  },
)

conformance(
  'a licensed price wants a quantity, a metered one has none',
  'observed: github.com/better-auth/better-auth/issues/8920 and github.com/stripe/stripe-java/issues/1584',
  async ({ stripe, unique }) => {
    const { monthly, metered } = await prices(stripe, unique)
    const without = await refused(
      stripe.checkout.sessions.create({
        mode: 'subscription',
        line_items: [{ price: monthly.id }],
        success_url: SUCCESS,
      }),
    )
    assert.match(without.message, /^Quantity is required\. Add `quantity` to `line_items\[0\]`/)
    const withQuantity = await refused(
      stripe.checkout.sessions.create({
        mode: 'subscription',
        line_items: [{ price: metered.id, quantity: 1 }],
        success_url: SUCCESS,
      }),
    )
    assert.match(withQuantity.message, /^Quantity should not be specified where usage_type is `metered`/)
  },
)

conformance(
  'an inactive price cannot be sold',
  'Prices.d.ts, active: "Whether the price can be used for new purchases."',
  async ({ stripe, unique }) => {
    const { once } = await prices(stripe, unique)
    await stripe.prices.update(once.id, { active: false })
    const failure = await refused(
      stripe.checkout.sessions.create({
        mode: 'payment',
        line_items: [{ price: once.id, quantity: 1 }],
        success_url: SUCCESS,
      }),
    )
    assert.equal(failure.statusCode, 400)
    assert.match(failure.message, /inactive/)
  },
)

conformance(
  'a session lives from half an hour to a day',
  'Checkout/Sessions.d.ts, expires_at: "It can be anywhere from 30 minutes to 24 hours after Checkout Session creation. By default, this value is 24 hours from creation."',
  async ({ stripe, unique }) => {
    const { once } = await prices(stripe, unique)
    const now = Math.floor(Date.now() / 1000)
    const make = (expires_at: number) =>
      stripe.checkout.sessions.create({
        mode: 'payment',
        line_items: [{ price: once.id, quantity: 1 }],
        success_url: SUCCESS,
        expires_at,
      })
    assert.equal((await make(now + 3600)).expires_at, now + 3600)
    for (const wrong of [now + 60, now + 90_000]) assert.equal((await refused(make(wrong))).param, 'expires_at')
  },
)

conformance(
  'embedded pages return by return_url and have a client secret',
  'Checkout/Sessions.d.ts, success_url: "This parameter is not allowed if ui_mode is embedded_page or elements"; Session.client_secret: "Applies to Checkout Sessions with ui_mode: embedded_page or ui_mode: elements"',
  async ({ stripe, unique }) => {
    const { once } = await prices(stripe, unique)
    const line_items = [{ price: once.id, quantity: 1 }]
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      ui_mode: 'embedded_page',
      line_items,
      return_url: SUCCESS,
    })
    assert.equal(session.url, null)
    assert.match(session.client_secret!, new RegExp(`^${session.id}_secret_`))
    const failure = await refused(
      stripe.checkout.sessions.create({
        mode: 'payment',
        ui_mode: 'embedded_page',
        line_items,
        success_url: SUCCESS,
        return_url: SUCCESS,
      }),
    )
    assert.equal(failure.param, 'success_url')
  },
)

conformance(
  'an unknown customer is refused, and customer excludes customer_email',
  'docs.stripe.com/error-codes, resource_missing; observed: "You may only specify one of these parameters: customer, customer_email."',
  async ({ stripe, unique }) => {
    const { once } = await prices(stripe, unique)
    const common = { mode: 'payment' as const, line_items: [{ price: once.id, quantity: 1 }], success_url: SUCCESS }
    const unknown = await refused(stripe.checkout.sessions.create({ ...common, customer: 'cus_nope' }))
    assert.equal(unknown.code, 'resource_missing')
    assert.equal(unknown.param, 'customer')
    const customer = await stripe.customers.create()
    const both = await refused(
      stripe.checkout.sessions.create({ ...common, customer: customer.id, customer_email: 'a@example.com' }),
    )
    assert.match(both.message, /customer, customer_email/)
  },
)

conformance(
  'an open session can be expired, once, and then says so',
  'docs.stripe.com/api/checkout/sessions/expire: "A Checkout Session can be expired when it is in one of these statuses: open. After it expires, a customer can\'t complete a Checkout Session and customers loading the Checkout Session see a message saying the Checkout Session is expired."',
  async ({ stripe, unique, eventually }) => {
    const { once } = await prices(stripe, unique)
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      line_items: [{ price: once.id, quantity: 1 }],
      success_url: SUCCESS,
    })
    const expired = await stripe.checkout.sessions.expire(session.id)
    assert.equal(expired.status, 'expired')
    assert.equal(expired.url, null)

    const again = await refused(stripe.checkout.sessions.expire(session.id))
    assert.match(again.message, /^Only Checkout Sessions with a status in \["open"\] can be expired/)
    await eventually(async () => {
      const events = await stripe.events.list({ type: 'checkout.session.expired' })
      assert.ok(events.data.some(({ data }) => (data.object as Stripe.Checkout.Session).id === session.id))
    })
  },
)

conformance(
  'metadata can be changed, and sessions are found by customer and status',
  'docs.stripe.com/api/checkout/sessions/update; docs.stripe.com/api/checkout/sessions/list, customer, status',
  async ({ stripe, unique }) => {
    const { once } = await prices(stripe, unique)
    const customer = await stripe.customers.create({ email: `${unique('c')}@example.com` })
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      customer: customer.id,
      line_items: [{ price: once.id, quantity: 1 }],
      success_url: SUCCESS,
    })
    const changed = await stripe.checkout.sessions.update(session.id, { metadata: { order: '9' } })
    assert.equal(changed.metadata!.order, '9')
    assert.equal(changed.customer_details?.email, customer.email)

    const open = await stripe.checkout.sessions.list({ customer: customer.id, status: 'open' })
    assert.deepEqual(
      open.data.map(({ id }) => id),
      [session.id],
    )
    const complete = await stripe.checkout.sessions.list({ customer: customer.id, status: 'complete' })
    assert.deepEqual(complete.data, [])
  },
)

conformance(
  'setup mode has a setup intent, no amounts, and wants a currency',
  'Checkout/Sessions.d.ts, currency: "Required in setup mode when allowed_payment_method_types is not set"; Session.setup_intent: "The ID of the SetupIntent for Checkout Sessions in setup mode"',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    const session = await stripe.checkout.sessions.create({
      mode: 'setup',
      currency: 'usd',
      customer: customer.id,
      setup_intent_data: { metadata: { why: 'later' } },
      success_url: SUCCESS,
      expand: ['setup_intent'],
    })
    assert.equal(session.amount_total, null)
    assert.equal(session.payment_status, 'no_payment_required')
    const intent = session.setup_intent as Stripe.SetupIntent
    assert.equal(intent.status, 'requires_payment_method')
    assert.equal(intent.metadata!.why, 'later')

    const failure = await refused(stripe.checkout.sessions.create({ mode: 'setup', success_url: SUCCESS }))
    assert.equal(failure.statusCode, 400)
    const own = await refused(stripe.setupIntents.cancel(intent.id))
    assert.equal(own.statusCode, 400)
  },
)

conformance(
  'a trial is free at first, and must be at least two days long',
  'Checkout/Sessions.d.ts, SubscriptionData.trial_end: "Has to be at least 48 hours in the future."',
  async ({ stripe, unique }) => {
    const { monthly } = await prices(stripe, unique)
    const common = {
      mode: 'subscription' as const,
      line_items: [{ price: monthly.id, quantity: 1 }],
      success_url: SUCCESS,
    }
    const session = await stripe.checkout.sessions.create({ ...common, subscription_data: { trial_period_days: 14 } })
    assert.equal(session.amount_total, 0)
    const soon = Math.floor(Date.now() / 1000) + 3600
    const failure = await refused(
      stripe.checkout.sessions.create({ ...common, subscription_data: { trial_end: soon } }),
    )
    assert.equal(failure.param, 'subscription_data[trial_end]')
  },
)

conformance(
  'custom fields are kept as they were asked for',
  'Checkout/Sessions.d.ts, custom_fields: "Collect additional information from your customer using custom fields. Up to 3 fields are supported."',
  async ({ stripe, unique }) => {
    const { once } = await prices(stripe, unique)
    const field = (key: string) => ({
      key,
      label: { type: 'custom' as const, custom: key },
      type: 'text' as const,
      text: { maximum_length: 10 },
    })
    const common = { mode: 'payment' as const, line_items: [{ price: once.id, quantity: 1 }], success_url: SUCCESS }
    const session = await stripe.checkout.sessions.create({ ...common, custom_fields: [field('engraving')] })
    assert.equal(session.custom_fields[0]!.key, 'engraving')
    assert.equal(session.custom_fields[0]!.optional, false)
    assert.equal(session.custom_fields[0]!.text!.maximum_length, 10)
    assert.equal(session.custom_fields[0]!.text!.value, null)
    const four = ['a', 'b', 'c', 'd'].map(field)
    assert.equal((await refused(stripe.checkout.sessions.create({ ...common, custom_fields: four }))).statusCode, 400)
  },
)

conformance(
  'completing a subscription makes customer, card, subscription and a paid first invoice',
  'docs.stripe.com/payments/checkout/how-checkout-works; Session.customer: "Checkout will create a new customer object based on information provided during the payment flow"',
  async ({ stripe, unique }) => {
    const { monthly, once } = await prices(stripe, unique)
    const session = await stripe.checkout.sessions.create({
      mode: 'subscription',
      line_items: [
        { price: monthly.id, quantity: 2 },
        { price: once.id, quantity: 1 },
      ],
      subscription_data: { metadata: { team: 'a' }, description: 'Two seats' },
      success_url: SUCCESS,
    })
    const answer = await press(session.url!, { number: '4242 4242 4242 4242' })
    assert.equal(answer.headers.get('location'), `https://example.com/done?session=${session.id}`)

    const done = await stripe.checkout.sessions.retrieve(session.id, {
      expand: ['subscription.default_payment_method', 'invoice', 'customer'],
    })
    const subscription = done.subscription as Stripe.Subscription
    const invoice = done.invoice as Stripe.Invoice
    const customer = done.customer as Stripe.Customer
    assert.equal(done.status, 'complete')
    assert.equal(done.payment_status, 'paid')
    assert.equal(done.url, null)
    assert.equal(done.customer_details!.email, 'jenny.rosen@example.com')
    assert.equal(customer.email, 'jenny.rosen@example.com')
    assert.equal(customer.name, 'Jenny Rosen')
    assert.equal(subscription.status, 'active')
    assert.equal(subscription.description, 'Two seats')
    assert.equal(subscription.metadata.team, 'a')
    assert.equal(subscription.items.data.length, 1)
    assert.equal((subscription.default_payment_method as Stripe.PaymentMethod).card!.last4, '4242')
    // "Line items with one-time Prices will be on the initial invoice only" (line_items): 2 × $20.00 + $5.00
    assert.equal(invoice.status, 'paid')
    assert.equal(invoice.amount_paid, 4500)
    assert.equal(invoice.billing_reason, 'subscription_create')
  },
  PAGE,
)

conformance(
  'completing tells of everything that was made, the session last',
  'docs.stripe.com/api/events/types: checkout.session.completed "Occurs when a Checkout Session has been successfully completed."',
  async ({ stripe, unique, eventually }) => {
    const { monthly } = await prices(stripe, unique)
    const session = await stripe.checkout.sessions.create({
      mode: 'subscription',
      line_items: [{ price: monthly.id, quantity: 1 }],
      success_url: SUCCESS,
    })
    await press(session.url!, { number: '4242 4242 4242 4242' })
    await eventually(async () => {
      const { data } = await stripe.events.list({ limit: 100 })
      const types = data.map(({ type }) => type as string).toReversed()
      const at = (type: string) => types.indexOf(type)
      for (const type of [
        'customer.created',
        'payment_method.attached',
        'customer.subscription.created',
        'invoice.created',
        'invoice.finalized',
        'charge.succeeded',
        'payment_intent.succeeded',
        'invoice.paid',
      ]) {
        assert.ok(at(type) >= 0, `${type} is missing of ${types.join(', ')}`)
        assert.ok(at(type) < at('checkout.session.completed'), `${type} comes after the session's event`)
      }
    })
  },
  PAGE,
)

conformance(
  'metered prices only: the card is set up, nothing is invoiced',
  'docs.stripe.com/billing/invoices/subscription (billing mode flexible makes no invoice of zero); Session.payment_status: "no_payment_required"',
  async ({ stripe, unique, eventually }) => {
    const { metered } = await prices(stripe, unique)
    const session = await stripe.checkout.sessions.create({
      mode: 'subscription',
      line_items: [{ price: metered.id }],
      success_url: SUCCESS,
    })
    assert.equal(session.amount_total, 0)
    await press(session.url!, { number: '4242 4242 4242 4242' })

    const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ['subscription'] })
    assert.ok(['no_payment_required', 'paid'].includes(done.payment_status))
    assert.equal(done.invoice, null)
    assert.equal((done.subscription as Stripe.Subscription).status, 'active')
    await eventually(async () => {
      const { data } = await stripe.events.list({ type: 'setup_intent.succeeded' })
      assert.equal(data.length, 1)
    })
  },
  PAGE,
)

conformance(
  'completing a payment charges once, without a customer unless one is needed',
  'Checkout/Sessions.d.ts, customer_creation: "When a Customer is not created, you can still retrieve email, address, and other customer data entered in Checkout with customer_details"',
  async ({ stripe, unique }) => {
    const { once } = await prices(stripe, unique)
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      line_items: [{ price: once.id, quantity: 3 }],
      payment_intent_data: { description: 'Three books', metadata: { order: '7' } },
      success_url: SUCCESS,
    })
    assert.equal(session.payment_intent, null)
    assert.equal(session.customer_creation, 'if_required')
    await press(session.url!, { number: '5555 5555 5555 4444' })

    const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent.latest_charge'] })
    const intent = done.payment_intent as Stripe.PaymentIntent
    assert.equal(done.payment_status, 'paid')
    assert.equal(done.customer, null)
    assert.equal(done.customer_details!.name, 'Jenny Rosen')
    assert.equal(intent.status, 'succeeded')
    assert.equal(intent.amount_received, 1500)
    assert.equal(intent.description, 'Three books')
    assert.equal(intent.metadata.order, '7')
    assert.equal((intent.latest_charge as Stripe.Charge).payment_method_details!.card!.brand, 'mastercard')
    const found = await stripe.checkout.sessions.list({ payment_intent: intent.id })
    assert.equal(found.data[0]!.id, session.id)
  },
  PAGE,
)

conformance(
  'a refused payment leaves its intent to be tried again',
  'docs.stripe.com/payments/paymentintents/lifecycle: "If the payment attempt fails (for example due to a decline), the PaymentIntent\'s status returns to requires_payment_method"',
  async ({ stripe, unique }) => {
    const { once } = await prices(stripe, unique)
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      line_items: [{ price: once.id, quantity: 1 }],
      success_url: SUCCESS,
    })
    const declined = await press(session.url!, { number: '4000 0000 0000 9995' })
    assert.match(await declined.text(), /Your card has insufficient funds\./)
    const open = await stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent'] })
    const tried = open.payment_intent as Stripe.PaymentIntent
    assert.equal(open.status, 'open')
    assert.equal(tried.status, 'requires_payment_method')
    assert.equal(tried.last_payment_error!.decline_code, 'insufficient_funds')

    await press(session.url!, { number: '4242 4242 4242 4242' })
    const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent'] })
    assert.equal((done.payment_intent as Stripe.PaymentIntent).id, tried.id)
    assert.equal(done.payment_status, 'paid')
  },
  PAGE,
)

conformance(
  'invoice_creation makes a paid invoice of a one-time payment',
  'Checkout/Sessions.d.ts, invoice_creation: "Generate a post-purchase Invoice for one-time payments."',
  async ({ stripe, unique }) => {
    const { once } = await prices(stripe, unique)
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      line_items: [{ price: once.id, quantity: 2 }],
      invoice_creation: { enabled: true, invoice_data: { description: 'Thank you', metadata: { order: '7' } } },
      success_url: SUCCESS,
    })
    await press(session.url!, { number: '4242 4242 4242 4242' })

    const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ['invoice'] })
    const invoice = done.invoice as Stripe.Invoice
    assert.ok(done.customer)
    assert.equal(invoice.status, 'paid')
    assert.equal(invoice.total, 1000)
    assert.equal(invoice.amount_paid, 1000)
    assert.equal(invoice.description, 'Thank you')
    assert.equal(invoice.metadata!.order, '7')
    assert.equal(invoice.lines.data[0]!.quantity, 2)
  },
  PAGE,
)

conformance(
  'setup mode attaches the card to the customer',
  'docs.stripe.com/payments/checkout/subscriptions/update-payment-details: "set mode to setup … the SetupIntent … payment_method"',
  async ({ stripe }) => {
    const customer = await stripe.customers.create({ email: 'grace@example.com' })
    const session = await stripe.checkout.sessions.create({
      mode: 'setup',
      currency: 'usd',
      customer: customer.id,
      success_url: SUCCESS,
    })
    const declined = await press(session.url!, { number: '4000 0000 0000 0002' })
    assert.match(await declined.text(), /Your card was declined\./)
    const tried = await stripe.setupIntents.retrieve(session.setup_intent as string)
    assert.equal(tried.last_setup_error!.code, 'card_declined')
    await press(session.url!, { number: '4000 0025 0000 3155', authentication: 'complete' })

    const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ['setup_intent.latest_attempt'] })
    const intent = done.setup_intent as Stripe.SetupIntent
    assert.equal(done.status, 'complete')
    assert.equal(done.payment_status, 'no_payment_required')
    assert.equal(intent.status, 'succeeded')
    const kept = await stripe.paymentMethods.list({ customer: customer.id })
    assert.equal(kept.data[0]!.id, intent.payment_method)

    // "After you set it up, off-session payments no longer require authentication" (docs.stripe.com/testing, 3155)
    const paid = await stripe.paymentIntents.create({
      amount: 1000,
      currency: 'usd',
      customer: customer.id,
      payment_method: kept.data[0]!.id,
      allowed_payment_method_types: ['card'],
      off_session: true,
      confirm: true,
    })
    assert.equal(paid.status, 'succeeded')
  },
  PAGE,
)

conformance(
  'what was typed into custom fields, phone and address is kept',
  'Checkout/Sessions.d.ts, CustomField.Text.value: "The value entered by the customer."; customer_update: "Controls what fields on Customer can be updated by the Checkout Session."',
  async ({ stripe, unique }) => {
    const { once } = await prices(stripe, unique)
    const customer = await stripe.customers.create({ email: 'grace@example.com' })
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      customer: customer.id,
      customer_update: { address: 'auto', name: 'auto' },
      billing_address_collection: 'required',
      phone_number_collection: { enabled: true },
      name_collection: { business: { enabled: true }, individual: { enabled: true, optional: true } },
      consent_collection: { terms_of_service: 'required', promotions: 'auto' },
      custom_fields: [
        {
          key: 'size',
          label: { type: 'custom', custom: 'Size' },
          type: 'dropdown',
          dropdown: { options: [{ label: 'Large', value: 'l' }] },
        },
        { key: 'note', label: { type: 'custom', custom: 'Note' }, type: 'text', optional: true },
      ],
      line_items: [{ price: once.id, quantity: 1 }],
      success_url: SUCCESS,
    })
    const typed = {
      number: '4242 4242 4242 4242',
      phone: '+1 555 0100',
      business_name: 'Acme Ltd',
      billing_line1: '1 Main Street',
      billing_postal_code: '94105',
      billing_city: 'San Francisco',
      billing_country: 'us',
      custom_size: 'l',
    }
    assert.match(await (await press(session.url!, typed)).text(), /terms of service to go on/)
    const answer = await press(session.url!, { ...typed, terms: 'yes' })
    assert.equal(answer.status, 303)

    const done = await stripe.checkout.sessions.retrieve(session.id)
    assert.equal(done.custom_fields[0]!.dropdown!.value, 'l')
    assert.equal(done.custom_fields[1]!.text!.value, null)
    assert.deepEqual({ ...done.consent }, { promotions: 'opt_out', terms_of_service: 'accepted' })
    assert.equal(done.customer_details!.phone, '+1 555 0100')
    assert.equal(done.collected_information!.business_name, 'Acme Ltd')
    assert.equal(done.collected_information!.individual_name, null)
    assert.equal(done.name_collection!.business!.optional, false)
    assert.equal(done.customer_details!.address!.country, 'US')
    const known = (await stripe.customers.retrieve(customer.id)) as Stripe.Customer
    assert.equal(known.name, 'Jenny Rosen')
    assert.equal(known.business_name, 'Acme Ltd')
    assert.equal(known.address!.city, 'San Francisco')
  },
  PAGE,
)

conformance(
  'a quantity that may be adjusted changes the amount',
  'Checkout/Sessions.d.ts, LineItem.adjustable_quantity: "When set, provides configuration for this item\'s quantity to be adjusted by the customer during Checkout."',
  async ({ stripe, unique }) => {
    const { once } = await prices(stripe, unique)
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      line_items: [{ price: once.id, quantity: 1, adjustable_quantity: { enabled: true, maximum: 5 } }],
      success_url: SUCCESS,
    })
    const { data } = await stripe.checkout.sessions.listLineItems(session.id)
    const quantity = `quantity_${data[0]!.id}`
    assert.match(
      await (await press(session.url!, { [quantity]: '6', number: '4242424242424242' })).text(),
      /from 0 to 5/,
    )
    await press(session.url!, { [quantity]: '4', number: '4242424242424242' })

    const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ['payment_intent', 'line_items'] })
    assert.equal(done.amount_total, 2000)
    assert.equal((done.payment_intent as Stripe.PaymentIntent).amount, 2000)
    assert.equal(done.line_items!.data[0]!.quantity, 4)
  },
  PAGE,
)

conformance(
  'a trial begins without a payment, and without a card where none is required',
  'Checkout/Sessions.d.ts, payment_method_collection: "When set to if_required, Checkout will not collect a payment method when the total due for the session is 0. This may occur if the Checkout Session includes a free trial"',
  async ({ stripe, unique }) => {
    const { monthly } = await prices(stripe, unique)
    const session = await stripe.checkout.sessions.create({
      mode: 'subscription',
      line_items: [{ price: monthly.id, quantity: 1 }],
      payment_method_collection: 'if_required',
      subscription_data: {
        trial_period_days: 7,
        trial_settings: { end_behavior: { missing_payment_method: 'cancel' } },
      },
      success_url: SUCCESS,
    })
    const page = await (await fetch(session.url!)).text()
    assert.doesNotMatch(page, /Card number/)
    assert.match(page, /7 days free/)
    await press(session.url!, {})

    const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ['subscription'] })
    const subscription = done.subscription as Stripe.Subscription
    assert.equal(done.payment_status, 'no_payment_required')
    assert.equal(subscription.status, 'trialing')
    assert.equal(subscription.default_payment_method, null)
    assert.equal(subscription.trial_end! - subscription.trial_start!, 7 * 86_400)
    assert.equal(subscription.trial_settings!.end_behavior.missing_payment_method, 'cancel')
  },
  PAGE,
)

conformance(
  'an anchor that lies ahead charges the share up to it, as the page said',
  'Checkout/Sessions.d.ts, SubscriptionData.billing_cycle_anchor: "A future timestamp to anchor the subscription\'s billing cycle for new subscriptions."',
  async ({ stripe, unique }) => {
    const { monthly } = await prices(stripe, unique)
    const anchor = Math.floor(Date.now() / 1000) + 10 * 86_400
    const session = await stripe.checkout.sessions.create({
      mode: 'subscription',
      line_items: [{ price: monthly.id, quantity: 1 }],
      subscription_data: { billing_cycle_anchor: anchor },
      success_url: SUCCESS,
    })
    // ten days of a month of 28 to 31 days: between 2000 × 10 ÷ 31 = 645 and 2000 × 10 ÷ 28 = 714, less a second or two
    assert.ok(session.amount_total! >= 644 && session.amount_total! <= 714, String(session.amount_total))
    await press(session.url!, { number: '4242 4242 4242 4242' })

    const done = await stripe.checkout.sessions.retrieve(session.id, { expand: ['invoice', 'subscription'] })
    assert.ok(Math.abs((done.invoice as Stripe.Invoice).total - session.amount_total!) <= 1)
    assert.equal((done.subscription as Stripe.Subscription).billing_cycle_anchor, anchor)
  },
  PAGE,
)

conformance(
  'an expired session can be recovered as a copy',
  'docs.stripe.com/payments/checkout/abandoned-carts: "the recovery URL … when a customer visits it, a new Checkout Session is created that\'s a copy of the original expired Checkout Session"; Session.recovered_from',
  async ({ stripe, unique }) => {
    const { once } = await prices(stripe, unique)
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      line_items: [{ price: once.id, quantity: 1 }],
      after_expiration: { recovery: { enabled: true } },
      success_url: SUCCESS,
    })
    assert.equal(session.after_expiration!.recovery!.url, null)
    const expired = await stripe.checkout.sessions.expire(session.id)
    const recovery = expired.after_expiration!.recovery!
    assert.equal(recovery.expires_at! > seconds(new Date().toISOString()), true)

    const opened = await fetch(recovery.url!, { redirect: 'manual' })
    const copies = await stripe.checkout.sessions.list({ status: 'open', limit: 5 })
    const copy = copies.data.find(({ recovered_from }) => recovered_from === session.id)!
    assert.equal(opened.headers.get('location'), copy.url)
    assert.equal(copy.amount_total, 500)
  },
  PAGE,
)

async function prices(stripe: Stripe, unique: (name: string) => string) {
  const product_data = { name: unique('Plan') }
  const monthly = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 2000,
    recurring: { interval: 'month' },
    product_data,
  })
  const once = await stripe.prices.create({ currency: 'usd', unit_amount: 500, product_data: { name: unique('Book') } })
  const meter = await stripe.billing.meters.create({
    display_name: 'Tokens',
    event_name: unique('tokens'),
    default_aggregation: { formula: 'sum' },
  })
  const metered = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 1,
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    product_data: { name: unique('Usage') },
  })
  return { monthly, once, metered }
}

/** Fills in the hosted page and presses its button. */
async function press(url: string, typed: { [field: string]: string }): Promise<Response> {
  const person = { email: 'jenny.rosen@example.com', name: 'Jenny Rosen', expiry: '12 / 34', cvc: '123' }
  const body = new URLSearchParams({ ...person, ...typed })
  return await fetch(url, { method: 'POST', body, redirect: 'manual' })
}
