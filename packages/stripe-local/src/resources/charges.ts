import {
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
