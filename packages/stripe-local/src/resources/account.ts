import type { Account, Wire } from '../account.ts'
import { ApiError } from '../http/errors.ts'
import { range } from '../http/params.ts'
import { listOf, paging, route } from '../http/route.ts'

const ID = 'acct_local'

/** The one account there is. Its hosted pages call the business by this name. It has no connected accounts. */
export const accountRoutes = [
  route('GET', '/v1/account', {}, (account) => present(account)),

  route('GET', '/v1/accounts/:id', {}, (account, _params, { id }) => {
    if (id === ID) return present(account)
    throw new ApiError(403, {
      type: 'invalid_request_error',
      code: 'account_invalid',
      message: `The provided key does not have access to account '${id}' (or that account does not exist). Application access may have been revoked.`,
    })
  }),

  route('GET', '/v1/accounts', { ...paging, created: range() }, () => listOf([], '/v1/accounts')),
]

function present({ businessName: name }: Account): Wire {
  return {
    id: ID,
    object: 'account',
    business_profile: {
      mcc: null,
      minority_owned_business_designation: null,
      name,
      specified_commercial_transactions_act_url: null,
      support_address: null,
      support_email: null,
      support_phone: null,
      support_url: null,
      url: null,
    },
    business_type: 'company',
    capabilities: { card_payments: 'active', transfers: 'active' },
    charges_enabled: true,
    country: 'US',
    default_currency: 'usd',
    details_submitted: true,
    email: null,
    payouts_enabled: true,
    settings: {
      branding: { icon: null, logo: null, primary_color: null, secondary_color: null },
      card_payments: {
        statement_descriptor_prefix: null,
        statement_descriptor_prefix_kana: null,
        statement_descriptor_prefix_kanji: null,
      },
      dashboard: { display_name: name, timezone: 'Etc/UTC' },
      invoices: { default_account_tax_ids: null, hosted_payment_method_save: 'offer' },
      payments: {
        statement_descriptor: null,
        statement_descriptor_kana: null,
        statement_descriptor_kanji: null,
        statement_descriptor_prefix_kana: null,
        statement_descriptor_prefix_kanji: null,
      },
    },
    type: 'standard',
  }
}
