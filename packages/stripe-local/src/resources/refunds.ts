import type { Account } from '../account.ts'
import { refuse } from '../http/errors.ts'
import { integer, mergedMetadata, metadata, oneOf, range, text } from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import type { Charge } from '../payments/charge.ts'
import type { PaymentIntent } from '../payments/payment-intent.ts'
import { type Refund, refundCharge } from '../payments/refund.ts'
import type { Customer } from './customers.ts'

export const refundRoutes = [
  route(
    'POST',
    '/v1/refunds',
    {
      amount: integer({ min: 1 }),
      charge: text(),
      metadata: metadata(),
      payment_intent: text(),
      reason: oneOf('duplicate', 'fraudulent', 'requested_by_customer'),
    },
    (account, params) => {
      const charge = chargeFor(account, params)
      const clock =
        charge.customer === null ? null : account.objects.find<Customer>('customer', charge.customer)?.test_clock
      const made = refundCharge(account, charge, {
        amount: params.amount,
        created: account.seconds(clock ?? null),
        reason: params.reason,
        metadata: mergedMetadata({}, params.metadata),
      })
      return account.present(made)
    },
  ),

  route('GET', '/v1/refunds/:id', {}, (account, _params, { id }) =>
    account.present(account.get<Refund>('refund', id!)),
  ),

  route('POST', '/v1/refunds/:id', { metadata: metadata() }, (account, params, { id }) => {
    const before = account.get<Refund>('refund', id!)
    const changes = { metadata: mergedMetadata(before.metadata, params.metadata) }
    return account.present(account.change<Refund>(before, changes, 'refund.updated'))
  }),

  route(
    'GET',
    '/v1/refunds',
    { ...paging, charge: text(), created: range(), payment_intent: text() },
    (account, params) =>
      listPage<Refund>(account, 'refund', '/v1/refunds', params, {
        where: { '$.charge': params.charge, '$.payment_intent': params.payment_intent },
        ...(params.created && { created: params.created }),
      }),
  ),

  // "You can't cancel refunds in other states" than requires_action, which cards never enter.
  route('POST', '/v1/refunds/:id/cancel', {}, (account, _params, { id }) => {
    const { status } = account.get<Refund>('refund', id!)
    throw refuse(`You can only cancel refunds with a status of requires_action. This refund has a status of ${status}.`)
  }),
]

function chargeFor(account: Account, params: { charge?: string; payment_intent?: string }): Charge {
  if (params.charge !== undefined) {
    const charge = account.reference<Charge>('charge', params.charge, 'charge')
    if (params.payment_intent === undefined || params.payment_intent === charge.payment_intent) return charge
    throw refuse('The charge does not belong to the payment intent.', { param: 'payment_intent' })
  }
  if (params.payment_intent === undefined) {
    throw refuse('One of the following params should be provided for this request: payment_intent or charge.')
  }
  const intent = account.reference<PaymentIntent>('payment_intent', params.payment_intent, 'payment_intent')
  const charge =
    intent.latest_charge === null ? undefined : account.objects.find<Charge>('charge', intent.latest_charge)
  if (charge?.status === 'succeeded') return charge
  throw refuse(`This PaymentIntent (${intent.id}) does not have a successful charge to refund.`, {
    param: 'payment_intent',
  })
}
