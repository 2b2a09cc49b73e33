import { data, Form, redirect } from 'react-router'
import { audit } from 'saas/server/audit'
import { type AuthAnswer, submitToAuth } from 'saas/server/auth-calls'
import { checkForm, type RefusedForm, refusal } from 'saas/server/form'
import {
  type Invitation,
  isManager,
  type Member,
  type Membership,
  membersOf,
  openInvitations,
  requireManager,
  requireMembership,
} from 'saas/server/organizations'
import { servicesContext } from 'saas/server/services'
import { z } from 'zod'
import { Alert } from '~/ui/alert'
import { Button, SubmitButton } from '~/ui/button'
import { Card, CardHeader } from '~/ui/card'
import { ConfirmDialog } from '~/ui/dialog'
import { Field, FormErrors, Select } from '~/ui/field'
import { Pager, Table } from '~/ui/table'
import { Time } from '~/ui/time'
import { emailField } from '../auth/credentials.ts'
import type { Route } from './+types/members'
import { memberRole, roleHelp, roleOptions } from './fields.ts'

export const meta: Route.MetaFunction = () => [{ title: 'Members · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  const { user, organization, role } = await requireMembership(args)
  const { pool } = args.context.get(servicesContext)
  const canManage = isManager(role)
  // Accounts and invitations live by the machine's time, whatever the local Stripe's clock says.
  const now = new Date()
  return {
    now,
    organization,
    role,
    canManage,
    ownId: user.id,
    members: await membersOf(pool, organization.id),
    // An invitation's id is what admits: it is for those who could send one.
    invitations: canManage ? await openInvitations(pool, organization.id, now) : [],
    notice: notices[args.url.searchParams.get('notice') ?? ''] ?? null,
  }
}

const notices: Record<string, string> = {
  invited: 'The invitation is on its way by mail. It can be accepted for a week.',
  'invited-again': 'A new invitation is on its way by mail, in place of the earlier one, whose link no longer works.',
  canceled: 'The invitation is withdrawn; its link no longer works.',
  role: 'The role is changed.',
  removed: 'The member is removed and has no access any more.',
}

/** Which of the page's forms was refused, and why. */
type Refused = RefusedForm & { intent: string }

export async function action(args: Route.ActionArgs) {
  const membership = await requireMembership(args)
  const form = await args.request.formData()
  const intent = String(form.get('intent'))
  const refused = await act(args, membership, form, intent)
  return data({ ...refused, intent } satisfies Refused, { status: 400 })
}

/** Redirects when it was done. @returns what was wrong */
async function act(args: Route.ActionArgs, { organization }: Membership, form: FormData, intent: string) {
  const organizationId = organization.id
  if (intent === 'leave') return leave(args, organizationId, form)
  const { user } = await requireManager(args)
  const services = args.context.get(servicesContext)
  const note = (action: 'invite' | 'set_role' | 'remove_member', detail: Record<string, unknown>) =>
    audit(services, { actor: user, action: `organization.${action}`, object: organization.slug, detail })

  if (intent === 'invite') {
    const read = checkForm(form, z.object({ email: emailField, role: memberRole }))
    if (!read.ok) return read.refused
    const { email } = read.values
    const open = await openInvitations(services.pool, organizationId, new Date())
    const answer = await submitToAuth(args, '/organization/invite-member', { ...read.values, organizationId })
    if (!answer.ok) {
      const isMember = answer.code === 'USER_IS_ALREADY_A_MEMBER_OF_THIS_ORGANIZATION'
      return refusal(form, {
        email: isMember ? `${email} is a member of ${organization.name} already.` : answer.message,
      })
    }
    await note('invite', read.values)
    const isAgain = open.some((invitation) => invitation.email === email.toLowerCase())
    throw redirect(`${args.url.pathname}?notice=${isAgain ? 'invited-again' : 'invited'}`)
  }
  if (intent === 'cancel-invitation') {
    const invitationId = String(form.get('invitation'))
    return settled(
      args,
      form,
      await submitToAuth(args, '/organization/cancel-invitation', { invitationId }),
      'canceled',
    )
  }
  const member = (await membersOf(services.pool, organizationId)).find(({ id }) => id === form.get('member'))
  if (!member) return refusal(form, { form: 'This person is no longer a member.' })
  if (intent === 'role') {
    const role = memberRole.safeParse(form.get('role'))
    if (!role.success) return refusal(form, { form: 'Choose a role.' })
    const change = { organizationId, memberId: member.id, role: role.data }
    const answer = await submitToAuth(args, '/organization/update-member-role', change)
    if (answer.ok) await note('set_role', { member: member.email, role: role.data })
    return settled(args, form, answer, 'role')
  }
  const answer = await submitToAuth(args, '/organization/remove-member', { organizationId, memberIdOrEmail: member.id })
  if (answer.ok) await note('remove_member', { member: member.email })
  return settled(args, form, answer, 'removed')
}

async function leave(args: Route.ActionArgs, organizationId: string, form: FormData): Promise<RefusedForm> {
  const answer = await submitToAuth(args, '/organization/leave', { organizationId })
  if (answer.ok) throw redirect('/app/organizations')
  return refusal(form, { form: sentence(answer) })
}

function settled(
  { url }: Route.ActionArgs,
  form: FormData,
  answer: AuthAnswer,
  notice: keyof typeof notices & string,
): RefusedForm {
  if (answer.ok) throw redirect(`${url.pathname}?notice=${notice}`)
  return refusal(form, { form: sentence(answer) })
}

function sentence({ code, message }: { code: string | null; message: string }): string {
  if (code?.startsWith('YOU_CANNOT_LEAVE_THE_ORGANIZATION')) {
    return 'An organization keeps at least one owner. Make somebody else an owner first.'
  }
  return message
}

export default function Members({ loaderData, actionData }: Route.ComponentProps) {
  const { organization, canManage, members, invitations, notice, ownId, role, now } = loaderData
  const errorsOf = (intents: string[]) =>
    actionData && intents.includes(actionData.intent) ? actionData.errors : undefined
  return (
    <div className="flex flex-col gap-6">
      {notice && !actionData && <Alert tone="positive">{notice}</Alert>}
      <FormErrors errors={errorsOf(['role', 'remove', 'leave', 'cancel-invitation'])} />
      {canManage && (
        <InviteCard
          key={`${notice} ${invitations.length}`}
          role={role}
          refused={actionData?.intent === 'invite' ? actionData : undefined}
        />
      )}
      <Card flush>
        <CardHeader
          className="p-5 pb-0"
          title="Members"
          description={`Who works in ${organization.name}.`}
          actions={<Leave organization={organization.name} />}
        />
        <Table<Member>
          caption="Members"
          rows={members}
          rowKey={({ id }) => id}
          columns={[
            {
              key: 'name',
              header: 'Name',
              cell: ({ name, email, userId }) => (
                <span className="block min-w-0">
                  <span className="block font-medium">
                    {name} {userId === ownId && <span className="font-normal text-muted">(you)</span>}
                  </span>
                  <span className="block break-all text-muted text-xs">{email}</span>
                </span>
              ),
            },
            {
              key: 'joined',
              header: 'Joined',
              wide: true,
              cell: ({ joinedAt }) => <Time at={joinedAt} format="date" />,
            },
            {
              key: 'role',
              header: 'Role',
              cell: (member) => <Role member={member} editable={canManage} mayGrantOwner={role === 'owner'} />,
            },
            ...(canManage
              ? [
                  {
                    key: 'remove',
                    header: <span className="sr-only">Action</span>,
                    align: 'right' as const,
                    cell: (member: Member) => member.userId !== ownId && <Remove member={member} />,
                  },
                ]
              : []),
          ]}
        />
        <Pager total={members.length} unit={members.length === 1 ? 'member' : 'members'} />
      </Card>
      {invitations.length > 0 && <InvitationsCard invitations={invitations} now={now} />}
    </div>
  )
}

function InviteCard({ refused, role }: { refused: Refused | undefined; role: string }) {
  const { errors, entered } = refused ?? {}
  return (
    <Card>
      <CardHeader
        title="Invite somebody"
        description="They get a mail with a link, and join once they have opened it."
      />
      <Form method="post" className="flex flex-col gap-4" noValidate>
        <FormErrors errors={errors} />
        <div className="flex flex-wrap items-start gap-4">
          <Field
            label="Email"
            name="email"
            type="email"
            autoComplete="off"
            defaultValue={entered?.email}
            error={errors?.email}
            className="w-full sm:w-72"
            required
          />
          <Field label="Role" name="role" error={errors?.role} className="w-full sm:w-40">
            <Select defaultValue={entered?.role ?? 'member'} options={optionsFor(role === 'owner')} />
          </Field>
        </div>
        <p className="text-muted text-xs">{roleHelp}</p>
        <div>
          <SubmitButton name="intent" value="invite">
            Send invitation
          </SubmitButton>
        </div>
      </Form>
    </Card>
  )
}

/** Owners make owners. */
function optionsFor(mayGrantOwner: boolean) {
  return roleOptions.filter(({ value }) => mayGrantOwner || value !== 'owner')
}

function Role({ member, editable, mayGrantOwner }: { member: Member; editable: boolean; mayGrantOwner: boolean }) {
  if (!editable || (member.role === 'owner' && !mayGrantOwner)) return <span className="capitalize">{member.role}</span>
  return (
    <Form method="post" className="flex items-center gap-2">
      <input type="hidden" name="member" value={member.id} />
      <Select
        key={member.role}
        name="role"
        aria-label={`Role of ${member.name}`}
        defaultValue={member.role}
        options={optionsFor(mayGrantOwner)}
        className="w-32"
      />
      <SubmitButton name="intent" value="role" size="sm" variant="ghost" aria-label={`Save the role of ${member.name}`}>
        Save
      </SubmitButton>
    </Form>
  )
}

function Remove({ member }: { member: Member }) {
  return (
    <ConfirmDialog
      title={`Remove ${member.name}?`}
      trigger={
        <Button size="sm" variant="ghost" aria-label={`Remove ${member.name}`}>
          Remove
        </Button>
      }
      confirmLabel="Remove"
      tone="danger"
      fields={{ intent: 'remove', member: member.id }}
    >
      {member.email} loses access at once. What was used stays on the bill, and you can invite them again.
    </ConfirmDialog>
  )
}

function Leave({ organization }: { organization: string }) {
  return (
    <ConfirmDialog
      title={`Leave ${organization}?`}
      trigger={<Button size="sm">Leave</Button>}
      confirmLabel="Leave"
      tone="danger"
      fields={{ intent: 'leave' }}
    >
      You lose access at once, and come back only by an invitation.
    </ConfirmDialog>
  )
}

function InvitationsCard({ invitations, now }: { invitations: Invitation[]; now: Date }) {
  return (
    <Card flush>
      <CardHeader className="p-5 pb-0" title="Open invitations" />
      <Table<Invitation>
        caption="Open invitations"
        rows={invitations}
        rowKey={({ id }) => id}
        columns={[
          { key: 'email', header: 'Email', cell: ({ email }) => <span className="break-all">{email}</span> },
          { key: 'role', header: 'Role', cell: ({ role }) => <span className="capitalize">{role}</span> },
          {
            key: 'expires',
            header: 'Expires',
            wide: true,
            cell: ({ expiresAt }) => <Time at={expiresAt} now={now} format="left" />,
          },
          {
            key: 'cancel',
            header: <span className="sr-only">Action</span>,
            align: 'right',
            cell: ({ id, email }) => (
              <Form method="post">
                <input type="hidden" name="invitation" value={id} />
                <SubmitButton
                  name="intent"
                  value="cancel-invitation"
                  size="sm"
                  variant="ghost"
                  aria-label={`Withdraw the invitation of ${email}`}
                >
                  Withdraw
                </SubmitButton>
              </Form>
            ),
          },
        ]}
      />
    </Card>
  )
}
