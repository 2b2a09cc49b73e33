import type { ReactNode } from 'react'
import { Link } from 'react-router'
import { Alert } from '~/ui/alert'
import { Time } from '~/ui/time'
import type { Offer } from './offer.ts'
import type { WireStanding } from './standing.ts'

/** What was just done, by the `done` in the address; said from the standing, so that a reload tells the truth. */
export function Notice({ done, standing, offers }: { done: string | null; standing: WireStanding; offers: Offer[] }) {
  const said = done && sentences(standing, offers)[done]
  if (!said) return null
  return (
    <Alert
      tone="positive"
      title={said.title}
      actions={
        <Link to="?" replace preventScrollReset className="text-muted text-xs underline underline-offset-2">
          Dismiss
        </Link>
      }
    >
      {said.text}
    </Alert>
  )
}

function sentences({ subscription, live }: WireStanding, offers: Offer[]) {
  const planName = offers.find(({ key }) => key === subscription?.plan)?.name
  const endsAt = subscription?.cancelAt ?? subscription?.currentPeriod?.end
  const known: Record<string, { title: ReactNode; text: ReactNode } | false | undefined> = {
    switched: live && {
      title: `You are on ${planName} now`,
      text: 'What was used before stays at the old price, as a line of its own on the same invoice.',
    },
    canceling: subscription?.cancelAtPeriodEnd && {
      title: endsAt ? (
        <>
          The subscription ends on <Time at={endsAt} />
        </>
      ) : (
        'The subscription ends with its period'
      ),
      text: 'Everything works until then, and you can take this back below.',
    },
    canceled: !live && {
      title: 'The subscription has ended',
      text: 'The last usage was billed; its invoice is in the list below as soon as Stripe has written it.',
    },
    resumed: live && {
      title: 'The subscription goes on',
      text: 'The cancellation was taken back. Nothing else has changed.',
    },
  }
  return known
}
