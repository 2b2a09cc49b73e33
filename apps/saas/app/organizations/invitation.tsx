import { data, Form, redirect } from 'react-router'
import { submitToAuth } from 'saas/server/auth-calls'
import { refusal } from 'saas/server/form'
import { invitationById } from 'saas/server/organizations'
import { servicesContext } from 'saas/server/services'
import { optionalUser, requireUser } from 'saas/server/session'
import { LinkButton, SubmitButton } from '~/ui/button'
import { FormErrors } from '~/ui/field'
import { AuthCard } from '../auth/auth-card.tsx'
import type { Route } from './+types/invitation'

export const meta: Route.MetaFunction = () => [{ title: 'Invitation · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  const { pool } = args.context.get(servicesContext)
  const invitation = await invitationById(pool, args.params.invitationId)
  if (invitation?.status !== 'pending' || invitation.expiresAt <= new Date())
    throw data('This invitation was withdrawn, answered already, or has expired. Ask for a new one.', { status: 404 })
  const user = await optionalUser(args)
  const { organization, inviter, role, email } = invitation
  // The address is told only to whoever has it.
  const isMine = user?.email === email
  return {
    organization: organization.name,
    inviter,
    role,
    isMine,
    signedInAs: user?.email ?? null,
    path: args.url.pathname,
  }
}

export async function action(args: Route.ActionArgs) {
  await requireUser(args)
  const form = await args.request.formData()
  const { invitationId } = args.params
  const declined = form.get('intent') === 'decline'
  const path = declined ? '/organization/reject-invitation' : '/organization/accept-invitation'
  const invitation = await invitationById(args.context.get(servicesContext).pool, invitationId)
  const answer = await submitToAuth(args, path, { invitationId })
  if (!answer.ok) return data(refusal(form, { form: answer.message }), { status: answer.status })
  throw redirect(declined || !invitation ? '/app/organizations' : `/app/org/${invitation.organization.slug}`)
}

export default function InvitationPage({ loaderData, actionData }: Route.ComponentProps) {
  const { organization, inviter, role, isMine, signedInAs, path } = loaderData
  const next = new URLSearchParams({ next: path })
  return (
    <AuthCard title={`Join ${organization}`} description={`${inviter} invites you to join as ${article(role)}.`}>
      {isMine ? (
        <Form method="post" className="flex flex-col gap-4">
          <FormErrors errors={actionData?.errors} />
          <SubmitButton name="intent" value="accept">
            Join {organization}
          </SubmitButton>
          <SubmitButton name="intent" value="decline" variant="ghost">
            Decline
          </SubmitButton>
        </Form>
      ) : signedInAs ? (
        <div className="flex flex-col gap-4">
          <p>
            You are signed in as {signedInAs}, and the invitation went to another address. Sign out, then sign in or
            register with the address that got the mail.
          </p>
          <Form method="post" action="/logout">
            <SubmitButton variant="secondary">Sign out</SubmitButton>
          </Form>
        </div>
      ) : (
        <div className="flex flex-col gap-3">
          <LinkButton to={`/login?${next}`} variant="primary">
            Sign in to join
          </LinkButton>
          <LinkButton to={`/register?${next}`}>Create an account</LinkButton>
          <p className="text-muted text-xs">Use the address that got the mail.</p>
        </div>
      )}
    </AuthCard>
  )
}

function article(role: string): string {
  return role === 'member' ? 'a member' : role === 'admin' ? 'an admin' : 'an owner'
}
