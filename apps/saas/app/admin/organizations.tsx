import Building2 from 'lucide-react/icons/building-2'
import { listOrganizations, type OrganizationRow } from 'saas/server/directory'
import { servicesContext } from 'saas/server/services'
import { requireAdmin } from 'saas/server/session'
import { Card } from '~/ui/card'
import { EmptyState } from '~/ui/empty-state'
import { PageHeader } from '~/ui/page-header'
import { ShortId } from '~/ui/short-id'
import { Pager, Table } from '~/ui/table'
import { Time } from '~/ui/time'
import type { Route } from './+types/organizations'
import { ID_CURSOR, listFilter } from './list-filter.ts'
import { NothingFound, SearchForm } from './search-form.tsx'

export const meta: Route.MetaFunction = () => [{ title: 'Organizations · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  await requireAdmin(args)
  const { search = '', cursor = null } = listFilter(args.url, [], ID_CURSOR)
  const organizations = await listOrganizations(args.context.get(servicesContext).pool, { search, after: cursor })
  return { organizations, search }
}

export default function Organizations({ loaderData: { organizations, search } }: Route.ComponentProps) {
  const { rows, next, total } = organizations
  return (
    <>
      <PageHeader
        title="Organizations"
        description="Whoever works together. To see one from within, impersonate its owner."
      />
      <Card flush>
        {total === 0 && search === '' ? (
          <EmptyState title="No organizations yet" icon={<Building2 aria-hidden />}>
            They appear here as soon as somebody makes one.
          </EmptyState>
        ) : (
          <>
            <SearchForm label="Search organizations" placeholder="Name or address" />
            <Table<OrganizationRow>
              caption="Organizations"
              rows={rows}
              rowKey={({ id }) => id}
              empty={<NothingFound what="organizations" />}
              columns={[
                {
                  key: 'name',
                  header: 'Name',
                  cell: ({ name, slug }) => (
                    <span className="block">
                      <span className="block font-medium">{name}</span>
                      <code className="text-muted text-xs">{slug}</code>
                    </span>
                  ),
                },
                {
                  key: 'owner',
                  header: 'Owner',
                  cell: ({ owner }) => <span className="break-all">{owner ?? '–'}</span>,
                },
                { key: 'members', header: 'Members', align: 'right', cell: ({ members }) => members },
                { key: 'id', header: 'Id', wide: true, cell: ({ id }) => <ShortId id={id} /> },
                {
                  key: 'since',
                  header: 'Since',
                  wide: true,
                  cell: ({ createdAt }) => <Time at={createdAt} format="date" />,
                },
              ]}
            />
            <Pager next={next} total={total} unit={total === 1 ? 'organization' : 'organizations'} />
          </>
        )}
      </Card>
    </>
  )
}
