import ScrollText from 'lucide-react/icons/scroll-text'
import { type AuditRow, auditTrail } from 'saas/server/audit'
import { servicesContext } from 'saas/server/services'
import { requireAdmin } from 'saas/server/session'
import { Card } from '~/ui/card'
import { EmptyState } from '~/ui/empty-state'
import { PageHeader } from '~/ui/page-header'
import { Pager, Table } from '~/ui/table'
import { Time } from '~/ui/time'
import type { Route } from './+types/audit'
import { listFilter } from './list-filter.ts'
import { NothingFound, SearchForm } from './search-form.tsx'

export const meta: Route.MetaFunction = () => [{ title: 'Audit log · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  await requireAdmin(args)
  const { search = '', cursor } = listFilter(args.url)
  const before = cursor && /^\d{1,18}$/.test(cursor) ? cursor : null
  return { trail: await auditTrail(args.context.get(servicesContext), { search, before }), search }
}

export default function Audit({ loaderData: { trail, search } }: Route.ComponentProps) {
  const { rows, total, next } = trail
  return (
    <>
      <PageHeader title="Audit log" description="Who did what, and to what. Nothing here can be changed." />
      <Card flush>
        {total === 0 && search === '' ? (
          <EmptyState title="Nothing written down yet" icon={<ScrollText aria-hidden />}>
            Sign-ins of administrators, changes of members, plans and events appear here.
          </EmptyState>
        ) : (
          <>
            <SearchForm label="Search the audit log" placeholder="Who, what, or to what" />
            <Table<AuditRow>
              caption="Audit log"
              rows={rows}
              rowKey={({ id }) => id}
              empty={<NothingFound what="entries" />}
              columns={[
                { key: 'at', header: 'When', cell: ({ at }) => <Time at={at} /> },
                {
                  key: 'actor',
                  header: 'Who',
                  cell: ({ actorEmail }) => actorEmail ?? <span className="text-muted">Meterkit</span>,
                },
                { key: 'action', header: 'What', cell: ({ action }) => <code className="text-xs">{action}</code> },
                { key: 'object', header: 'To what', cell: ({ object }) => <span className="break-all">{object}</span> },
                { key: 'detail', header: 'Detail', wide: true, cell: Detail },
              ]}
            />
            <Pager next={next} total={total} unit={total === 1 ? 'entry' : 'entries'} />
          </>
        )}
      </Card>
    </>
  )
}

function Detail({ detail }: AuditRow) {
  const facts = Object.entries(detail).map(([name, value]) => `${name}: ${shown(value)}`)
  return <span className="block max-w-sm break-words text-muted text-xs">{facts.join(' · ')}</span>
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
