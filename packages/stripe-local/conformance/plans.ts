import type { Stripe } from 'stripe'
import { type Clock, type Subject, seconds } from './conformance.ts'

/** What a subscription costs by the month, to begin with. */
export interface Plans {
  clock: Clock
  customer: Stripe.Customer
  meter: Stripe.Billing.Meter
  /** A flat price, $10.00 a month unless told otherwise. */
  flat: (cents?: number, recurring?: Stripe.PriceCreateParams.Recurring, name?: string) => Promise<Stripe.Price>
  /** A metered price: 5 cents for every 1,000 begun, unless told otherwise; all on one meter. */
  metered: (terms?: Partial<Stripe.PriceCreateParams>, name?: string) => Promise<Stripe.Price>
  /** Reports usage now (on the clock) and waits until Stripe has counted it. */
  use: (value: string, at: string) => Promise<void>
  /** A subscription's invoices, newest first. */
  invoicesOf: (subscription: string) => Promise<Stripe.Invoice[]>
  /** What waits for the customer's next invoice, oldest first: amount and text. */
  waiting: () => Promise<string[]>
}

/** A customer on a clock who pays by a good card. */
export async function plans(subject: Subject, at: string): Promise<Plans> {
  const { stripe, unique } = subject
  const clock = await subject.clock(at)
  const customer = await clock.customer()
  const event_name = unique('ai_tokens')
  const meter = await stripe.billing.meters.create({
    display_name: 'AI tokens',
    event_name,
    default_aggregation: { formula: 'sum' },
  })
  return {
    clock,
    customer,
    meter,
    flat: (unit_amount = 1000, recurring = { interval: 'month' }, name = 'Pro') =>
      stripe.prices.create({ currency: 'usd', unit_amount, recurring, product_data: { name } }),
    metered: (terms = {}, name = 'Essential') =>
      stripe.prices.create({
        currency: 'usd',
        ...(terms.billing_scheme !== 'tiered' &&
          terms.unit_amount_decimal === undefined && {
            unit_amount: 5,
            transform_quantity: { divide_by: 1000, round: 'up' as const },
          }),
        recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
        product_data: { name },
        ...terms,
      }),
    use: async (value, when) => {
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
    },
    invoicesOf: async (subscription) => (await stripe.invoices.list({ subscription, limit: 100 })).data,
    waiting: async () => {
      const { data } = await stripe.invoiceItems.list({ customer: customer.id, pending: true, limit: 100 })
      return data.map((item) => `${item.amount} ${item.description}`).toReversed()
    },
  }
}

/** An invoice's lines, each as its amount and its text. */
export function linesOf(invoice: Stripe.Invoice): string[] {
  return invoice.lines.data.map((line) => `${line.amount} ${line.description}`)
}

/** An instant as Stripe has it, in a form one can read. */
export function day(timestamp: number | null | undefined): string | null {
  return typeof timestamp === 'number' ? new Date(timestamp * 1000).toISOString().replace('.000Z', 'Z') : null
}

/** The running period of an item. */
export function periodOf(item: Stripe.SubscriptionItem): string {
  return `${day(item.current_period_start)} – ${day(item.current_period_end)}`
}

/** The types of an object's events, oldest first; of several in one second the order is the account's. */
export async function eventsOf(stripe: Stripe, id: string, prefix = ''): Promise<string[]> {
  const { data } = await stripe.events.list({ limit: 100 })
  return data
    .filter((event) => event.type.startsWith(prefix) && (event.data.object as { id?: string }).id === id)
    .map(({ type }) => type)
    .toReversed()
}
