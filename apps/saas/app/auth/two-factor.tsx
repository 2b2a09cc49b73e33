import { data, Form, Link, redirect, useLocation } from 'react-router'
import { submitToAuth } from 'saas/server/auth-calls'
import { readForm, refusal } from 'saas/server/form'
import { nextPage, optionalUser } from 'saas/server/session'
import { z } from 'zod'
import { SubmitButton } from '~/ui/button'
import { Checkbox, Field, FormErrors } from '~/ui/field'
import type { Route } from './+types/two-factor'
import { AuthCard, textLink } from './auth-card.tsx'
import { codeSentence, totpField } from './code.ts'
import { KeepNext } from './keep-next.tsx'

export const meta: Route.MetaFunction = () => [{ title: 'Second factor · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  if (await optionalUser(args)) throw redirect(nextPage(args.url))
  return { backup: usesBackupCode(args.url) }
}

const usesBackupCode = (url: URL) => url.searchParams.get('method') === 'backup'

const totpForm = z.object({ code: totpField, trustDevice: z.literal('on').optional() })
const backupForm = totpForm.extend({
  code: z.string({ error: 'Enter a backup code.' }).trim().min(1, 'Enter a backup code.'),
})

/** The second half of signing in; better-auth knows from a cookie whose password was right. */
export async function action(args: Route.ActionArgs) {
  const backup = usesBackupCode(args.url)
  const read = await readForm(args.request, backup ? backupForm : totpForm)
  if (!read.ok) return data(read.refused, { status: 400 })
  const { code, trustDevice } = read.values
  const path = backup ? '/two-factor/verify-backup-code' : '/two-factor/verify-totp'
  const answer = await submitToAuth(args, path, { code, trustDevice: trustDevice === 'on' })
  if (answer.ok) throw redirect(nextPage(args.url))
  return data(refusal(read.form, { form: codeSentence(answer) }), { status: answer.status })
}

export default function TwoFactor({ loaderData: { backup }, actionData }: Route.ComponentProps) {
  const { errors } = actionData ?? {}
  return (
    <AuthCard
      title={backup ? 'Enter a backup code' : 'Enter your code'}
      description={
        backup
          ? 'One of the codes you kept when you turned two-factor sign-in on. Each works once.'
          : 'The six digits that your authenticator app shows now.'
      }
      below={
        <KeepNext to="/login" className={textLink}>
          Sign in as somebody else
        </KeepNext>
      }
    >
      <Form method="post" className="flex flex-col gap-4" noValidate>
        <FormErrors errors={errors} />
        <Field
          key={backup ? 'backup' : 'totp'}
          label={backup ? 'Backup code' : 'Code'}
          name="code"
          inputMode={backup ? 'text' : 'numeric'}
          autoComplete="one-time-code"
          error={errors?.code}
          required
          autoFocus
        />
        <Checkbox name="trustDevice" label="Do not ask again on this device for 30 days" />
        <SubmitButton>Continue</SubmitButton>
        <OtherMethod backup={backup} />
      </Form>
    </AuthCard>
  )
}

function OtherMethod({ backup }: { backup: boolean }) {
  const search = new URLSearchParams(useLocation().search)
  if (backup) search.delete('method')
  else search.set('method', 'backup')
  return (
    <Link to={`?${search}`} className={`${textLink} text-center`}>
      {backup ? 'Use the authenticator app' : 'Use a backup code'}
    </Link>
  )
}
