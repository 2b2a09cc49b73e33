import type { Pool } from 'pg'
import type { PlannedReport, Report, SyncPlan } from './report.ts'
import { customersToReport, openReports } from './store.ts'
import { plannedReports } from './write.ts'

const LISTED_MAX = 1_000

/** What a sync would write and send now. Nothing is written, and Stripe is not asked. */
export async function planSync(
  { pool, clock }: { pool: Pool; clock: () => Date },
  { customerId, urgent }: { customerId: string | null; urgent: boolean },
): Promise<SyncPlan> {
  const now = clock()
  const customers = customerId ? [customerId] : await customersToReport(pool, urgent ? null : now)
  const plan = { customers: 0, writes: 0, sends: 0 }
  const toWrite: PlannedReport[] = []
  const toSend: Report[] = []
  for (const customer of customers) {
    const written = await plannedReports(pool, customer, now)
    const sent = await openReports(pool, customer, urgent ? null : now)
    if (written.length + sent.length > 0) plan.customers += 1
    plan.writes += written.length
    plan.sends += sent.length
    toWrite.push(...written.slice(0, LISTED_MAX - toWrite.length))
    toSend.push(...sent.slice(0, LISTED_MAX - toSend.length).map(({ sentMsAgo: _, ...report }) => report))
  }
  return { dryRun: true, ...plan, toWrite, toSend }
}
