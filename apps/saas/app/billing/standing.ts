import { isLive, type Subscription, type UpcomingCharges, type Usage } from 'meterkit'
import type { Services } from 'saas/server/services'

/** What a payer has and has used: a few index reads, whatever the number of events. */
export interface Glance {
  subscription: Subscription | null
  usage: Usage | null
  /** Another text whenever an invoice was written, or has changed. */
  invoicesMark: string
}

/** Where a payer stands: what the billing page draws, and what its live stream sends. */
export interface Standing extends Glance {
  at: Date
  /** What the subscription pays for may be used. */
  live: boolean
  upcoming: UpcomingCharges | null
}

/** As JSON has it: instants as ISO 8601, amounts as decimal strings. */
export type Wire<Value> = Value extends bigint | Date
  ? string
  : Value extends (infer Item)[]
    ? Wire<Item>[]
    : Value extends object
      ? { [Key in keyof Value]: Wire<Value[Key]> }
      : Value

/** One form, whether a standing came with the page or over the stream. */
export type WireStanding = Wire<Standing>

type Source = Pick<Services, 'meterkit' | 'clock'>

export async function glance({ meterkit }: Source, customerId: string): Promise<Glance> {
  const [subscription, invoices] = await Promise.all([
    meterkit.subscriptions.ofCustomer(customerId),
    meterkit.invoices.list(customerId),
  ])
  return {
    subscription,
    usage: subscription && (await meterkit.usage.current(subscription.id)),
    invoicesMark: invoices
      .map(({ stripeId, status, total, amountDue }) => `${stripeId} ${status} ${total} ${amountDue}`)
      .join(', '),
  }
}

/** Adds the charges, which cost more to work out than usage costs to read. */
export async function withCharges({ meterkit, clock }: Source, seen: Glance): Promise<Standing> {
  const { subscription } = seen
  const upcoming = subscription && (await meterkit.invoices.upcoming(subscription.id))
  const live = subscription !== null && isLive(subscription)
  return { at: upcoming?.asOf ?? clock(), live, ...seen, upcoming }
}

export async function readStanding(source: Source, customerId: string): Promise<Standing> {
  return withCharges(source, await glance(source, customerId))
}

export function toWire<Value>(value: Value): Wire<Value> {
  return JSON.parse(toJson(value))
}

export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? item.toString() : item))
}
