import type { Period } from '../subscriptions/subscription.ts'
import type { DayUsage } from '../usage/usage.ts'

/** One line of the coming invoice, rounded by itself as Stripe does. */
export interface ChargeLine {
  plan: string | null
  planName: string
  /** Null for a flat amount. */
  meter: string | null
  meterName: string
  unit: string
  /** The part of the period under this price. */
  segment: Period
  /** False for a part that a plan switch has ended. */
  current: boolean
  quantity: string
  /** The part of `quantity` that happened in an earlier period and is billed in this one. */
  lateQuantity: string
  packages: string | null
  perUnits: string | null
  unitAmount: string
  /** The arithmetic laid open: "12,345 tokens → 13 packages of 1,000 × $0.05". */
  formula: string
  /** Minor units. */
  amount: bigint
  /** Usage taken back after its invoice was final, at the price it was billed at; `quantity` and `amount` are negative. */
  credit: boolean
}

/** What the current period would cost now. */
export interface UpcomingCharges {
  subscriptionId: string
  currency: string
  period: Period
  asOf: Date
  lines: ChargeLine[]
  /** Minor units: the sum of the lines. */
  amount: bigint
  /** Minor units: what earlier invoices left on the customer's balance; owed is positive, a credit negative. */
  carried: bigint
  /** Set where `amount + carried` is more than nothing and less than Stripe charges a card: it is carried on. */
  belowMinimum: bigint | null
  days: DayUsage[]
  /** At the pace so far, at the period's end; null in the first day or without usage. Minor units. */
  projection: { amount: bigint; low: bigint; high: bigint; quantity: string } | null
}

/** What Stripe itself expects to invoice; it lags behind ours by what is not reported yet. */
export interface StripePreview {
  amount: bigint
  currency: string
  at: Date
  lines: { description: string; amount: bigint }[]
  /** Ours less Stripe's, minor units. */
  difference: bigint
  /** Why they differ, in a sentence; null when they agree. */
  reason: string | null
}

export interface InvoiceRow {
  stripeId: string
  subscriptionId: string | null
  number: string | null
  status: string
  period: Period
  currency: string
  total: bigint
  amountDue: bigint
  createdAt: Date
  finalizedAt: Date | null
  hostedUrl: string | null
  pdfUrl: string | null
  /** Set while usage of its period could not be flushed yet and the draft is held back. */
  heldReason: string | null
}

/** What switching to another plan does, in numbers. */
export interface SwitchPreview {
  subscriptionId: string
  from: string | null
  to: string
  /** The instant the old price would end, UTC, whole seconds. Pass it on to `switchPlan` to get just this. */
  at: Date
  currency: string
  /** What the period cost so far; billed at its end, whatever comes after. */
  soFar: { lines: ChargeLine[]; amount: bigint }
  /**
   * The rest of the period on the old and on the new plan: at the pace so far or, in the first day, if as much again is
   * used. Null without usage to go by.
   */
  rest: { basis: 'pace' | 'as_much_again'; quantity: string; onCurrentPlan: bigint; onNewPlan: bigint } | null
  /** Usage not yet with Stripe; it is reported before the switch. */
  unreported: string
}
