import ScrollText from 'lucide-react/icons/scroll-text'
import { type AuditRow, auditTrail } from 'saas/server/audit'
import { type Services, servicesContext } from 'saas/server/services'
import { requireAdmin } from 'saas/server/session'
import { Card } from '~/ui/card'
import { EmptyState } from '~/ui/empty-state'
import { PageHeader } from '~/ui/page-header'
import { ShortId } from '~/ui/short-id'
import { Pager, Table } from '~/ui/table'
import { Time } from '~/ui/time'
import type { Route } from './+types/audit'
import { ID_CURSOR, listFilter, NUMBER_CURSOR } from './list-filter.ts'
import { NothingFound, SearchForm } from './search-form.tsx'

export const meta: Route.MetaFunction = () => [{ title: 'Audit log · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  await requireAdmin(args)
  const services = args.context.get(servicesContext)
  const { search = '', cursor: before = null } = listFilter(args.url, [], NUMBER_CURSOR)
  const trail = await auditTrail(services, { search, before })
  return { trail, names: await subscriptionNames(services, trail.rows), search }
}

/** `Acme Inc, Business` by the id of a subscription that was acted upon. */
async function subscriptionNames({ meterkit }: Services, rows: AuditRow[]): Promise<Record<string, string>> {
  const ids = new Set(rows.filter(({ action }) => action.startsWith('subscription.')).map(({ object }) => object))
  const plans = new Map(meterkit.plans().map(({ key, name }) => [key, name]))
  const named = await Promise.all(
    [...ids].filter(isId).map(async (id) => {
      const subscription = await meterkit.subscriptions.get(id)
      const customer = subscription && (await meterkit.customers.get(subscription.customerId))
      const parts = [customer?.name, plans.get(subscription?.plan ?? '')].filter(Boolean)
      return [id, parts.join(', ')] as const
    }),
  )
  return Object.fromEntries(named.filter(([, name]) => name !== ''))
}

function isId(text: string): boolean {
  return ID_CURSOR.test(text)
}

export default function Audit({ loaderData: { trail, names, search } }: Route.ComponentProps) {
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
                { key: 'at', header: 'When', cell: ({ at }) => <Time at={at} />, wide: true },
                {
                  key: 'actor',
                  header: 'Who',
                  cell: ({ actorEmail, at }) => (
                    <span className="block min-w-24 py-0.5">
                      <span className="break-all">{actorEmail ?? <span className="text-muted">Meterkit</span>}</span>
                      <Time at={at} className="block text-muted text-xs md:hidden" />
                    </span>
                  ),
                },
                {
                  key: 'action',
                  header: 'What',
                  cell: ({ action, object }) => (
                    <span className="block py-0.5">
                      <code className="text-xs">{action}</code>
                      <span className="block text-muted text-xs md:hidden">
                        <Target name={names[object]} object={object} />
                      </span>
                    </span>
                  ),
                },
                {
                  key: 'object',
                  header: 'To what',
                  cell: ({ object }) => <Target name={names[object]} object={object} />,
                  wide: true,
                },
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

function Target({ name, object }: { name: string | undefined; object: string }) {
  if (name) return <span title={object}>{name}</span>
  return isId(object) ? <ShortId id={object} /> : <span className="break-all">{object}</span>
}

function Detail({ detail }: AuditRow) {
  const facts = Object.entries(detail).map(([name, value]) => `${name}: ${shown(value)}`)
  return <span className="block max-w-sm break-words text-muted text-xs">{facts.join(' · ')}</span>
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
