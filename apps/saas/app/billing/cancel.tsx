import { isLive } from 'meterkit'
import { data, Form, redirect } from 'react-router'
import { audit } from 'saas/server/audit'
import { requireBillingManager } from 'saas/server/payer'
import { servicesContext } from 'saas/server/services'
import { Button, LinkButton, SubmitButton } from '~/ui/button'
import { Card, CardHeader } from '~/ui/card'
import { formatTimeLeft } from '~/ui/clock'
import { ConfirmDialog } from '~/ui/dialog'
import { FormErrors } from '~/ui/field'
import { Money } from '~/ui/money'
import { PageHeader } from '~/ui/page-header'
import { formatQuantity } from '~/ui/quantity'
import { Time } from '~/ui/time'
import type { Route } from './+types/cancel'
import { dueOf } from './balance.ts'
import { viewOf } from './payer-view.ts'
import { refusalOf } from './refusal.ts'
import { readStanding, toWire, type WireStanding } from './standing.ts'

export const meta: Route.MetaFunction = () => [{ title: 'Cancel subscription · Meterkit' }]

export async function loader(args: Route.LoaderArgs) {
  const payer = await requireBillingManager(args)
  const services = args.context.get(servicesContext)
  const { customer, subscription, basePath } = payer
  if (!customer || !subscription || !isLive(subscription)) throw redirect(`${basePath}/subscribe`)
  const standing = await readStanding(services, customer.id)
  const plan = services.meterkit.plans().find(({ key }) => key === subscription.plan)
  return { payer: viewOf(payer), planName: plan?.name ?? 'the subscription', standing: toWire(standing) }
}

export async function action(args: Route.ActionArgs) {
  const { user, subscription, basePath, billingPath } = await requireBillingManager(args)
  const services = args.context.get(servicesContext)
  if (!subscription || !isLive(subscription)) return redirect(`${basePath}/subscribe`)
  const when = (await args.request.formData()).get('when')
  if (when !== 'period_end' && when !== 'now') {
    return data({ refusal: 'Choose when the subscription ends. Nothing was changed.' }, { status: 400 })
  }
  try {
    await services.meterkit.subscriptions.cancel({ subscriptionId: subscription.id, when })
  } catch (error) {
    const refusal = refusalOf(error)
    if (!refusal) throw error
    return { refusal: refusal.sentence }
  }
  await audit(services, {
    actor: user,
    action: 'subscription.cancel',
    object: subscription.id,
    detail: { when, plan: subscription.plan },
  })
  return redirect(`${billingPath}?done=${when === 'now' ? 'canceled' : 'canceling'}`)
}

export default function Cancel({ loaderData, actionData }: Route.ComponentProps) {
  const { payer, planName, standing } = loaderData
  const { subscription, upcoming } = standing
  const endsAt = subscription?.currentPeriod?.end ?? null
  return (
    <div className="mx-auto max-w-3xl">
      <PageHeader
        title="Cancel subscription"
        description={`${payer.source === 'user' ? 'You are' : `${payer.name} is`} on ${planName}. Choose when it ends.`}
      />
      <div className="space-y-6">
        <FormErrors errors={actionData?.refusal} />
        <div className="grid gap-4 md:grid-cols-2">
          <AtPeriodEnd
            alreadyChosen={subscription?.cancelAtPeriodEnd ?? false}
            endsAt={endsAt}
            at={standing.at}
            upcoming={upcoming}
          />
          <Now planName={planName} standing={standing} />
        </div>
        <p>
          <LinkButton to={payer.billingPath} variant="ghost" className="-ml-3.5">
            Keep the subscription
          </LinkButton>
        </p>
      </div>
    </div>
  )
}

type Upcoming = WireStanding['upcoming']

function AtPeriodEnd({
  alreadyChosen,
  endsAt,
  at,
  upcoming,
}: {
  alreadyChosen: boolean
  endsAt: string | null
  /** The present, as the server's clock has it. */
  at: string
  upcoming: Upcoming
}) {
  return (
    <Card className="flex flex-col">
      <CardHeader
        title="At the end of the period"
        description={
          endsAt && (
            <>
              On <Time at={endsAt} />, {formatTimeLeft(new Date(endsAt), new Date(at))}
            </>
          )
        }
      />
      <ul className="mb-5 list-disc space-y-1.5 pl-5 marker:text-muted">
        <li>Everything works until then.</li>
        {upcoming && (
          <li>
            The last invoice is written then:{' '}
            <Money amount={dueOf(upcoming.amount, upcoming.carried).amount} currency={upcoming.currency} /> so far
            <CarriedPart upcoming={upcoming} />
            {upcoming.projection && (
              <>
                , about{' '}
                <Money
                  amount={dueOf(upcoming.projection.amount, upcoming.carried).amount}
                  currency={upcoming.currency}
                />{' '}
                at the pace so far
              </>
            )}
            .
          </li>
        )}
        {upcoming && upcoming.belowMinimum !== null && (
          <li>
            Cards are charged from <Money amount={upcoming.belowMinimum} currency={upcoming.currency} /> on; what stays
            below that is left on your balance.
          </li>
        )}
        <li>You can take it back at any time before.</li>
      </ul>
      <div className="mt-auto">
        {alreadyChosen ? (
          <p className="text-muted">This is already chosen.</p>
        ) : (
          <Form method="post">
            <SubmitButton name="when" value="period_end" variant="secondary" className="w-full">
              Cancel at the period’s end
            </SubmitButton>
          </Form>
        )}
      </div>
    </Card>
  )
}

/** `, $0.20 of it carried over from earlier invoices`; nothing where nothing was. */
function CarriedPart({ upcoming: { carried, currency } }: { upcoming: NonNullable<Upcoming> }) {
  const amount = BigInt(carried)
  if (amount > 0n) {
    return (
      <>
        , <Money amount={amount} currency={currency} /> of it carried over from earlier invoices
      </>
    )
  }
  if (amount < 0n) {
    return (
      <>
        , after <Money amount={-amount} currency={currency} /> of credit
      </>
    )
  }
  return null
}

function Now({ planName, standing: { upcoming, usage } }: { planName: string; standing: WireStanding }) {
  const used = usage?.meters.map(({ quantity, unit }) => formatQuantity(quantity, unit)).join(' and ') ?? 'Nothing'
  const charged = upcoming !== null && /[1-9]/.test(upcoming.amount)
  return (
    <Card className="flex flex-col">
      <CardHeader title="Now" description="The last usage is billed at once." />
      <ul className="mb-5 list-disc space-y-1.5 pl-5 marker:text-muted">
        <li>AI chat closes at once.</li>
        <li>{upcoming ? <BilledToday upcoming={upcoming} used={used} /> : 'There is nothing to pay.'}</li>
        <li>It cannot be taken back; you can subscribe again.</li>
      </ul>
      <div className="mt-auto [&_button]:w-full">
        <ConfirmDialog
          title={`End ${planName} now?`}
          confirmLabel="Cancel now"
          cancelLabel="Keep it"
          tone="danger"
          fields={{ when: 'now' }}
          trigger={<Button variant="danger">Cancel now…</Button>}
        >
          {charged && (
            <>
              <BilledToday upcoming={upcoming} used={used} />{' '}
            </>
          )}
          AI chat closes at once. This cannot be taken back.
        </ConfirmDialog>
      </div>
    </Card>
  )
}

/** What ending now costs; also where nothing was used and something is still owed. */
function BilledToday({ upcoming, used }: { upcoming: NonNullable<Upcoming>; used: string }) {
  const { amount, carried, currency, belowMinimum } = upcoming
  const due = dueOf(amount, carried)
  const tooLittle = belowMinimum !== null && (
    <>
      {' '}
      Cards are charged from <Money amount={belowMinimum} currency={currency} /> on, so this stays on your balance.
    </>
  )
  if (/[1-9]/.test(amount)) {
    return (
      <>
        {used} used in this period are billed today: <Money amount={due.amount} currency={currency} />
        <CarriedPart upcoming={upcoming} />.{tooLittle}
      </>
    )
  }
  if (due.amount > 0n) {
    return (
      <>
        Nothing was used in this period, but <Money amount={due.amount} currency={currency} /> is carried over from
        earlier invoices.{tooLittle}
      </>
    )
  }
  return <>Nothing was used in this period, so there is nothing to pay.</>
}
