import CircleCheck from 'lucide-react/icons/circle-check'
import LoaderCircle from 'lucide-react/icons/loader-circle'
import MessageSquare from 'lucide-react/icons/message-square'
import Receipt from 'lucide-react/icons/receipt'
import { isLive } from 'meterkit'
import type { ComponentType, ReactNode } from 'react'
import { useEffect, useState } from 'react'
import { Link, redirect, useRevalidator } from 'react-router'
import { type Payer, requirePayer } from 'saas/server/payer'
import { type Services, servicesContext } from 'saas/server/services'
import { Alert } from '~/ui/alert'
import { LinkButton } from '~/ui/button'
import { Card } from '~/ui/card'
import { PageHeader } from '~/ui/page-header'
import type { Route } from './+types/subscribed'
import { viewOf } from './payer-view.ts'
import { refusalOf } from './refusal.ts'

const LOOK_EVERY_MS = 2_000
/** Payments by card are known in seconds; whoever waits longer is told what to do. */
const LOOKS_MAX = 15

export const meta: Route.MetaFunction = () => [{ title: 'Subscribed · Meterkit' }]

type Outcome =
  | { state: 'subscribed'; planName: string }
  /** Not paid yet, or Stripe cannot be asked. */
  | { state: 'waiting'; why: string | null }
  /** No checkout of this payer. */
  | { state: 'foreign' }

/**
 * The return from Checkout. Whichever is first, this page or Stripe's webhook, makes the subscription known. It then
 * leads to itself without the session: the frame around it is loaded at the same time, and must not miss the news.
 */
export async function loader(args: Route.LoaderArgs) {
  const payer = await requirePayer(args)
  const services = args.context.get(servicesContext)
  const sessionId = args.url.searchParams.get('session_id')
  const outcome = sessionId ? await completed(services, payer, sessionId) : known(services, payer)
  if (outcome === 'subscribed') throw redirect(args.url.pathname)
  return { payer: viewOf(payer), outcome }
}

function known({ meterkit }: Services, { subscription }: Payer): Outcome {
  if (!subscription || !isLive(subscription)) return { state: 'foreign' }
  const plan = meterkit.plans().find(({ key }) => key === subscription.plan)
  return { state: 'subscribed', planName: plan?.name ?? 'your plan' }
}

async function completed(
  { meterkit, stripe }: Services,
  { customer }: Payer,
  sessionId: string,
): Promise<'subscribed' | Outcome> {
  if (!customer) return { state: 'foreign' }
  try {
    if (await meterkit.subscriptions.completeCheckout({ customerId: customer.id, sessionId })) return 'subscribed'
    const session = await stripe.checkout.sessions.retrieve(sessionId)
    return session.customer === customer.stripeId ? { state: 'waiting', why: null } : { state: 'foreign' }
  } catch (error) {
    const refusal = refusalOf(error)
    if (!refusal) throw error
    return refusal.code === 'stripe_refused'
      ? { state: 'foreign' }
      : { state: 'waiting', why: 'Stripe cannot be asked just now. Your payment is safe; this page keeps trying.' }
  }
}

export default function Subscribed({ loaderData: { payer, outcome } }: Route.ComponentProps) {
  switch (outcome.state) {
    case 'subscribed':
      return <Welcome planName={outcome.planName} payer={payer} />
    case 'waiting':
      return <Waiting why={outcome.why} billingPath={payer.billingPath} />
    case 'foreign':
      return (
        <>
          <PageHeader title="This checkout is not yours" />
          <Alert
            tone="danger"
            title={`There is no checkout of ${payer.source === 'user' ? 'yours' : payer.name} at this address`}
            actions={
              <>
                <LinkButton to={`${payer.basePath}/subscribe`}>See the plans</LinkButton>
                <LinkButton to={payer.billingPath} variant="ghost">
                  Go to billing
                </LinkButton>
              </>
            }
          >
            The address may be incomplete, or the checkout was begun by somebody else. Nothing was charged by opening
            this page.
          </Alert>
        </>
      )
  }
}

function Welcome({
  planName,
  payer,
}: {
  planName: string
  payer: { name: string; basePath: string; billingPath: string }
}) {
  return (
    <div className="mx-auto max-w-2xl py-6 md:py-12">
      <CircleCheck className="size-8 text-positive" aria-hidden />
      <h1 className="mt-4 font-medium text-3xl tracking-tight">You’re on {planName}</h1>
      <p className="mt-2 text-pretty text-base text-muted">
        Nothing has been charged yet: you pay for what you use, at the end of the period. What you use shows on the
        billing page within a second.
      </p>
      <div className="mt-8 grid gap-4 sm:grid-cols-2">
        <NextStep to={`${payer.basePath}/ai-chat`} Icon={MessageSquare} title="Open AI chat">
          Ask the first question and watch its tokens being counted.
        </NextStep>
        <NextStep to={payer.billingPath} Icon={Receipt} title="Go to billing">
          See usage, upcoming charges and how they are worked out.
        </NextStep>
      </div>
    </div>
  )
}

function NextStep({
  to,
  Icon,
  title,
  children,
}: {
  to: string
  Icon: ComponentType<{ className?: string; 'aria-hidden'?: boolean }>
  title: string
  children: ReactNode
}) {
  return (
    <Link to={to} className="rounded-card border bg-surface p-5 transition-colors hover:bg-raised">
      <Icon className="size-5 text-accent" aria-hidden />
      <span className="mt-3 block font-medium text-base">{title}</span>
      <span className="mt-1 block text-pretty text-muted">{children}</span>
    </Link>
  )
}

function Waiting({ why, billingPath }: { why: string | null; billingPath: string }) {
  const { revalidate } = useRevalidator()
  const [looks, setLooks] = useState(0)
  const tooLong = looks >= LOOKS_MAX
  useEffect(() => {
    if (tooLong) return
    const timer = setTimeout(() => {
      setLooks(looks + 1)
      revalidate()
    }, LOOK_EVERY_MS)
    return () => clearTimeout(timer)
  }, [looks, tooLong, revalidate])
  return (
    <>
      {/* Without JavaScript the page asks again by itself. */}
      <noscript>
        <meta httpEquiv="refresh" content="3" />
      </noscript>
      <PageHeader title="Waiting for your payment" />
      {tooLong ? (
        <Alert
          tone="warning"
          title="Stripe has not confirmed the payment yet"
          actions={<LinkButton to={billingPath}>Go to billing</LinkButton>}
        >
          Some payment methods take longer than a card. You can leave: the subscription begins by itself as soon as the
          payment is confirmed, and shows on the billing page. Nothing has to be paid twice.
        </Alert>
      ) : (
        <Card>
          <p role="status" className="flex items-center gap-3">
            <LoaderCircle className="size-4 shrink-0 animate-spin text-accent" aria-hidden />
            {why ?? 'Stripe is confirming the payment. This takes a few seconds; the page goes on by itself.'}
          </p>
        </Card>
      )}
    </>
  )
}
