import { data, Form, redirect } from 'react-router'
import { submitToAuth } from 'saas/server/auth-calls'
import { checkForm, type RefusedForm, refusal } from 'saas/server/form'
import { servicesContext } from 'saas/server/services'
import { requireUser } from 'saas/server/session'
import { z } from 'zod'
import { Alert } from '~/ui/alert'
import { SubmitButton } from '~/ui/button'
import { Card, CardHeader } from '~/ui/card'
import { Field, FormErrors } from '~/ui/field'
import { emailField, nameField, newPasswordField, newPasswordHelp, passwordField } from '../auth/credentials.ts'
import { renameCustomer } from '../billing/rename.ts'
import type { Route } from './+types/profile'
import { AccountTabs } from './account-tabs.tsx'

export const meta: Route.MetaFunction = () => [{ title: 'Profile · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  return { user: await requireUser(args), done: args.url.searchParams.get('done') }
}

type Intent = 'name' | 'email' | 'password'

/** Each of the page's forms; null once it was done. */
const changes: Record<Intent, (args: Route.ActionArgs, form: FormData) => Promise<RefusedForm | null>> = {
  name: changeName,
  email: changeEmail,
  password: changePassword,
}

/** What was done, by the `done` in the address. A new password makes a new session, so the page is asked for anew. */
const sentences: Record<Intent, string> = {
  name: 'Your name is saved.',
  email: 'A mail with a link is on its way. Your address changes once you have opened it.',
  password: 'Your password is changed, and you are signed out everywhere else.',
}

export async function action(args: Route.ActionArgs) {
  await requireUser(args)
  const form = await args.request.formData()
  const given = form.get('intent')
  const intent = given === 'email' || given === 'password' ? given : 'name'
  const refused = await changes[intent](args, form)
  if (refused === null) throw redirect(`${args.url.pathname}?done=${intent}`)
  return data({ intent, ...refused }, { status: 400 })
}

async function changeName(args: Route.ActionArgs, form: FormData): Promise<RefusedForm | null> {
  const read = checkForm(form, z.object({ name: nameField }))
  if (!read.ok) return read.refused
  const answer = await submitToAuth(args, '/update-user', read.values)
  if (!answer.ok) return refusal(form, { name: answer.message })
  const { id, email } = await requireUser(args)
  await renameCustomer(args.context.get(servicesContext), {
    source: 'user',
    sourceId: id,
    name: read.values.name,
    email,
  })
  return null
}

async function changeEmail(args: Route.ActionArgs, form: FormData): Promise<RefusedForm | null> {
  const read = checkForm(form, z.object({ email: emailField }))
  if (!read.ok) return read.refused
  const callbackURL = '/app/users/profile?done=address'
  const answer = await submitToAuth(args, '/change-email', { newEmail: read.values.email, callbackURL })
  if (answer.ok) return null
  const same = answer.message.startsWith('Email is the same')
  return refusal(form, { email: same ? 'This is your address already.' : answer.message })
}

const passwordForm = z.object({ currentPassword: passwordField, newPassword: newPasswordField })

async function changePassword(args: Route.ActionArgs, form: FormData): Promise<RefusedForm | null> {
  const read = checkForm(form, passwordForm)
  if (!read.ok) return read.refused
  const answer = await submitToAuth(args, '/change-password', { ...read.values, revokeOtherSessions: true })
  if (answer.ok) return null
  const wrong = answer.code === 'INVALID_PASSWORD'
  return refusal(form, wrong ? { currentPassword: 'This is not your password.' } : { form: answer.message })
}

/** What a card shows of its form: that it was done, or what was wrong. */
interface Outcome {
  done: string | null
  refused: RefusedForm | undefined
}

export default function Profile({ loaderData: { user, done }, actionData }: Route.ComponentProps) {
  const of = (intent: Intent): Outcome => ({
    done: done === intent && !actionData ? sentences[intent] : null,
    refused: actionData?.intent === intent ? actionData : undefined,
  })
  return (
    <>
      <AccountTabs />
      <div className="flex flex-col gap-6">
        {done === 'address' && !actionData && (
          <Alert tone="positive">
            Thank you, that is confirmed. If a second mail went to your new address, open its link, too.
          </Alert>
        )}
        <NameCard name={user.name} outcome={of('name')} />
        <EmailCard email={user.email} outcome={of('email')} />
        <PasswordCard key={of('password').done} email={user.email} outcome={of('password')} />
      </div>
    </>
  )
}

function NameCard({ name, outcome }: { name: string; outcome: Outcome }) {
  const { errors, entered } = outcome.refused ?? {}
  return (
    <Card>
      <CardHeader title="Name" description="Shown to the members of your organizations." />
      <Form method="post" className="flex max-w-md flex-col items-start gap-4" noValidate>
        <Said outcome={outcome} />
        <Field
          label="Name"
          name="name"
          autoComplete="name"
          defaultValue={entered?.name ?? name}
          error={errors?.name}
          className="w-full"
          required
        />
        <SubmitButton name="intent" value="name" variant="secondary">
          Save name
        </SubmitButton>
      </Form>
    </Card>
  )
}

function EmailCard({ email, outcome }: { email: string; outcome: Outcome }) {
  const { errors, entered } = outcome.refused ?? {}
  return (
    <Card>
      <CardHeader title="Email" description={`You sign in as ${email}.`} />
      <Form method="post" className="flex max-w-md flex-col items-start gap-4" noValidate>
        <Said outcome={outcome} />
        <Field
          label="New email"
          name="email"
          type="email"
          autoComplete="email"
          defaultValue={entered?.email}
          error={errors?.email}
          help="We send a link first; nothing changes before you have opened it."
          className="w-full"
          required
        />
        <SubmitButton name="intent" value="email" variant="secondary">
          Change email
        </SubmitButton>
      </Form>
    </Card>
  )
}

function PasswordCard({ email, outcome }: { email: string; outcome: Outcome }) {
  const errors = outcome.refused?.errors
  return (
    <Card>
      <CardHeader title="Password" description="Changing it signs you out on every other device." />
      <Form method="post" className="flex max-w-md flex-col items-start gap-4" noValidate>
        <Said outcome={outcome} />
        <input type="hidden" name="username" autoComplete="username" defaultValue={email} />
        <Field
          label="Current password"
          name="currentPassword"
          type="password"
          autoComplete="current-password"
          error={errors?.currentPassword}
          className="w-full"
          required
        />
        <Field
          label="New password"
          name="newPassword"
          type="password"
          autoComplete="new-password"
          help={newPasswordHelp}
          error={errors?.newPassword}
          className="w-full"
          required
        />
        <SubmitButton name="intent" value="password" variant="secondary">
          Change password
        </SubmitButton>
      </Form>
    </Card>
  )
}

function Said({ outcome }: { outcome: Outcome }) {
  if (outcome.done) return <Alert tone="positive">{outcome.done}</Alert>
  return <FormErrors errors={outcome.refused?.errors} />
}
