import { refuse } from '../http/errors.ts'
import {
  integer,
  mapOfText,
  mergedMetadata,
  metadata,
  oneOf,
  onlyShown,
  range,
  required,
  shape,
  text,
  unsettable,
} from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import type { Charge } from '../payments/charge.ts'
import { capturePayment } from '../payments/pay.ts'
import type { PaymentIntent } from '../payments/payment-intent.ts'

export const chargeRoutes = [
  route('GET', '/v1/charges/:id', {}, (account, _params, { id }) =>
    account.present(account.get<Charge>('charge', id!)),
  ),

  route(
    'POST',
    '/v1/charges/:id',
    {
      description: onlyShown(text()),
      fraud_details: onlyShown(shape({ user_report: unsettable(oneOf('fraudulent', 'safe')) })),
      metadata: metadata(),
      receipt_email: onlyShown(text()),
      shipping: onlyShown(shape({ address: required(mapOfText()), name: required(text()), phone: text() })),
      transfer_group: onlyShown(text()),
    },
    (account, { metadata: sent, fraud_details: fraud, ...params }, { id }) => {
      const before = account.get<Charge>('charge', id!)
      const report = fraud?.user_report
      const changes = {
        ...params,
        ...(report !== undefined && { fraud_details: report === null ? {} : { user_report: report } }),
        metadata: mergedMetadata(before.metadata, sent),
      }
      return account.present(account.change<Charge>(before, changes, 'charge.updated'))
    },
  ),

  route(
    'POST',
    '/v1/charges/:id/capture',
    { amount: integer({ min: 1 }), receipt_email: onlyShown(text()) },
    (account, { amount, ...params }, { id }) => {
      const before = account.get<Charge>('charge', id!)
      const intent = before.payment_intent && account.get<PaymentIntent>('payment_intent', before.payment_intent)
      if (!intent || before.captured || intent.status !== 'requires_capture') {
        throw refuse(`Charge ${before.id} has already been captured.`, { code: 'charge_already_captured' })
      }
      if (amount !== undefined && amount > before.amount) {
        throw refuse('Amount is too high: a capture cannot be more than what was authorized.', { param: 'amount' })
      }
      capturePayment(account, intent, amount ?? before.amount)
      return account.present(account.objects.save({ ...account.get<Charge>('charge', before.id), ...params }))
    },
  ),

  route(
    'GET',
    '/v1/charges',
    { ...paging, created: range(), customer: text(), payment_intent: text(), transfer_group: text() },
    (account, params) =>
      listPage<Charge>(account, 'charge', '/v1/charges', params, {
        where: {
          '$.customer': params.customer,
          '$.payment_intent': params.payment_intent,
          '$.transfer_group': params.transfer_group,
        },
        ...(params.created && { created: params.created }),
      }),
  ),
]
