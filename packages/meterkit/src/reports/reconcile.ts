import type { Pool } from 'pg'
import { Stripe } from 'stripe'
import { firstRow } from '../database/database.ts'
import { MeterkitError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { formatDecimal, parseDecimal, significantDigits, subtract, sum } from '../pricing/decimal.ts'
import { traced } from '../tracing.ts'
import { withReportLock } from './lock.ts'
import {
  acceptedByDay,
  type ComparedReport,
  countMeteredCustomers,
  type MeteredCustomer,
  meteredCustomers,
  reportsFor,
} from './reconcile-store.ts'
import type { Difference, DifferenceCause, DifferingReport, MendResult, Reconciliation } from './reconciliation.ts'
import { takeBackAccepted } from './store.ts'
import { backOffMs, SUMMARY_QUIET_MS } from './submit.ts'
import {
  MINUTE_MS,
  minuteOf,
  minuteSummary,
  type SummaryContext,
  type SummarySpan,
  spanSummary,
  summaryPage,
  verdicts,
} from './summaries.ts'

/*
 * Ours against Stripe's, from the large to the small: days are read in one call per customer and meter; a day that
 * differs is read by hours, an hour that differs by the minutes of our reports. In a minute the reports themselves tell:
 * Stripe's number is the sum of those it has. What is young is not judged, and what is not certain is not mended.
 */

const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** What Stripe takes, and so what a difference can still be mended in. */
const DAYS_DEFAULT = 35
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
  const since = dayOf(scope.since ?? new Date(now.getTime() - DAYS_DEFAULT * DAY_MS))
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

/** What is wrong in one minute, by one cause. */
interface Finding {
  cause: DifferenceCause
  /** Of Stripe's number, more than ours. */
  quantity: string
  reports: ComparedReport[]
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

function acceptedSum(reports: readonly ComparedReport[]): string {
  return sum(reports.filter(({ status }) => status === 'accepted').map(({ value }) => value))
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

function wasSent({ status, firstAttemptAt }: ComparedReport): boolean {
  return status === 'accepted' || firstAttemptAt !== null
}

/**
 * Which of a minute's reports Stripe has, given its number. Accepted ones are expected there; those in doubt and those
 * accepted a moment ago may be; those cleared should not.
 */
function judgeMinute(reports: readonly ComparedReport[], theirs: string, now: Date): Finding[] {
  const accepted = reports.filter(({ status }) => status === 'accepted')
  const quiet = accepted.filter((report) => isQuiet(report, now))
  const recent = accepted.filter((report) => !isQuiet(report, now))
  const inDoubt = reports.filter(({ status }) => status === 'pending' || status === 'unsure')
  const ours = sum(accepted.map(({ value }) => value))
  if (agree(ours, theirs)) return []

  const candidates = [...quiet, ...recent, ...inDoubt]
  const verdict = verdicts({ theirs, certain: '0', inDoubt: candidates.map(({ value }) => value) })
  if (verdict === null) return [unexplained(reports, { ours, theirs, recent, now })]
  const at = (wanted: string, among: readonly ComparedReport[]) =>
    candidates.filter((report, index) => verdict[index] === wanted && among.includes(report))
  if (at('unclear', [...quiet, ...recent]).length > 0) {
    return [{ cause: recent.length > 0 ? 'recent' : 'unclear', quantity: less(theirs, ours), reports: candidates }]
  }
  return [
    finding('missing', -1, at('absent', quiet)),
    finding('recent', -1, at('absent', recent)),
    finding('in_doubt', 1, at('delivered', inDoubt)),
  ].filter(({ reports: concerned }) => concerned.length > 0)
}

/** Aggregation at Stripe is asynchronous: only after so much quiet does its number prove an absence. */
function isQuiet({ acceptedAt, lastAttemptAt }: ComparedReport, now: Date): boolean {
  const last = Math.max(acceptedAt?.getTime() ?? 0, lastAttemptAt?.getTime() ?? 0)
  return now.getTime() - last >= SUMMARY_QUIET_MS
}

function finding(cause: DifferenceCause, sign: 1 | -1, reports: ComparedReport[]): Finding {
  const quantity = sum(reports.map(({ value }) => value))
  return { cause, quantity: sign === 1 ? quantity : less('0', quantity), reports }
}

/** No set of the reports that should be there makes Stripe's number: perhaps with those that should not be. */
function unexplained(
  reports: readonly ComparedReport[],
  { ours, theirs, recent, now }: { ours: string; theirs: string; recent: readonly ComparedReport[]; now: Date },
): Finding {
  const quantity = less(theirs, ours)
  const cleared = reports.filter((report) => report.status === 'cleared' && isQuiet(report, now))
  const again = verdicts({ theirs, certain: ours, inDoubt: cleared.map(({ value }) => value) })
  const there = cleared.filter((_, index) => again?.[index] === 'delivered')
  if (there.length > 0) return { cause: 'cleared', quantity, reports: there }
  if (recent.length > 0) return { cause: 'recent', quantity, reports: [...recent] }
  const tooMuch = isMore(quantity)
  return { cause: tooMuch ? 'foreign' : 'unclear', quantity, reports: tooMuch ? [] : reports.filter(wasSent) }
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

function explain(cause: DifferenceCause, reports: readonly ComparedReport[], silentWebhook: boolean): string {
  const one = reports.length === 1
  const count = one ? '1 report' : `${reports.length} reports`
  const [them, their] = one ? ['it', 'its'] : ['them', 'their']
  if (cause === 'missing') {
    const tooOld = reports.every(
      ({ timestamp, acceptedAt }) => (acceptedAt?.getTime() ?? 0) - timestamp.getTime() > DAYS_DEFAULT * DAY_MS,
    )
    const why = tooOld
      ? `${their} ${one ? 'timestamp was' : 'timestamps were'} older than the 35 days Stripe takes`
      : silentWebhook
        ? `it refused ${them} later, and a webhook that may say so is not processed yet`
        : `it refused ${them} later, and the webhook that says so never arrived`
    return `Stripe accepted ${count} and does not have ${them}; most likely ${why}. Mending sends ${their} usage again under ${one ? 'a new identifier' : 'new identifiers'}.`
  }
  if (cause === 'recent') {
    return 'Accepted less than 10 minutes ago; Stripe adds up after it has answered. Compare again in a few minutes.'
  }
  if (cause === 'in_doubt') {
    return `Stripe has ${count} whose answer was lost on the way. The next sync settles that; nothing is sent twice.`
  }
  if (cause === 'cleared') {
    return `Stripe has ${count} whose error was cleared and whose usage was sent again: it is counted twice. Cancel ${them} at Stripe within 24 hours (a meter event adjustment), or credit the customer.`
  }
  if (cause === 'foreign') {
    return 'Stripe has usage that this system has not sent: by another program or a person with the same meter, or from another database. Find who sends it; nothing is changed here.'
  }
  return 'More than one set of reports, or none, explains what Stripe has. Compare by hand: nothing is sent again, because it might be counted twice.'
}

/** Deliveries about refused events that wait or failed: what seems lost may only be late. */
async function hasSilentWebhook(pool: Pool): Promise<boolean> {
  const row = await firstRow<{ waits: boolean }>(
    pool,
    /* sql */ `
    select exists (
      select 1 from billing.webhooks where status in ('received', 'failed') and type like 'v1.billing.meter.%'
    ) as waits`,
    [],
  )
  return row!.waits
}

/**
 * Takes back the reports that Stripe does not have, so that the next sync sends their usage again; where to, is decided
 * as for any other usage. Each minute is read once more before, with nobody else sending: what has turned up meanwhile,
 * or is no longer certain, is left. Everything but `missing` is left as it is.
 */
export async function mend(
  context: ReconcileContext,
  { differences }: Pick<Reconciliation, 'differences'>,
): Promise<MendResult> {
  const result: MendResult = { mended: [], left: [] }
  const missing = differences.filter(({ cause }) => cause === 'missing')
  for (const difference of missing) {
    await withReportLock(context.pool, difference.customerId, () => mendDifference(context, difference, result))
  }
  return result
}

async function mendDifference(context: ReconcileContext, difference: Difference, result: MendResult): Promise<void> {
  const minutes = Map.groupBy(difference.reports, (report) => minuteOf(new Date(report.timestamp)).getTime())
  for (const [minute, concerned] of minutes) {
    const start = new Date(minute)
    const theirs = await patiently(context, () => minuteSummary(context, { ...difference, start }))
    const end = new Date(minute + MINUTE_MS)
    const reports = await reportsFor(context.pool, { ...difference, start, end })
    const found = judgeMinute(reports.filter(wasSent), theirs, context.clock())
    const still = new Set(
      found.filter(({ cause }) => cause === 'missing').flatMap((each) => each.reports.map(({ id }) => id)),
    )
    for (const report of concerned) {
      const taken = still.has(report.id) && (await takeBack(context, difference, report))
      if (taken) result.mended.push(report)
      else result.left.push({ ...report, reason: whyLeft(reports, report.id) })
    }
  }
}

async function takeBack({ pool, log }: ReconcileContext, { customerId, day }: Difference, report: DifferingReport) {
  const reason = `Stripe accepted it and does not have it: its summaries of ${day} prove that. Its usage was queued again.`
  const taken = await takeBackAccepted(pool, { customerId, id: report.id }, reason)
  if (taken) log.warn({ report: report.id, identifier: report.identifier }, 'a report was lost at Stripe; sent again')
  return taken
}

function whyLeft(reports: readonly ComparedReport[], id: string): string {
  const now = reports.find((report) => report.id === id)
  if (!now) return 'there is no such report'
  return now.status === 'accepted' ? 'Stripe has it now, or it is no longer certain' : `it is ${now.status} meanwhile`
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

/** At the pace of reports; where Stripe is busy, again after a while. */
async function patiently<Result>(context: ReconcileContext, call: () => Promise<Result>): Promise<Result> {
  for (let attempt = 0; ; attempt++) {
    await context.pace()
    try {
      return await call()
    } catch (error) {
      if (attempt + 1 >= ATTEMPTS_MAX || !isBusy(error)) throw error
      const wait = backOffMs(attempt, 0, context.random()) / 10
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
  }
}

function isBusy(error: unknown): boolean {
  if (!(error instanceof Stripe.errors.StripeError)) return false
  const status = error.statusCode ?? 0
  return status === 409 || status === 429 || status >= 500
}

/** A number of Stripe's is a double: of ours those digits are compared that it carries. */
function agree(ours: string, theirs: string): boolean {
  if (less(theirs, ours) === '0') return true
  if (significantDigits(parseDecimal(ours)) <= 15) return false
  return Number(ours).toPrecision(15) === Number(theirs).toPrecision(15)
}

function less(a: string, b: string): string {
  return formatDecimal(subtract(parseDecimal(a), parseDecimal(b)))
}

function isMore(quantity: string): boolean {
  return parseDecimal(quantity).digits > 0n
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
