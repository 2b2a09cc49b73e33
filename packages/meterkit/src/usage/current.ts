import type { Database } from '../database/database.ts'
import type { Catalog } from '../plans/config.ts'
import { sum } from '../pricing/decimal.ts'
import { plannedReports } from '../reports/write.ts'
import { segmentsOf } from '../subscriptions/store.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { usageCells } from './store.ts'
import type { Usage } from './usage.ts'

/** What the subscription has used in its current period; null where it has none. */
export async function currentUsage(
  db: Database,
  subscription: Subscription,
  catalog: Catalog,
  now: Date,
): Promise<Usage | null> {
  const { currentPeriod: period, customerId, id } = subscription
  if (!period) return null
  const segments = (await segmentsOf(db, customerId, [id])).get(id)!
  const planned = await plannedReports(db, customerId, now)
  const cells = await usageCells(db, subscription, segments, period, planned)
  const names = subscription.items.flatMap((item) => item.meter ?? [])
  return {
    subscriptionId: id,
    period,
    meters: [...new Set([...names, ...cells.map((cell) => cell.meter)])].map((name) => {
      const ofMeter = cells.filter((cell) => cell.meter === name)
      const times = ofMeter.flatMap((cell) => cell.lastEventAt?.getTime() ?? [])
      const meter = catalog.meters.get(name)
      return {
        meter: name,
        displayName: meter?.displayName ?? name,
        unit: meter?.unit ?? 'units',
        quantity: sum(ofMeter.map((cell) => cell.quantity)),
        events: ofMeter.reduce((events, cell) => events + cell.events, 0),
        lastEventAt: times.length > 0 ? new Date(Math.max(...times)) : null,
      }
    }),
  }
}
