import type { EventRow } from 'meterkit'
import { useState } from 'react'
import { data, useActionData, useFetcher } from 'react-router'
import { servicesContext } from 'saas/server/services'
import { requireAdmin } from 'saas/server/session'
import { Button, LinkButton } from '~/ui/button'
import { EmptyState } from '~/ui/empty-state'
import { Checkbox } from '~/ui/field'
import { PageHeader } from '~/ui/page-header'
import { Quantity } from '~/ui/quantity'
import { ShortId } from '~/ui/short-id'
import { StatusBadge } from '~/ui/status-badge'
import { type Column, Table } from '~/ui/table'
import { Time } from '~/ui/time'
import type { Route } from './+types/meter-events'
import { FilteredList } from './filtered-list.tsx'
import { listFilter } from './list-filter.ts'
import { useLiveFigures } from './live-figures.ts'
import { NothingFound } from './search-form.tsx'
import { clearErrors, syncNow } from './sync.ts'
import { type Deed, SyncButton, SyncOutcome } from './sync-outcome.tsx'

const STATUSES = ['pending', 'processed', 'failed', 'late', 'void', 'free'] as const
const LABELS = {
  pending: 'Pending',
  processed: 'Processed',
  failed: 'Failed',
  late: 'Late',
  void: 'Void',
  free: 'Free',
}

export const meta: Route.MetaFunction = () => [{ title: 'Meter events · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  await requireAdmin(args)
  const { meterkit } = args.context.get(servicesContext)
  const filter = listFilter(args.url, STATUSES)
  const [page, counts, reports] = await Promise.all([
    meterkit.events.list(filter),
    meterkit.events.counts(),
    meterkit.reports.counts(),
  ])
  return {
    page,
    counts,
    waiting: reports.pending,
    isFirstPage: filter.cursor === undefined,
    status: filter.status ?? null,
    search: filter.search ?? null,
  }
}

export async function action(args: Route.ActionArgs): Promise<Deed> {
  const actor = await requireAdmin(args)
  const services = args.context.get(servicesContext)
  const form = await args.request.formData()
  const intent = form.get('intent')
  if (intent === 'sync') return { sync: await syncNow(services, actor) }
  const which = retryOf(form)
  if (!which) throw data('There is no such action.', { status: 400 })
  return { cleared: await clearErrors(services, actor, which) }
}

function retryOf(form: FormData): { eventIds: string[] } | { error: string } | null {
  const intent = form.get('intent')
  if (intent === 'retry-error') return { error: String(form.get('error')) }
  return intent === 'retry' ? { eventIds: form.getAll('eventId').map(String) } : null
}

export default function MeterEvents({ loaderData }: Route.ComponentProps) {
  const { page, counts, waiting, isFirstPage, status, search } = loaderData
  const fetcher = useFetcher<Deed>()
  const posted = useActionData<Deed>() // without JavaScript
  useLiveFigures(fetcher.state === 'idle' && isFirstPage)
  return (
    <>
      <PageHeader
        title="Meter events"
        description="Every use that was recorded, and how far it has come on its way to an invoice."
        actions={<SyncButton fetcher={fetcher} waiting={waiting} />}
      />
      <SyncOutcome deed={fetcher.data ?? posted} />
      <FilteredList
        filter={{ label: 'Status', labels: LABELS }}
        counts={counts}
        chosen={status}
        search={{ text: search, placeholder: 'Id, key, customer or error' }}
        unit="events"
        page={page}
        nothing={
          <EmptyState title="No events yet" action={<LinkButton to="/app">Open the app</LinkButton>}>
            Each use of a metered feature appears here within a second. Subscribe, ask the AI chat something, and look
            again.
          </EmptyState>
        }
      >
        {status === 'failed' && page.rows.length > 0 ? (
          <FailedEvents rows={page.rows} fetcher={fetcher} />
        ) : (
          <Table
            caption="Meter events"
            columns={COLUMNS}
            rows={page.rows}
            rowKey={({ id }) => id}
            rowHref={({ id }) => `/admin/meter-events/${id}`}
            empty={<NothingFound what="events" />}
          />
        )}
      </FilteredList>
    </>
  )
}

const ID: Column<EventRow> = {
  key: 'id',
  header: 'Event',
  cell: ({ id }) => <ShortId id={id} copy={false} />,
}

const CUSTOMER: Column<EventRow> = {
  key: 'customer',
  header: 'Customer',
  cell: ({ customerName }) => (
    <span className="block max-w-44 truncate" title={customerName}>
      {customerName}
    </span>
  ),
  wide: true,
}

const METER: Column<EventRow> = {
  key: 'meter',
  header: 'Meter',
  cell: ({ meter }) => <code className="text-xs">{meter}</code>,
  wide: true,
}

const QUANTITY: Column<EventRow> = {
  key: 'quantity',
  header: 'Quantity',
  align: 'right',
  cell: ({ quantity }) => <Quantity value={quantity} />,
}

const TIME: Column<EventRow> = {
  key: 'timestamp',
  header: 'Time',
  cell: ({ timestamp }) => <Time at={timestamp} />,
  wide: true,
}

const COLUMNS: Column<EventRow>[] = [
  ID,
  CUSTOMER,
  METER,
  QUANTITY,
  TIME,
  {
    key: 'status',
    header: 'Status',
    cell: ({ status, late }) => (
      <span className="inline-flex gap-1.5">
        <StatusBadge status={status} />
        {late && <StatusBadge status="late" />}
      </span>
    ),
  },
  {
    key: 'processed',
    header: 'Processed',
    cell: ({ processedAt, errorMessage }) =>
      errorMessage ? (
        <span className="block max-w-56 truncate text-danger" title={errorMessage}>
          {errorMessage}
        </span>
      ) : processedAt ? (
        <Time at={processedAt} />
      ) : (
        <span className="text-muted">–</span>
      ),
    wide: true,
  },
]

type DeedFetcher = ReturnType<typeof useFetcher<Deed>>

/** Failed ones with Stripe's message; to be cleared and sent again one by one, by selection, or by error. */
function FailedEvents({ rows, fetcher }: { rows: EventRow[]; fetcher: DeedFetcher }) {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const busy = fetcher.state !== 'idle'
  const here = rows.filter(({ id }) => selected.has(id))
  const toggle = (ids: string[], on: boolean) => {
    const next = new Set(selected)
    for (const id of ids) on ? next.add(id) : next.delete(id)
    setSelected(next)
  }
  const select: Column<EventRow> = {
    key: 'select',
    header: (
      <Checkbox
        aria-label="Select all on this page"
        checked={here.length === rows.length}
        onChange={(event) =>
          toggle(
            rows.map(({ id }) => id),
            event.target.checked,
          )
        }
      />
    ),
    cell: ({ id }) => (
      <Checkbox
        form="retry-selection"
        name="eventId"
        value={id}
        aria-label={`Select ${id}`}
        checked={selected.has(id)}
        onChange={(event) => toggle([id], event.target.checked)}
      />
    ),
    className: 'w-8 [&>input]:block',
  }
  const columns: Column<EventRow>[] = [
    select,
    { ...ID, cell: ({ id }) => <ShortId id={id} to={`/admin/meter-events/${id}`} copy={false} /> },
    CUSTOMER,
    QUANTITY,
    TIME,
    {
      key: 'error',
      header: 'Stripe says',
      cell: ({ errorMessage }) => <span className="block min-w-52 max-w-80">{errorMessage}</span>,
    },
    {
      key: 'retry',
      header: <span className="sr-only">Retry</span>,
      align: 'right',
      cell: ({ id }) => (
        <fetcher.Form method="post">
          <input type="hidden" name="intent" value="retry" />
          <input type="hidden" name="eventId" value={id} />
          <Button type="submit" size="sm" loading={busy}>
            Clear and retry
          </Button>
        </fetcher.Form>
      ),
    },
  ]
  return (
    <>
      <ErrorGroups rows={rows} fetcher={fetcher} />
      <fetcher.Form
        id="retry-selection"
        method="post"
        className="flex items-center justify-between gap-4 border-y bg-raised px-5 py-2"
      >
        <input type="hidden" name="intent" value="retry" />
        <span className="text-muted tabular-nums">{here.length} selected</span>
        <Button type="submit" size="sm" loading={busy} disabled={here.length === 0} className="noscript:opacity-100">
          Clear and retry the selection
        </Button>
      </fetcher.Form>
      <Table caption="Failed events" columns={columns} rows={rows} rowKey={({ id }) => id} />
    </>
  )
}

/** The same error usually has the same cause, and once that is mended, all of its events can go at once. */
function ErrorGroups({ rows, fetcher }: { rows: EventRow[]; fetcher: DeedFetcher }) {
  const groups = Map.groupBy(rows, ({ errorMessage }) => errorMessage ?? 'No message')
  return (
    <ul className="border-t">
      {[...groups].map(([error, events]) => (
        <li key={error} className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2 px-5 py-3">
          <p className="min-w-0 flex-1 basis-64 break-words">
            <span className="text-danger">{error}</span>{' '}
            <span className="whitespace-nowrap text-muted text-xs">{events.length} on this page</span>
          </p>
          <fetcher.Form method="post">
            <input type="hidden" name="intent" value="retry-error" />
            <input type="hidden" name="error" value={error} />
            <Button type="submit" size="sm" loading={fetcher.state !== 'idle'}>
              Clear and retry all with this error
            </Button>
          </fetcher.Form>
        </li>
      ))}
    </ul>
  )
}
