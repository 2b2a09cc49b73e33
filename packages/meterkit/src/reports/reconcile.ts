import type { Pool } from 'pg'
import { Stripe } from 'stripe'
import { MeterkitError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { sum } from '../pricing/decimal.ts'
import { traced } from '../tracing.ts'
import { explain } from './explain.ts'
import { acceptedSum, agree, type Finding, isMore, judgeMinute, less, wasSent } from './judge.ts'
import { patiently } from './patiently.ts'
import { DAYS_TAKEN } from './placement.ts'
import {
  acceptedByDay,
  type ComparedReport,
  countMeteredCustomers,
  hasSilentWebhook,
  type MeteredCustomer,
  meteredCustomers,
  reportsFor,
} from './reconcile-store.ts'
import type { Difference, DifferenceCause, DifferingReport, Reconciliation } from './reconciliation.ts'
import {
  MINUTE_MS,
  minuteOf,
  minuteSummary,
  type SummaryContext,
  type SummarySpan,
  spanSummary,
  summaryPage,
} from './summaries.ts'

/*
 * Ours against Stripe's, from the large to the small: days are read in one call per customer and meter; a day that
 * differs is read by hours, an hour that differs by the minutes of our reports. In a minute the reports themselves tell:
 * Stripe's number is the sum of those it has. What is young is not judged, and what is not certain is not mended.
 */

const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const PAGE_CUSTOMERS = 200
const ATTEMPTS_MAX = 5

export interface ReconcileContext extends SummaryContext {
  pool: Pool
  clock: () => Date
  random: () => number
  log: Logger
  /** Resolves when the next call of Stripe may go out. */
  pace: () => Promise<void>
}

export interface ReconcileScope {
  /** Default 35 days ago. Whole UTC days are compared. */
  since?: Date
  /** Default now. */
  until?: Date
  customerId?: string
  onProgress?: (progress: { done: number; total: number; differences: number }) => void
}

/** What is compared by default begins with the oldest usage that Stripe takes. */
export function earliestTaken(now: Date): Date {
  return new Date(now.getTime() - DAYS_TAKEN * DAY_MS)
}

/**
 * Compares what Stripe has accepted from us with its meter event summaries: per customer, meter and UTC day.
 * Nothing is changed. @throws Stripe's own error where it cannot be reached
 */
export function reconcile(context: ReconcileContext, scope: ReconcileScope = {}): Promise<Reconciliation> {
  return traced('meterkit reconcile', { 'meterkit.customer': scope.customerId ?? 'all' }, async (span) => {
    const reconciliation = await compareAll(context, scope)
    span.setAttribute('meterkit.differences', reconciliation.differences.length)
    return reconciliation
  })
}

async function compareAll(context: ReconcileContext, scope: ReconcileScope): Promise<Reconciliation> {
  const began = performance.now()
  const { pool, clock } = context
  const now = clock()
  const since = dayOf(scope.since ?? earliestTaken(now))
  const until = new Date(dayOf(new Date((scope.until ?? now).getTime() - 1)).getTime() + DAY_MS)
  const span = { customerId: scope.customerId ?? null, start: since, end: until }
  const calls = { count: 0 }
  const counting = { ...context, pace: () => paced(context, calls) }
  const total = await countMeteredCustomers(pool, span)
  const differences: Difference[] = []
  let done = 0
  let page: MeteredCustomer[] = []
  do {
    page = await meteredCustomers(pool, span, page.at(-1) ?? null, PAGE_CUSTOMERS)
    for (const customer of page) {
      differences.push(...(await compareCustomer(counting, customer, since, until)))
      done += 1
      scope.onProgress?.({ done, total: Math.max(total, done), differences: differences.length })
    }
  } while (page.length === PAGE_CUSTOMERS)
  const milliseconds = Math.round(performance.now() - began)
  context.log.info({ compared: done, differences: differences.length, calls: calls.count }, 'compared with Stripe')
  return { since, until, at: now, compared: done, calls: calls.count, differences, milliseconds }
}

/** A customer that is gone at Stripe, or a meter that is not there, says nothing about the others. */
function isAboutThisOne(error: unknown): error is Error {
  return error instanceof Stripe.errors.StripeInvalidRequestError || error instanceof MeterkitError
}

async function paced({ pace }: ReconcileContext, calls: { count: number }): Promise<void> {
  calls.count += 1
  await pace()
}

async function compareCustomer(
  context: ReconcileContext,
  customer: MeteredCustomer,
  start: Date,
  end: Date,
): Promise<Difference[]> {
  const ours = await acceptedByDay(context.pool, { ...customer, start, end })
  let theirs: Map<string, string>
  try {
    theirs = await summariesBy(context, { ...customer, start, end, window: 'day' })
  } catch (error) {
    if (!isAboutThisOne(error)) throw error
    return [unreadable(customer, dayName(start), sum(ours.values()), error.message)]
  }
  const days = [...new Set([...ours.keys(), ...[...theirs.keys()].map((at) => at.slice(0, 10))])].sort()
  const differences: Difference[] = []
  for (const day of days) {
    const totals = { day, ours: ours.get(day) ?? '0', stripe: theirs.get(`${day}T00:00:00.000Z`) ?? '0' }
    if (!agree(totals.ours, totals.stripe)) differences.push(...(await compareDay(context, customer, totals)))
  }
  return differences
}

type DayTotals = Pick<Difference, 'day' | 'ours' | 'stripe'> & { stripe: string }

/** One difference for each cause that was found in the day's minutes. */
async function compareDay(
  context: ReconcileContext,
  customer: MeteredCustomer,
  totals: DayTotals,
): Promise<Difference[]> {
  const start = new Date(`${totals.day}T00:00:00Z`)
  const end = new Date(start.getTime() + DAY_MS)
  const theirs = await summariesBy(context, { ...customer, start, end, window: 'hour' })
  const reports = await reportsFor(context.pool, { ...customer, start, end })
  const hours = new Set([...theirs.keys(), ...reports.map((report) => hourOf(report.timestamp).toISOString())])
  const found: Finding[] = []
  for (const hour of [...hours].sort()) {
    const ofHour = reports.filter((report) => hourOf(report.timestamp).toISOString() === hour)
    if (!agree(acceptedSum(ofHour), theirs.get(hour) ?? '0')) {
      found.push(...(await compareHour(context, customer, new Date(hour))))
    }
  }
  const byCause = Map.groupBy(found, ({ cause }) => cause)
  const silent = await hasSilentWebhook(context.pool)
  return [...byCause].map(([cause, findings]) => differenceOf(customer, totals, cause, findings, silent))
}

/** Syncs go on meanwhile: where our reports have changed since Stripe was asked, it is asked again. */
async function compareHour(context: ReconcileContext, customer: MeteredCustomer, start: Date): Promise<Finding[]> {
  const span = { ...customer, start, end: new Date(start.getTime() + HOUR_MS) }
  for (let attempt = 1; ; attempt++) {
    const reports = await reportsFor(context.pool, span)
    const theirs = await patiently(context, () => spanSummary(context, span))
    const found = agree(acceptedSum(reports), theirs) ? [] : await findingsOfHour(context, customer, reports, theirs)
    const isSettled = sameStates(reports, await reportsFor(context.pool, span))
    if (isSettled || attempt === ATTEMPTS_MAX) return found
  }
}

function sameStates(before: readonly ComparedReport[], after: readonly ComparedReport[]): boolean {
  const states = (reports: readonly ComparedReport[]) => reports.map(({ id, status }) => `${id} ${status}`).join()
  return states(before) === states(after)
}

async function findingsOfHour(
  context: ReconcileContext,
  customer: MeteredCustomer,
  reports: readonly ComparedReport[],
  stripe: string,
): Promise<Finding[]> {
  const minutes = Map.groupBy(reports.filter(wasSent), (report) => minuteOf(report.timestamp).getTime())
  const found: Finding[] = []
  const counted: string[] = []
  for (const [minute, ofMinute] of minutes) {
    const theirs = await patiently(context, () => minuteSummary(context, { ...customer, start: new Date(minute) }))
    counted.push(theirs)
    found.push(...judgeMinute(ofMinute, theirs, context.clock()))
  }
  // What lies in minutes for which we have sent nothing; less than nothing where Stripe is still adding up.
  const elsewhere = less(stripe, sum(counted))
  if (elsewhere !== '0')
    found.push({ cause: isMore(elsewhere) ? 'foreign' : 'recent', quantity: elsewhere, reports: [] })
  return found
}

function differenceOf(
  customer: MeteredCustomer,
  totals: DayTotals,
  cause: DifferenceCause,
  findings: readonly Finding[],
  silentWebhook: boolean,
): Difference {
  const reports = findings.flatMap((found) => found.reports)
  const { meterId: _, ...named } = customer
  return {
    ...named,
    ...totals,
    quantity: sum(findings.map(({ quantity }) => quantity)),
    cause,
    explanation: explain(cause, reports, silentWebhook),
    reports: reports.map(shown),
    mendable: cause === 'missing',
  }
}

function unreadable(customer: MeteredCustomer, day: string, ours: string, message: string): Difference {
  const { meterId: _, ...named } = customer
  const explanation = `Stripe does not tell its usage: ${message}`
  return {
    ...named,
    day,
    ours,
    stripe: null,
    quantity: '0',
    cause: 'unreadable',
    explanation,
    reports: [],
    mendable: false,
  }
}

function shown({ id, identifier, value, timestamp, acceptedAt }: ComparedReport): DifferingReport {
  return { id, identifier, value, timestamp, acceptedAt }
}

/** Stripe's number of each window with usage, by the window's start. */
async function summariesBy(context: ReconcileContext, span: SummarySpan): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (let after: string | null = null; ; ) {
    const page: Awaited<ReturnType<typeof summaryPage>> = await patiently(context, () =>
      summaryPage(context, span, after),
    )
    for (const { start, quantity } of page.rows) found.set(start.toISOString(), quantity)
    after = page.rows.at(-1)?.id ?? null
    if (!page.hasMore || after === null) return found
  }
}

function dayOf(at: Date): Date {
  return new Date(Math.floor(at.getTime() / DAY_MS) * DAY_MS)
}

function hourOf(at: Date): Date {
  return new Date(Math.floor(at.getTime() / HOUR_MS) * HOUR_MS)
}

function dayName(at: Date): string {
  return at.toISOString().slice(0, 10)
}
