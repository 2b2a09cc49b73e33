import ArrowRight from 'lucide-react/icons/arrow-right'
import type { DifferenceCause } from 'meterkit'
import { useEffect } from 'react'
import { data, Form, Link, redirect, useRevalidator } from 'react-router'
import { audit } from 'saas/server/audit'
import {
  askMend,
  askReconciliation,
  getReconciliation,
  isUnderWay,
  latestReconciliations,
  type ReconciliationRun,
  type StoredDifference,
} from 'saas/server/reconciliations'
import { type Services, servicesContext } from 'saas/server/services'
import { requireAdmin } from 'saas/server/session'
import { Alert } from '~/ui/alert'
import { Button, SubmitButton } from '~/ui/button'
import { Card, CardHeader } from '~/ui/card'
import { ConfirmDialog } from '~/ui/dialog'
import { EmptyState } from '~/ui/empty-state'
import { Field, FormErrors } from '~/ui/field'
import { PageHeader } from '~/ui/page-header'
import { formatQuantity, Quantity } from '~/ui/quantity'
import { ShortId } from '~/ui/short-id'
import { StatusBadge, type Tone } from '~/ui/status-badge'
import { type Column, Table } from '~/ui/table'
import { Time } from '~/ui/time'
import type { Route } from './+types/reconciliation'

const LOOK_EVERY_MS = 1_000
const DAYS_DEFAULT = 35
const RUNS_SHOWN = 8
const REPORTS_SHOWN = 3
const DAY_MS = 24 * 60 * 60 * 1000

export const meta: Route.MetaFunction = () => [{ title: 'Reconciliation · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  await requireAdmin(args)
  const services = args.context.get(servicesContext)
  const runs = await latestReconciliations(services, RUNS_SHOWN)
  const asked = args.url.searchParams.get('run')
  const run = asked ? await getReconciliation(services, asked) : runs[0]
  const now = services.clock()
  return {
    run: run ?? null,
    underWay: run ? isUnderWay(run) : false,
    runs: runs.map(({ result: _, mended: __, ...each }) => each),
    since: dayName(new Date(now.getTime() - DAYS_DEFAULT * DAY_MS)),
    today: dayName(now),
  }
}

type Errors = Partial<Record<'since' | 'customer' | 'form', string>>

export async function action(args: Route.ActionArgs) {
  const actor = await requireAdmin(args)
  const services = args.context.get(servicesContext)
  const form = await args.request.formData()
  const intent = form.get('intent')
  if (intent === 'mend') {
    const id = String(form.get('run'))
    const run = await getReconciliation(services, id)
    if (!run || !(await askMend(services, run.id))) return refused({ form: 'This comparison was mended before.' })
    const reports = missing(run).flatMap((difference) => difference.reports)
    const detail = { reports: reports.map(({ identifier }) => identifier) }
    await audit(services, { actor, action: 'usage.mend', object: id, detail })
    return redirect(`/admin/reconciliation?run=${id}`)
  }
  if (intent !== 'compare') throw data('There is no such action.', { status: 400 })
  const { scope, errors } = await readScope(services, form)
  if (!scope) return refused(errors)
  const [latest] = await latestReconciliations(services, 1)
  if (latest && isUnderWay(latest)) return refused({ form: 'A comparison is under way; wait until it has ended.' })
  const id = await askReconciliation(services, { by: actor.email, ...scope })
  const object = scope.customer?.name ?? 'all customers'
  await audit(services, { actor, action: 'usage.reconcile', object, detail: { since: dayName(scope.since) } })
  return redirect(`/admin/reconciliation?run=${id}`)
}

function refused(errors: Errors) {
  return data({ errors }, { status: 400 })
}

async function readScope(
  { meterkit, clock }: Services,
  form: FormData,
): Promise<{ scope: { since: Date; customer: { id: string; name: string } | null } | null; errors: Errors }> {
  const errors: Errors = {}
  const text = String(form.get('since') ?? '')
  const since = new Date(/^\d{4}-\d{2}-\d{2}$/.test(text) ? text : Number.NaN)
  if (Number.isNaN(since.getTime())) errors.since = 'Enter the first day, such as 2026-11-24.'
  else if (since > clock()) errors.since = 'This day is still to come. Enter one up to today.'
  const search = String(form.get('customer') ?? '').trim()
  const { rows } = search ? await meterkit.customers.list({ search, limit: 50 }) : { rows: [] }
  // one of exactly this name, before those it is a part of
  const exact = rows.filter(({ name }) => name.toLowerCase() === search.toLowerCase())
  const [found, ...others] = exact.length > 0 ? exact : rows
  if (search && !found) errors.customer = `No customer is called “${search}”, or has this id.`
  if (others.length > 0) errors.customer = `More than one customer matches “${search}”. Enter an id.`
  const customer = found ? { id: found.id, name: found.name } : null
  return { scope: Object.keys(errors).length > 0 ? null : { since, customer }, errors }
}

function missing({ result }: Pick<ReconciliationRun, 'result'>): StoredDifference[] {
  return result?.differences.filter(({ mendable }) => mendable) ?? []
}

function dayName(at: Date): string {
  return at.toISOString().slice(0, 10)
}

export default function ReconciliationPage({ loaderData, actionData }: Route.ComponentProps) {
  const { run, underWay, runs, since, today } = loaderData
  useProgress(underWay)
  const errors: Errors = actionData?.errors ?? {}
  return (
    <>
      <PageHeader
        title="Reconciliation"
        description="Compares what Stripe has accepted with what Stripe has counted, per customer, meter and day. Nothing is changed by it."
      />
      <div className="mb-6 empty:hidden">
        <FormErrors errors={errors} />
      </div>
      <Card className="mb-6">
        <Form method="post" className="grid items-start gap-4 sm:grid-cols-[12rem_1fr_auto]">
          <input type="hidden" name="intent" value="compare" />
          <Field
            label="Since"
            name="since"
            type="date"
            max={today}
            defaultValue={since}
            error={errors.since ?? null}
            help="Whole days, UTC."
          />
          <Field
            label="Customer"
            name="customer"
            autoComplete="off"
            placeholder="All customers"
            error={errors.customer ?? null}
            help="A name or an id; empty for all."
          />
          <SubmitButton className="sm:mt-6.5" name="compare" value="now" loading={underWay}>
            Compare
          </SubmitButton>
        </Form>
      </Card>
      {run ? <Run run={run} underWay={underWay} /> : <Never />}
      {runs.length > 1 && <Earlier runs={runs} current={run?.id ?? null} />}
    </>
  )
}

/** The figures move while it runs. */
function useProgress(underWay: boolean): void {
  const { revalidate } = useRevalidator()
  useEffect(() => {
    if (!underWay) return
    const timer = setInterval(() => void revalidate(), LOOK_EVERY_MS)
    return () => clearInterval(timer)
  }, [underWay, revalidate])
}

function Never() {
  return (
    <Card flush>
      <EmptyState title="Nothing compared yet">
        Stripe may refuse usage after it has accepted it, and tells so only once. Compare to be sure that all of it
        counts; it takes a call of Stripe for each customer.
      </EmptyState>
    </Card>
  )
}

function Run({ run, underWay }: { run: ReconciliationRun; underWay: boolean }) {
  const { result, status } = run
  return (
    <>
      <Outcome run={run} underWay={underWay} />
      {result && result.differences.length > 0 && (
        <Card flush>
          <CardHeader
            className="p-5 pb-0"
            title={formatQuantity(run.found, 'differences')}
            description={<Scope run={run} />}
            actions={status === 'done' && missing(run).length > 0 && <MendDialog run={run} />}
          />
          <Table
            caption="Differences"
            columns={COLUMNS}
            rows={result.differences}
            rowKey={({ day, customerId, meter, cause }) => `${day} ${customerId} ${meter} ${cause}`}
          />
        </Card>
      )}
    </>
  )
}

/** What is going on, or how it ended. */
function Outcome({ run, underWay }: { run: ReconciliationRun; underWay: boolean }) {
  const { status, done, total, found, result, error } = run
  if (run.stuck) {
    return (
      <Alert tone="warning" className="mb-6" title="This was cut short: it has not moved for a while">
        Nothing was lost. Compare again; what was mended before is not mended twice.
      </Alert>
    )
  }
  if (underWay && status === 'mending') return <Working title="Reporting the missing usage …" />
  if (underWay) {
    const far = total > 0 ? `${formatQuantity(done)} of ${formatQuantity(total, 'customers')}` : 'Waiting for its turn'
    return (
      <Working title="Comparing with Stripe …">
        {far}
        {found > 0 && ` · ${formatQuantity(found, 'differences')}`}
        <progress className="mt-2 block h-1.5 w-full accent-accent" value={done} max={Math.max(total, 1)} />
      </Working>
    )
  }
  if (status === 'failed') {
    return (
      <Alert tone="danger" className="mb-6" title="Stripe could not be asked">
        {error} Nothing was changed; try again in a minute.
      </Alert>
    )
  }
  if (run.mended) return <Mended mended={run.mended} />
  if (result && result.differences.length === 0) {
    return (
      <Alert tone="positive" className="mb-6" title="Stripe has counted everything it accepted">
        <Scope run={run} />
      </Alert>
    )
  }
  return null
}

function Working({ title, children }: { title: string; children?: React.ReactNode }) {
  return (
    <Alert className="mb-6" title={title}>
      <span className="tabular-nums">{children}</span>
    </Alert>
  )
}

function Mended({ mended: { reports, left, sync } }: { mended: NonNullable<ReconciliationRun['mended']> }) {
  const waits = sync.failed + sync.postponed > 0
  return (
    <Alert
      tone={waits || left.length > 0 ? 'warning' : 'positive'}
      className="mb-6"
      title={`The usage of ${formatQuantity(reports, 'reports')} was queued again`}
    >
      <span className="tabular-nums">
        {formatQuantity(sync.created)} created · {formatQuantity(sync.accepted)} accepted ·{' '}
        {formatQuantity(sync.failed)} failed · {formatQuantity(sync.postponed)} postponed
      </span>
      {sync.reason && <p>Postponed: {sync.reason}</p>}
      {left.map(({ identifier, reason }) => (
        <p key={identifier}>
          {identifier} was left: {reason}.
        </p>
      ))}
      <p>Compare again in ten minutes to see it counted.</p>
    </Alert>
  )
}

function Scope({ run: { since, customerName, askedBy, at, result } }: { run: ReconciliationRun }) {
  return (
    <>
      {customerName ?? 'All customers'}, since <Time at={since} format="date" />; asked by {askedBy}, <Time at={at} />
      {result && `, ${formatQuantity(result.calls, 'calls')} of Stripe`}.
    </>
  )
}

function MendDialog({ run }: { run: ReconciliationRun }) {
  const differences = missing(run)
  const count = differences.reduce((total, { reports }) => total + reports.length, 0)
  return (
    <ConfirmDialog
      title="Report the missing usage?"
      trigger={<Button variant="primary">Report the missing usage</Button>}
      confirmLabel="Report it"
      fields={{ intent: 'mend', run: run.id }}
    >
      <p>
        Stripe accepted {formatQuantity(count, 'reports')} of {customersOf(differences)} and does not have{' '}
        {count === 1 ? 'it' : 'them'}. Each is looked up once more; what is still missing is sent again, under a new
        identifier, and billed in the period that is open for it. What Stripe has too much of, and what is unclear,
        stays as it is.
      </p>
    </ConfirmDialog>
  )
}

function customersOf(differences: readonly StoredDifference[]): string {
  const names = [...new Set(differences.map(({ customerName }) => customerName))]
  return names.length > 2 ? formatQuantity(names.length, 'customers') : names.join(' and ')
}

const CAUSES: Record<DifferenceCause, { label: string; tone?: Tone }> = {
  missing: { label: 'Missing at Stripe' },
  recent: { label: 'Too early to tell' },
  in_doubt: { label: 'Settled by the next sync' },
  cleared: { label: 'Counted twice', tone: 'danger' },
  foreign: { label: 'Sent by others' },
  unclear: { label: 'Unclear' },
  unreadable: { label: 'Stripe does not tell' },
}

const COLUMNS: Column<StoredDifference>[] = [
  {
    key: 'customer',
    header: 'Customer',
    cell: ({ customerName, meter, day }) => (
      <span className="block max-w-24 md:max-w-36 truncate" title={`${customerName}, ${meter}`}>
        {customerName}
        <code className="block text-muted text-xs">{meter}</code>
        <span className="block text-muted text-xs md:hidden">{day}</span>
      </span>
    ),
  },
  { key: 'day', header: 'Day (UTC)', cell: ({ day }) => <span className="whitespace-nowrap">{day}</span>, wide: true },
  { key: 'ours', header: 'Accepted', align: 'right', cell: ({ ours }) => <Quantity value={ours} />, wide: true },
  {
    key: 'stripe',
    header: 'Counted',
    align: 'right',
    cell: ({ stripe }) => (stripe === null ? <span className="text-muted">–</span> : <Quantity value={stripe} />),
    wide: true,
  },
  { key: 'difference', header: 'Difference', align: 'right', cell: (row) => <SignedQuantity {...row} /> },
  {
    key: 'cause',
    header: 'Likely cause',
    cell: ({ cause, explanation, reports }) => (
      <div className="min-w-36 max-w-96 py-1 md:min-w-52">
        <StatusBadge status={cause} {...CAUSES[cause]} />
        <p className="mt-1 text-xs">{explanation}</p>
        {reports.length > 0 && (
          <p className="mt-1 flex flex-wrap gap-x-3 text-muted text-xs">
            {reports.slice(0, REPORTS_SHOWN).map(({ id, identifier }) => (
              <ShortId key={id} id={identifier} to={`/admin/reports?search=${identifier}`} copy={false} />
            ))}
            {reports.length > REPORTS_SHOWN && `and ${formatQuantity(reports.length - REPORTS_SHOWN)} more`}
          </p>
        )}
      </div>
    ),
  },
]

function SignedQuantity({ quantity }: StoredDifference) {
  return (
    <>
      {!quantity.startsWith('-') && quantity !== '0' && '+'}
      <Quantity value={quantity} />
    </>
  )
}

function Earlier({ runs, current }: { runs: Omit<ReconciliationRun, 'result' | 'mended'>[]; current: string | null }) {
  return (
    <Card className="mt-6">
      <CardHeader title="Earlier comparisons" />
      <ul className="flex flex-col gap-2">
        {runs
          .filter(({ id }) => id !== current)
          .map(({ id, at, askedBy, customerName, status, found }) => (
            <li key={id}>
              <Link to={`?run=${id}`} className="flex flex-wrap items-center gap-x-3 gap-y-1 hover:text-accent">
                <Time at={at} />
                <StatusBadge status={status} label={labelOf(status, found)} tone={found > 0 ? 'warning' : 'positive'} />
                <span className="text-muted">
                  {customerName ?? 'All customers'}, by {askedBy}
                </span>
                <ArrowRight className="size-4 text-muted" aria-hidden />
              </Link>
            </li>
          ))}
      </ul>
    </Card>
  )
}

function labelOf(status: ReconciliationRun['status'], found: number): string {
  if (status === 'failed') return 'Failed'
  return found === 0 ? 'In step' : `${formatQuantity(found, 'differences')}${status === 'mended' ? ', mended' : ''}`
}
