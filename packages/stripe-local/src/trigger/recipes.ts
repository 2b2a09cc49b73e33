import { Stripe } from 'stripe'
import { customerOn, flatPrice, invoiced, meterFor, payCheckout, startClock, subscribed } from './ingredients.ts'

/** Does through the API what leads to an event. */
export type Recipe = (stripe: Stripe) => Promise<unknown>

const DAY = 86_400
const CARD = 'pm_card_visa'
const FAILING_CARD = 'pm_card_chargeCustomerFail'

/** What can be triggered, by the event's type. Several events of one story share its recipe. */
export const RECIPES: { [eventType: string]: Recipe } = {
  'billing.credit_grant.created': async (stripe) => {
    const customer = await customerOn(stripe, { card: CARD })
    await stripe.billing.creditGrants.create({
      customer: customer.id,
      category: 'promotional',
      amount: { type: 'monetary', monetary: { value: 1000, currency: 'usd' } },
      applicability_config: { scope: { price_type: 'metered' } },
    })
  },
  'billing.meter.created': meterFor,
  'billing.meter.updated': async (stripe) =>
    stripe.billing.meters.update((await meterFor(stripe)).id, { display_name: 'Renamed' }),
  'billing.meter.deactivated': async (stripe) => stripe.billing.meters.deactivate((await meterFor(stripe)).id),
  'billing.meter.reactivated': async (stripe) => {
    const { id } = await stripe.billing.meters.deactivate((await meterFor(stripe)).id)
    await stripe.billing.meters.reactivate(id)
  },
  'charge.failed': failedPayment,
  'charge.refunded': async (stripe) => stripe.refunds.create({ payment_intent: (await payment(stripe)).id }),
  'charge.succeeded': payment,
  'checkout.session.completed': async (stripe) => payCheckout(await checkout(stripe)),
  'checkout.session.expired': async (stripe) => stripe.checkout.sessions.expire((await checkout(stripe)).id),
  'credit_note.created': async (stripe) => {
    const invoice = await invoiced(stripe, await customerOn(stripe, { card: CARD }))
    await stripe.creditNotes.create({ invoice: invoice.id, amount: 500 })
  },
  'customer.created': customer,
  'customer.deleted': async (stripe) => stripe.customers.del((await customer(stripe)).id),
  'customer.updated': async (stripe) => stripe.customers.update((await customer(stripe)).id, { name: 'Jenny Rosen' }),
  'customer.subscription.created': subscription,
  'customer.subscription.deleted': async (stripe) => stripe.subscriptions.cancel((await subscription(stripe)).id),
  'customer.subscription.paused': paused,
  'customer.subscription.resumed': async (stripe) => {
    const { id, customer: owner } = await paused(stripe)
    const card = await stripe.paymentMethods.attach(CARD, { customer: owner as string })
    await stripe.subscriptions.update(id, { default_payment_method: card.id })
    await stripe.subscriptions.resume(id, { billing_cycle_anchor: { type: 'unchanged' }, proration_behavior: 'none' })
  },
  'customer.subscription.trial_will_end': async (stripe) => {
    const clock = await startClock(stripe)
    await subscribed(stripe, await customerOn(stripe, { card: CARD, clock: clock.id }), { trial_period_days: 7 })
    await clock.advance(5 * DAY)
  },
  'customer.subscription.updated': async (stripe) =>
    stripe.subscriptions.update((await subscription(stripe)).id, { cancel_at_period_end: true }),
  'invoice.created': paidInvoice,
  'invoice.finalized': paidInvoice,
  'invoice.marked_uncollectible': async (stripe) =>
    stripe.invoices.markUncollectible((await openInvoice(stripe, FAILING_CARD)).id!),
  'invoice.paid': paidInvoice,
  'invoice.payment_action_required': async (stripe) => unpaidInvoice(stripe, 'pm_card_authenticationRequired'),
  'invoice.payment_failed': async (stripe) => unpaidInvoice(stripe, FAILING_CARD),
  'invoice.payment_succeeded': paidInvoice,
  'invoice.upcoming': async (stripe) => {
    const clock = await startClock(stripe)
    await subscribed(stripe, await customerOn(stripe, { card: CARD, clock: clock.id }))
    await clock.advance(26 * DAY)
  },
  'invoice.updated': paidInvoice,
  'invoice.voided': async (stripe) => stripe.invoices.voidInvoice((await openInvoice(stripe, FAILING_CARD)).id!),
  'invoiceitem.created': async (stripe) =>
    stripe.invoiceItems.create({ customer: (await customer(stripe)).id, amount: 2000, currency: 'usd' }),
  'payment_intent.canceled': async (stripe) =>
    stripe.paymentIntents.cancel((await stripe.paymentIntents.create({ amount: 2000, currency: 'usd' })).id),
  'payment_intent.created': payment,
  'payment_intent.payment_failed': failedPayment,
  'payment_intent.succeeded': payment,
  'payment_method.attached': async (stripe) => customerOn(stripe, { card: CARD }),
  'payment_method.detached': async (stripe) => {
    const { id } = await customer(stripe)
    await stripe.paymentMethods.detach((await stripe.paymentMethods.attach(CARD, { customer: id })).id)
  },
  'price.created': flatPrice,
  'price.updated': async (stripe) => stripe.prices.update((await flatPrice(stripe)).id, { nickname: 'Renamed' }),
  'product.created': product,
  'product.deleted': async (stripe) => stripe.products.del((await product(stripe)).id),
  'product.updated': async (stripe) => stripe.products.update((await product(stripe)).id, { name: 'Renamed' }),
  'setup_intent.created': setUp,
  'setup_intent.succeeded': setUp,
  'test_helpers.test_clock.advancing': async (stripe) => (await startClock(stripe)).advance(DAY),
  'test_helpers.test_clock.created': startClock,
  'test_helpers.test_clock.deleted': async (stripe) => stripe.testHelpers.testClocks.del((await startClock(stripe)).id),
  'test_helpers.test_clock.ready': async (stripe) => (await startClock(stripe)).advance(DAY),
  'v1.billing.meter.error_report_triggered': async (stripe) => {
    const { event_name } = await meterFor(stripe)
    await stripe.billing.meterEvents.create({ event_name, payload: { stripe_customer_id: 'cus_nobody', value: '1' } })
  },
  'v1.billing.meter.no_meter_found': async (stripe) => {
    const { authentication_token: token } = await stripe.v2.billing.meterEventSession.create()
    const event = { event_name: 'no_such_meter', payload: { stripe_customer_id: 'cus_nobody', value: '1' } }
    await stripe.v2.billing.meterEventStream.create({ events: [event] }, { apiKey: token })
  },
}

function customer(stripe: Stripe): Promise<Stripe.Customer> {
  return customerOn(stripe, {})
}

function product(stripe: Stripe): Promise<Stripe.Product> {
  return stripe.products.create({ name: 'Triggered' })
}

async function subscription(stripe: Stripe): Promise<Stripe.Subscription> {
  return subscribed(stripe, await customerOn(stripe, { card: CARD }))
}

/** A trial that ended without a card, on a clock that was moved past its end. */
async function paused(stripe: Stripe): Promise<Stripe.Subscription> {
  const clock = await startClock(stripe)
  const made = await subscribed(stripe, await customerOn(stripe, { clock: clock.id }), {
    trial_period_days: 7,
    trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
  })
  await clock.advance(8 * DAY)
  return made
}

async function openInvoice(stripe: Stripe, card: string): Promise<Stripe.Invoice> {
  return invoiced(stripe, await customerOn(stripe, { card }))
}

async function paidInvoice(stripe: Stripe): Promise<Stripe.Invoice> {
  return stripe.invoices.pay((await openInvoice(stripe, CARD)).id!)
}

async function unpaidInvoice(stripe: Stripe, card: string): Promise<void> {
  const { id } = await openInvoice(stripe, card)
  await declined(stripe.invoices.pay(id!))
}

function payment(stripe: Stripe): Promise<Stripe.PaymentIntent> {
  const offline = { enabled: true, allow_redirects: 'never' as const }
  return stripe.paymentIntents.create({
    amount: 2000,
    currency: 'usd',
    payment_method: CARD,
    automatic_payment_methods: offline,
    confirm: true,
  })
}

async function failedPayment(stripe: Stripe): Promise<void> {
  const { id } = await customerOn(stripe, { card: FAILING_CARD })
  const [card] = (await stripe.paymentMethods.list({ customer: id })).data
  const offline = { enabled: true, allow_redirects: 'never' as const }
  await declined(
    stripe.paymentIntents.create({
      amount: 2000,
      currency: 'usd',
      customer: id,
      payment_method: card!.id,
      automatic_payment_methods: offline,
      confirm: true,
    }),
  )
}

function setUp(stripe: Stripe): Promise<Stripe.SetupIntent> {
  const offline = { enabled: true, allow_redirects: 'never' as const }
  return stripe.setupIntents.create({ payment_method: CARD, automatic_payment_methods: offline, confirm: true })
}

async function checkout(stripe: Stripe): Promise<Stripe.Checkout.Session> {
  const price = await flatPrice(stripe)
  return stripe.checkout.sessions.create({
    mode: 'subscription',
    line_items: [{ price: price.id, quantity: 1 }],
    success_url: 'https://example.com/success',
  })
}

/** The refusal is what was wanted. */
async function declined(work: Promise<unknown>): Promise<void> {
  await work.catch((error) => {
    if (!(error instanceof Stripe.errors.StripeCardError)) throw error
  })
}
