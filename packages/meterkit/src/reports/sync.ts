import { Stripe } from 'stripe'
import { getCustomer } from '../customers/store.ts'
import type { Turns } from '../database/turns.ts'
import type { Logger } from '../logger.ts'
import { traced } from '../tracing.ts'
import { withFreeReportLock, withReportLock } from './lock.ts'
import type { SyncResult } from './report.ts'
import { customersToReport, failReport, openReports } from './store.ts'
import { type Submission, type SubmitContext, submitReport } from './submit.ts'
import { writeReports } from './write.ts'

/** Customers reported at once; within a customer one call follows another, as Stripe demands. */
const CUSTOMERS_AT_ONCE = 4

export interface SyncContext extends SubmitContext {
  log: Logger
  /** Who reports holds one connection, for the lock, and needs a second: with all held so, nobody would get the second. */
  turns: Turns
  /** Finds out what must be known before usage is placed: see `refreshEndedPeriods`. Resolves to why it must wait. */
  refreshPeriods: (customerId: string) => Promise<string | null>
}

type Tally = Omit<SyncResult, 'milliseconds'>

/**
 * Reports unreported usage: of one customer, or of all. Any number of workers may run it at once; a customer another
 * worker is at is left to that one.
 * @param urgent  tries reports again that wait for their back-off: a period is about to close
 */
export function syncUsage(
  context: SyncContext,
  scope: { customerId?: string | null; urgent?: boolean } = {},
): Promise<SyncResult> {
  return traced('meterkit sync', { 'meterkit.customer': scope.customerId ?? 'all' }, async (span) => {
    const { reason, ...counts } = await syncAll(context, scope)
    for (const [name, count] of Object.entries(counts)) span.setAttribute(`meterkit.${name}`, count)
    return { ...counts, reason }
  })
}

async function syncAll(
  context: SyncContext,
  { customerId = null, urgent = false }: { customerId?: string | null; urgent?: boolean },
): Promise<SyncResult> {
  const began = performance.now()
  const customers = customerId ? [customerId] : await customersToReport(context.pool, urgent ? null : context.clock())
  const tally: Tally = { created: 0, accepted: 0, failed: 0, postponed: 0, reason: null }
  let unavailable = false

  async function worker(): Promise<void> {
    for (let next = customers.shift(); next && !unavailable; next = customers.shift()) {
      unavailable = await reportCustomer(context, next, { tally, urgent, wait: customerId !== null })
    }
  }
  await Promise.all(Array.from({ length: Math.min(CUSTOMERS_AT_ONCE, customers.length) }, worker))
  if (customers.length > 0) tally.postponed += customers.length
  const result = { ...tally, milliseconds: Math.round(performance.now() - began) }
  if (result.created + result.accepted + result.failed + result.postponed > 0) {
    context.log.info({ ...result }, 'usage reported to Stripe')
  }
  return result
}

/** @returns true where Stripe cannot take more now, so that going on would only add to its trouble */
async function reportCustomer(
  context: SyncContext,
  customerId: string,
  { tally, urgent, wait }: { tally: Tally; urgent: boolean; wait: boolean },
): Promise<boolean> {
  try {
    // While another worker sends this customer's reports, ours wait or go elsewhere: one call at a time per customer.
    const locked = wait ? withReportLock : withFreeReportLock
    const unavailable = await context.turns(() =>
      locked(context.pool, customerId, () => reportLocked(context, customerId, { tally, urgent })),
    )
    return unavailable ?? false
  } catch (error) {
    // One customer's trouble is not everybody's: only where Stripe or the database as a whole is away, all stop.
    const { message } = error as Error
    context.log.error({ customer: customerId, error: message }, 'a customer could not be reported')
    tally.postponed += 1
    tally.reason = message
    return isUnavailable(error)
  }
}

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Stripe.errors.StripeError)) return true
  return !(error instanceof Stripe.errors.StripeInvalidRequestError)
}

async function reportLocked(
  context: SyncContext,
  customerId: string,
  { tally, urgent }: { tally: Tally; urgent: boolean },
): Promise<boolean> {
  const { pool, clock, log } = context
  const wait = await context.refreshPeriods(customerId)
  if (wait) {
    tally.postponed += 1
    tally.reason = wait
    return false
  }
  // A report may be taken back and written anew under another timestamp; that one is due at once.
  for (let round = 0; round < 3; round++) {
    const { written, failed } = await writeReports(pool, customerId, clock())
    tally.created += written // not `+= await`: the others add to it meanwhile
    tally.failed += failed
    const reports = await openReports(pool, customerId, urgent ? null : clock())
    if (reports.length === 0) return false
    const customer = await getCustomer(pool, customerId)
    let rewritten = false
    for (const report of reports) {
      if (!customer?.stripeId) {
        await failReport(
          pool,
          report,
          'The customer is not known at Stripe. Create it there by a checkout, then clear this error.',
        )
        tally.failed += 1
        continue
      }
      const submission = await submitReport(context, report, customer.stripeId)
      log.info({ report: report.id, identifier: report.identifier, ...submission }, 'report')
      count(tally, submission)
      rewritten ||= submission.outcome === 'rewritten'
      if (submission.outcome === 'postponed' && submission.unavailable) return true
    }
    if (!rewritten) return false
  }
  return false
}

function count(tally: Tally, submission: Submission): void {
  if (submission.outcome === 'accepted') tally.accepted += 1
  if (submission.outcome === 'failed') tally.failed += 1
  if (submission.outcome === 'postponed') {
    tally.postponed += 1
    tally.reason = submission.reason
  }
}

/** Timers and the network bunch calls by this much: without the slack, one more than set arrives in some second. */
const PACE_SLACK_MS = 50

/**
 * Lets calls out at a steady rate, each caller in turn.
 * @param perSecond  calls in any second, at most, of this process
 */
export function createPace(perSecond: number): () => Promise<void> {
  const gapMs = (1000 + PACE_SLACK_MS) / perSecond
  let next = 0
  return async () => {
    const now = performance.now()
    const at = Math.max(now, next)
    next = at + gapMs
    if (at > now) await new Promise((resolve) => setTimeout(resolve, at - now))
  }
}
