/**
 * Why Stripe's number is another than ours. `missing`: Stripe accepted reports and does not have them. `recent`: too
 * young to judge. `in_doubt`: reports whose outcome nobody knows yet; the next sync settles them. `cleared`: Stripe has
 * reports whose usage was sent again. `foreign`: usage that was sent by somebody else. `unclear`: no set of reports, or
 * more than one, explains the number. `unreadable`: Stripe does not tell.
 */
export type DifferenceCause = 'missing' | 'recent' | 'in_doubt' | 'cleared' | 'foreign' | 'unclear' | 'unreadable'

export interface DifferingReport {
  id: string
  identifier: string
  value: string
  /** What Stripe was told. */
  timestamp: Date
  acceptedAt: Date | null
}

/** Where Stripe's summary of a customer, meter and UTC day is another than ours, by one cause. */
export interface Difference {
  customerId: string
  customerName: string
  stripeCustomerId: string
  meter: string
  /** UTC, `2026-11-24`. */
  day: string
  /** Of the day: the reports Stripe has accepted. */
  ours: string
  /** Of the day; null where Stripe does not tell. */
  stripe: string | null
  /** What this cause explains: less than zero where Stripe has too little. */
  quantity: string
  cause: DifferenceCause
  /** In a sentence or two: the likely cause, and what to do. */
  explanation: string
  /** Those concerned. */
  reports: DifferingReport[]
  /** Whether `mend` sends its usage again. */
  mendable: boolean
}

export interface Reconciliation {
  /** Whole UTC days. */
  since: Date
  until: Date
  at: Date
  /** Customer and meter pairs that were compared. */
  compared: number
  /** Of Stripe. */
  calls: number
  differences: Difference[]
  milliseconds: number
}

export interface MendResult {
  /** Reports taken back; the next sync sends their usage under new identifiers. */
  mended: DifferingReport[]
  /** Reports that were left, and why. */
  left: (DifferingReport & { reason: string })[]
}
