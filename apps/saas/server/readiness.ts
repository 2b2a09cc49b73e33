import type { Config } from './config.ts'
import type { Figures } from './figures.ts'
import { JOURNAL_BYTES_MAX } from './journal.ts'
import type { Services } from './services.ts'

/** `unknown`: it could not be asked, because the database does not answer. */
type CheckStatus = 'ok' | 'failing' | 'unknown'

interface Check {
  status: CheckStatus
  /** Figures and, past which the check fails, their limit; in the unit its name says. */
  [figure: string]: CheckStatus | string | number | null
}

export interface Readiness {
  /** `degraded`: it serves, and an operator should look. `not ready`: a load balancer should look elsewhere. */
  status: 'ready' | 'degraded' | 'not ready'
  /** Once a stop has begun. */
  stopping: boolean
  checks: { database: Check; journal: Check; queue: Check; unreported: Check }
}

/** A load balancer asks every few seconds. */
const ANSWER_MS_MAX = 2_000
/** Near its limit, so that somebody can look before `recordEvent` refuses. */
const JOURNAL_BYTES_LIMIT = Math.floor(JOURNAL_BYTES_MAX * 0.9)
const QUEUE_SECONDS_LIMIT = 5 * 60

/**
 * Whether it can serve. Database and journal decide: without them pages fail or usage is refused. Usage that waits for
 * Stripe, and jobs that wait, do not keep anybody from being served; they only degrade it, because every copy of the app
 * would be taken out at once otherwise.
 */
export async function readReadiness(
  services: Services,
  { figures, stopping }: { figures: Figures; stopping: boolean },
): Promise<Readiness> {
  const database = await checkDatabase(services)
  const journal = checkJournal(services)
  const reachable = database.status === 'ok'
  const [queue, unreported] = await Promise.all([
    reachable ? checkQueue(figures) : unknown(QUEUE_SECONDS_LIMIT),
    reachable ? checkUnreported(services, figures) : unknown(unreportedSecondsLimit(services.config)),
  ])
  const serves = !stopping && reachable && journal.status === 'ok'
  const well = [queue, unreported].every(({ status }) => status === 'ok')
  const status = serves ? (well ? 'ready' : 'degraded') : 'not ready'
  return { status, stopping, checks: { database, journal, queue, unreported } }
}

async function checkDatabase({ pool }: Services): Promise<Check> {
  const startedAt = performance.now()
  const status = await inTime(pool.query('select 1')).then(
    () => 'ok' as const,
    () => 'failing' as const,
  )
  return { status, milliseconds: Math.round(performance.now() - startedAt), limitMilliseconds: ANSWER_MS_MAX }
}

function inTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
  const silence = new Promise<never>((_, reject) => setTimeout(reject, ANSWER_MS_MAX, new Error('no answer')).unref())
  return Promise.race([answer, silence])
}

function checkJournal({ meterkit }: Services): Check {
  const { journalBytes: bytes } = meterkit.events.pipeline()
  return { status: bytes < JOURNAL_BYTES_LIMIT ? 'ok' : 'failing', bytes, limitBytes: JOURNAL_BYTES_LIMIT }
}

async function checkQueue({ queues }: Figures): Promise<Check> {
  try {
    const all = Object.values(await inTime(queues()))
    const waiting = all.reduce((total, { ready }) => total + ready, 0)
    const oldestSeconds = Math.round(Math.max(0, ...all.map((queue) => queue.oldestSeconds)))
    const status = oldestSeconds < QUEUE_SECONDS_LIMIT ? 'ok' : 'failing'
    return { status, waiting, oldestSeconds, limitSeconds: QUEUE_SECONDS_LIMIT }
  } catch {
    return unknown(QUEUE_SECONDS_LIMIT)
  }
}

async function checkUnreported({ clock, config }: Services, { backlog }: Figures): Promise<Check> {
  const limitSeconds = unreportedSecondsLimit(config)
  try {
    const { oldestUnreportedAt: since } = await inTime(backlog())
    const ageSeconds = since ? Math.max(0, Math.round((clock().getTime() - since.getTime()) / 1000)) : 0
    const status = ageSeconds < limitSeconds ? 'ok' : 'failing'
    return { status, since: since?.toISOString() ?? null, ageSeconds, limitSeconds }
  } catch {
    return unknown(limitSeconds)
  }
}

function unknown(limitSeconds: number): Check {
  return { status: 'unknown', limitSeconds }
}

const MINUTE_SECONDS = 60
const HOUR_SECONDS = 60 * MINUTE_SECONDS
const DAY_SECONDS = 24 * HOUR_SECONDS

/** Somewhat more than the schedule lets usage wait. */
export function unreportedSecondsLimit({ syncSchedule }: Pick<Config, 'syncSchedule'>): number {
  const between: Record<string, number> = {
    '* * * * *': 15 * MINUTE_SECONDS,
    '@minutely': 15 * MINUTE_SECONDS,
    '@hourly': 2 * HOUR_SECONDS,
    '@weekly': 8 * DAY_SECONDS,
    '@monthly': 32 * DAY_SECONDS,
    '@yearly': 367 * DAY_SECONDS,
  }
  return between[syncSchedule] ?? 26 * HOUR_SECONDS
}
