import type { Pool } from 'pg'
import { periodSheet } from '../invoices/period-sheet.ts'
import { sum } from '../pricing/decimal.ts'
import { priceUsage } from '../pricing/price-usage.ts'
import { getSubscription } from '../subscriptions/store.ts'
import type { MeterEvent } from './event.ts'
import type { MeterIndex } from './validate.ts'

/** What an import adds to one subscription's meter. */
export interface ImportCost {
  customerId: string
  subscriptionId: string
  meter: string
  events: number
  quantity: string
  /** Of the events, those outside the part of the period that is open now: billed late, or free. */
  elsewhere: number
  /** Minor units that those in the open part add to the upcoming charges; null where it is not asked, or not known. */
  amount: bigint | null
  currency: string | null
}

/** Subscriptions priced; of more, only the quantities are told. */
const PRICED_MAX = 200

export async function importCosts(
  { pool, clock, meters }: { pool: Pool; clock: () => Date; meters: MeterIndex },
  events: readonly MeterEvent[],
  priced: boolean,
): Promise<ImportCost[]> {
  const groups = [...Map.groupBy(events, ({ subscriptionId, meterId }) => `${subscriptionId} ${meterId}`).values()]
  const costs: ImportCost[] = []
  for (const group of groups) {
    const { customerId, subscriptionId, meterId } = group[0]!
    const plain = {
      customerId,
      subscriptionId,
      meter: meters.byId.get(meterId)?.eventName ?? String(meterId),
      events: group.length,
      quantity: sum(group.map(({ quantity }) => quantity)),
    }
    const asked = priced && costs.length < PRICED_MAX
    costs.push({ ...plain, ...(asked ? await added(pool, clock(), plain, group) : UNPRICED) })
  }
  return costs
}

const UNPRICED = { elsewhere: 0, amount: null, currency: null }

/** The price of what is there and what is new together, less that of what is there. */
async function added(
  pool: Pool,
  now: Date,
  { subscriptionId, meter }: { subscriptionId: string; meter: string },
  events: readonly MeterEvent[],
): Promise<Pick<ImportCost, 'elsewhere' | 'amount' | 'currency'>> {
  const subscription = await getSubscription(pool, subscriptionId)
  const sheet = subscription && (await periodSheet(pool, subscription, now))
  const open = sheet?.segments.at(-1)
  const model = open?.items
    .map((item) => sheet!.prices.get(item.stripePriceId))
    .find((price) => price?.meter === meter)?.model
  if (!sheet || !open || !model || open.kind !== 'billable') return { ...UNPRICED, elsewhere: events.length }
  const within = events.filter(
    ({ occurredAt }) => occurredAt >= open.start.getTime() && occurredAt < open.end.getTime(),
  )
  const there = sheet.cells.filter((cell) => cell.segment === sheet.segments.length - 1 && cell.meter === meter)
  const before = sum(there.map((cell) => cell.quantity))
  const after = sum([before, ...within.map(({ quantity }) => quantity)])
  return {
    elsewhere: events.length - within.length,
    amount: priceUsage(model, after).amount - priceUsage(model, before).amount,
    currency: sheet.currency,
  }
}
