import { data, Form, Link, redirect } from 'react-router'
import { submitToAuth } from 'saas/server/auth-calls'
import { readForm, refusal } from 'saas/server/form'
import { servicesContext } from 'saas/server/services'
import { nextPage, optionalUser } from 'saas/server/session'
import { z } from 'zod'
import { Alert } from '~/ui/alert'
import { SubmitButton } from '~/ui/button'
import { Field, FormErrors } from '~/ui/field'
import type { Route } from './+types/login'
import { AuthCard, textLink } from './auth-card.tsx'
import { emailField, passwordField } from './credentials.ts'
import { KeepNext } from './keep-next.tsx'

export const meta: Route.MetaFunction = () => [{ title: 'Sign in · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  if (await optionalUser(args)) throw redirect(nextPage(args.url))
  const { production } = args.context.get(servicesContext).config
  return { notice: notices[args.url.searchParams.get('notice') ?? ''] ?? null, seeded: !production }
}

const notices: Record<string, string> = {
  'password-changed': 'Your password was changed. Sign in with the new one.',
  'signed-out': 'You are signed out.',
}

const credentials = z.object({ email: emailField, password: passwordField })

export async function action(args: Route.ActionArgs) {
  const read = await readForm(args.request, credentials)
  if (!read.ok) return data(read.refused, { status: 400 })
  const answer = await submitToAuth(args, '/sign-in/email', read.values)
  if (!answer.ok) return data(refusal(read.form, { form: sentence(answer) }), { status: answer.status })
  if (answer.body.twoFactorRedirect) throw redirect(`/two-factor${args.url.search}`)
  throw redirect(nextPage(args.url))
}

function sentence({ code, message }: { code: string | null; message: string }): string {
  return code === 'INVALID_EMAIL_OR_PASSWORD' ? 'Email and password do not go together.' : message
}

export default function Login({ loaderData: { notice, seeded }, actionData }: Route.ComponentProps) {
  const { errors, entered } = actionData ?? {}
  return (
    <AuthCard
      title="Sign in"
      below={
        <>
          New here?{' '}
          <KeepNext to="/register" className={textLink}>
            Create an account
          </KeepNext>
        </>
      }
    >
      <Form method="post" className="flex flex-col gap-4" noValidate>
        {notice && !errors && <Alert tone="positive">{notice}</Alert>}
        <FormErrors errors={errors} />
        <Field
          label="Email"
          name="email"
          type="email"
          autoComplete="username"
          defaultValue={entered?.email}
          error={errors?.email}
          required
          autoFocus
        />
        <Field
          label="Password"
          name="password"
          type="password"
          autoComplete="current-password"
          error={errors?.password}
          required
        />
        <SubmitButton>Sign in</SubmitButton>
        <Link to="/forgot-password" className={`${textLink} text-center`}>
          Forgot your password?
        </Link>
      </Form>
      {seeded && (
        <p className="mt-5 border-t pt-4 text-muted text-xs">
          Development: sign in as <span className="font-mono">admin@example.com</span> with the password{' '}
          <span className="font-mono">password</span>.
        </p>
      )}
    </AuthCard>
  )
}
