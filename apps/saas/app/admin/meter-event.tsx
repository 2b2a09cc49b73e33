import { type EventDetail, type EventStep, MeterkitError } from 'meterkit'
import { data, Link, useFetcher } from 'react-router'
import { audit } from 'saas/server/audit'
import { servicesContext } from 'saas/server/services'
import { notFound, requireAdmin } from 'saas/server/session'
import { Alert } from '~/ui/alert'
import { Button } from '~/ui/button'
import { Card, CardHeader } from '~/ui/card'
import { ConfirmDialog } from '~/ui/dialog'
import { Field, FormErrors } from '~/ui/field'
import { JsonView } from '~/ui/json-view'
import { PageHeader } from '~/ui/page-header'
import { Quantity } from '~/ui/quantity'
import { ShortId } from '~/ui/short-id'
import { StatusBadge } from '~/ui/status-badge'
import { Time } from '~/ui/time'
import { Timeline, type TimelineStep } from '~/ui/timeline'
import type { Route } from './+types/meter-event'
import { BackLink } from './back-link.tsx'
import { Facts } from './facts.tsx'
import { clearErrors } from './sync.ts'
import { type Deed, SyncOutcome } from './sync-outcome.tsx'

const REASON_CHARACTERS_MAX = 500

export const meta: Route.MetaFunction = () => [{ title: 'Meter event · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  await requireAdmin(args)
  const { meterkit } = args.context.get(servicesContext)
  const event = isEventId(args.params.eventId) ? await meterkit.events.get(args.params.eventId) : null
  if (!event) throw notFound()
  return { event }
}

type Answer = { deed: Deed | null; error: string | null }

export async function action(args: Route.ActionArgs) {
  const actor = await requireAdmin(args)
  const services = args.context.get(servicesContext)
  const { eventId } = args.params
  if (!isEventId(eventId)) throw notFound()
  const form = await args.request.formData()
  const intent = form.get('intent')
  if (intent === 'retry') {
    const cleared = await clearErrors(services, actor, { eventIds: [eventId] })
    return { deed: { cleared }, error: null } satisfies Answer
  }
  if (intent !== 'void') throw data('There is no such action.', { status: 400 })
  const reason = String(form.get('reason') ?? '')
    .trim()
    .slice(0, REASON_CHARACTERS_MAX)
  if (reason === '') return refused('Say why the event is void; the reason stays with it.')
  try {
    await services.meterkit.events.void(eventId, { by: actor.email, reason })
  } catch (error) {
    if (error instanceof MeterkitError) return refused(error.message)
    throw error
  }
  await audit(services, { actor, action: 'event.void', object: eventId, detail: { reason } })
  return { deed: null, error: null } satisfies Answer
}

function isEventId(text: string): boolean {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text)
}

function refused(error: string) {
  return data<Answer>({ deed: null, error }, { status: 400 })
}

export default function MeterEvent({ loaderData, actionData }: Route.ComponentProps) {
  const { event } = loaderData
  const retry = useFetcher<Answer>()
  return (
    <>
      <BackLink to="/admin/meter-events">Meter events</BackLink>
      <PageHeader
        title={
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <Quantity value={event.quantity} exact /> <code className="font-normal text-base">{event.meter}</code>
            <StatusBadge status={event.status} />
            {event.late && <StatusBadge status="late" />}
          </span>
        }
        description={`Recorded for ${event.customerName}.`}
        actions={event.status !== 'void' && <VoidDialog event={event} />}
      />
      <SyncOutcome deed={retry.data?.deed ?? actionData?.deed} />
      <div className="mb-6 empty:hidden">
        <FormErrors errors={actionData?.error} />
      </div>
      {event.errorMessage && event.status !== 'void' && (
        <Alert
          tone="danger"
          title="Stripe refused this event's usage"
          className="mb-6"
          actions={
            <retry.Form method="post">
              <input type="hidden" name="intent" value="retry" />
              <Button type="submit" loading={retry.state !== 'idle'}>
                Clear and retry
              </Button>
            </retry.Form>
          }
        >
          {event.errorMessage} The event is kept; mend the cause, then send it again.
        </Alert>
      )}
      <div className="grid items-start gap-6 lg:grid-cols-2">
        <Card>
          <CardHeader title="Life of the event" />
          <Timeline steps={event.steps.map(toTimeline)} />
        </Card>
        <Card>
          <CardHeader title="Event" />
          <Facts facts={factsOf(event)} />
          <div className="mt-5">
            <JsonView value={withoutSteps(event)} label="The event as JSON" />
          </div>
        </Card>
      </div>
    </>
  )
}

function VoidDialog({ event }: { event: EventDetail }) {
  return (
    <ConfirmDialog
      title="Void this event?"
      trigger={<Button>Void …</Button>}
      confirmLabel="Void the event"
      tone="danger"
      fields={{ intent: 'void' }}
    >
      <p>
        Its <Quantity value={event.quantity} exact /> will no longer be charged to {event.customerName}. The event
        stays, struck through, with your name and reason; this cannot be taken back, but the usage can be recorded anew.
      </p>
      <Field
        className="mt-4 text-text"
        label="Reason"
        name="reason"
        required
        maxLength={REASON_CHARACTERS_MAX}
        autoComplete="off"
      />
    </ConfirmDialog>
  )
}

const STEPS: Record<EventStep['kind'], { title: string; tone: NonNullable<TimelineStep['tone']> }> = {
  occurred: { title: 'Happened', tone: 'positive' },
  recorded: { title: 'In the database', tone: 'positive' },
  reported: { title: 'In a report', tone: 'accent' },
  accepted: { title: 'Accepted by Stripe', tone: 'positive' },
  failed: { title: 'Refused by Stripe', tone: 'danger' },
  cleared: { title: 'Error cleared, queued again', tone: 'warning' },
  invoiced: { title: 'On an invoice', tone: 'positive' },
  voided: { title: 'Voided', tone: 'warning' },
  credited: { title: 'Given back', tone: 'positive' },
}

/** A step without a time is still to come, but for a cleared error: when it was cleared nobody wrote down. */
function toTimeline({ kind, at, detail }: EventStep): TimelineStep {
  const { title, tone } = STEPS[kind]
  return { title, at, detail, tone: at || kind === 'cleared' ? tone : 'muted' }
}

function factsOf(event: EventDetail): Parameters<typeof Facts>[0]['facts'] {
  return [
    ['Id', <ShortId key="id" id={event.id} />],
    ...(event.key
      ? ([['Key of the caller', <ShortId key="key" id={event.key} />]] as [string, React.ReactNode][])
      : []),
    [
      'Customer',
      <Link
        key="customer"
        to={`/admin/customers?search=${encodeURIComponent(event.customerName)}`}
        className="hover:text-accent"
      >
        {event.customerName}
      </Link>,
    ],
    ['Subscription', <ShortId key="subscription" id={event.subscriptionId} />],
    ['Happened', <Time key="timestamp" at={event.timestamp} />],
    ['Recorded', <Time key="recorded" at={event.recordedAt} />],
    ['Processed', event.processedAt && <Time key="processed" at={event.processedAt} />],
    [
      'Report',
      event.reportId && <ShortId key="report" id={event.reportId} to={`/admin/reports?search=${event.reportId}`} />,
    ],
  ]
}

function withoutSteps({ steps: _steps, ...event }: EventDetail) {
  return event
}
