import { redirect } from 'react-router'
import { audit } from 'saas/server/audit'
import { submitToAuth } from 'saas/server/auth-calls'
import { servicesContext } from 'saas/server/services'
import { forgetSession, sessionOf } from 'saas/server/session'
import type { Route } from './+types/logout'

/** Signs out; an administrator who looks at the app as somebody else goes back to being himself. */
export async function action(args: Route.ActionArgs) {
  const session = await sessionOf(args)
  if (session?.impersonatedBy) {
    const answer = await submitToAuth(args, '/admin/stop-impersonating', {})
    if (answer.ok) {
      await writeDownTheEnd(args, session.impersonatedBy, session.user.email)
      throw redirect('/admin/users')
    }
  }
  await submitToAuth(args, '/sign-out', {})
  forgetSession(args)
  throw redirect('/login?notice=signed-out')
}

/** A link to this page must not sign anybody out. */
export function loader() {
  throw redirect('/')
}

async function writeDownTheEnd({ context }: Route.ActionArgs, adminId: string, object: string): Promise<void> {
  const services = context.get(servicesContext)
  const { rows } = await services.pool.query<{ email: string }>('select email from auth."user" where id = $1', [
    adminId,
  ])
  const actor = { id: adminId, email: rows[0]?.email ?? '' }
  await audit(services, { actor, action: 'user.stop_impersonating', object })
}
