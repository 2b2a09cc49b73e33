import ExternalLink from 'lucide-react/icons/external-link'
import type { Customer, Subscription } from 'meterkit'
import { servicesContext } from 'saas/server/services'
import { requireAdmin } from 'saas/server/session'
import { LinkButton } from '~/ui/button'
import { Card } from '~/ui/card'
import { EmptyState } from '~/ui/empty-state'
import { PageHeader } from '~/ui/page-header'
import { ShortId } from '~/ui/short-id'
import { StatusBadge } from '~/ui/status-badge'
import { type Column, Pager, Table } from '~/ui/table'
import { Time } from '~/ui/time'
import type { Route } from './+types/customers'
import { listFilter } from './list-filter.ts'
import { NothingFound, SearchForm } from './search-form.tsx'
import { stripeDashboard } from './stripe-link.ts'

export const meta: Route.MetaFunction = () => [{ title: 'Customers · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  await requireAdmin(args)
  const services = args.context.get(servicesContext)
  const { meterkit } = services
  const { search, cursor } = listFilter(args.url)
  const page = await meterkit.customers.list({ ...(search ? { search } : {}), ...(cursor ? { cursor } : {}) })
  const names = new Map(meterkit.plans().map(({ key, name }) => [key, name]))
  const rows = page.rows.map((customer) => ({
    ...customer,
    planName: names.get(customer.subscription?.plan ?? '') ?? null,
  }))
  return { page: { ...page, rows }, search: search ?? null, dashboard: stripeDashboard(services) }
}

type Row = Customer & { subscription: Subscription | null; planName: string | null }

export default function Customers({ loaderData }: Route.ComponentProps) {
  const { page, search, dashboard } = loaderData
  const isEmpty = page.rows.length === 0 && !search && !page.previous
  return (
    <>
      <PageHeader title="Customers" description="Who pays: their subscription here, and the same at Stripe." />
      <Card flush className="relative">
        {isEmpty ? (
          <EmptyState title="No customers yet" action={<LinkButton to="/app">Open the app</LinkButton>}>
            An organization or a person becomes a customer with the first visit to Checkout.
          </EmptyState>
        ) : (
          <>
            <SearchForm label="Search customers" placeholder="Name, email or Stripe id" />
            <Table
              caption="Customers"
              columns={columnsFor(dashboard)}
              rows={page.rows}
              rowKey={({ id }) => id}
              empty={<NothingFound what="customers" />}
            />
            {(page.next || page.previous) && <Pager next={page.next} previous={page.previous} />}
          </>
        )}
      </Card>
    </>
  )
}

function columnsFor(dashboard: string): Column<Row>[] {
  return [
    {
      key: 'name',
      header: 'Customer',
      cell: ({ name, email, stripeId }) => (
        <div className="min-w-0 max-w-44 py-0.5 md:max-w-64">
          <p className="truncate" title={name}>
            {name}
          </p>
          {email && <p className="truncate text-muted text-xs">{email}</p>}
          {stripeId && (
            <p className="mt-1 md:hidden">
              <StripeLink to={`${dashboard}/customers/${stripeId}`} label={`${name}, the customer, at Stripe`}>
                At Stripe
              </StripeLink>
            </p>
          )}
        </div>
      ),
    },
    {
      key: 'source',
      header: 'Kind',
      cell: ({ source, sourceId }) => (
        <div className="py-0.5">
          <p>{source === 'user' ? 'Person' : 'Organization'}</p>
          <ShortId id={sourceId} className="text-muted" />
        </div>
      ),
      wide: true,
    },
    {
      key: 'plan',
      header: 'Plan',
      cell: ({ subscription, planName }) =>
        subscription ? (planName ?? 'Not in the config') : <span className="text-muted">–</span>,
      wide: true,
    },
    {
      key: 'status',
      header: 'Subscription',
      cell: ({ subscription }) =>
        subscription ? <SubscriptionStatus subscription={subscription} /> : <span className="text-muted">None</span>,
    },
    {
      key: 'period',
      header: 'Period ends',
      cell: ({ subscription }) =>
        subscription?.currentPeriod ? (
          <Time at={subscription.currentPeriod.end} />
        ) : (
          <span className="text-muted">–</span>
        ),
      wide: true,
    },
    {
      key: 'usage',
      header: <span className="sr-only">Usage</span>,
      cell: ({ id, name }) => (
        <LinkButton to={`/admin/meter-events?search=${encodeURIComponent(name)}`} size="sm" variant="ghost" key={id}>
          Events
        </LinkButton>
      ),
      wide: true,
    },
    {
      key: 'stripe',
      header: 'At Stripe',
      align: 'right',
      cell: ({ name, stripeId, subscription }) => (
        <span className="inline-flex flex-wrap justify-end gap-x-3">
          <StripeLink to={stripeId && `${dashboard}/customers/${stripeId}`} label={`${name}, the customer, at Stripe`}>
            Customer
          </StripeLink>
          <StripeLink
            to={subscription && `${dashboard}/subscriptions/${subscription.stripeId}`}
            label={`The subscription of ${name} at Stripe`}
          >
            Subscription
          </StripeLink>
        </span>
      ),
      wide: true,
    },
  ]
}

function SubscriptionStatus({ subscription: { status, cancelAtPeriodEnd, problem } }: { subscription: Subscription }) {
  return (
    <div className="py-0.5">
      <span className="inline-flex flex-wrap gap-1.5">
        <StatusBadge status={status} />
        {cancelAtPeriodEnd && <StatusBadge status="canceling" />}
      </span>
      {problem && <p className="mt-1 max-w-64 text-danger text-xs">{problem}</p>}
    </div>
  )
}

function StripeLink({ to, label, children }: { to: string | null; label: string; children: string }) {
  if (!to) return null
  return (
    <a
      href={to}
      target="_blank"
      rel="noreferrer"
      aria-label={label}
      className="inline-flex items-center gap-1 whitespace-nowrap text-accent hover:text-accent-strong"
    >
      {children} <ExternalLink className="size-3.5" aria-hidden />
    </a>
  )
}
