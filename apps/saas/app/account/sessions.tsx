import { Form, redirect } from 'react-router'
import { submitToAuth } from 'saas/server/auth-calls'
import { servicesContext } from 'saas/server/services'
import { requireUser, sessionOf } from 'saas/server/session'
import { endSession, sessionsOf } from 'saas/server/sessions'
import { Button, SubmitButton } from '~/ui/button'
import { Card, CardHeader } from '~/ui/card'
import { ConfirmDialog } from '~/ui/dialog'
import { StatusBadge } from '~/ui/status-badge'
import { Table } from '~/ui/table'
import { Time } from '~/ui/time'
import type { Route } from './+types/sessions'
import { AccountTabs } from './account-tabs.tsx'
import { deviceName } from './device.ts'

export const meta: Route.MetaFunction = () => [{ title: 'Sessions · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  const user = await requireUser(args)
  const current = (await sessionOf(args))?.id
  const sessions = await sessionsOf(args.context.get(servicesContext).pool, user.id)
  return {
    now: new Date(),
    sessions: sessions.map(({ userAgent, ...session }) => ({
      ...session,
      device: deviceName(userAgent),
      isCurrent: session.id === current,
    })),
  }
}

export async function action(args: Route.ActionArgs) {
  const user = await requireUser(args)
  const form = await args.request.formData()
  if (form.get('intent') === 'others') await submitToAuth(args, '/revoke-other-sessions', {})
  else await endSession(args.context.get(servicesContext).pool, user.id, String(form.get('session')))
  return redirect('/app/users/sessions')
}

type Row = Route.ComponentProps['loaderData']['sessions'][number]

export default function Sessions({ loaderData: { sessions, now } }: Route.ComponentProps) {
  const hasOthers = sessions.some(({ isCurrent }) => !isCurrent)
  return (
    <>
      <AccountTabs />
      <Card flush>
        <CardHeader
          className="p-5 pb-0"
          title="Where you are signed in"
          description="End what you do not recognise, then change your password."
          actions={hasOthers && <EndOthers />}
        />
        <Table<Row>
          caption="Sessions"
          rows={sessions}
          rowKey={({ id }) => id}
          columns={[
            {
              key: 'device',
              header: 'Device',
              cell: ({ device, isCurrent }) => (
                <span className="flex flex-wrap items-center gap-2">
                  {device} {isCurrent && <StatusBadge status="active" label="This device" />}
                </span>
              ),
            },
            { key: 'address', header: 'Address', wide: true, cell: ({ address }) => address || '–' },
            { key: 'since', header: 'Signed in', wide: true, cell: ({ signedInAt }) => <Time at={signedInAt} /> },
            {
              key: 'seen',
              header: 'Last seen',
              cell: ({ lastSeenAt }) => <Time at={lastSeenAt} now={now} format="relative" />,
            },
            { key: 'end', header: <span className="sr-only">Action</span>, align: 'right', cell: EndOne },
          ]}
        />
      </Card>
    </>
  )
}

function EndOne({ id, isCurrent, device }: Row) {
  if (isCurrent) return null
  return (
    <Form method="post">
      <input type="hidden" name="session" value={id} />
      <SubmitButton size="sm" variant="secondary" aria-label={`End the session of ${device}`}>
        End
      </SubmitButton>
    </Form>
  )
}

function EndOthers() {
  return (
    <ConfirmDialog
      title="End all other sessions?"
      trigger={<Button>End all others</Button>}
      confirmLabel="End them"
      tone="danger"
      fields={{ intent: 'others' }}
    >
      Every device but this one has to sign in again.
    </ConfirmDialog>
  )
}
