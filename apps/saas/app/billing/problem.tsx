import { Form } from 'react-router'
import { Alert } from '~/ui/alert'
import { SubmitButton } from '~/ui/button'
import type { PayerView } from './payer-view.ts'
import type { WireStanding } from './standing.ts'

type Subscription = NonNullable<WireStanding['subscription']>

/** What stands in the way of the next payment, and the way out. Nothing without a problem. */
export function Problem({ subscription, payer }: { subscription: Subscription; payer: PayerView }) {
  if (subscription.problem) {
    return (
      <Alert tone="warning" title="Something about this subscription needs attention">
        {subscription.problem}
      </Alert>
    )
  }
  if (subscription.status !== 'past_due' && subscription.status !== 'unpaid') return null
  return (
    <Alert
      tone="danger"
      title="The last payment did not go through"
      actions={
        payer.canManage && (
          <Form method="post" action={`${payer.basePath}/billing/portal`}>
            <SubmitButton name="flow" value="payment_method_update">
              Update payment method
            </SubmitButton>
          </Form>
        )
      }
    >
      {subscription.status === 'past_due'
        ? 'Everything still works. Stripe tries again by itself; a card that works ends this.'
        : 'The features of your plan are closed until the open invoice is paid. Usage already recorded is safe.'}
    </Alert>
  )
}
