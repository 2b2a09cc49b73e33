import { isLive, type Plan } from 'meterkit'
import { membersOf } from 'saas/server/organizations'
import { type Payer, requirePayer } from 'saas/server/payer'
import { type Services, servicesContext } from 'saas/server/services'
import { Alert } from '~/ui/alert'
import { PageHeader } from '~/ui/page-header'
import type { Route } from './+types/subscribe'
import { IntervalToggle } from './interval-toggle.tsx'
import { costOf, least, offersOf } from './offer.ts'
import { viewOf } from './payer-view.ts'
import { PlanPanel } from './plan-panel.tsx'
import { refusalFrom } from './refusal.ts'

/** Why somebody was led here, by the `reason` in the address. */
const REASONS: Record<string, { title: string; text: string }> = {
  'no-subscription': {
    title: 'AI chat needs a subscription',
    text: 'Choose a plan to begin. There is no monthly fee: what is not used costs nothing.',
  },
  canceled: {
    title: 'The checkout was left',
    text: 'Nothing was bought and nothing was charged. The plans are still here.',
  },
}

export const meta: Route.MetaFunction = () => [{ title: 'Plans · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  const payer = await requirePayer(args)
  const services = args.context.get(servicesContext)
  const { meterkit } = services
  const plans = meterkit.plans()
  const live = payer.subscription && isLive(payer.subscription) ? payer.subscription : null
  const view = viewOf(payer)
  return {
    payer: view,
    offers: offersOf(plans, meterkit.meters()),
    interval: args.url.searchParams.get('interval'),
    reason: REASONS[args.url.searchParams.get('reason') ?? ''] ?? null,
    refusal: refusalFrom(args.url.searchParams.get('refused')),
    current: live && { plan: live.plan, endsWithPeriod: live.cancelAtPeriodEnd },
    comparison: live && (await compareCosts(services, live.id, plans)),
    askWhom: view.canManage ? [] : await managersOf(services, payer),
  }
}

/** What this period's usage so far would cost on each plan; null while there is none. */
async function compareCosts({ meterkit }: Services, subscriptionId: string, plans: Plan[]) {
  const usage = await meterkit.usage.current(subscriptionId)
  const used = usage?.meters.filter(({ quantity }) => Number(quantity) > 0) ?? []
  if (used.length === 0) return null
  const quantities = new Map(used.map(({ meter, quantity }) => [meter, quantity]))
  const costs = Object.fromEntries(plans.map((plan) => [plan.key, costOf(plan, quantities)]))
  const lowest = least(Object.values(costs))
  return {
    costs,
    cheapest: Object.keys(costs).filter((key) => costs[key] === lowest),
    currency: plans[0]?.prices[0]?.currency ?? 'usd',
    used: used.map(({ quantity, unit }) => ({ quantity, unit })),
  }
}

async function managersOf({ pool }: Services, payer: Payer): Promise<{ name: string; email: string }[]> {
  const members = await membersOf(pool, payer.sourceId)
  return members.filter(({ role }) => role !== 'member').map(({ name, email }) => ({ name, email }))
}

export default function Subscribe({ loaderData }: Route.ComponentProps) {
  const { payer, offers, reason, refusal, current, comparison, askWhom } = loaderData
  const intervals = [...new Set(offers.map((offer) => offer.interval))]
  const interval = intervals.find((known) => known === loaderData.interval) ?? intervals[0]
  const shown = offers.filter((offer) => offer.interval === interval)
  return (
    <>
      <PageHeader
        title={current ? 'Plans' : 'Choose a plan'}
        description={[
          payer.source === 'organization'
            ? `${payer.name} pays for what it uses, at the end of each ${interval}.`
            : `You pay for what you use, at the end of each ${interval}.`,
          payer.canManage ? 'You can switch or cancel at any time.' : '',
        ].join(' ')}
        actions={intervals.length > 1 && interval && <IntervalToggle intervals={intervals} current={interval} />}
      />
      {reason && (
        <Alert tone="info" title={reason.title} className="mb-6">
          {reason.text}
        </Alert>
      )}
      {refusal && (
        <Alert tone="danger" title="The checkout could not be opened" className="mb-6">
          {refusal}
        </Alert>
      )}
      {!payer.canManage && <AskSomebody organization={payer.name} people={askWhom} />}
      <ul className="grid gap-4 lg:grid-cols-3" aria-label="Plans">
        {shown.map((offer) => (
          <li key={offer.key} className="flex min-w-0">
            <PlanPanel
              offer={offer}
              payer={payer}
              current={current}
              cost={
                comparison && {
                  amount: comparison.costs[offer.key] ?? 0n,
                  currency: comparison.currency,
                  used: comparison.used,
                  cheapest: comparison.cheapest.includes(offer.key),
                }
              }
            />
          </li>
        ))}
      </ul>
      <p className="mt-6 text-muted text-xs">Payment is by Stripe: your card never reaches us.</p>
    </>
  )
}

function AskSomebody({ organization, people }: { organization: string; people: { name: string; email: string }[] }) {
  return (
    <Alert tone="info" title={`Only owners and admins of ${organization} can choose a plan`} className="mb-6">
      <p>Ask one of them:</p>
      <ul className="mt-1">
        {people.map(({ name, email }) => (
          <li key={email}>
            {name},{' '}
            <a href={`mailto:${email}`} className="underline underline-offset-2">
              {email}
            </a>
          </li>
        ))}
      </ul>
    </Alert>
  )
}
