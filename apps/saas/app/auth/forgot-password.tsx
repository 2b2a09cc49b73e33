import { data, Form } from 'react-router'
import { submitToAuth } from 'saas/server/auth-calls'
import { readForm, refusal } from 'saas/server/form'
import { servicesContext } from 'saas/server/services'
import { z } from 'zod'
import { Alert } from '~/ui/alert'
import { SubmitButton } from '~/ui/button'
import { Field, FormErrors } from '~/ui/field'
import type { Route } from './+types/forgot-password'
import { AuthCard, textLink } from './auth-card.tsx'
import { emailField } from './credentials.ts'
import { KeepNext } from './keep-next.tsx'

export const meta: Route.MetaFunction = () => [{ title: 'Forgotten password · Meterkit' }]

export function loader({ context }: Route.LoaderArgs) {
  const { production, smtpUrl } = context.get(servicesContext).config
  return { mailsStayHere: !production && smtpUrl === null }
}

/** Says the same whether or not there is an account, so that nobody learns who has one. */
export async function action(args: Route.ActionArgs) {
  const read = await readForm(args.request, z.object({ email: emailField }))
  if (!read.ok) return data({ sentTo: null, ...read.refused }, { status: 400 })
  const answer = await submitToAuth(args, '/request-password-reset', read.values)
  if (answer.ok) return data({ sentTo: read.values.email, errors: undefined, entered: undefined })
  return data({ sentTo: null, ...refusal(read.form, { form: answer.message }) }, { status: answer.status })
}

export default function ForgotPassword({ loaderData: { mailsStayHere }, actionData }: Route.ComponentProps) {
  const { sentTo, errors, entered } = actionData ?? {}
  const back = (
    <KeepNext to="/login" className={textLink}>
      Back to sign in
    </KeepNext>
  )
  if (sentTo)
    return (
      <AuthCard title="Look at your mails" below={back}>
        <Alert tone="positive">
          If there is an account for {sentTo}, a mail with a link is on its way. The link works for an hour.
        </Alert>
        {mailsStayHere && (
          <p className="mt-4 text-muted text-xs">
            Development: no mail server is configured, so an administrator finds the mail under Admin, Mailbox.
          </p>
        )}
      </AuthCard>
    )
  return (
    <AuthCard
      title="Forgotten password"
      description="Tell us your address, and we send you a link to choose a new password."
      below={back}
    >
      <Form method="post" className="flex flex-col gap-4" noValidate>
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
        <SubmitButton>Send the link</SubmitButton>
      </Form>
    </AuthCard>
  )
}
