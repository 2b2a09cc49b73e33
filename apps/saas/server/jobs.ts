import type { Meterkit } from 'meterkit'
import type pg from 'pg'
import { type Job, type JobResult, PgBoss } from 'pg-boss'
import type { Logger } from 'pino'
import type { Mail } from './mail.ts'
import { runMend, runReconciliation } from './reconciliations.ts'

/** Jobs of the queue `billing`: what moves money, apart from everything else. */
export type BillingJob =
  | { task: 'sync'; by: string }
  | { task: 'webhook'; id: string }
  | { task: 'reconcile'; id: string }
  | { task: 'mend'; id: string }

/** Jobs of the queue `default`. */
export type DefaultJob = { task: 'housekeeping' } | { task: 'mail'; mail: Mail }

const CONCURRENCY = 5
const FINISHED_JOBS_KEPT_SECONDS = 24 * 60 * 60

const QUEUE = {
  notify: true,
  deleteAfterSeconds: FINISHED_JOBS_KEPT_SECONDS,
  expireInSeconds: 30 * 60,
  retryLimit: 5,
  retryDelay: 2,
  retryBackoff: true,
}

/** A draft may be held back until Stripe takes usage again: for hours, but not longer than needed. */
const WEBHOOK_RETRIES = { retryLimit: 30, retryDelay: 5, retryBackoff: true, retryDelayMax: 15 * 60 }

/** Two at a time empty a backlog without waiting between fetches; they are handled one after the other. */
const WORKER = {
  localConcurrency: CONCURRENCY,
  batchSize: 2,
  burstWhenBatchFull: true,
  perJobResults: true,
} as const

/** Connects to the job tables (schema `pgboss`) and makes the queues; no job runs before `startWorkers`. */
export async function startBoss(databaseUrl: string, log: Logger): Promise<PgBoss> {
  const boss = new PgBoss({
    connectionString: databaseUrl,
    schema: 'pgboss',
    application_name: 'meterkit jobs',
    max: 4,
    useListenNotify: true,
  })
  boss.on('error', (error) => log.error({ error: error.message }, 'jobs: the database failed'))
  await boss.start()
  for (const queue of ['default', 'billing']) {
    await boss.createQueue(queue, QUEUE)
    await boss.updateQueue(queue, QUEUE) // creating leaves an existing queue as it was
  }
  return boss
}

export interface WorkerParts {
  boss: PgBoss
  pool: pg.Pool
  meterkit: Meterkit
  log: Logger
  /** Null without a mail server. */
  sendMail: ((mail: Mail) => Promise<void>) | null
  syncSchedule: string
}

/** Works on both queues, schedules what recurs, and takes up webhooks that an earlier process left. */
export async function startWorkers({ boss, pool, meterkit, log, sendMail, syncSchedule }: WorkerParts): Promise<void> {
  const billing = async (job: BillingJob) => {
    if (job.task === 'webhook') await meterkit.webhooks.process(job.id)
    else if (job.task === 'reconcile') await runReconciliation({ pool, meterkit }, job.id)
    else if (job.task === 'mend') await runMend({ pool, meterkit }, job.id)
    else log.info({ ...(await meterkit.reports.sync()), by: job.by }, 'usage synced')
  }
  const other = async (job: DefaultJob) => {
    if (job.task === 'housekeeping') await meterkit.housekeeping()
    else await sendMail?.(job.mail)
  }
  await boss.work<BillingJob, unknown, typeof WORKER>('billing', WORKER, (jobs) => inTurn(jobs, billing, log))
  await boss.work<DefaultJob, unknown, typeof WORKER>('default', WORKER, (jobs) => inTurn(jobs, other, log))

  // A sync that was missed is made up for: the last night of a period must not be lost.
  const sync: BillingJob = { task: 'sync', by: 'schedule' }
  await boss.schedule('billing', syncSchedule, sync, { key: 'sync', tz: 'UTC', missed: 'once', retryLimit: 1 })
  const housekeeping: DefaultJob = { task: 'housekeeping' }
  await boss.schedule('default', '@daily', housekeeping, { key: 'housekeeping', tz: 'UTC', missed: 'once' })

  meterkit.onWebhook((id) => enqueueWebhook(boss, id))
  for (const id of await meterkit.webhooks.unprocessed()) await enqueueWebhook(boss, id)
}

async function enqueueWebhook(boss: PgBoss, id: string): Promise<void> {
  const job: BillingJob = { task: 'webhook', id }
  await boss.send('billing', job, WEBHOOK_RETRIES)
}

/** Webhooks first: they are short, and an invoice may wait for one. */
async function inTurn<T extends { task: string }>(
  jobs: Job<T>[],
  handle: (job: T) => Promise<void>,
  log: Logger,
): Promise<JobResult<object>[]> {
  const results: JobResult<object>[] = []
  for (const { id, data } of jobs.toSorted((a, b) => rank(a.data) - rank(b.data))) {
    try {
      await handle(data)
      results.push({ id, status: 'completed' })
    } catch (error) {
      const { message } = error as Error
      log.error({ job: id, task: data.task, error: message }, 'a job failed')
      results.push({ id, status: 'failed', output: { message } })
    }
  }
  return results
}

function rank({ task }: { task: string }): number {
  return task === 'webhook' ? 0 : 1
}
