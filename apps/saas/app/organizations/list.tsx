import Building2 from 'lucide-react/icons/building-2'
import { type Organization, organizationsOf } from 'saas/server/organizations'
import { servicesContext } from 'saas/server/services'
import { requireUser } from 'saas/server/session'
import { LinkButton } from '~/ui/button'
import { Card } from '~/ui/card'
import { EmptyState } from '~/ui/empty-state'
import { PageHeader } from '~/ui/page-header'
import { Pager, Table } from '~/ui/table'
import type { Route } from './+types/list'

export const meta: Route.MetaFunction = () => [{ title: 'Organizations · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  const user = await requireUser(args)
  const { config, pool } = args.context.get(servicesContext)
  return { organizations: await organizationsOf(pool, user.id), pay: config.billingSource === 'organization' }
}

type Row = Organization & { role: string; members: number }

export default function Organizations({ loaderData: { organizations, pay } }: Route.ComponentProps) {
  const create = (
    <LinkButton to="/app/organizations/new" variant="primary">
      New organization
    </LinkButton>
  )
  return (
    <>
      <PageHeader
        title="Organizations"
        description={
          pay
            ? 'Where you work with others: members, usage and billing belong to one.'
            : 'Where you work with others. Usage and billing are each person’s own.'
        }
        actions={organizations.length > 0 && create}
      />
      <Card flush>
        <Table<Row>
          caption="Organizations"
          rows={organizations}
          rowKey={({ id }) => id}
          rowHref={({ slug }) => `/app/org/${slug}`}
          empty={
            <EmptyState title="You are in no organization yet" icon={<Building2 aria-hidden />} action={create}>
              Make one, or open the invitation that somebody has sent you.
            </EmptyState>
          }
          columns={[
            { key: 'name', header: 'Name', cell: ({ name }) => <span className="font-medium">{name}</span> },
            { key: 'address', header: 'Address', wide: true, cell: ({ slug }) => <code>{slug}</code> },
            { key: 'role', header: 'Your role', cell: ({ role }) => <span className="capitalize">{role}</span> },
            { key: 'members', header: 'Members', align: 'right', cell: ({ members }) => members },
          ]}
        />
        {organizations.length > 0 && <Pager total={organizations.length} unit="organizations" />}
      </Card>
    </>
  )
}
