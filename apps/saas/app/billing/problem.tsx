import type { InvoiceRow } from 'meterkit'
import { Form } from 'react-router'
import { Alert } from '~/ui/alert'
import { buttonClass, SubmitButton } from '~/ui/button'
import { formatMoney } from '~/ui/money'
import type { PayerView } from './payer-view.ts'
import type { WireStanding } from './standing.ts'

type Subscription = NonNullable<WireStanding['subscription']>

/** What stands in the way of the next payment, and the way out. Nothing without a problem. */
export function Problem({
  subscription,
  openInvoice,
  payer,
}: {
  subscription: Subscription
  /** What has not been paid. */
  openInvoice: InvoiceRow | null
  payer: PayerView
}) {
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
          <>
            {openInvoice?.hostedUrl && (
              <a href={openInvoice.hostedUrl} className={buttonClass({ variant: 'primary' })}>
                Pay {formatMoney(openInvoice.amountDue, openInvoice.currency)} now
              </a>
            )}
            <Form method="post" action={`${payer.basePath}/billing/portal`}>
              <SubmitButton name="flow" value="payment_method_update" variant="secondary">
                Update payment method
              </SubmitButton>
            </Form>
          </>
        )
      }
    >
      {subscription.status === 'past_due'
        ? 'Everything still works. Stripe tries again by itself, at times of its own that we do not know; a card that works, or paying now, ends this.'
        : 'The features of your plan are closed until the open invoice is paid. Usage already recorded is safe.'}
    </Alert>
  )
}
