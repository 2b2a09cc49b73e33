import type { Account, Wire } from '../account.ts'
import { missing } from '../http/errors.ts'
import { type Params, range, text } from '../http/params.ts'
import { listSlice, paging, route } from '../http/route.ts'

/** No bank here doubts a payment: disputes, early fraud warnings and reviews can be asked for, and there are none. */
const ofPayment = { ...paging, charge: text(), created: range(), payment_intent: text() }

export const fraudRoutes = [
  route('GET', '/v1/disputes', ofPayment, (account, params) => none(account, '/v1/disputes', 'dispute', params)),
  route('GET', '/v1/disputes/:id', {}, (_account, _params, { id }) => {
    throw missing('dispute', id!)
  }),
  route('GET', '/v1/radar/early_fraud_warnings', ofPayment, (account, params) =>
    none(account, '/v1/radar/early_fraud_warnings', 'early fraud warning', params),
  ),
  route('GET', '/v1/radar/early_fraud_warnings/:id', {}, (_account, _params, { id }) => {
    throw missing('early fraud warning', id!)
  }),
  route('GET', '/v1/reviews', { ...paging, created: range() }, (account, params) =>
    none(account, '/v1/reviews', 'review', params),
  ),
  route('GET', '/v1/reviews/:id', {}, (_account, _params, { id }) => {
    throw missing('review', id!)
  }),
]

function none(account: Account, url: string, noun: string, params: Partial<Params<typeof ofPayment>>): Wire {
  if (params.charge !== undefined) account.reference('charge', params.charge, 'charge')
  if (params.payment_intent !== undefined) account.reference('payment_intent', params.payment_intent, 'payment_intent')
  return listSlice([], url, params, noun)
}
