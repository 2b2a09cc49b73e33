import type { Period } from '../subscriptions/subscription.ts'

export interface MeterUsage {
  meter: string
  displayName: string
  unit: string
  /** Of the current period, in the meter's unit, late usage billed in it included. */
  quantity: string
  events: number
  lastEventAt: Date | null
}

export interface DayUsage {
  /** UTC, `2026-11-24`. */
  date: string
  quantity: string
  /** What the period cost at the end of this day, minor units. */
  amountSoFar: bigint
}

/** Usage of one subscription's current period. */
export interface Usage {
  subscriptionId: string
  period: Period
  meters: MeterUsage[]
}
