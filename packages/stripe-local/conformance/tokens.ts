import type { Stripe } from 'stripe'
import { type Clock, type Subject, seconds } from './conformance.ts'

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
  const { stripe, unique } = subject
  const event_name = unique('ai_tokens')
  const meter = await stripe.billing.meters.create({
    display_name: 'AI tokens',
    event_name,
    default_aggregation: { formula: 'sum' },
  })
  const isTiered = terms.billing_scheme === 'tiered'
  const price = await stripe.prices.create({
    currency: 'usd',
    ...(!isTiered &&
      terms.unit_amount_decimal === undefined && {
        unit_amount: 5,
        transform_quantity: { divide_by: 1000, round: 'up' },
      }),
    recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
    product_data: { name: 'Essential' },
    ...terms,
  })
  const clock = await subject.clock(at)
  const customer = await clock.customer()
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: price.id }],
    billing_mode: { type: 'flexible' },
  })
  const use = async (value: string, when: string) => {
    const minute = seconds(when) - (seconds(when) % 60)
    const span = { customer: customer.id, start_time: minute, end_time: minute + 60 }
    const counted = async () =>
      (await stripe.billing.meters.listEventSummaries(meter.id, span)).data[0]?.aggregated_value ?? 0
    const before = await counted()
    await stripe.billing.meterEvents.create({
      event_name,
      timestamp: seconds(when),
      payload: { stripe_customer_id: customer.id, value },
    })
    await subject.eventually(async () => {
      if ((await counted()) === before) throw new Error('The usage is not counted yet.')
    })
  }
  const invoices = async () => (await stripe.invoices.list({ subscription: subscription.id })).data
  return { clock, customer, meter, price, subscription, use, invoices }
}

/** Each line as its amount and its text. */
export function linesOf(invoice: Stripe.Invoice): string[] {
  return invoice.lines.data.map((line) => `${line.amount} ${line.description}`)
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

/** The types of the events about an object, oldest first; of several in one second the order is the account's. */
export async function eventsAbout(stripe: Stripe, id: string, prefix: string): Promise<string[]> {
  const { data } = await stripe.events.list({ limit: 100 })
  return data
    .filter((event) => event.type.startsWith(prefix) && (event.data.object as { id?: string }).id === id)
    .map((event) => event.type)
    .toReversed()
}

/** The refusal of a call. @throws when it is not refused */
export async function refusal(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await call
  } catch (error) {
    return error as Stripe.errors.StripeError
  }
  throw new Error('The call was not refused.')
}
