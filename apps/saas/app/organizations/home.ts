import { redirect } from 'react-router'
import { organizationsOf } from 'saas/server/organizations'
import { servicesContext } from 'saas/server/services'
import { requireUser } from 'saas/server/session'
import type { Route } from './+types/home'

/** The first page after signing in: whoever pays, or making an organization where there is none yet. */
export async function loader(args: Route.LoaderArgs) {
  const user = await requireUser(args)
  const { config, pool } = args.context.get(servicesContext)
  const [first] = await organizationsOf(pool, user.id)
  if (config.billingSource === 'user') throw redirect('/app/billing')
  throw redirect(first ? `/app/org/${first.slug}` : '/app/organizations/new')
}
