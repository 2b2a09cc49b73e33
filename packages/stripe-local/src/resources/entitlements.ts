import { missing } from '../http/errors.ts'
import { flag, required, text } from '../http/params.ts'
import { listSlice, paging, route } from '../http/route.ts'
import { customerParameter } from './customers.ts'

/** Features cannot be made here yet, so no account has any, and no customer is entitled to one. */
export const entitlementRoutes = [
  route(
    'GET',
    '/v1/entitlements/features',
    { ...paging, archived: flag(), lookup_key: text({ max: 80 }) },
    (_account, params) => listSlice([], '/v1/entitlements/features', params, 'feature'),
  ),
  route('GET', '/v1/entitlements/features/:id', {}, (_account, _params, { id }) => {
    throw missing('feature', id!)
  }),
  route('GET', '/v1/entitlements/active_entitlements', { ...paging, customer: required(text()) }, (account, params) => {
    customerParameter(account, params.customer)
    return listSlice([], '/v1/entitlements/active_entitlements', params, 'active entitlement')
  }),
  route('GET', '/v1/entitlements/active_entitlements/:id', {}, (_account, _params, { id }) => {
    throw missing('active entitlement', id!)
  }),
]
