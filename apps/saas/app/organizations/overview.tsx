import ArrowRight from 'lucide-react/icons/arrow-right'
import CreditCard from 'lucide-react/icons/credit-card'
import MessageSquare from 'lucide-react/icons/message-square'
import Users from 'lucide-react/icons/users'
import { isLive } from 'meterkit'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { membersOf, requireMembership } from 'saas/server/organizations'
import { requirePayer } from 'saas/server/payer'
import { servicesContext } from 'saas/server/services'
import { Alert } from '~/ui/alert'
import { LinkButton } from '~/ui/button'
import { Card } from '~/ui/card'
import { Money } from '~/ui/money'
import { PageHeader } from '~/ui/page-header'
import { Quantity } from '~/ui/quantity'
import { Stat, StatRow } from '~/ui/stat'
import { StatusBadge } from '~/ui/status-badge'
import { Time } from '~/ui/time'
import { dueOf } from '../billing/balance.ts'
import type { Route } from './+types/overview'

export const meta: Route.MetaFunction = ({ loaderData }) => [
  { title: `${loaderData?.organization.name ?? 'Organization'} · Meterkit` },
]

export async function loader(args: Route.LoaderArgs) {
  const { organization, role } = await requireMembership(args)
  const { config, pool } = args.context.get(servicesContext)
  const members = await membersOf(pool, organization.id)
  const pays = config.billingSource === 'organization'
  return { organization, role, members: members.length, pays, standing: pays ? await standingOf(args) : null }
}

/** The plan and the period so far; null before the first subscription and after the last. */
async function standingOf(args: Route.LoaderArgs) {
  const { subscription } = await requirePayer(args)
  if (!subscription || !isLive(subscription)) return null
  const { meterkit, clock } = args.context.get(servicesContext)
  const [charges, usage] = await Promise.all([
    meterkit.invoices.upcoming(subscription.id),
    meterkit.usage.current(subscription.id),
  ])
  return {
    planName: meterkit.plans().find(({ key }) => key === subscription.plan)?.name ?? null,
    status: subscription.cancelAtPeriodEnd ? 'canceling' : subscription.status,
    period: subscription.currentPeriod,
    now: clock(),
    charges: charges && {
      amount: dueOf(charges.amount, charges.carried).amount,
      carried: charges.carried,
      currency: charges.currency,
    },
    meters: (usage?.meters ?? []).map(({ displayName, quantity, unit }) => ({ displayName, quantity, unit })),
  }
}

export default function Overview({ loaderData }: Route.ComponentProps) {
  const { organization, role, members, pays, standing } = loaderData
  const base = `/app/org/${organization.slug}`
  return (
    <>
      <PageHeader
        title={organization.name}
        description={`You are ${role === 'member' ? 'a member' : role === 'admin' ? 'an admin' : 'an owner'} here.`}
        actions={
          standing && (
            <LinkButton to={`${base}/ai-chat`} variant="primary">
              Open AI chat
            </LinkButton>
          )
        }
      />
      <div className="flex flex-col gap-6">
        {pays && !standing && (
          <Alert
            title="No plan yet"
            actions={
              <LinkButton to={`${base}/subscribe`} variant="primary">
                {role === 'member' ? 'See the plans' : 'Subscribe'}
              </LinkButton>
            }
          >
            {role === 'member'
              ? 'AI chat opens once an owner or admin has chosen a plan.'
              : 'Choose a plan to use the AI chat.'}{' '}
            There is no monthly fee: what is not used costs nothing.
          </Alert>
        )}
        {standing && <Standing standing={standing} />}
        <div className="grid gap-4 md:grid-cols-3">
          {pays && (
            <Shortcut to={`${base}/ai-chat`} icon={<MessageSquare />} title="AI chat">
              Ask anything; each answer shows its tokens and cost.
            </Shortcut>
          )}
          {pays && (
            <Shortcut to={`${base}/settings/billing`} icon={<CreditCard />} title="Usage & billing">
              Upcoming charges with the arithmetic, invoices, plan.
            </Shortcut>
          )}
          <Shortcut to={`${base}/settings/members`} icon={<Users />} title="Members">
            {members === 1 ? 'Only you so far.' : `${members} people.`}
            {role !== 'member' && ' Invite those you work with.'}
          </Shortcut>
        </div>
      </div>
    </>
  )
}

type StandingData = NonNullable<Route.ComponentProps['loaderData']['standing']>

function Standing({ standing: { planName, status, charges, meters, period, now } }: { standing: StandingData }) {
  return (
    <StatRow>
      <Stat label="Plan" value={planName ?? 'Custom'} hint={<StatusBadge status={status} />} />
      {charges && (
        <Stat
          label="Upcoming charges"
          value={<Money amount={charges.amount} currency={charges.currency} />}
          hint={
            charges.carried > 0n ? (
              <>
                Incl. <Money amount={charges.carried} currency={charges.currency} /> carried over
              </>
            ) : (
              'This period so far'
            )
          }
        />
      )}
      {meters.map(({ displayName, quantity, unit }) => (
        <Stat
          key={displayName}
          label={displayName}
          value={<Quantity value={quantity} unit={unit} />}
          hint={period && <Time at={period.end} now={now} format="left" />}
        />
      ))}
    </StatRow>
  )
}

function Shortcut({ to, icon, title, children }: { to: string; icon: ReactNode; title: string; children: ReactNode }) {
  return (
    <Link to={to} className="group rounded-card">
      <Card className="h-full transition-colors group-hover:border-border-strong">
        <p className="flex items-center gap-2 font-medium [&_svg]:size-4 [&_svg]:text-muted">
          {icon} {title}
          <ArrowRight
            className="ml-auto opacity-0 transition-opacity group-hover:opacity-100 group-focus-visible:opacity-100"
            aria-hidden
          />
        </p>
        <p className="mt-1 text-muted">{children}</p>
      </Card>
    </Link>
  )
}
