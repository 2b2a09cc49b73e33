import { randomUUID } from 'node:crypto'
import type { Difference, DifferingReport, MendResult, Reconciliation, SyncResult } from 'meterkit'
import type { BillingJob } from './jobs.ts'
import type { Services } from './services.ts'

export type ReconciliationStatus = 'queued' | 'running' | 'done' | 'mending' | 'mended' | 'failed'

/** As they come back from the database: instants are texts. */
export type StoredReport = Omit<DifferingReport, 'timestamp' | 'acceptedAt'> & {
  timestamp: string
  acceptedAt: string | null
}
export type StoredDifference = Omit<Difference, 'reports'> & { reports: StoredReport[] }

/** A comparison somebody has asked for, from the asking to the mending. */
export interface ReconciliationRun {
  id: string
  askedBy: string
  at: Date
  since: Date
  customerId: string | null
  customerName: string | null
  status: ReconciliationStatus
  done: number
  total: number
  /** Differences so far. */
  found: number
  /** It has not moved for a while: its process ended. */
  stuck: boolean
  result: (Pick<Reconciliation, 'compared' | 'calls' | 'milliseconds'> & { differences: StoredDifference[] }) | null
  mended: { reports: number; left: { identifier: string; reason: string }[]; sync: SyncResult } | null
  error: string | null
}

type Parts = Pick<Services, 'pool' | 'meterkit'>

const KEPT = 20
/** Of a run; more are mended by the next. */
const DIFFERENCES_MAX = 1_000
const STUCK_AFTER = '2 minutes'

const COLUMNS = `id, asked_by as "askedBy", at, since, customer_id as "customerId", customer_name as "customerName",
  status, done, total, found, result, mended, error,
  status in ('queued', 'running', 'mending') and moved_at < clock_timestamp() - interval '${STUCK_AFTER}' as stuck`

export async function latestReconciliations(
  { pool }: Pick<Parts, 'pool'>,
  limit: number,
): Promise<ReconciliationRun[]> {
  const { rows } = await pool.query<ReconciliationRun>(
    `select ${COLUMNS} from app.reconciliations order by at desc, id limit $1`,
    [limit],
  )
  return rows
}

export async function getReconciliation({ pool }: Pick<Parts, 'pool'>, id: string): Promise<ReconciliationRun | null> {
  const { rows } = await pool.query<ReconciliationRun>(
    `select ${COLUMNS} from app.reconciliations where id::text = $1`,
    [id],
  )
  return rows[0] ?? null
}

export function isUnderWay({ status, stuck }: ReconciliationRun): boolean {
  return !stuck && (status === 'queued' || status === 'running' || status === 'mending')
}

/** Puts a comparison into the queue. @returns its id */
export async function askReconciliation(
  { pool, boss, clock }: Pick<Services, 'pool' | 'boss' | 'clock'>,
  { by, since, customer }: { by: string; since: Date; customer: { id: string; name: string } | null },
): Promise<string> {
  const id = randomUUID()
  await pool.query(
    /* sql */ `
    insert into app.reconciliations (id, asked_by, at, since, customer_id, customer_name, status)
    values ($1, $2, $3, $4, $5, $6, 'queued')`,
    [id, by, clock(), since, customer?.id ?? null, customer?.name ?? null],
  )
  await pool.query(
    'delete from app.reconciliations where id in (select id from app.reconciliations order by at desc, id offset $1)',
    [KEPT],
  )
  await enqueue(boss, { task: 'reconcile', id })
  return id
}

/** Puts the mending of what a comparison has found missing into the queue. @returns false where it was asked for before */
export async function askMend({ pool, boss }: Pick<Services, 'pool' | 'boss'>, id: string): Promise<boolean> {
  const claimed = await pool.query(
    `update app.reconciliations set status = 'mending', moved_at = clock_timestamp() where id = $1 and status = 'done'`,
    [id],
  )
  if (claimed.rowCount === 0) return false
  await enqueue(boss, { task: 'mend', id })
  return true
}

async function enqueue(boss: Services['boss'], job: BillingJob): Promise<void> {
  await boss.send('billing', job, { retryLimit: 0 }) // whoever asked sees how it ended, and can ask again
}

/** What the job does; how it ends stands in the row. */
export async function runReconciliation(parts: Parts, id: string): Promise<void> {
  const run = await getReconciliation(parts, id)
  if (run?.status !== 'queued') return
  await settling(parts, id, async () => {
    const moving = createProgress(parts, id)
    const { since, customerId } = run
    const result = await parts.meterkit.reports.reconcile({
      since,
      ...(customerId ? { customerId } : {}),
      onProgress: moving,
    })
    const { compared, calls, milliseconds, differences } = result
    const kept = { compared, calls, milliseconds, differences: differences.slice(0, DIFFERENCES_MAX) }
    await parts.pool.query(
      `update app.reconciliations set status = 'done', result = $2, found = $3, done = $4, total = $4 where id = $1`,
      [id, JSON.stringify(kept), differences.length, compared],
    )
  })
}

/** At most once a second: how far it is, for whoever watches. */
function createProgress({ pool }: Parts, id: string) {
  let told = 0
  return ({ done, total, differences }: { done: number; total: number; differences: number }) => {
    if (performance.now() - told < 1_000) return
    told = performance.now()
    pool
      .query(
        /* sql */ `
        update app.reconciliations set status = 'running', done = $2, total = $3, found = $4, moved_at = clock_timestamp()
        where id = $1 and status in ('queued', 'running')`,
        [id, done, total, differences],
      )
      .catch(() => {}) // the next one tells it
  }
}

/** Takes back what Stripe does not have, and sends its usage at once. */
export async function runMend(parts: Parts, id: string): Promise<void> {
  const run = await getReconciliation(parts, id)
  if (run?.status !== 'mending' || !run.result) return
  await settling(parts, id, async () => {
    const differences = run.result!.differences.map(revived)
    const { mended, left } = await parts.meterkit.reports.mend({ differences })
    const sync = await syncCustomers(parts, differences)
    await parts.pool.query(`update app.reconciliations set status = 'mended', mended = $2 where id = $1`, [
      id,
      JSON.stringify({ reports: mended.length, left: left.map(shown), sync }),
    ])
  })
}

function revived({ reports, ...difference }: StoredDifference): Difference {
  return {
    ...difference,
    reports: reports.map((report) => ({
      ...report,
      timestamp: new Date(report.timestamp),
      acceptedAt: report.acceptedAt === null ? null : new Date(report.acceptedAt),
    })),
  }
}

function shown({ identifier, reason }: MendResult['left'][number]) {
  return { identifier, reason }
}

async function syncCustomers({ meterkit }: Parts, differences: readonly Difference[]): Promise<SyncResult> {
  const total: SyncResult = { created: 0, accepted: 0, failed: 0, postponed: 0, reason: null, milliseconds: 0 }
  const customers = new Set(differences.filter(({ mendable }) => mendable).map(({ customerId }) => customerId))
  for (const customerId of customers) {
    const result = await meterkit.reports.sync({ customerId, urgent: true })
    for (const name of ['created', 'accepted', 'failed', 'postponed', 'milliseconds'] as const)
      total[name] += result[name]
    total.reason ??= result.reason
  }
  return total
}

async function settling({ pool }: Parts, id: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    await pool.query(`update app.reconciliations set status = 'failed', error = $2 where id = $1`, [
      id,
      (error as Error).message,
    ])
    throw error
  }
}
