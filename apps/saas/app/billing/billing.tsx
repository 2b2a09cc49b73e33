import type { InvoiceRow } from 'meterkit'
import { redirect } from 'react-router'
import { audit } from 'saas/server/audit'
import { requireBillingManager, requirePayer } from 'saas/server/payer'
import { servicesContext } from 'saas/server/services'
import { Alert } from '~/ui/alert'
import { LinkButton } from '~/ui/button'
import { Card } from '~/ui/card'
import { EmptyState } from '~/ui/empty-state'
import { PageHeader } from '~/ui/page-header'
import { Time } from '~/ui/time'
import type { Route } from './+types/billing'
import { ChargesCard } from './charges-card.tsx'
import { InvoicesCard } from './invoices-card.tsx'
import { LiveStatus } from './live-status.tsx'
import { Notice } from './notice.tsx'
import { offersOf } from './offer.ts'
import { type PayerView, viewOf } from './payer-view.ts'
import { PaymentCard } from './payment-card.tsx'
import { PeriodCard } from './period-card.tsx'
import { PeriodStats } from './period-stats.tsx'
import { PlanCard } from './plan-card.tsx'
import { Problem } from './problem.tsx'
import { refusalFrom, refusalOf } from './refusal.ts'
import { readStanding, toWire } from './standing.ts'
import { StripeCard } from './stripe-card.tsx'
import { readStripeView } from './stripe-view.ts'
import { useRefresh, useStanding } from './use-standing.ts'

export const meta: Route.MetaFunction = () => [{ title: 'Usage & billing · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  const payer = await requirePayer(args)
  const services = args.context.get(servicesContext)
  const { meterkit } = services
  const { searchParams } = args.url
  const page = {
    payer: viewOf(payer),
    offers: offersOf(meterkit.plans(), meterkit.meters()),
    done: searchParams.get('done'),
    refusal: refusalFrom(searchParams.get('refused')),
  }
  if (!payer.customer) return { ...page, account: null }
  const [standing, invoices] = await Promise.all([
    readStanding(services, payer.customer.id),
    meterkit.invoices.list(payer.customer.id),
  ])
  const { live, subscription } = standing
  // A promise within the data: the page does not wait for Stripe. Without JavaScript one can ask it to.
  const promised = live && subscription ? readStripeView(meterkit, subscription.id) : null
  const stripeView = searchParams.get('stripe') === 'wait' ? await promised : promised
  return { ...page, account: { standing: toWire(standing), invoices, stripeView } }
}

/** Takes back a cancellation at the period's end. */
export async function action(args: Route.ActionArgs) {
  const { user, subscription, billingPath } = await requireBillingManager(args)
  const services = args.context.get(servicesContext)
  if (!subscription) return redirect(billingPath)
  try {
    await services.meterkit.subscriptions.resume(subscription.id)
  } catch (error) {
    const refusal = refusalOf(error)
    if (!refusal) throw error
    return redirect(`${billingPath}?refused=${refusal.code}`)
  }
  await audit(services, { actor: user, action: 'subscription.resume', object: subscription.id })
  return redirect(`${billingPath}?done=resumed`)
}

export default function Billing({ loaderData }: Route.ComponentProps) {
  const { payer, offers, done, refusal, account } = loaderData
  return (
    <>
      {payer.source === 'user' && (
        <PageHeader title="Usage & billing" description="What you have used, what it will cost, and why." />
      )}
      {refusal && (
        <Alert tone="danger" title="Nothing was changed" className="mb-6">
          {refusal}
        </Alert>
      )}
      {account ? (
        <Account account={account} payer={payer} offers={offers} done={done} />
      ) : (
        <Card>
          <NoSubscription payer={payer} />
        </Card>
      )}
    </>
  )
}

type LoaderData = Route.ComponentProps['loaderData']

function Account({
  account,
  payer,
  offers,
  done,
}: {
  account: NonNullable<LoaderData['account']>
  payer: PayerView
  offers: LoaderData['offers']
  done: string | null
}) {
  const { standing, heardAt, stale } = useStanding(`${payer.basePath}/billing/live`, account.standing)
  useRefresh(account.standing, standing)
  const { live, subscription, usage, upcoming } = standing
  return (
    <div className="space-y-6">
      <Notice done={done} standing={standing} offers={offers} />
      {subscription && (
        <Problem
          subscription={subscription}
          openInvoice={openInvoiceOf(account.invoices, subscription.id)}
          payer={payer}
        />
      )}
      {live && subscription && usage && upcoming && (
        <>
          <div className="space-y-2">
            <PeriodStats usage={usage} upcoming={upcoming} endsWithPeriod={subscription.cancelAtPeriodEnd} />
            <LiveStatus heardAt={heardAt} stale={stale} />
          </div>
          <ChargesCard upcoming={upcoming} endsWithPeriod={subscription.cancelAtPeriodEnd} />
          <PeriodCard usage={usage} upcoming={upcoming} chatPath={`${payer.basePath}/ai-chat`} />
        </>
      )}
      {live && account.stripeView && <StripeCard view={account.stripeView} carried={upcoming?.carried ?? '0'} />}
      {live && subscription ? (
        <div className="grid items-start gap-6 lg:grid-cols-2">
          <PlanCard subscription={subscription} offers={offers} payer={payer} />
          <PaymentCard payer={payer} />
        </div>
      ) : (
        <Card>
          <NoSubscription payer={payer} endedAt={subscription?.endedAt ?? null} />
        </Card>
      )}
      <InvoicesCard invoices={account.invoices} />
    </div>
  )
}

/** The one that waits for a payment; the oldest, where there are several. */
function openInvoiceOf(invoices: InvoiceRow[], subscriptionId: string): InvoiceRow | null {
  return invoices.findLast((invoice) => invoice.subscriptionId === subscriptionId && invoice.status === 'open') ?? null
}

function NoSubscription({ payer, endedAt = null }: { payer: PayerView; endedAt?: string | null }) {
  return (
    <EmptyState
      title={endedAt ? 'No subscription any more' : 'No subscription yet'}
      action={
        <LinkButton to={`${payer.basePath}/subscribe`} variant="primary">
          {payer.canManage ? 'Choose a plan' : 'See the plans'}
        </LinkButton>
      }
    >
      {endedAt && (
        <>
          It ended on <Time at={endedAt} />.{' '}
        </>
      )}
      With a plan, this page shows what was used, what it will cost and why. There is no monthly fee.
    </EmptyState>
  )
}
