import { organizationsOf } from 'saas/server/organizations'
import { type Services, servicesContext } from 'saas/server/services'
import { requireUser } from 'saas/server/session'
import type { Route } from './+types/palette'

export interface PaletteItem {
  label: string
  /** What tells it from its namesakes, at the right. */
  detail?: string
  to: string
}

export interface PaletteGroup {
  label: string
  items: PaletteItem[]
}

const shownPerGroup = 5

/** What the palette finds beyond the menus: one's organizations; for admins customers, events, users and all organizations. */
export async function loader(args: Route.LoaderArgs): Promise<PaletteGroup[]> {
  const user = await requireUser(args)
  const services = args.context.get(servicesContext)
  const query = (args.url.searchParams.get('q') ?? '').trim().slice(0, 200)
  const groups = [await ownOrganizations(services, user.id, query)]
  if (user.role === 'admin' && query !== '') groups.push(...(await operatorFinds(services, query)))
  return groups.filter(({ items }) => items.length > 0)
}

async function ownOrganizations({ pool }: Services, userId: string, query: string): Promise<PaletteGroup> {
  const wanted = query.toLowerCase()
  const organizations = await organizationsOf(pool, userId)
  const items = organizations
    .filter(({ name, slug }) => `${name} ${slug}`.toLowerCase().includes(wanted))
    .slice(0, shownPerGroup)
    .map(({ name, slug, role }) => ({ label: name, detail: role, to: `/app/org/${slug}` }))
  return { label: 'Organizations', items }
}

async function operatorFinds({ pool, meterkit }: Services, search: string): Promise<PaletteGroup[]> {
  const pattern = `%${search.replace(/[\\%_]/g, '\\$&')}%`
  const [customers, events, users] = await Promise.all([
    meterkit.customers.list({ search, limit: shownPerGroup }),
    meterkit.events.list({ search, limit: shownPerGroup }),
    pool.query<{ name: string; email: string }>(
      /* sql */ `
        select name, email
        from auth."user"
        where name ilike $1 or email ilike $1
        order by lower(email)
        limit $2`,
      [pattern, shownPerGroup],
    ),
  ])
  return [
    {
      label: 'Customers',
      items: customers.rows.map(({ id, name }) => ({
        label: name,
        detail: id.slice(0, 8),
        to: `/admin/customers?search=${encodeURIComponent(id)}`,
      })),
    },
    {
      label: 'Meter events',
      items: events.rows.map(({ id, key, customerName, status }) => ({
        label: key ?? id,
        detail: `${customerName} · ${status}`,
        to: `/admin/meter-events/${encodeURIComponent(id)}`,
      })),
    },
    {
      label: 'Users',
      items: users.rows.map(({ name, email }) => ({
        label: name,
        detail: email,
        to: `/admin/users?search=${encodeURIComponent(email)}`,
      })),
    },
  ]
}
