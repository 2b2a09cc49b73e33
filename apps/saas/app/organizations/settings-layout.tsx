import { Outlet } from 'react-router'
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
  const base = `/app/org/${organization.slug}/settings`
  const billing = { to: `${base}/billing`, label: 'Billing' }
  return (
    <>
      <PageHeader title="Organization settings" description={organization.name} />
      <Tabs
        label="Settings"
        items={[
          { to: base, label: 'General' },
          { to: `${base}/members`, label: 'Members' },
          ...(pays ? [billing] : []),
        ]}
      />
      <Outlet />
    </>
  )
}
