import { data, Form, Link, redirect } from 'react-router'
import { submitToAuth } from 'saas/server/auth-calls'
import { readForm, refusal } from 'saas/server/form'
import { servicesContext } from 'saas/server/services'
import { z } from 'zod'
import { LinkButton, SubmitButton } from '~/ui/button'
import { Field, FormErrors } from '~/ui/field'
import type { Route } from './+types/reset-password'
import { AuthCard, textLink } from './auth-card.tsx'
import { newPasswordField, newPasswordHelp } from './credentials.ts'

export const meta: Route.MetaFunction = () => [
  { title: 'Choose a new password · Meterkit' },
  // The token in the address goes nowhere else.
  { name: 'referrer', content: 'no-referrer' },
]

const SPENT = 'This link has expired or was used before. Ask for a new one.'

export async function loader({ url, context }: Route.LoaderArgs) {
  const token = url.searchParams.get('token')
  if (!token) return { problem: 'This page needs the link from the mail we sent you.' }
  const { internalAdapter } = await context.get(servicesContext).auth.$context
  const promise = await internalAdapter.findVerificationValue(`reset-password:${token}`)
  return { problem: promise && promise.expiresAt > new Date() ? null : SPENT }
}

export async function action(args: Route.ActionArgs) {
  const read = await readForm(args.request, z.object({ password: newPasswordField }))
  if (!read.ok) return data(read.refused, { status: 400 })
  const token = args.url.searchParams.get('token') ?? ''
  const answer = await submitToAuth(args, '/reset-password', { newPassword: read.values.password, token })
  if (answer.ok) throw redirect('/login?notice=password-changed')
  const message = answer.code === 'INVALID_TOKEN' ? SPENT : answer.message
  return data(refusal(read.form, { form: message }), { status: answer.status })
}

export default function ResetPassword({ loaderData: { problem }, actionData }: Route.ComponentProps) {
  const { errors } = actionData ?? {}
  if (problem)
    return (
      <AuthCard title="Choose a new password" description={problem}>
        <LinkButton to="/forgot-password" variant="primary">
          Ask for a link
        </LinkButton>
      </AuthCard>
    )
  return (
    <AuthCard
      title="Choose a new password"
      description="You will be signed out everywhere else."
      below={
        <Link to="/forgot-password" className={textLink}>
          Ask for a new link
        </Link>
      }
    >
      <Form method="post" className="flex flex-col gap-4" noValidate>
        <FormErrors errors={errors} />
        <Field
          label="New password"
          name="password"
          type="password"
          autoComplete="new-password"
          help={errors?.password ? undefined : newPasswordHelp}
          error={errors?.password}
          required
          autoFocus
        />
        <SubmitButton>Change password</SubmitButton>
      </Form>
    </AuthCard>
  )
}
