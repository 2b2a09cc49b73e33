import RefreshCw from 'lucide-react/icons/refresh-cw'
import { type ReactNode, Suspense, useEffect, useState } from 'react'
import { Await, useRevalidator } from 'react-router'
import { Button } from '~/ui/button'
import { Card, CardHeader } from '~/ui/card'
import { Money } from '~/ui/money'
import { Skeleton } from '~/ui/skeleton'
import { StatusBadge } from '~/ui/status-badge'
import { Time } from '~/ui/time'
import type { StripeView } from './stripe-view.ts'

/** Stripe takes a moment to add up what it was told, so a difference is looked at again, less and less often. */
const ASK_AGAIN_MS = [1_500, 5_000, 15_000, 60_000]

/** What Stripe itself expects to invoice, beside our own figure. It comes after the page, or not at all. */
export function StripeCard({ view, carried }: { view: Promise<StripeView> | StripeView; carried: string }) {
  const { revalidate, state } = useRevalidator()
  return (
    <Card>
      <CardHeader
        title="Stripe’s view"
        description={`What Stripe would invoice now${/[1-9]/.test(carried) ? ', before what is carried over' : ''}. It is told of usage in batches, so it may be a little behind.`}
        actions={
          <Button size="sm" loading={state !== 'idle'} onClick={() => revalidate()} className="noscript:hidden">
            <RefreshCw aria-hidden />
            Ask again
          </Button>
        }
      />
      {view instanceof Promise ? (
        <Suspense fallback={<Asking />}>
          <Await resolve={view}>{(answer) => <Answer view={answer} />}</Await>
        </Suspense>
      ) : (
        <Answer view={view} />
      )}
    </Card>
  )
}

function Answer({ view }: { view: StripeView }) {
  switch (view.state) {
    case 'answered':
      return <Figures preview={view.preview} />
    case 'nothing':
      return (
        <p className="text-muted">
          Stripe has nothing left to bill, as of <Time at={view.at} format="clock" />.
        </p>
      )
    case 'failed':
      return (
        <div role="alert">
          <StatusBadge status="failed" label="No answer" tone="warning" />
          <p className="mt-2 text-pretty">
            {view.why} Our own figures above do not depend on it: usage is recorded here first, and is handed to Stripe
            as soon as it can be reached.
          </p>
        </div>
      )
  }
}

function Figures({ preview }: { preview: Extract<StripeView, { state: 'answered' }>['preview'] }) {
  const { amount, currency, at, difference, reason } = preview
  const agrees = difference === 0n
  useAskingAgain(agrees ? null : at)
  return (
    <dl className="grid grid-cols-2 gap-x-6 gap-y-4 md:grid-cols-[auto_auto_1fr] md:gap-x-12">
      <Figure
        label={
          <>
            Stripe’s preview, <Time at={at} format="clock" />
          </>
        }
      >
        <Money amount={amount} currency={currency} className="font-medium text-xl" />
      </Figure>
      <Figure label="Difference from ours">
        <span className="font-medium text-xl">
          {!agrees && difference > 0n && '+'}
          <Money amount={difference} currency={currency} />
        </span>
      </Figure>
      <Figure label="Why" className="col-span-2 md:col-span-1">
        {agrees && reason === null ? (
          <StatusBadge status="confirmed" label="Agrees with ours" />
        ) : (
          <span className="text-pretty">{reason ?? 'Usage on its way to Stripe explains it.'}</span>
        )}
      </Figure>
    </dl>
  )
}

/** @param differsAt  when Stripe's answer differed; null when it did not */
function useAskingAgain(differsAt: Date | null): void {
  const { revalidate } = useRevalidator()
  const [asked, setAsked] = useState(0)
  const answerTime = differsAt?.getTime()
  // biome-ignore lint/correctness/useExhaustiveDependencies: every new answer that differs begins a new wait
  useEffect(() => {
    const wait = ASK_AGAIN_MS[asked]
    if (answerTime === undefined || wait === undefined) return
    const timer = setTimeout(() => {
      setAsked(asked + 1)
      revalidate()
    }, wait)
    return () => clearTimeout(timer)
  }, [answerTime])
}

function Figure({ label, className, children }: { label: ReactNode; className?: string; children: ReactNode }) {
  return (
    <div className={className}>
      <dt className="text-muted text-xs">{label}</dt>
      <dd className="mt-1">{children}</dd>
    </div>
  )
}

function Asking() {
  return (
    <div role="status">
      <span className="sr-only">Asking Stripe…</span>
      <noscript>
        <a href="?stripe=wait" className="text-accent underline underline-offset-2">
          Ask Stripe
        </a>
      </noscript>
      <div className="noscript:hidden grid grid-cols-2 gap-x-6 gap-y-4 md:grid-cols-[auto_auto_1fr] md:gap-x-12">
        {[32, 28, 40].map((width) => (
          <div key={width}>
            <Skeleton className="h-4 w-28" />
            <Skeleton className="mt-1 h-6 w-20" />
          </div>
        ))}
      </div>
    </div>
  )
}
