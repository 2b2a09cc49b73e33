import { createHash, timingSafeEqual } from 'node:crypto'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Config } from './config.ts'
import type { Figures } from './figures.ts'
import { JOURNAL_BYTES_MAX } from './journal.ts'
import type { Services } from './services.ts'

export interface Metrics {
  /** In Prometheus's text format. */
  text: () => Promise<string>
  contentType: string
  /** One request that was answered. */
  observe: (request: { method: string; pathname: string; status: number; seconds: number }) => void
}

/**
 * Counters of this process are read from memory, what only the database knows from figures that are kept for a while: a
 * scrape costs the same with ten events and with a billion. What cannot be asked is left out.
 */
export function createMetrics({ meterkit, clock }: Pick<Services, 'meterkit' | 'clock'>, figures: Figures): Metrics {
  const registers = [new Registry()]
  const [registry] = registers as [Registry]
  collectDefaultMetrics({ register: registry })
  countEvents(meterkit, registers)
  countReports(meterkit, registers)
  gaugeBacklog({ clock }, figures, registers)
  gaugeQueues(figures, registers)
  const requests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time until an answer began, by route.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  })
  return {
    text: () => registry.metrics(),
    contentType: registry.contentType,
    observe: ({ method, pathname, status, seconds }) =>
      requests.observe({ method, route: status === 404 ? 'none' : routeOf(pathname), status }, seconds),
  }
}

/** The numbers of `events.pipeline()`, which begin with the process. */
function countEvents(meterkit: Services['meterkit'], registers: Registry[]): void {
  const counters = {
    recorded: 'Events that recordEvent has taken.',
    durable: 'Events that would survive the end of the process.',
    stored: 'Events that were stored in the database.',
    duplicates: 'Events whose id was known already.',
    setAside: 'Events that the database refused for good.',
  } as const
  for (const [name, help] of Object.entries(counters) as [keyof typeof counters, string][])
    new Counter({
      name: `meterkit_events_${name === 'setAside' ? 'set_aside' : name}_total`,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(meterkit.events.pipeline()[name])
      },
    })
  new Gauge({
    name: 'meterkit_journal_bytes',
    help: 'Bytes of events that wait in the journal for the database.',
    registers,
    collect() {
      this.set(meterkit.events.pipeline().journalBytes)
    },
  })
  new Gauge({
    name: 'meterkit_journal_limit_bytes',
    help: 'Past this many bytes recordEvent refuses.',
    registers,
    collect() {
      this.set(JOURNAL_BYTES_MAX)
    },
  })
}

function countReports(meterkit: Services['meterkit'], registers: Registry[]): void {
  new Counter({
    name: 'meterkit_reports_total',
    help: 'What syncs of this process did with reports.',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset()
      for (const [outcome, count] of Object.entries(meterkit.reports.totals())) this.inc({ outcome }, count)
    },
  })
}

function gaugeBacklog({ clock }: Pick<Services, 'clock'>, { backlog, webhooks }: Figures, registers: Registry[]): void {
  const asked = () => answered(backlog())
  gauge(registers, 'meterkit_database_up', '1 while the database answers.', async (set) => set((await asked()) ? 1 : 0))
  gauge(registers, 'meterkit_reports_open', 'Reports that Stripe has not accepted, by status.', async (set) => {
    const figures = await asked()
    for (const status of ['pending', 'unsure', 'failed'] as const) if (figures) set(figures[status], { status })
  })
  gauge(registers, 'meterkit_rollups_due', 'Hours of usage that may owe a report.', async (set) => {
    const figures = await asked()
    if (figures) set(figures.due)
  })
  gauge(registers, 'meterkit_events_late', 'Events billed in a later period than their own.', async (set) => {
    const figures = await asked()
    if (figures) set(figures.lateEvents)
  })
  const age = 'How long the oldest usage waits that Stripe does not have; 0 when there is none.'
  gauge(registers, 'meterkit_oldest_unreported_age_seconds', age, async (set) => {
    const figures = await asked()
    const since = figures?.oldestUnreportedAt
    if (figures) set(since ? Math.max(0, (clock().getTime() - since.getTime()) / 1000) : 0)
  })
  gauge(registers, 'meterkit_webhooks', 'Webhooks of Stripe by what became of them.', async (set) => {
    for (const [status, count] of Object.entries((await answered(webhooks())) ?? {})) set(count, { status })
  })
}

function gaugeQueues({ queues }: Figures, registers: Registry[]): void {
  const asked = async () => Object.entries((await answered(queues())) ?? {})
  gauge(registers, 'meterkit_queue_jobs', 'Jobs that are ready to run or running.', async (set) => {
    for (const [queue, { ready, active }] of await asked()) {
      set(ready, { queue, state: 'ready' })
      set(active, { queue, state: 'active' })
    }
  })
  gauge(registers, 'meterkit_queue_oldest_seconds', 'How long the oldest ready job has waited.', async (set) => {
    for (const [queue, { oldestSeconds }] of await asked()) set(oldestSeconds, { queue })
  })
}

type Label = 'queue' | 'state' | 'status'

/** Read anew by each scrape; what is not set then is left out. */
function gauge(
  registers: Registry[],
  name: string,
  help: string,
  read: (set: (value: number, labels?: Partial<Record<Label, string>>) => void) => Promise<void>,
): void {
  new Gauge<Label>({
    name,
    help,
    labelNames: ['queue', 'state', 'status'],
    registers,
    async collect() {
      this.reset()
      await read((value, labels = {}) => this.set(labels, value))
    },
  })
}

const ANSWER_MS_MAX = 3_000

/** Null where the database does not answer: the rest of the scrape is then all the more wanted. */
async function answered<Answer>(asked: Promise<Answer>): Promise<Answer | null> {
  const silence = new Promise<null>((resolve) => setTimeout(resolve, ANSWER_MS_MAX, null).unref())
  return Promise.race([asked.catch(() => null), silence])
}

const ID = /^([0-9a-f]{8}-[0-9a-f-]{27}|evt_.+|\d+)$/i

/** An address without what is different for everybody, so that there are as many routes as pages. */
export function routeOf(pathname: string): string {
  for (const folder of ['/assets', '/api/auth', '/admin/jobs', '/app/ui', '/node_modules', '/@'])
    if (pathname.startsWith(folder)) return `${folder}/*`
  const steps = pathname.replace(/\.data$/, '').split('/')
  return steps
    .map((step, index) => {
      const parent = steps[index - 1]
      if (parent === 'org' && steps[1] === 'app') return ':slug'
      if (parent === 'checkout' || parent === 'switch') return ':plan'
      return ID.test(step) || parent === 'invitations' ? ':id' : step
    })
    .join('/')
}

/** In production only with the token; elsewhere the token is asked for where there is one. */
export function mayRead({ production, metricsToken }: Config, authorization: string | undefined): boolean {
  if (metricsToken === null) return !production
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(authorization ?? ''), digest(`Bearer ${metricsToken}`))
}
