import type { Backlog } from 'meterkit'
import type pg from 'pg'
import type { Services } from './services.ts'

/** A job that is ready to run and waits. */
export interface QueueFigures {
  ready: number
  active: number
  /** How long the oldest ready one has waited. */
  oldestSeconds: number
}

/**
 * What probes and scrapes ask of the database, each at most once in a while however often they come, and none of it
 * dearer with more events.
 */
export interface Figures {
  queues: () => Promise<Record<string, QueueFigures>>
  backlog: () => Promise<Backlog>
  webhooks: () => Promise<Record<string, number>>
}

const FRESH_MS = 5_000
/** Counted one by one, but there are few. */
const WEBHOOKS_FRESH_MS = 60_000

export function createFigures({ pool, meterkit }: Pick<Services, 'pool' | 'meterkit'>): Figures {
  return {
    queues: kept(FRESH_MS, () => readQueues(pool)),
    backlog: kept(FRESH_MS, () => meterkit.reports.backlog()),
    webhooks: kept(WEBHOOKS_FRESH_MS, () => meterkit.webhooks.counts()),
  }
}

/** The last answer while it is fresh, one question at a time; a failure is not kept. */
function kept<Answer>(freshMs: number, ask: () => Promise<Answer>): () => Promise<Answer> {
  let asked: { at: number; answer: Promise<Answer> } | null = null
  return () => {
    if (asked && performance.now() - asked.at < freshMs) return asked.answer
    const answer = ask()
    const mine = { at: performance.now(), answer }
    asked = mine
    answer.catch(() => {
      if (asked === mine) asked = null
    })
    return answer
  }
}

async function readQueues(pool: pg.Pool): Promise<Record<string, QueueFigures>> {
  const { rows } = await pool.query<QueueFigures & { name: string }>(/* sql */ `
    select queue.name, count(job.id) filter (where job.state < 'active' and job.start_after <= now())::int as ready,
      count(job.id) filter (where job.state = 'active')::int as active,
      coalesce(extract(epoch from now() - min(job.start_after) filter (
        where job.state < 'active' and job.start_after <= now())), 0)::float8 as "oldestSeconds"
    from unnest(array['default', 'billing']) as queue (name)
    left join pgboss.job as job on job.name = queue.name and job.state <= 'active'
    group by queue.name`)
  return Object.fromEntries(rows.map(({ name, ...figures }) => [name, figures]))
}
