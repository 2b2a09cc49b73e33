import { Form } from 'react-router'
import { SubmitButton } from '~/ui/button'
import { Card, CardHeader } from '~/ui/card'
import type { PayerView } from './payer-view.ts'

/** The card lies with Stripe, so changing it happens on Stripe's pages. */
export function PaymentCard({ payer }: { payer: PayerView }) {
  return (
    <Card>
      <CardHeader
        title="Payment method"
        description="Your card, billing address and receipts are kept by Stripe and never reach us."
      />
      {payer.canManage ? (
        <Form method="post" action={`${payer.basePath}/billing/portal`} className="flex flex-wrap gap-2">
          <SubmitButton variant="secondary" name="flow" value="payment_method_update">
            Update payment method
          </SubmitButton>
          <SubmitButton variant="secondary" name="flow" value="portal">
            Open customer portal
          </SubmitButton>
        </Form>
      ) : (
        <p className="text-muted">Owners and admins of {payer.name} can change it.</p>
      )}
    </Card>
  )
}
