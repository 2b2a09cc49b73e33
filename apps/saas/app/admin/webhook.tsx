import RotateCcw from 'lucide-react/icons/rotate-ccw'
import { useFetcher } from 'react-router'
import { audit } from 'saas/server/audit'
import { servicesContext } from 'saas/server/services'
import { notFound, requireAdmin } from 'saas/server/session'
import { Alert } from '~/ui/alert'
import { Button } from '~/ui/button'
import { Card, CardHeader } from '~/ui/card'
import { JsonView } from '~/ui/json-view'
import { PageHeader } from '~/ui/page-header'
import { ShortId } from '~/ui/short-id'
import { StatusBadge } from '~/ui/status-badge'
import { Time } from '~/ui/time'
import type { Route } from './+types/webhook'
import { BackLink } from './back-link.tsx'
import { Facts } from './facts.tsx'

export const meta: Route.MetaFunction = ({ loaderData }) => [
  { title: `${loaderData?.webhook.type ?? 'Webhook'} · Meterkit` },
]

export async function loader(args: Route.LoaderArgs) {
  await requireAdmin(args)
  const webhook = await args.context.get(servicesContext).meterkit.webhooks.get(args.params.webhookId)
  if (!webhook) throw notFound()
  return { webhook }
}

/** Processes it once more. */
export async function action(args: Route.ActionArgs) {
  const actor = await requireAdmin(args)
  const services = args.context.get(servicesContext)
  const { webhookId } = args.params
  if (!(await services.meterkit.webhooks.get(webhookId))) throw notFound()
  await audit(services, { actor, action: 'webhook.replay', object: webhookId })
  try {
    await services.meterkit.webhooks.replay(webhookId)
    return { error: null }
  } catch (error) {
    return { error: (error as Error).message }
  }
}

export default function Webhook({ loaderData, actionData }: Route.ComponentProps) {
  const { webhook } = loaderData
  const fetcher = useFetcher<typeof action>()
  const replayed = fetcher.data ?? actionData
  return (
    <>
      <BackLink to="/admin/webhooks">Webhooks</BackLink>
      <PageHeader
        title={
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <code className="break-all font-medium text-base">{webhook.type}</code>
            <StatusBadge status={webhook.status} />
          </span>
        }
        description="Replaying fetches the object from Stripe anew and brings ours in line with it; doing so twice changes nothing."
        actions={
          <fetcher.Form method="post">
            <Button type="submit" variant="primary" loading={fetcher.state !== 'idle'}>
              <RotateCcw aria-hidden /> Replay
            </Button>
          </fetcher.Form>
        }
      />
      {replayed && fetcher.state === 'idle' && (
        <Alert
          tone={replayed.error ? 'danger' : 'positive'}
          title={replayed.error ? 'It failed again' : 'Processed once more'}
          className="mb-6"
        >
          {replayed.error}
        </Alert>
      )}
      {webhook.error && !replayed?.error && (
        <Alert tone="danger" title="Processing failed" className="mb-6">
          {webhook.error} It is tried again by itself; mend the cause, or replay it.
        </Alert>
      )}
      <div className="grid items-start gap-6 lg:grid-cols-[20rem_minmax(0,1fr)]">
        <Card>
          <CardHeader title="Delivery" />
          <Facts
            facts={[
              ['Id', <ShortId key="id" id={webhook.id} />],
              ['Object', webhook.objectId && <ShortId key="object" id={webhook.objectId} />],
              ['Payload', webhook.payload],
              ['Received', <Time key="received" at={webhook.receivedAt} />],
              ['Processed', webhook.processedAt && <Time key="processed" at={webhook.processedAt} />],
              ['Attempts', webhook.attempts],
            ]}
          />
        </Card>
        <Card>
          <CardHeader title="Body" description="As Stripe sent it." />
          <JsonView value={webhook.body} label="The webhook's body" />
        </Card>
      </div>
    </>
  )
}
