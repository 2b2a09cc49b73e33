import type { WebhookRow } from 'meterkit'
import { data, useFetcher } from 'react-router'
import { audit } from 'saas/server/audit'
import { servicesContext } from 'saas/server/services'
import { requireAdmin } from 'saas/server/session'
import { Button } from '~/ui/button'
import { EmptyState } from '~/ui/empty-state'
import { PageHeader } from '~/ui/page-header'
import { Quantity } from '~/ui/quantity'
import { ShortId } from '~/ui/short-id'
import { StatusBadge } from '~/ui/status-badge'
import { type Column, Table } from '~/ui/table'
import { Time } from '~/ui/time'
import type { Route } from './+types/webhooks'
import { FilteredList } from './filtered-list.tsx'
import { listFilter } from './list-filter.ts'
import { NothingFound } from './search-form.tsx'

const STATUSES = ['received', 'processed', 'failed', 'ignored'] as const
const LABELS = { received: 'Received', processed: 'Processed', failed: 'Failed', ignored: 'Ignored' }

export const meta: Route.MetaFunction = () => [{ title: 'Webhooks · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  await requireAdmin(args)
  const { meterkit } = args.context.get(servicesContext)
  const filter = listFilter(args.url, STATUSES)
  const [page, counts] = await Promise.all([meterkit.webhooks.list(filter), meterkit.webhooks.counts()])
  return { page, counts, status: filter.status ?? null, search: filter.search ?? null }
}

/** Processes one once more. */
export async function action(args: Route.ActionArgs) {
  const actor = await requireAdmin(args)
  const services = args.context.get(servicesContext)
  const id = String((await args.request.formData()).get('id') ?? '')
  if (!(await services.meterkit.webhooks.get(id))) throw data('There is no such webhook.', { status: 404 })
  await audit(services, { actor, action: 'webhook.replay', object: id })
  // Its failure is written down with the webhook, and the list shows it.
  await services.meterkit.webhooks.replay(id).catch((error: Error) => {
    services.log.warn({ webhook: id, error: error.message }, 'a replayed webhook failed')
  })
  return null
}

export default function Webhooks({ loaderData }: Route.ComponentProps) {
  const { page, counts, status, search } = loaderData
  const all = STATUSES.reduce((total, key) => total + counts[key], 0)
  return (
    <>
      <PageHeader
        title="Webhooks"
        description="What Stripe has told us: stored before it is answered, and effective once."
      />
      <FilteredList
        filter={{ label: 'Status', labels: LABELS }}
        counts={{ ...counts, all }}
        chosen={status}
        search={{ text: search, placeholder: 'Type, event or object' }}
        unit="webhooks"
        page={page}
        nothing={
          <EmptyState title="No webhooks yet">
            The first arrives when somebody subscribes. With a real Stripe, run{' '}
            <code>stripe listen --forward-to localhost:4000/webhooks/stripe</code>.
          </EmptyState>
        }
      >
        <Table
          caption="Webhooks"
          columns={COLUMNS}
          rows={page.rows}
          rowKey={({ id }) => id}
          rowHref={({ id }) => `/admin/webhooks/${id}`}
          empty={<NothingFound what="webhooks" />}
        />
      </FilteredList>
    </>
  )
}

const COLUMNS: Column<WebhookRow>[] = [
  {
    key: 'type',
    header: 'Type',
    cell: ({ type, payload }) => (
      <>
        <code className="text-xs max-md:wrap-anywhere">{type}</code>
        {payload === 'thin' && <span className="ml-2 text-muted text-xs">thin</span>}
      </>
    ),
  },
  {
    key: 'object',
    header: 'Object',
    cell: ({ objectId }) =>
      objectId ? <ShortId id={objectId} copy={false} className="text-muted" /> : <span className="text-muted">–</span>,
    wide: true,
  },
  { key: 'received', header: 'Received', cell: ({ receivedAt }) => <Time at={receivedAt} />, wide: true },
  {
    key: 'status',
    header: 'Status',
    cell: ({ status, error }) => (
      <div className="py-0.5">
        <StatusBadge status={status} />
        {error && (
          <p className="mt-1 max-w-72 truncate text-danger text-xs" title={error}>
            {error}
          </p>
        )}
      </div>
    ),
  },
  {
    key: 'attempts',
    header: 'Attempts',
    align: 'right',
    cell: ({ attempts }) => <Quantity value={attempts} />,
    wide: true,
  },
  {
    key: 'replay',
    header: <span className="sr-only">Replay</span>,
    align: 'right',
    cell: ({ id }) => <Replay id={id} />,
    wide: true,
  },
]

function Replay({ id }: { id: string }) {
  const fetcher = useFetcher()
  return (
    <fetcher.Form method="post">
      <input type="hidden" name="id" value={id} />
      <Button type="submit" size="sm" loading={fetcher.state !== 'idle'}>
        Replay
      </Button>
    </fetcher.Form>
  )
}
