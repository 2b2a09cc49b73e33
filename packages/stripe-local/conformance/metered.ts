import type { Stripe } from 'stripe'
import type { Subject } from './conformance.ts'

/** A new meter, a customer, and how to send and read usage of the two. */
export async function metered({ stripe, unique }: Subject, params: Partial<Stripe.Billing.MeterCreateParams> = {}) {
  const meter = await stripe.billing.meters.create({
    display_name: 'AI tokens',
    event_name: unique('ai_tokens'),
    default_aggregation: { formula: 'sum' },
    ...params,
  })
  const customer = await stripe.customers.create()
  const send = (value: string, more: Partial<Stripe.Billing.MeterEventCreateParams> = {}) =>
    stripe.billing.meterEvents.create({
      event_name: meter.event_name,
      payload: { stripe_customer_id: customer.id, value },
      ...more,
    })
  const summaries = async (range: {
    start_time: number
    end_time: number
    value_grouping_window?: 'day' | 'hour'
    limit?: number
    starting_after?: string
  }) => await stripe.billing.meters.listEventSummaries(meter.id, { customer: customer.id, ...range })
  return { meter, customer, send, summaries }
}

/** The beginning of the minute, hour or day that `seconds` lies in. */
export function beginning(of: 'minute' | 'hour' | 'day', seconds: number): number {
  const length = { minute: 60, hour: 3600, day: 86_400 }[of]
  return Math.floor(seconds / length) * length
}

export function now(): number {
  return Math.floor(Date.now() / 1000)
}
