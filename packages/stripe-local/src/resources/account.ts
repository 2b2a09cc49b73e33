import { route } from '../http/route.ts'

const ID = 'acct_local'

/** The one account there is. Its hosted pages call the business by this name. */
export const accountRoutes = [
  route('GET', '/v1/account', {}, ({ businessName }) => ({
    id: ID,
    object: 'account',
    business_profile: { name: businessName },
    charges_enabled: true,
    country: 'US',
    default_currency: 'usd',
    details_submitted: true,
    email: null,
    payouts_enabled: true,
    settings: { dashboard: { display_name: businessName, timezone: 'Etc/UTC' } },
    type: 'standard',
  })),
]
