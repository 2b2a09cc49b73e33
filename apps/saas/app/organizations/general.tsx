import { data, Form, redirect } from 'react-router'
import { audit } from 'saas/server/audit'
import { submitToAuth } from 'saas/server/auth-calls'
import { readForm, refusal } from 'saas/server/form'
import { isManager, requireManager, requireMembership } from 'saas/server/organizations'
import { servicesContext } from 'saas/server/services'
import { z } from 'zod'
import { Alert } from '~/ui/alert'
import { SubmitButton } from '~/ui/button'
import { Card, CardHeader } from '~/ui/card'
import { Field, FormErrors } from '~/ui/field'
import { ShortId } from '~/ui/short-id'
import { renameCustomer } from '../billing/rename.ts'
import type { Route } from './+types/general'
import { organizationName, organizationSlug } from './fields.ts'

export const meta: Route.MetaFunction = () => [{ title: 'Organization settings · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  const { organization, role } = await requireMembership(args)
  return { organization, canManage: isManager(role), saved: args.url.searchParams.has('saved') }
}

const organizationForm = z.object({ name: organizationName, slug: organizationSlug })

export async function action(args: Route.ActionArgs) {
  const { user, organization } = await requireManager(args)
  const read = await readForm(args.request, organizationForm)
  if (!read.ok) return data(read.refused, { status: 400 })
  const { name, slug } = read.values
  const answer = await submitToAuth(args, '/organization/update', {
    organizationId: organization.id,
    data: slug === organization.slug ? { name } : { name, slug },
  })
  if (!answer.ok) {
    const taken = answer.code === 'ORGANIZATION_SLUG_ALREADY_TAKEN' || answer.code === 'ORGANIZATION_ALREADY_EXISTS'
    const errors = taken ? { slug: `The address “${slug}” is taken. Choose another.` } : { form: answer.message }
    return data(refusal(read.form, errors), { status: answer.status })
  }
  const services = args.context.get(servicesContext)
  await renameCustomer(services, { source: 'organization', sourceId: organization.id, name })
  await audit(services, {
    actor: user,
    action: 'organization.rename',
    object: organization.slug,
    detail: { name, slug },
  })
  throw redirect(`/app/org/${slug}/settings?saved`)
}

export default function General({ loaderData, actionData }: Route.ComponentProps) {
  const { organization, canManage, saved } = loaderData
  const { errors, entered } = actionData ?? {}
  return (
    <Card className="max-w-2xl">
      <CardHeader
        title="General"
        description={canManage ? undefined : 'Only owners and admins can change this.'}
        actions={<ShortId id={organization.id} />}
      />
      <Form key={organization.slug} method="post" className="flex flex-col items-start gap-4" noValidate>
        {saved && !errors && <Alert tone="positive">Saved.</Alert>}
        <FormErrors errors={errors} />
        <Field
          label="Name"
          name="name"
          defaultValue={entered?.name ?? organization.name}
          error={errors?.name}
          className="w-full"
          disabled={!canManage}
          required
        />
        <Field
          label="Address"
          name="slug"
          defaultValue={entered?.slug ?? organization.slug}
          error={errors?.slug}
          help="Part of every link. Links with the old address stop working when you change it."
          className="w-full"
          autoCapitalize="none"
          spellCheck={false}
          disabled={!canManage}
          required
        />
        {canManage && <SubmitButton>Save</SubmitButton>}
      </Form>
    </Card>
  )
}
