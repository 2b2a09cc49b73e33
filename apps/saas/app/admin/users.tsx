import { data, Form, redirect } from 'react-router'
import { type AuditAction, audit } from 'saas/server/audit'
import { submitToAuth } from 'saas/server/auth-calls'
import { listUsers, type UserRow } from 'saas/server/directory'
import { refusal } from 'saas/server/form'
import { servicesContext } from 'saas/server/services'
import { requireAdmin } from 'saas/server/session'
import { Button, SubmitButton } from '~/ui/button'
import { Card } from '~/ui/card'
import { ConfirmDialog } from '~/ui/dialog'
import { Field, FormErrors } from '~/ui/field'
import { PageHeader } from '~/ui/page-header'
import { StatusBadge } from '~/ui/status-badge'
import { Pager, Table } from '~/ui/table'
import { Time } from '~/ui/time'
import type { Route } from './+types/users'
import { ID_CURSOR, listFilter } from './list-filter.ts'
import { NothingFound, SearchForm } from './search-form.tsx'

export const meta: Route.MetaFunction = () => [{ title: 'Users · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  const admin = await requireAdmin(args)
  const { search = '', cursor = null } = listFilter(args.url, [], ID_CURSOR)
  const users = await listUsers(args.context.get(servicesContext).pool, { search, after: cursor })
  return { users, ownId: admin.id }
}

interface Act {
  path: string
  action: AuditAction
  body: (form: FormData) => Record<string, unknown>
}

/** What an administrator can do with a user, by the form's `intent`. */
const acts: Record<string, Act> = {
  impersonate: { path: '/admin/impersonate-user', action: 'user.impersonate', body: () => ({}) },
  ban: {
    path: '/admin/ban-user',
    action: 'user.ban',
    body: (form) => ({ banReason: String(form.get('reason') ?? '').slice(0, 200) || 'No reason given' }),
  },
  unban: { path: '/admin/unban-user', action: 'user.unban', body: () => ({}) },
  promote: { path: '/admin/set-role', action: 'user.set_role', body: () => ({ role: 'admin' }) },
  demote: { path: '/admin/set-role', action: 'user.set_role', body: () => ({ role: 'user' }) },
}

export async function action(args: Route.ActionArgs) {
  const admin = await requireAdmin(args)
  const form = await args.request.formData()
  const userId = String(form.get('user'))
  const intent = String(form.get('intent'))
  const act = acts[intent]
  if (!act) return refused(form, 'This page has no such action. Reload it.')
  // Nobody locks himself out, so that there is always an administrator left.
  if (userId === admin.id) return refused(form, 'This is your own account; another administrator can change it.')

  const detail = act.body(form)
  const answer = await submitToAuth(args, act.path, { userId, ...detail })
  if (!answer.ok) return refused(form, answer.message)
  const object = String(form.get('email'))
  await audit(args.context.get(servicesContext), {
    actor: admin,
    action: act.action,
    object,
    detail: { userId, ...detail },
  })
  throw redirect(intent === 'impersonate' ? '/app' : `/admin/users${args.url.search}`)
}

function refused(form: FormData, sentence: string) {
  return data(refusal(form, { form: sentence }), { status: 400 })
}

export default function Users({ loaderData: { users, ownId }, actionData }: Route.ComponentProps) {
  return (
    <>
      <PageHeader title="Users" description="Everybody with an account. What you do here is in the audit log." />
      <div className="flex flex-col gap-4">
        <FormErrors errors={actionData?.errors} />
        <Card flush>
          <SearchForm label="Search users" placeholder="Name or email" />
          <Table<UserRow>
            caption="Users"
            rows={users.rows}
            rowKey={({ id }) => id}
            empty={<NothingFound what="users" />}
            columns={[
              { key: 'name', header: 'Name', cell: Name },
              {
                key: 'role',
                header: 'Role',
                wide: true,
                cell: Role,
              },
              {
                key: 'second-factor',
                header: 'Two-factor',
                wide: true,
                cell: ({ twoFactorEnabled }) => <StatusBadge status={twoFactorEnabled ? 'on' : 'off'} />,
              },
              {
                key: 'organizations',
                header: 'Organizations',
                align: 'right',
                wide: true,
                cell: ({ organizations }) => organizations,
              },
              {
                key: 'since',
                header: 'Since',
                wide: true,
                cell: ({ createdAt }) => <Time at={createdAt} format="date" />,
              },
              {
                key: 'actions',
                header: <span className="sr-only">Actions</span>,
                align: 'right',
                cell: (user) =>
                  user.id === ownId ? <span className="text-muted text-xs">You</span> : <Actions user={user} />,
              },
            ]}
          />
          <Pager next={users.next} total={users.total} unit={users.total === 1 ? 'user' : 'users'} />
        </Card>
      </div>
    </>
  )
}

function Name(user: UserRow) {
  return (
    <span className="block min-w-0 py-0.5">
      <span className="block font-medium">{user.name}</span>
      <span className="block break-all text-muted text-xs">{user.email}</span>
      <span className="mt-1 block text-muted text-xs md:hidden">
        <Role {...user} />
      </span>
    </span>
  )
}

function Role({ role, banned, banReason }: UserRow) {
  if (!banned) return role === 'admin' ? 'Administrator' : 'User'
  return (
    <span title={banReason ?? undefined}>
      <StatusBadge status="banned" />
    </span>
  )
}

function Actions({ user }: { user: UserRow }) {
  const fields = { user: user.id, email: user.email }
  return (
    <div className="flex items-end justify-end gap-1 max-md:flex-col">
      {user.role === 'user' && !user.banned && <Impersonate user={user} />}
      <ConfirmDialog
        title={user.role === 'admin' ? `Take administration from ${user.name}?` : `Make ${user.name} an administrator?`}
        trigger={
          <Button size="sm" variant="ghost">
            {user.role === 'admin' ? 'Make user' : 'Make admin'}
          </Button>
        }
        confirmLabel={user.role === 'admin' ? 'Make user' : 'Make admin'}
        fields={{ ...fields, intent: user.role === 'admin' ? 'demote' : 'promote' }}
      >
        Administrators see all users, organizations and usage, and can act as any user.
      </ConfirmDialog>
      {user.banned ? <Unban fields={fields} name={user.name} /> : <Ban fields={fields} name={user.name} />}
    </div>
  )
}

function Impersonate({ user }: { user: UserRow }) {
  return (
    <Form method="post">
      <input type="hidden" name="user" value={user.id} />
      <input type="hidden" name="email" value={user.email} />
      <SubmitButton name="intent" value="impersonate" size="sm" variant="ghost" aria-label={`Impersonate ${user.name}`}>
        Impersonate
      </SubmitButton>
    </Form>
  )
}

function Ban({ fields, name }: { fields: Record<string, string>; name: string }) {
  return (
    <ConfirmDialog
      title={`Ban ${name}?`}
      trigger={
        <Button size="sm" variant="ghost">
          Ban
        </Button>
      }
      confirmLabel="Ban"
      tone="danger"
      fields={{ ...fields, intent: 'ban' }}
    >
      <p className="mb-4">They are signed out everywhere and cannot sign in until you lift the ban.</p>
      <Field label="Reason" name="reason" maxLength={200} help="Kept in the audit log." />
    </ConfirmDialog>
  )
}

function Unban({ fields, name }: { fields: Record<string, string>; name: string }) {
  return (
    <Form method="post">
      {Object.entries(fields).map(([field, value]) => (
        <input key={field} type="hidden" name={field} value={value} />
      ))}
      <SubmitButton name="intent" value="unban" size="sm" variant="ghost" aria-label={`Lift the ban of ${name}`}>
        Lift ban
      </SubmitButton>
    </Form>
  )
}
