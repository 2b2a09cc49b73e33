import { data, Form, redirect } from 'react-router'
import { submitToAuth } from 'saas/server/auth-calls'
import { readForm, refusal } from 'saas/server/form'
import { servicesContext } from 'saas/server/services'
import { nextPage, optionalUser } from 'saas/server/session'
import { z } from 'zod'
import { SubmitButton } from '~/ui/button'
import { Field, FormErrors } from '~/ui/field'
import type { Route } from './+types/register'
import { AuthCard, textLink } from './auth-card.tsx'
import { emailField, nameField, newPasswordField, newPasswordHelp } from './credentials.ts'
import { KeepNext } from './keep-next.tsx'

export const meta: Route.MetaFunction = () => [{ title: 'Create an account · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  if (await optionalUser(args)) throw redirect(nextPage(args.url))
  return null
}

const registration = z.object({ name: nameField, email: emailField, password: newPasswordField })

export async function action(args: Route.ActionArgs) {
  const read = await readForm(args.request, registration)
  if (!read.ok) return data(read.refused, { status: 400 })
  const answer = await submitToAuth(args, '/sign-up/email', read.values)
  if (!answer.ok) {
    const taken = answer.code?.startsWith('USER_ALREADY_EXISTS')
    const errors = taken
      ? { email: 'There is an account with this address. Sign in instead, or ask for a new password.' }
      : { form: answer.message }
    return data(refusal(read.form, errors), { status: answer.status })
  }
  const { billingSource } = args.context.get(servicesContext).config
  const first = billingSource === 'organization' ? '/app/organizations/new' : '/app'
  throw redirect(args.url.searchParams.has('next') ? nextPage(args.url) : first)
}

export default function Register({ actionData }: Route.ComponentProps) {
  const { errors, entered } = actionData ?? {}
  return (
    <AuthCard
      title="Create an account"
      below={
        <>
          Have one already?{' '}
          <KeepNext to="/login" className={textLink}>
            Sign in
          </KeepNext>
        </>
      }
    >
      <Form method="post" className="flex flex-col gap-4" noValidate>
        <FormErrors errors={errors} />
        <Field
          label="Name"
          name="name"
          autoComplete="name"
          defaultValue={entered?.name}
          error={errors?.name}
          required
          autoFocus
        />
        <Field
          label="Email"
          name="email"
          type="email"
          autoComplete="username"
          defaultValue={entered?.email}
          error={errors?.email}
          required
        />
        <Field
          label="Password"
          name="password"
          type="password"
          autoComplete="new-password"
          help={errors?.password ? undefined : newPasswordHelp}
          error={errors?.password}
          required
        />
        <SubmitButton>Create account</SubmitButton>
      </Form>
    </AuthCard>
  )
}
