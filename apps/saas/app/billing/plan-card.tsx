import type { ReactNode } from 'react'
import { Form } from 'react-router'
import { LinkButton, SubmitButton } from '~/ui/button'
import { Card, CardHeader } from '~/ui/card'
import { StatusBadge } from '~/ui/status-badge'
import { Time } from '~/ui/time'
import type { Offer } from './offer.ts'
import type { PayerView } from './payer-view.ts'
import type { WireStanding } from './standing.ts'

type Subscription = NonNullable<WireStanding['subscription']>

/** The plan and what can be done about it: switch, cancel, take a cancellation back. */
export function PlanCard({
  subscription,
  offers,
  payer,
}: {
  subscription: Subscription
  offers: Offer[]
  payer: PayerView
}) {
  const { plan, status, cancelAtPeriodEnd, cancelAt, currentPeriod, startedAt } = subscription
  const current = offers.find(({ key }) => key === plan)
  const endsAt = cancelAt ?? (cancelAtPeriodEnd ? (currentPeriod?.end ?? null) : null)
  return (
    <Card flush>
      <CardHeader
        className="mb-0 p-5"
        title="Plan"
        description={
          <>
            Subscribed since <Time at={startedAt} format="date" />
          </>
        }
      />
      <ul className="border-t">
        <PlanRow
          name={current?.name ?? 'A plan no longer offered'}
          price={current ? priceOf(current) : null}
          action={<StatusBadge status={endsAt ? 'canceling' : status} label={endsAt ? 'Ends soon' : undefined} />}
        />
        {payer.canManage &&
          !endsAt &&
          offers
            .filter(({ key }) => key !== plan)
            .map((offer) => (
              <PlanRow
                key={offer.key}
                name={offer.name}
                price={priceOf(offer)}
                action={
                  <LinkButton size="sm" to={`${payer.basePath}/billing/switch/${offer.key}`}>
                    Switch to {offer.name}
                  </LinkButton>
                }
              />
            ))}
      </ul>
      <div className="flex flex-wrap items-center justify-between gap-3 border-t px-5 py-3.5">
        <PlanFooter endsAt={endsAt} payer={payer} />
      </div>
    </Card>
  )
}

function PlanFooter({ endsAt, payer }: { endsAt: string | null; payer: PayerView }) {
  if (!payer.canManage) {
    return <p className="text-muted">Owners and admins of {payer.name} can switch or cancel.</p>
  }
  if (endsAt) {
    return (
      <>
        <p className="min-w-0 text-muted">
          Ends on <Time at={endsAt} />. Usage until then is billed.
        </p>
        <Form method="post" action={payer.billingPath}>
          <SubmitButton size="sm" name="intent" value="resume">
            Keep the subscription
          </SubmitButton>
        </Form>
      </>
    )
  }
  return (
    <>
      <LinkButton variant="ghost" size="sm" className="-ml-2.5" to={`${payer.basePath}/subscribe`}>
        Compare plans
      </LinkButton>
      <LinkButton variant="ghost" size="sm" className="-mr-2.5 text-danger" to={`${payer.basePath}/billing/cancel`}>
        Cancel subscription
      </LinkButton>
    </>
  )
}

function PlanRow({ name, price, action }: { name: string; price: string | null; action: ReactNode }) {
  return (
    <li className="flex min-h-14 items-center justify-between gap-4 border-b px-5 py-2.5 last:border-b-0">
      <span className="min-w-0">
        <span className="block font-medium">{name}</span>
        {price && <span className="block text-muted tabular-nums">{price}</span>}
      </span>
      {action}
    </li>
  )
}

/** `$0.05 per 1,000 tokens` */
function priceOf({ prices }: Offer): string {
  return prices.map(({ amount, per }) => `${amount} ${per}`).join(' + ')
}
