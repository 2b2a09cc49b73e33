import { Outlet, useLocation } from 'react-router'
import { requireMembership } from 'saas/server/organizations'
import { servicesContext } from 'saas/server/services'
import { PageHeader } from '~/ui/page-header'
import { Tabs } from '~/ui/tabs'
import type { Route } from './+types/settings-layout'

export async function loader(args: Route.LoaderArgs) {
  const { organization } = await requireMembership(args)
  return { organization, pays: args.context.get(servicesContext).config.billingSource === 'organization' }
}

/** Each page below checks for itself who may see it: a browser can ask for its data alone. */
export default function SettingsLayout({ loaderData: { organization, pays } }: Route.ComponentProps) {
  const { pathname } = useLocation()
  const base = `/app/org/${organization.slug}/settings`
  const tabs = [
    { to: base, label: 'General', title: 'Organization settings' },
    { to: `${base}/members`, label: 'Members', title: 'Members' },
    ...(pays ? [{ to: `${base}/billing`, label: 'Usage & billing', title: 'Usage & billing' }] : []),
  ]
  const title = tabs.find(({ to }) => to === pathname.replace(/\/$/, ''))?.title ?? 'Organization settings'
  return (
    <>
      <PageHeader title={title} description={organization.name} />
      <Tabs label="Settings" items={tabs} />
      <Outlet />
    </>
  )
}
