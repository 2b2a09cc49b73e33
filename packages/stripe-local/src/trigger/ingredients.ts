import { setTimeout as wait } from 'node:timers/promises'
import type { Stripe } from 'stripe'

const POLL_MS = 20

/** A customer, with a default card if one is named, on a test clock if one is given. */
export async function customerOn(
  stripe: Stripe,
  { card, clock }: { card?: string; clock?: string },
): Promise<Stripe.Customer> {
  const made = await stripe.customers.create({
    email: 'jenny.rosen@example.com',
    description: '(created by stripe-local trigger)',
    ...(clock !== undefined && { test_clock: clock }),
  })
  if (card === undefined) return made
  const { id } = await stripe.paymentMethods.attach(card, { customer: made.id })
  return stripe.customers.update(made.id, { invoice_settings: { default_payment_method: id } })
}

export function flatPrice(stripe: Stripe): Promise<Stripe.Price> {
  return stripe.prices.create({
    currency: 'usd',
    unit_amount: 2000,
    recurring: { interval: 'month' },
    product_data: { name: 'Triggered' },
  })
}

export async function subscribed(
  stripe: Stripe,
  customer: Stripe.Customer,
  more: Omit<Stripe.SubscriptionCreateParams, 'customer' | 'items'> = {},
): Promise<Stripe.Subscription> {
  const price = await flatPrice(stripe)
  return stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }], ...more })
}

/** An open invoice over $20.00. */
export async function invoiced(stripe: Stripe, customer: Stripe.Customer): Promise<Stripe.Invoice> {
  const { id } = await stripe.invoices.create({ customer: customer.id, auto_advance: false })
  await stripe.invoiceItems.create({ customer: customer.id, invoice: id!, amount: 2000, currency: 'usd' })
  return stripe.invoices.finalizeInvoice(id!, { auto_advance: false })
}

/** A meter of its own: an event name belongs to one meter. */
export function meterFor(stripe: Stripe): Promise<Stripe.Billing.Meter> {
  return stripe.billing.meters.create({
    display_name: 'Triggered',
    event_name: `triggered_${crypto.randomUUID().slice(0, 8)}`,
    default_aggregation: { formula: 'sum' },
  })
}

export async function startClock(stripe: Stripe) {
  const began = Math.floor(Date.now() / 1000)
  const { id } = await stripe.testHelpers.testClocks.create({ frozen_time: began, name: 'stripe-local trigger' })
  return {
    id,
    /** Resolves when all that fell due has happened. */
    advance: async (seconds: number) => {
      await stripe.testHelpers.testClocks.advance(id, { frozen_time: began + seconds })
      while ((await stripe.testHelpers.testClocks.retrieve(id)).status !== 'ready') await wait(POLL_MS)
    },
  }
}

/** Fills in the hosted page as a person with a good card would. @throws Error when the page refuses */
export async function payCheckout({ url }: Stripe.Checkout.Session): Promise<void> {
  const body = new URLSearchParams({
    email: 'jenny.rosen@example.com',
    name: 'Jenny Rosen',
    number: '4242424242424242',
    expiry: '12 / 40',
    cvc: '123',
  })
  const response = await fetch(url!, { method: 'POST', body, redirect: 'manual' })
  if (response.status !== 303) throw new Error(`The Checkout page at ${url} did not take the payment.`)
}
