import type { Pool } from 'pg'
import { Stripe } from 'stripe'
import { formatAmount } from '../pricing/describe.ts'
import { traced } from '../tracing.ts'
import { acceptReport } from './accept.ts'
import { createCredit, hasCredit, standingOf } from './credit.ts'
import {
  failReport,
  markUnsure,
  noteAttempt,
  noteWorthless,
  type OpenReport,
  postponeReport,
  rewriteReport,
} from './store.ts'
import { lastSentInMinute, summarizedReport } from './summaries.ts'

/** Stripe promises to know an identifier for 24 hours; we rely on 23, so that a slow clock costs nothing. */
const IDENTIFIER_TRUST_MS = 23 * 60 * 60 * 1000
/** Aggregation at Stripe is asynchronous: only after so much quiet do its summaries prove an absence. */
export const SUMMARY_QUIET_MS = 10 * 60 * 1000
const BACK_OFF_MS_MIN = 5_000
const BACK_OFF_MS_MAX = 15 * 60 * 1000

export interface SubmitContext {
  pool: Pool
  stripe: Stripe
  clock: () => Date
  /** 0 ≤ x < 1, for the jitter of back-offs. */
  random: () => number
  /** Resolves when the next call of Stripe may go out. */
  pace: () => Promise<void>
  /** Stripe's id of the customer and of the meter, for the summaries. */
  meterStripeId: (eventName: string) => Promise<string>
}

export type Submission =
  | { outcome: 'accepted' | 'failed' | 'rewritten' }
  /** `unavailable`: Stripe as a whole cannot take more now. */
  | { outcome: 'postponed'; reason: string; unavailable: boolean }

/**
 * Sends one report of usage to Stripe as a meter event. The report was committed with its identifier before, so the
 * process may die on any line: the next attempt sends the same identifier, and Stripe counts it once.
 *
 * An earlier attempt whose answer was lost proves nothing once Stripe may have forgotten the identifier, or once the
 * invoice of the report's period is final: then Stripe's summaries are read before anything is sent.
 *
 * @see https://docs.stripe.com/api/billing/meter-event/create
 */
export function submitReport(
  context: SubmitContext,
  report: OpenReport,
  stripeCustomerId: string,
): Promise<Submission> {
  const attributes = {
    'meterkit.report': report.id,
    'meterkit.identifier': report.identifier,
    'meterkit.customer': report.customerId,
    'meterkit.subscription': report.subscriptionId,
    'meterkit.meter': report.meter,
  }
  return traced('meterkit report', attributes, async (span) => {
    const submission = await submit(context, report, stripeCustomerId)
    span.setAttribute('meterkit.outcome', submission.outcome)
    return submission
  })
}

async function submit(context: SubmitContext, report: OpenReport, stripeCustomerId: string): Promise<Submission> {
  const { pool, clock } = context
  const now = clock()
  if (report.kind === 'credit') return submitCredit(context, report, stripeCustomerId)
  const attempted = report.firstAttemptAt !== null
  const forgotten = () => attempted && ageMs(report, clock()) > IDENTIFIER_TRUST_MS
  if (report.status === 'unsure' || forgotten() || (attempted && report.closedAt !== null)) {
    return settleBySummaries(context, report, stripeCustomerId)
  }
  if (report.closedAt !== null) {
    await rewriteReport(pool, report)
    return { outcome: 'rewritten' }
  }
  await noteAttempt(pool, report, now)
  await context.pace()
  // The database may have hung meanwhile, or the machine slept.
  if (forgotten()) return settleBySummaries(context, report, stripeCustomerId)
  let receivedAt: Date
  try {
    receivedAt = await send(context.stripe, report, stripeCustomerId)
  } catch (error) {
    return settleError(context, report, error)
  }
  return { outcome: (await acceptReport(pool, report, { now: clock(), receivedAt })) ? 'accepted' : 'rewritten' }
}

/** Of the first attempt, by our clock or the database's: one that is wrong, or was, must not make it younger. */
function ageMs({ firstAttemptAt, sentMsAgo }: OpenReport, now: Date): number {
  return Math.max(now.getTime() - firstAttemptAt!.getTime(), sentMsAgo ?? 0)
}

/** An invoice item has no identifier that Stripe would refuse twice: after a lost answer the items themselves are read. */
async function submitCredit(context: SubmitContext, report: OpenReport, stripeCustomerId: string): Promise<Submission> {
  const { pool, stripe, clock } = context
  const attempted = report.firstAttemptAt !== null
  await noteAttempt(pool, report, clock())
  await context.pace()
  try {
    if (!attempted || !(await hasCredit(stripe, report, stripeCustomerId))) {
      const standing = await standingOf(stripe, report)
      if (standing.kind === 'reduced') {
        await failReport(pool, report, reduced(report, standing))
        return { outcome: 'failed' }
      }
      if (standing.kind === 'void') await noteWorthless(pool, report)
      else await createCredit(stripe, report, stripeCustomerId)
    }
  } catch (error) {
    return settleError(context, report, error)
  }
  await acceptReport(pool, report, { now: clock(), receivedAt: null })
  return { outcome: 'accepted' }
}

/** @returns when Stripe took it, by its own clock */
async function send(stripe: Stripe, report: OpenReport, stripeCustomerId: string): Promise<Date> {
  const timestamp = Math.floor(report.timestamp.getTime() / 1000)
  const payload = { stripe_customer_id: stripeCustomerId, value: report.value }
  const event = { identifier: report.identifier, event_name: report.meter, timestamp, payload }
  // A key replays errors, too: the same while the outcome is unknown, another after any definite answer.
  const idempotencyKey = `${report.identifier}-${report.definiteAnswers}`
  const { created } = await stripe.billing.meterEvents.create(event, { idempotencyKey })
  return new Date(created * 1000)
}

function reduced({ amount, currency }: OpenReport, { invoice, by }: { invoice: string; by: string }): string {
  return `A credit is due: ${formatAmount(-BigInt(amount!), currency!)} less ${by} of invoice ${invoice} gave on it. Issue a credit note for that invoice at Stripe.`
}

async function settleError(context: SubmitContext, report: OpenReport, error: unknown): Promise<Submission> {
  const { pool, clock } = context
  if (isAlreadyDelivered(error)) {
    await acceptReport(pool, report, { now: clock(), receivedAt: null })
    return { outcome: 'accepted' }
  }
  if (isPermanent(error)) {
    const { message } = error as Error
    // An earlier attempt may have arrived before Stripe had a reason to refuse: the summaries tell, once they are quiet.
    if (report.firstAttemptAt === null) await failReport(pool, report, message)
    else {
      const until = new Date(clock().getTime() + SUMMARY_QUIET_MS)
      await markUnsure(pool, report, {
        until,
        error: `${message} An earlier attempt may have arrived; Stripe is asked.`,
      })
    }
    return { outcome: 'failed' }
  }
  if (!(error instanceof Stripe.errors.StripeError)) throw error
  await postponeReport(pool, report, {
    until: new Date(clock().getTime() + backOffMs(report.attempts, retryAfterMs(error), context.random())),
    error: error.message,
    definite: error.statusCode !== undefined,
  })
  return { outcome: 'postponed', reason: error.message, unavailable: true }
}

/** A repeated identifier: Stripe has it from an attempt whose answer was lost. The sentence is all there is to tell. */
function isAlreadyDelivered(error: unknown): boolean {
  if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) return false
  return error.message.startsWith('An event already exists with identifier') || error.code === 'duplicate_meter_event'
}

function isPermanent(error: unknown): boolean {
  return (
    error instanceof Stripe.errors.StripeInvalidRequestError &&
    error.code !== 'rate_limit' &&
    error.code !== 'lock_timeout'
  )
}

function retryAfterMs(error: InstanceType<typeof Stripe.errors.StripeError>): number {
  const seconds = Number(error.headers?.['retry-after'] ?? 0)
  return Number.isFinite(seconds) ? seconds * 1000 : 0
}

/** Doubling, with up to half of jitter, and never sooner than Stripe asks. */
export function backOffMs(attempts: number, retryAfter: number, random: number): number {
  const doubled = Math.min(BACK_OFF_MS_MIN * 2 ** Math.min(attempts, 20), BACK_OFF_MS_MAX)
  return Math.max(Math.round(doubled * (0.5 + random / 2)), retryAfter)
}

async function settleBySummaries(
  context: SubmitContext,
  report: OpenReport,
  stripeCustomerId: string,
): Promise<Submission> {
  const { pool, clock } = context
  const now = clock()
  const lastSentAt = (await lastSentInMinute(pool, report)) ?? now
  const quietAt = new Date(lastSentAt.getTime() + SUMMARY_QUIET_MS)
  if (now < quietAt) {
    const error = 'Its outcome is unknown; it waits until the summaries at Stripe can tell'
    await postponeReport(pool, report, { until: quietAt, error, definite: false })
    return { outcome: 'postponed', reason: error, unavailable: false }
  }
  try {
    await context.pace()
    const verdict = await summarizedReport(context, report, stripeCustomerId)
    if (verdict === 'delivered') {
      await acceptReport(pool, report, { now, receivedAt: null })
      return { outcome: 'accepted' }
    }
    if (verdict === 'absent') {
      await rewriteReport(pool, report)
      return { outcome: 'rewritten' }
    }
    const error = `Stripe's summaries do not tell whether it has this report (${verdict.explanation}). Compare by hand; clearing this error sends the usage again.`
    await markUnsure(pool, report, { until: new Date(now.getTime() + BACK_OFF_MS_MAX), error })
    return { outcome: 'failed' }
  } catch (error) {
    if (!(error instanceof Stripe.errors.StripeError)) throw error
    const until = new Date(now.getTime() + backOffMs(report.attempts, 0, context.random()))
    await postponeReport(pool, report, { until, error: error.message, definite: false })
    return { outcome: 'postponed', reason: error.message, unavailable: true }
  }
}
