import type { ReportRow } from 'meterkit'
import { useActionData, useFetcher } from 'react-router'
import { servicesContext } from 'saas/server/services'
import { requireAdmin } from 'saas/server/session'
import { EmptyState } from '~/ui/empty-state'
import { Money } from '~/ui/money'
import { PageHeader } from '~/ui/page-header'
import { Quantity } from '~/ui/quantity'
import { ShortId } from '~/ui/short-id'
import { StatusBadge } from '~/ui/status-badge'
import { type Column, Table } from '~/ui/table'
import { Time } from '~/ui/time'
import type { Route } from './+types/reports'
import { FilteredList } from './filtered-list.tsx'
import { listFilter } from './list-filter.ts'
import { NothingFound } from './search-form.tsx'
import { syncNow } from './sync.ts'
import { type Deed, SyncButton, SyncOutcome } from './sync-outcome.tsx'

const STATUSES = ['pending', 'accepted', 'failed', 'unsure', 'cleared'] as const
const LABELS = { pending: 'Pending', accepted: 'Accepted', failed: 'Failed', unsure: 'Unsure', cleared: 'Cleared' }

export const meta: Route.MetaFunction = () => [{ title: 'Reports · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  await requireAdmin(args)
  const { meterkit } = args.context.get(servicesContext)
  const filter = listFilter(args.url, STATUSES)
  const [page, counts] = await Promise.all([meterkit.reports.list(filter), meterkit.reports.counts()])
  return { page, counts, status: filter.status ?? null, search: filter.search ?? null }
}

export async function action(args: Route.ActionArgs): Promise<Deed> {
  const actor = await requireAdmin(args)
  return { sync: await syncNow(args.context.get(servicesContext), actor) }
}

export default function Reports({ loaderData }: Route.ComponentProps) {
  const { page, counts, status, search } = loaderData
  const fetcher = useFetcher<Deed>()
  const posted = useActionData<Deed>() // without JavaScript
  const all = STATUSES.reduce((total, key) => total + counts[key], 0)
  return (
    <>
      <PageHeader
        title="Reports"
        description="What was sent to Stripe: one report carries all new usage of a subscription's hour, or takes some back."
        actions={<SyncButton fetcher={fetcher} waiting={counts.pending} />}
      />
      <SyncOutcome deed={fetcher.data ?? posted} />
      <FilteredList
        filter={{ label: 'Status', labels: LABELS }}
        counts={{ ...counts, all }}
        chosen={status}
        search={{ text: search, placeholder: 'Id, identifier or customer' }}
        unit="reports"
        page={page}
        nothing={
          <EmptyState title="Nothing reported yet">
            {counts.oldestUnreportedAt ? (
              <>
                Usage waits since <Time at={counts.oldestUnreportedAt} />. Sync now sends it; otherwise the schedule
                will.
              </>
            ) : (
              'Once usage is recorded, the next sync writes a report and sends it to Stripe.'
            )}
          </EmptyState>
        }
      >
        <Table
          caption="Reports"
          columns={COLUMNS}
          rows={page.rows}
          rowKey={({ id }) => id}
          empty={<NothingFound what="reports" />}
        />
      </FilteredList>
    </>
  )
}

const COLUMNS: Column<ReportRow>[] = [
  { key: 'id', header: 'Report', cell: ({ id }) => <ShortId id={id} />, wide: true },
  {
    key: 'customer',
    header: 'Customer',
    cell: ({ customerName }) => (
      <span className="block max-w-36 truncate md:max-w-44" title={customerName}>
        {customerName}
      </span>
    ),
  },
  { key: 'meter', header: 'Meter', cell: ({ meter }) => <code className="text-xs">{meter}</code>, wide: true },
  { key: 'since', header: 'Since', cell: ({ since }) => <Time at={since} />, wide: true },
  { key: 'events', header: 'Events', align: 'right', cell: ({ events }) => <Quantity value={events} />, wide: true },
  { key: 'value', header: 'Value', align: 'right', cell: ({ value }) => <Quantity value={value} /> },
  {
    key: 'status',
    header: 'Status',
    cell: ({ status, late, kind, amount, currency, attempts, error }) => (
      <div className="py-0.5 md:min-w-32">
        <span className="inline-flex gap-1.5">
          <StatusBadge status={status} />
          {kind === 'credit' ? <StatusBadge status="credit" /> : late && <StatusBadge status="late" />}
        </span>
        {amount !== null && currency !== null && (
          <p className="mt-1 text-muted text-xs">
            <Money amount={amount} currency={currency} /> on the next invoice
          </p>
        )}
        {error && <p className="mt-1 max-w-72 text-danger text-xs">{error}</p>}
        {attempts > 1 && <p className="mt-1 text-muted text-xs">{attempts} attempts</p>}
      </div>
    ),
  },
  {
    key: 'accepted',
    header: 'Accepted',
    cell: ({ acceptedAt }) => (acceptedAt ? <Time at={acceptedAt} /> : <span className="text-muted">–</span>),
    wide: true,
  },
  {
    key: 'identifier',
    header: 'Identifier at Stripe',
    cell: ({ identifier }) => <ShortId id={identifier} />,
    wide: true,
  },
]
