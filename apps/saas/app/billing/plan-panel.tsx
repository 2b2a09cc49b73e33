import Check from 'lucide-react/icons/check'
import { Form } from 'react-router'
import { LinkButton, SubmitButton } from '~/ui/button'
import { cn } from '~/ui/cn'
import { Money } from '~/ui/money'
import { formatQuantity } from '~/ui/quantity'
import type { Offer, OfferedPrice } from './offer.ts'
import type { PayerView } from './payer-view.ts'

export interface PanelCost {
  /** Minor units, for this period's usage so far. */
  amount: bigint
  currency: string
  used: { quantity: string; unit: string }[]
  cheapest: boolean
}

/** A plan with its prices, what they mean in an example, and the one thing to do about it. */
export function PlanPanel({
  offer,
  payer,
  current,
  cost,
}: {
  offer: Offer
  payer: PayerView
  current: { plan: string | null } | null
  cost: PanelCost | null
}) {
  const isCurrent = current?.plan === offer.key
  const id = `plan-${offer.key}`
  return (
    <section
      aria-labelledby={id}
      className={cn(
        'flex w-full flex-col rounded-card border bg-surface p-6',
        isCurrent ? 'border-text' : offer.mostPopular && 'border-accent',
      )}
    >
      <div className="flex min-h-6 flex-wrap items-center justify-between gap-2">
        <h2 id={id} className="font-medium text-base">
          {offer.name}
        </h2>
        {isCurrent ? (
          <Mark className="bg-raised text-text">Current plan</Mark>
        ) : (
          offer.mostPopular && <Mark className="bg-accent-soft text-accent">Most popular</Mark>
        )}
      </div>
      {offer.description && <p className="mt-1 text-pretty text-muted">{offer.description}</p>}
      <div className="mt-5 space-y-4">
        {offer.prices.map((price, index) => (
          <PriceTag key={price.per + price.amount} price={price} plus={index > 0} />
        ))}
      </div>
      {offer.trialDays !== null && <p className="mt-3">{offer.trialDays} days free to begin with.</p>}
      {cost && <CostOfUsage cost={cost} />}
      <ul className="mt-5 mb-6 space-y-2" aria-label={`What ${offer.name} includes`}>
        {offer.features.map((feature) => (
          <li key={feature} className="flex gap-2">
            <Check className="mt-0.5 size-4 shrink-0 text-positive" aria-hidden />
            <span className="min-w-0">{feature}</span>
          </li>
        ))}
      </ul>
      <div className="mt-auto">
        <PanelAction offer={offer} payer={payer} subscribed={current !== null} isCurrent={isCurrent} />
      </div>
    </section>
  )
}

function PanelAction({
  offer,
  payer,
  subscribed,
  isCurrent,
}: {
  offer: Offer
  payer: PayerView
  subscribed: boolean
  isCurrent: boolean
}) {
  if (isCurrent) {
    return (
      <LinkButton to={payer.billingPath} className="w-full">
        Go to billing
      </LinkButton>
    )
  }
  if (!payer.canManage) return null
  if (subscribed) {
    return (
      <LinkButton
        to={`${payer.basePath}/billing/switch/${offer.key}`}
        variant={offer.mostPopular ? 'primary' : 'secondary'}
        className="w-full"
      >
        Switch to {offer.name}
      </LinkButton>
    )
  }
  return (
    <Form method="post" action={`${payer.basePath}/checkout/${offer.key}`}>
      <SubmitButton
        name="plan"
        value={offer.key}
        variant={offer.mostPopular ? 'primary' : 'secondary'}
        className="w-full"
      >
        Choose {offer.name}
      </SubmitButton>
    </Form>
  )
}

function PriceTag({ price, plus }: { price: OfferedPrice; plus: boolean }) {
  return (
    <div>
      <p>
        <span className="block font-medium text-3xl tabular-nums tracking-tight">
          {plus && <span className="text-muted">+ </span>}
          {price.amount}
        </span>
        <span className="text-muted">{price.per}</span>
      </p>
      {price.tiers.length > 0 && (
        <ul className="mt-2 text-muted tabular-nums">
          {price.tiers.map((tier) => (
            <li key={tier}>{tier}</li>
          ))}
        </ul>
      )}
      {price.example && <p className="mt-2 tabular-nums">{price.example}</p>}
    </div>
  )
}

function CostOfUsage({ cost }: { cost: PanelCost }) {
  const used = cost.used.map(({ quantity, unit }) => formatQuantity(quantity, unit)).join(' and ')
  return (
    <div className="mt-4 rounded-lg bg-raised px-3 py-2.5">
      <p className="text-muted text-xs">This period so far, {used}</p>
      <p className="mt-0.5 flex flex-wrap items-baseline justify-between gap-x-3">
        <Money amount={cost.amount} currency={cost.currency} className="font-medium" />
        {cost.cheapest && <span className="text-positive text-xs">Lowest for your usage</span>}
      </p>
    </div>
  )
}

function Mark({ className, children }: { className: string; children: string }) {
  return (
    <span className={cn('inline-flex h-6 items-center rounded-md px-2 font-medium text-xs', className)}>
      {children}
    </span>
  )
}
