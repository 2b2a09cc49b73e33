import type { Stripe } from 'stripe'
import type { Clock, Subject } from './conformance.ts'
import { plans } from './plans.ts'

export interface Tokens {
  clock: Clock
  customer: Stripe.Customer
  meter: Stripe.Billing.Meter
  price: Stripe.Price
  subscription: Stripe.Subscription
  /** Reports usage at an instant and waits until Stripe has counted it. */
  use: (value: string, at: string) => Promise<void>
  /** The subscription's invoices, newest first. */
  invoices: () => Promise<Stripe.Invoice[]>
}

/** A customer who pays for tokens by the month from an instant on: 5 cents for every 1,000, unless told otherwise. */
export async function tokens(
  subject: Subject,
  at: string,
  terms: Partial<Stripe.PriceCreateParams> = {},
): Promise<Tokens> {
  const { clock, customer, meter, metered, use, invoicesOf } = await plans(subject, at)
  const price = await metered(terms)
  const subscription = await subject.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    billing_mode: { type: 'flexible' },
  })
  return { clock, customer, meter, price, subscription, use, invoices: () => invoicesOf(subscription.id) }
}

/** A draft for a customer with items of these amounts. */
export async function draftOf(
  stripe: Stripe,
  customer: string,
  amounts: number[],
  params: Stripe.InvoiceCreateParams = {},
) {
  const invoice = await stripe.invoices.create({ customer, currency: 'usd', ...params })
  for (const [index, amount] of amounts.entries()) {
    const currency = params.currency ?? 'usd'
    await stripe.invoiceItems.create({
      customer,
      invoice: invoice.id,
      amount,
      currency,
      description: `Item ${index + 1}`,
    })
  }
  return await stripe.invoices.retrieve(invoice.id)
}

/** A customer outside of test clocks, with a card; by default one that always pays. */
export async function payer(stripe: Stripe, card = 'pm_card_visa'): Promise<Stripe.Customer> {
  const customer = await stripe.customers.create({ name: 'Priya', email: 'priya@example.com' })
  const { id } = await stripe.paymentMethods.attach(card, { customer: customer.id })
  return await stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: id } })
}
