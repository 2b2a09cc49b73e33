import { data, Form, redirect } from 'react-router'
import { audit } from 'saas/server/audit'
import { submitToAuth } from 'saas/server/auth-calls'
import { readForm, refusal } from 'saas/server/form'
import { slugOf } from 'saas/server/organizations'
import { servicesContext } from 'saas/server/services'
import { requireUser } from 'saas/server/session'
import { z } from 'zod'
import { LinkButton, SubmitButton } from '~/ui/button'
import { Card } from '~/ui/card'
import { Field, FormErrors } from '~/ui/field'
import { PageHeader } from '~/ui/page-header'
import type { Route } from './+types/new'
import { organizationName, organizationSlug } from './fields.ts'

export const meta: Route.MetaFunction = () => [{ title: 'New organization · Meterkit' }]

/** Names are often taken; this many numbers are tried before the person is asked. */
const SLUGS_TRIED = 20

export async function loader(args: Route.LoaderArgs) {
  await requireUser(args)
  return null
}

const organizationForm = z.object({ name: organizationName, slug: z.union([z.literal(''), organizationSlug]) })

export async function action(args: Route.ActionArgs) {
  const user = await requireUser(args)
  const read = await readForm(args.request, organizationForm)
  if (!read.ok) return data(read.refused, { status: 400 })
  const { name, slug } = read.values
  const wanted = slug || slugOf(name) || 'organization'
  for (const candidate of slug ? [slug] : numbered(wanted)) {
    const answer = await submitToAuth(args, '/organization/create', { name, slug: candidate })
    if (answer.ok) {
      await audit(args.context.get(servicesContext), { actor: user, action: 'organization.create', object: candidate })
      throw redirect(`/app/org/${candidate}`)
    }
    if (answer.code !== 'ORGANIZATION_ALREADY_EXISTS')
      return data(refusal(read.form, { form: answer.message }), { status: answer.status })
  }
  return data(refusal(read.form, { slug: `The address “${wanted}” is taken. Choose another.` }), { status: 409 })
}

function numbered(slug: string): string[] {
  return [slug, ...Array.from({ length: SLUGS_TRIED - 1 }, (_, index) => `${slug.slice(0, 44)}-${index + 2}`)]
}

export default function NewOrganization({ actionData }: Route.ComponentProps) {
  const { errors, entered } = actionData ?? {}
  return (
    <>
      <PageHeader
        title="New organization"
        description="You become its owner, and can invite others and choose a plan next."
      />
      <Card className="max-w-xl">
        <Form method="post" className="flex flex-col gap-4" noValidate>
          <FormErrors errors={errors} />
          <Field
            label="Name"
            name="name"
            autoComplete="organization"
            defaultValue={entered?.name}
            error={errors?.name}
            required
            autoFocus
          />
          <Field
            label="Address"
            name="slug"
            defaultValue={entered?.slug}
            error={errors?.slug}
            help="The short name in links, such as acme. Leave it empty to take it from the name."
            autoCapitalize="none"
            spellCheck={false}
          />
          <div className="flex gap-2">
            <SubmitButton>Create organization</SubmitButton>
            <LinkButton to="/app/organizations" variant="ghost">
              Cancel
            </LinkButton>
          </div>
        </Form>
      </Card>
    </>
  )
}
