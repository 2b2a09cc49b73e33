/**
 * `pending`: written down, not yet confirmed; it is sent again under the same identifier until Stripe has
 * answered. `accepted`: Stripe has it. `failed`: Stripe never will, `error` says why. `unsure`: too old for its
 * identifier to prove anything and the summaries do not settle it. `cleared`: a failed one whose usage was queued again.
 */
export type ReportStatus = 'pending' | 'accepted' | 'failed' | 'unsure' | 'cleared'

/** One submission of usage to Stripe: what was known less what had been reported, for one hour ∩ segment. */
export interface Report {
  id: string
  customerId: string
  subscriptionId: string
  meter: string
  /** The rollup it reports: the start of hour ∩ segment. */
  since: Date
  /** In the meter's unit; may be negative. */
  value: string
  /** How many events the value stands for. */
  events: number
  identifier: string
  /** What Stripe is told: inside the segment that bills it, whole seconds. */
  timestamp: Date
  /** Billed in a later period than the one it happened in. */
  late: boolean
  status: ReportStatus
  attempts: number
  createdAt: Date
  acceptedAt: Date | null
  error: string | null
  /** `credit`: usage taken back after Stripe had priced it, given back as an invoice item. */
  kind: 'usage' | 'credit'
  /** Of a credit: where the segment starts whose price it is given back at. */
  pricedIn: Date | null
  /** Of a credit: whole minor units, negative, or "0" where the usage made no difference. */
  amount: string | null
  currency: string | null
}

export interface ReportRow extends Report {
  customerName: string
  stripeCustomerId: string | null
}

export interface SyncResult {
  /** Reports written in this run. */
  created: number
  accepted: number
  failed: number
  /** Left for the next run: Stripe could not be reached, answered 429 or 5xx, or another worker was at it. */
  postponed: number
  /** Why something was postponed, e.g. Stripe's message; null when nothing was. */
  reason: string | null
  milliseconds: number
}

/** A report that the next sync would write. */
export interface PlannedReport {
  customerId: string
  subscriptionId: string
  meter: string
  since: Date
  value: string
  events: number
  timestamp: Date
  late: boolean
  /** Set where Stripe has priced the usage already: it is given back in money. */
  credit: { amount: bigint; currency: string; pricedIn: Date } | null
  /** Why no invoice can carry it; it would be written as failed. Null for one that can be sent. */
  unbillable: string | null
}

/** What a sync would do now, as far as it is known here: Stripe is not asked. */
export interface SyncPlan {
  dryRun: true
  customers: number
  /** Reports it would write; the first 1,000 are listed. */
  writes: number
  toWrite: PlannedReport[]
  /** Reports written earlier that it would send (again); the first 1,000 are listed. */
  sends: number
  toSend: Report[]
}

/** What is not with Stripe yet. */
export interface Backlog {
  /** Rollups that may owe usage. */
  due: number
  pending: number
  unsure: number
  failed: number
  /** Events billed in a later period than their own, ever. */
  lateEvents: number
  oldestUnreportedAt: Date | null
}

/** What syncs of this process have done since its start. */
export interface ReportTotals {
  created: number
  accepted: number
  failed: number
  postponed: number
}
