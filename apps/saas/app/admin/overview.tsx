import CircleCheck from 'lucide-react/icons/circle-check'
import { countAiCalls } from 'meterkit/ai'
import { Suspense } from 'react'
import { Await, Link, useFetcher } from 'react-router'
import { servicesContext } from 'saas/server/services'
import { requireAdmin } from 'saas/server/session'
import { Alert } from '~/ui/alert'
import { Card, CardHeader } from '~/ui/card'
import { formatRelative } from '~/ui/clock'
import { JsonView } from '~/ui/json-view'
import { Money } from '~/ui/money'
import { PageHeader } from '~/ui/page-header'
import { formatQuantity, Quantity } from '~/ui/quantity'
import { Skeleton } from '~/ui/skeleton'
import { Time } from '~/ui/time'
import type { Route } from './+types/overview'
import { type Business, businessOf } from './business.ts'
import { useLiveFigures } from './live-figures.ts'
import { Pipe, type Stage } from './pipe.tsx'
import { RevenueChart } from './revenue-chart.tsx'
import { syncNow } from './sync.ts'
import { type Deed, SyncButton, SyncOutcome } from './sync-outcome.tsx'

const SET_ASIDE_MAX = 20
const MINUTE_MS = 60_000
const BYTES_NOTEWORTHY = 1024 ** 2
const BYTES_DANGEROUS = 50 * 1024 ** 2

export const meta: Route.MetaFunction = () => [{ title: 'Admin · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  await requireAdmin(args)
  const services = args.context.get(servicesContext)
  const { meterkit, boss, pool, clock, config } = services
  const [events, reports, webhooks, setAside, queues, aiCalls] = await Promise.all([
    meterkit.events.counts(),
    meterkit.reports.counts(),
    meterkit.webhooks.counts(),
    meterkit.events.setAside(SET_ASIDE_MAX),
    boss.getQueues(['billing', 'default']),
    countAiCalls(pool),
  ])
  return {
    at: clock(),
    pipeline: meterkit.events.pipeline(),
    events,
    reports,
    webhooks,
    setAside,
    queues: queues.map(({ name, readyCount, activeCount, failedCount }) => ({
      name,
      ready: readyCount,
      active: activeCount,
      failed: failedCount,
    })),
    unbilledCalls: aiCalls.unbilled,
    lagMax: lagAllowed(config.syncSchedule),
    collecting: config.collect,
    // A promise: it looks at the customers one by one, and the pipe does not wait for it.
    business: businessOf(services),
  }
}

export async function action(args: Route.ActionArgs): Promise<Deed> {
  const actor = await requireAdmin(args)
  return { sync: await syncNow(args.context.get(servicesContext), actor) }
}

/** How long usage may wait before something is wrong: a little more than the schedule's pause. */
function lagAllowed(schedule: string): number {
  if (schedule === '* * * * *' || schedule === '@minutely') return 5 * MINUTE_MS
  return schedule === '@hourly' ? 2 * 60 * MINUTE_MS : 26 * 60 * MINUTE_MS
}

type LoaderData = Route.ComponentProps['loaderData']

export default function Overview({ loaderData, actionData }: Route.ComponentProps) {
  const { reports, business, setAside, collecting } = loaderData
  const fetcher = useFetcher<Deed>()
  useLiveFigures(fetcher.state === 'idle')
  return (
    <>
      <PageHeader
        title="Overview"
        description="Where usage is on its way from the call to the invoice, and what needs a hand."
        actions={<SyncButton fetcher={fetcher} waiting={reports.pending} />}
      />
      <SyncOutcome deed={fetcher.data ?? actionData} />
      {!collecting && (
        <Alert tone="warning" title="Collecting is off" className="mb-6">
          METERKIT_COLLECT is false: nothing is recorded, and features that record usage are told so.
        </Alert>
      )}
      <div className="space-y-6">
        <Suspense fallback={<Pipe stages={stagesOf(loaderData, null)} />}>
          <Await resolve={business} errorElement={<Pipe stages={stagesOf(loaderData, null)} />}>
            {(figures) => <Pipe stages={stagesOf(loaderData, figures)} />}
          </Await>
        </Suspense>
        <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_22rem]">
          <Card>
            <CardHeader
              title="Revenue against AI cost"
              description="By day, UTC; the running periods of all customers."
            />
            <Suspense fallback={<Skeleton className="h-52" />}>
              <Await
                resolve={business}
                errorElement={<p className="text-muted">The figures cannot be read right now.</p>}
              >
                {(figures) => <Revenue business={figures} />}
              </Await>
            </Suspense>
          </Card>
          <Card>
            <CardHeader title="Needs attention" />
            <Suspense fallback={<Attention data={loaderData} business={null} />}>
              <Await resolve={business} errorElement={<Attention data={loaderData} business={null} />}>
                {(figures) => <Attention data={loaderData} business={figures} />}
              </Await>
            </Suspense>
            <Queues queues={loaderData.queues} />
          </Card>
        </div>
        {setAside.length > 0 && <SetAside events={setAside} />}
      </div>
    </>
  )
}

/** Usage that nothing refused and that is not reported all the same. */
function waitsTooLong({ reports: { oldestUnreportedAt }, at, lagMax }: LoaderData): boolean {
  return oldestUnreportedAt !== null && at.getTime() - oldestUnreportedAt.getTime() > lagMax
}

function journalTrouble({ pipeline: { journalBytes } }: LoaderData): Stage['trouble'] {
  if (journalBytes > BYTES_DANGEROUS) return { tone: 'danger', text: 'The database does not keep up' }
  return journalBytes > BYTES_NOTEWORTHY ? { tone: 'warning', text: 'Filling up: is the database reachable?' } : null
}

function stagesOf(data: LoaderData, business: Business | null): Stage[] {
  const { pipeline, events, reports, at } = data
  const { recorded, durable, stored, duplicates, setAside, journalBytes } = pipeline
  const waiting = Math.max(recorded - stored - duplicates - setAside, 0)
  const { oldestUnreportedAt } = reports
  const refused = reports.failed + reports.unsure
  return [
    {
      title: 'Recorded',
      value: <Quantity value={recorded} />,
      detail: 'by this process, since it started',
      trouble: null,
      to: '/admin/meter-events',
    },
    {
      title: 'Journal',
      value: <Quantity value={waiting} />,
      detail: `waiting · ${bytes(journalBytes)} · ${formatQuantity(durable)} made durable`,
      trouble: journalTrouble(data),
      to: '/admin/meter-events',
    },
    {
      title: 'Database',
      value: <Quantity value={events.all} />,
      detail: `events · ${formatQuantity(events.pending)} pending`,
      trouble: setAside > 0 ? { tone: 'danger', text: `${formatQuantity(setAside)} set aside` } : null,
      to: '/admin/meter-events?status=pending',
    },
    {
      title: 'Stripe',
      value: <Quantity value={reports.accepted} />,
      // By the server's clock, since a local Stripe's time runs ahead of the browser's when it was advanced.
      detail: oldestUnreportedAt
        ? `reports accepted · oldest unreported usage: ${formatRelative(oldestUnreportedAt, at)}`
        : 'reports accepted · in step',
      trouble:
        refused > 0
          ? { tone: 'danger', text: `${formatQuantity(refused, 'reports')} refused` }
          : waitsTooLong(data)
            ? { tone: 'danger', text: 'Waiting too long: sync now' }
            : null,
      to: refused > 0 ? '/admin/meter-events?status=failed' : '/admin/reports',
    },
    {
      title: 'Invoiced',
      value: business ? <Quantity value={business.invoices.paid + business.invoices.open} /> : '…',
      detail: business
        ? `invoices · ${formatQuantity(business.invoices.paid)} paid · ${formatQuantity(business.invoices.draft)} drafts`
        : 'invoices',
      trouble:
        business && business.held.length > 0
          ? { tone: 'danger', text: `${formatQuantity(business.held.length, 'drafts')} held back` }
          : null,
      to: '/admin/customers',
    },
  ]
}

function Revenue({ business: { days, currency, upcoming, live, customers, isPartial } }: { business: Business }) {
  return (
    <>
      <RevenueChart days={days} currency={currency} />
      <p className="mt-4 text-muted">
        <Money amount={upcoming} currency={currency} className="text-text" /> upcoming from{' '}
        {formatQuantity(live, 'subscriptions')} of {formatQuantity(customers, 'customers')}
        {isPartial && '; more customers than these were not counted'}.
      </p>
    </>
  )
}

/** Everything that does not mend itself, each with the way to what does. */
function Attention({ data, business }: { data: LoaderData; business: Business | null }) {
  const { events, reports, webhooks, unbilledCalls, pipeline, queues } = data
  const failedJobs = queues.reduce((total, { failed }) => total + failed, 0)
  const items: [count: number, text: string, to: string][] = [
    [events.failed, 'failed events', '/admin/meter-events?status=failed'],
    [pipeline.setAside, 'events set aside', '#set-aside'],
    [webhooks.failed, 'failed webhooks', '/admin/webhooks?status=failed'],
    [unbilledCalls, 'AI calls not billed', '/admin/ai-calls'],
    [failedJobs, 'failed jobs', '/admin/jobs'],
    [reports.unsure, 'reports unsure', '/admin/reports?status=unsure'],
    // Their events are failed, too, unless each of them was voided since.
    [events.failed > 0 ? 0 : reports.failed, 'reports refused', '/admin/reports?status=failed'],
  ]
  const troubles = items.filter(([count]) => count > 0)
  const sentences = [
    ...(waitsTooLong(data) ? ['Usage waits too long for Stripe. Sync now, and see what the reports say.'] : []),
    ...(journalTrouble(data) ? ['The journal fills up: the database is not reachable, or does not keep up.'] : []),
    ...(business?.held ?? []).map(
      ({ customerName, reason }) => `The invoice of ${customerName} is held back: ${reason}`,
    ),
    ...(business?.problems ?? []).map(({ customerName, problem }) => `${customerName}: ${problem}`),
  ]
  if (troubles.length + sentences.length === 0) {
    return (
      <p className="flex items-center gap-2 text-positive">
        <CircleCheck className="size-4 shrink-0" aria-hidden /> Nothing. All usage is on its way.
      </p>
    )
  }
  return (
    <ul className="space-y-2">
      {troubles.map(([count, text, to]) => (
        <li key={text}>
          <Link
            to={to}
            reloadDocument={to === '/admin/jobs'}
            className="flex justify-between gap-4 text-danger hover:underline"
          >
            <span>{text.charAt(0).toUpperCase() + text.slice(1)}</span>
            <span className="font-medium tabular-nums">{formatQuantity(count)}</span>
          </Link>
        </li>
      ))}
      {sentences.map((sentence) => (
        <li key={sentence} className="text-danger">
          {sentence}
        </li>
      ))}
    </ul>
  )
}

function Queues({ queues }: { queues: LoaderData['queues'] }) {
  return (
    <div className="mt-5 border-t pt-4">
      <h3 className="mb-2 text-muted text-xs">Jobs</h3>
      <ul className="space-y-1.5">
        {queues.map(({ name, ready, active }) => (
          <li key={name} className="flex justify-between gap-4 tabular-nums">
            <a href="/admin/jobs" className="hover:text-accent">
              {name}
            </a>
            <span className="text-muted">
              {formatQuantity(ready)} waiting · {formatQuantity(active)} running
            </span>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** Events the database would not take; they hold nothing up, and nothing of them is lost. */
function SetAside({ events }: { events: LoaderData['setAside'] }) {
  return (
    <Card id="set-aside">
      <CardHeader
        title="Set aside"
        description="Events the database would not take. They are kept here and not billed."
      />
      <ul className="space-y-4">
        {events.map(({ id, error, at, event }) => (
          <li key={`${id} ${error}`}>
            <p className="flex flex-wrap justify-between gap-x-4 text-danger">
              {error} <Time at={at} className="text-muted" />
            </p>
            <details className="mt-2">
              <summary className="text-muted">Show the event</summary>
              <JsonView value={event} label="The event as JSON" className="mt-2" />
            </details>
          </li>
        ))}
      </ul>
    </Card>
  )
}

function bytes(count: number): string {
  if (count < 1024) return `${count} B`
  return count < 1024 ** 2 ? `${(count / 1024).toFixed(1)} KB` : `${(count / 1024 ** 2).toFixed(1)} MB`
}
