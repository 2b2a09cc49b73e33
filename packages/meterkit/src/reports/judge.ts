import { formatDecimal, parseDecimal, significantDigits, subtract, sum } from '../pricing/decimal.ts'
import type { ComparedReport } from './reconcile-store.ts'
import type { DifferenceCause } from './reconciliation.ts'
import { SUMMARY_QUIET_MS } from './submit.ts'
import { verdicts } from './summaries.ts'

/** What is wrong in one minute, by one cause. */
export interface Finding {
  cause: DifferenceCause
  /** Of Stripe's number, more than ours. */
  quantity: string
  reports: ComparedReport[]
}

/**
 * Which of a minute's reports Stripe has, given its number. Accepted ones are expected there; those in doubt and those
 * accepted a moment ago may be; those cleared should not.
 */
export function judgeMinute(reports: readonly ComparedReport[], theirs: string, now: Date): Finding[] {
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

export function acceptedSum(reports: readonly ComparedReport[]): string {
  return sum(reports.filter(({ status }) => status === 'accepted').map(({ value }) => value))
}

export function wasSent({ status, firstAttemptAt }: ComparedReport): boolean {
  return status === 'accepted' || firstAttemptAt !== null
}

/** A number of Stripe's is a double: of ours those digits are compared that it carries. */
export function agree(ours: string, theirs: string): boolean {
  if (less(theirs, ours) === '0') return true
  if (significantDigits(parseDecimal(ours)) <= 15) return false
  return Number(ours).toPrecision(15) === Number(theirs).toPrecision(15)
}

export function less(a: string, b: string): string {
  return formatDecimal(subtract(parseDecimal(a), parseDecimal(b)))
}

export function isMore(quantity: string): boolean {
  return parseDecimal(quantity).digits > 0n
}
