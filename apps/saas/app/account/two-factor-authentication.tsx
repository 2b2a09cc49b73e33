import type { ReactNode } from 'react'
import { data, Form, redirect } from 'react-router'
import { submitToAuth } from 'saas/server/auth-calls'
import { checkForm, type FormErrors as Errors, refusal } from 'saas/server/form'
import { requireUser } from 'saas/server/session'
import { renderSVG } from 'uqr'
import { z } from 'zod'
import { Alert } from '~/ui/alert'
import { Button, SubmitButton } from '~/ui/button'
import { Card, CardHeader } from '~/ui/card'
import { CopyButton } from '~/ui/copy-button'
import { ConfirmDialog } from '~/ui/dialog'
import { Field, FormErrors } from '~/ui/field'
import { StatusBadge } from '~/ui/status-badge'
import { codeSentence, totpField } from '../auth/code.ts'
import { passwordField } from '../auth/credentials.ts'
import type { Route } from './+types/two-factor-authentication'
import { AccountTabs } from './account-tabs.tsx'

export const meta: Route.MetaFunction = () => [{ title: 'Two-factor authentication · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  const user = await requireUser(args)
  return { enabled: user.twoFactorEnabled, notice: notices[args.url.searchParams.get('notice') ?? ''] ?? null }
}

const notices: Record<string, string> = {
  on: 'Two-factor sign-in is on. From now on you are asked for a code as well.',
  off: 'Two-factor sign-in is off.',
}

/** Everything the page shows once the password was right and the code is awaited. */
interface Setup {
  uri: string
  secret: string
  qrCode: string
  backupCodes: string[]
}

interface Outcome {
  errors?: Errors
  setup?: Setup
  /** New ones, shown this once. */
  backupCodes?: string[]
}

export async function action(args: Route.ActionArgs) {
  await requireUser(args)
  const form = await args.request.formData()
  const outcome = await act(args, form)
  return data(outcome, { status: outcome.errors ? 400 : 200 })
}

async function act(args: Route.ActionArgs, form: FormData): Promise<Outcome> {
  if (form.get('intent') === 'confirm') return confirm(args, form)
  const read = checkForm(form, z.object({ password: passwordField }))
  if (!read.ok) return { errors: read.refused.errors }
  switch (form.get('intent')) {
    case 'disable': {
      const answer = await submitToAuth(args, '/two-factor/disable', read.values)
      if (answer.ok) throw redirect(`${args.url.pathname}?notice=off`)
      return { errors: { password: codeSentence(answer) } }
    }
    case 'backup-codes': {
      const answer = await submitToAuth(args, '/two-factor/generate-backup-codes', read.values)
      if (answer.ok) return { backupCodes: backupCodesIn(answer.body) }
      return { errors: { form: codeSentence(answer) } }
    }
    default: {
      const answer = await submitToAuth(args, '/two-factor/enable', read.values)
      if (!answer.ok) return { errors: { password: codeSentence(answer) } }
      return { setup: setupOf(String(answer.body.totpURI), backupCodesIn(answer.body)) }
    }
  }
}

/** The form carries what the page shows, so that a mistyped code does not lose it; it is the visitor's own secret. */
async function confirm(args: Route.ActionArgs, form: FormData): Promise<Outcome> {
  const setup = setupOf(String(form.get('uri') ?? ''), form.getAll('backupCode').map(String))
  const read = checkForm(form, z.object({ code: totpField }))
  if (!read.ok) return { errors: read.refused.errors, setup }
  const answer = await submitToAuth(args, '/two-factor/verify-totp', read.values)
  if (answer.ok) throw redirect(`${args.url.pathname}?notice=on`)
  return { ...refusal(form, { code: codeSentence(answer) }), setup }
}

function backupCodesIn({ backupCodes }: Record<string, unknown>): string[] {
  return Array.isArray(backupCodes) ? backupCodes.map(String) : []
}

function setupOf(uri: string, backupCodes: string[]): Setup {
  const secret = URL.canParse(uri) ? (new URL(uri).searchParams.get('secret') ?? '') : ''
  return { uri, secret, backupCodes, qrCode: renderSVG(uri.slice(0, 500), { border: 2 }) }
}

export default function TwoFactorAuthentication({ loaderData, actionData }: Route.ComponentProps) {
  const { enabled, notice } = loaderData
  return (
    <>
      <AccountTabs />
      <div className="flex flex-col gap-6">
        {notice && !actionData && <Alert tone="positive">{notice}</Alert>}
        {actionData?.backupCodes && (
          <Card>
            <CardHeader title="Your new backup codes" description="The old ones no longer work." />
            <BackupCodes codes={actionData.backupCodes} />
          </Card>
        )}
        {actionData?.setup && !enabled ? (
          <SetupCard setup={actionData.setup} errors={actionData.errors} />
        ) : enabled ? (
          <EnabledCard errors={actionData?.errors} />
        ) : (
          <DisabledCard errors={actionData?.errors} />
        )}
      </div>
    </>
  )
}

function DisabledCard({ errors }: { errors: Errors | undefined }) {
  return (
    <Card>
      <CardHeader
        title="Two-factor sign-in"
        description="Besides the password, a code from an app on your phone. A stolen password alone then opens nothing."
        actions={<StatusBadge status="off" />}
      />
      <Form method="post" className="flex max-w-md flex-col items-start gap-4" noValidate>
        <PasswordAgain errors={errors} />
        <SubmitButton name="intent" value="enable">
          Set up two-factor sign-in
        </SubmitButton>
      </Form>
    </Card>
  )
}

function SetupCard({ setup, errors }: { setup: Setup; errors: Errors | undefined }) {
  return (
    <Card>
      <CardHeader title="Set up two-factor sign-in" description="It is on once you have entered a code in step 3." />
      <ol className="flex flex-col gap-6">
        <Step number={1} title="Scan this with your authenticator app">
          <div className="flex flex-wrap items-center gap-5">
            <div
              className="w-44 shrink-0 overflow-hidden rounded-lg border bg-white [&_svg]:block"
              role="img"
              aria-label="QR code with the secret below"
              // biome-ignore lint/security/noDangerouslySetInnerHtml: drawn by us from squares alone
              dangerouslySetInnerHTML={{ __html: setup.qrCode }}
            />
            <div className="min-w-0">
              <p className="text-muted">Or type this secret:</p>
              <p className="mt-1 flex items-center gap-2">
                <code className="break-all">{setup.secret}</code>
                <CopyButton text={setup.secret} label="Copy the secret" />
              </p>
            </div>
          </div>
        </Step>
        <Step number={2} title="Keep these backup codes">
          <BackupCodes codes={setup.backupCodes} />
        </Step>
        <Step number={3} title="Enter the code that the app shows">
          <Form method="post" className="flex max-w-md flex-col items-start gap-4" noValidate>
            <FormErrors errors={errors} />
            <input type="hidden" name="uri" value={setup.uri} />
            {setup.backupCodes.map((code) => (
              <input key={code} type="hidden" name="backupCode" value={code} />
            ))}
            <Field
              label="Code"
              name="code"
              inputMode="numeric"
              autoComplete="one-time-code"
              error={errors?.code}
              className="w-full"
              required
            />
            <SubmitButton name="intent" value="confirm">
              Turn on
            </SubmitButton>
          </Form>
        </Step>
      </ol>
    </Card>
  )
}

function Step({ number, title, children }: { number: number; title: string; children: ReactNode }) {
  return (
    <li className="flex gap-3">
      <span className="grid size-6 shrink-0 place-items-center rounded-full bg-raised text-muted text-xs tabular-nums">
        {number}
      </span>
      <div className="min-w-0 flex-1">
        <h3 className="mb-3 font-medium">{title}</h3>
        {children}
      </div>
    </li>
  )
}

function BackupCodes({ codes }: { codes: string[] }) {
  return (
    <>
      <p className="mb-3 text-muted">
        Each works once in place of a code when your phone is not at hand. They are shown only now.
      </p>
      <ul aria-label="Backup codes" className="grid max-w-md grid-cols-2 gap-x-6 gap-y-1.5 rounded-lg border p-4">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <p className="mt-2 flex items-center gap-1 text-muted">
        <CopyButton text={codes.join('\n')} label="Copy all codes" /> Copy all
      </p>
    </>
  )
}

function EnabledCard({ errors }: { errors: Errors | undefined }) {
  return (
    <Card>
      <CardHeader
        title="Two-factor sign-in"
        description="You are asked for a code besides your password."
        actions={<StatusBadge status="on" />}
      />
      <FormErrors errors={errors} />
      <div className="mt-4 flex flex-wrap gap-2">
        <ConfirmDialog
          title="Make new backup codes?"
          trigger={<Button>New backup codes</Button>}
          confirmLabel="Make new codes"
          fields={{ intent: 'backup-codes' }}
        >
          <p className="mb-4">The codes you have now stop working.</p>
          <PasswordAgain id="backup-codes" />
        </ConfirmDialog>
        <ConfirmDialog
          title="Turn two-factor sign-in off?"
          trigger={<Button variant="danger">Turn off</Button>}
          confirmLabel="Turn off"
          tone="danger"
          fields={{ intent: 'disable' }}
        >
          <p className="mb-4">Your password alone then opens your account.</p>
          <PasswordAgain id="disable" />
        </ConfirmDialog>
      </div>
    </Card>
  )
}

function PasswordAgain({ errors, id }: { errors?: Errors | undefined; id?: string }) {
  return (
    <>
      <FormErrors errors={errors} />
      <Field
        label="Your password"
        name="password"
        type="password"
        autoComplete="current-password"
        error={errors?.password}
        className="w-full"
        required
        {...(id ? { id: `${id}-password` } : {})}
      />
    </>
  )
}
