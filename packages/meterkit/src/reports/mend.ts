import { judgeMinute, wasSent } from './judge.ts'
import { withReportLock } from './lock.ts'
import { patiently } from './patiently.ts'
import type { ReconcileContext } from './reconcile.ts'
import { type ComparedReport, reportsFor } from './reconcile-store.ts'
import type { Difference, DifferingReport, MendResult, Reconciliation } from './reconciliation.ts'
import { takeBackAccepted } from './store.ts'
import { MINUTE_MS, minuteOf, minuteSummary } from './summaries.ts'

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
  const reason = `Stripe accepted it, and its summaries of ${day} do not have it. Its usage was queued again.`
  const taken = await takeBackAccepted(pool, { customerId, id: report.id }, reason)
  if (taken) log.warn({ report: report.id, identifier: report.identifier }, 'a report was lost at Stripe; sent again')
  return taken
}

function whyLeft(reports: readonly ComparedReport[], id: string): string {
  const now = reports.find((report) => report.id === id)
  if (!now) return 'there is no such report'
  return now.status === 'accepted' ? 'Stripe has it now, or it is no longer certain' : `it is ${now.status} meanwhile`
}
