import { isLive, type SwitchPreview } from 'meterkit'
import { Form, redirect } from 'react-router'
import { audit } from 'saas/server/audit'
import { requireBillingManager } from 'saas/server/payer'
import { servicesContext } from 'saas/server/services'
import { notFound } from 'saas/server/session'
import { Alert } from '~/ui/alert'
import { LinkButton, SubmitButton } from '~/ui/button'
import { Card, CardHeader } from '~/ui/card'
import { FormErrors } from '~/ui/field'
import { Money } from '~/ui/money'
import { PageHeader } from '~/ui/page-header'
import { formatQuantity } from '~/ui/quantity'
import type { Route } from './+types/switch-plan'
import { ChargeLines } from './charges-card.tsx'
import { type Offer, offersOf } from './offer.ts'
import { viewOf } from './payer-view.ts'
import { refusalOf } from './refusal.ts'
import { toWire, type Wire } from './standing.ts'

export const meta: Route.MetaFunction = () => [{ title: 'Switch plan · Meterkit' }]

/** What the switch does, in numbers; or why it cannot be done. */
export async function loader(args: Route.LoaderArgs) {
  const payer = await requireBillingManager(args)
  const { meterkit } = args.context.get(servicesContext)
  const { subscription, basePath } = payer
  const offers = offersOf(meterkit.plans(), meterkit.meters())
  const to = offers.find(({ key }) => key === args.params.plan)
  if (!to) throw notFound()
  if (!subscription || !isLive(subscription)) throw redirect(`${basePath}/subscribe`)
  const page = { payer: viewOf(payer), to, from: offers.find(({ key }) => key === subscription.plan) ?? null }
  try {
    const preview = await meterkit.subscriptions.previewSwitch({ subscriptionId: subscription.id, plan: to.key })
    return { ...page, preview: toWire(preview), refusal: null }
  } catch (error) {
    const refusal = refusalOf(error)
    if (!refusal) throw error
    return { ...page, preview: null, refusal: refusal.sentence }
  }
}

export async function action(args: Route.ActionArgs) {
  const { user, subscription, basePath, billingPath } = await requireBillingManager(args)
  const services = args.context.get(servicesContext)
  const plan = args.params.plan
  if (!services.meterkit.plans().some(({ key }) => key === plan)) throw notFound()
  if (!subscription || !isLive(subscription)) return redirect(`${basePath}/subscribe`)
  try {
    await services.meterkit.subscriptions.switchPlan({ subscriptionId: subscription.id, plan })
  } catch (error) {
    const refusal = refusalOf(error)
    if (!refusal) throw error
    return { refusal: refusal.sentence }
  }
  await audit(services, {
    actor: user,
    action: 'subscription.switch',
    object: subscription.id,
    detail: { from: subscription.plan, to: plan },
  })
  return redirect(`${billingPath}?done=switched`)
}

export default function SwitchPlan({ loaderData, actionData }: Route.ComponentProps) {
  const { payer, from, to, preview, refusal } = loaderData
  return (
    <div className="mx-auto max-w-3xl">
      <PageHeader
        title={`Switch to ${to.name}`}
        description={from ? `From ${from.name}, at once. Here is what that does.` : 'At once. Here is what that does.'}
      />
      <div className="space-y-6">
        <FormErrors errors={actionData?.refusal} />
        {refusal && (
          <Alert
            tone="danger"
            title="The switch cannot be made"
            actions={<LinkButton to={payer.billingPath}>Back to billing</LinkButton>}
          >
            {refusal}
          </Alert>
        )}
        {preview && <Preview preview={preview} from={from} to={to} />}
        {preview && (
          <Form method="post" className="flex flex-wrap items-center justify-end gap-2">
            <LinkButton to={payer.billingPath} variant="ghost">
              Keep {from?.name ?? 'the current plan'}
            </LinkButton>
            <SubmitButton>Switch to {to.name}</SubmitButton>
          </Form>
        )}
      </div>
    </div>
  )
}

function Preview({ preview, from, to }: { preview: Wire<SwitchPreview>; from: Offer | null; to: Offer }) {
  const { soFar, rest, currency, unreported } = preview
  const unit = soFar.lines[0]?.unit ?? 'units'
  const oldName = from?.name ?? 'the current plan'
  return (
    <>
      <Card flush>
        <CardHeader
          className="mb-0 p-5"
          title={soFar.lines.some(({ plan }) => plan !== from?.key) ? 'Until now' : `Until now, on ${oldName}`}
          description="Stays at the price it was used at, as lines of its own on the invoice at the end of the period."
        />
        {soFar.lines.length > 0 ? (
          <ChargeLines lines={soFar.lines} currency={currency} amount={soFar.amount} total="So far" />
        ) : (
          <p className="border-t px-5 py-4">Nothing was used yet in this period, so nothing stays to be billed.</p>
        )}
      </Card>
      <Card>
        <CardHeader title={`From now on, on ${to.name}`} description={pricesOf(to)} />
        {rest ? (
          <Comparison rest={rest} currency={currency} unit={unit} oldName={oldName} newName={to.name} />
        ) : (
          <p className="text-muted">
            Without usage there is nothing to compare yet. Nothing is charged for the switch itself.
          </p>
        )}
        {/[1-9]/.test(unreported) && (
          <p className="mt-4 text-muted">
            {formatQuantity(unreported, unit)} not yet with Stripe are handed over first, so that they stay at the old
            price. This takes a few seconds.
          </p>
        )}
      </Card>
    </>
  )
}

function Comparison({
  rest,
  currency,
  unit,
  oldName,
  newName,
}: {
  rest: NonNullable<Wire<SwitchPreview>['rest']>
  currency: string
  unit: string
  oldName: string
  newName: string
}) {
  const saving = BigInt(rest.onCurrentPlan) - BigInt(rest.onNewPlan)
  return (
    <>
      <p>
        {rest.basis === 'pace'
          ? 'At the pace so far, the rest of the period brings about '
          : 'It is too early to foresee the period. If its rest brings as much again as was used so far, '}
        <b className="tabular-nums">{formatQuantity(wholePart(rest.quantity), unit)}</b>:
      </p>
      <dl className="mt-4 grid grid-cols-2 gap-px overflow-clip rounded-lg border bg-border">
        <div className="bg-surface p-4">
          <dt className="text-muted">On {oldName}</dt>
          <dd className="mt-1 font-medium text-xl">
            <Money amount={rest.onCurrentPlan} currency={currency} />
          </dd>
        </div>
        <div className="bg-surface p-4">
          <dt className="text-muted">On {newName}</dt>
          <dd className="mt-1 font-medium text-xl">
            <Money amount={rest.onNewPlan} currency={currency} />
          </dd>
        </div>
      </dl>
      <p className="mt-3 text-pretty">
        {saving > 0n && (
          <>
            That is <Money amount={saving} currency={currency} className="text-positive" /> less than without the
            switch.
          </>
        )}
        {saving < 0n && (
          <>
            That is <Money amount={-saving} currency={currency} className="text-warning" /> more than without the
            switch.
          </>
        )}
        {saving === 0n && 'That makes no difference for the rest of this period.'}
      </p>
    </>
  )
}

function pricesOf({ prices }: Offer): string {
  return prices.map(({ amount, per }) => `${amount} ${per}`).join(' + ')
}

/** A projection to fractions of a unit would look more certain than it is. */
function wholePart(quantity: string): string {
  return quantity.split('.')[0] ?? '0'
}
