import type { Services } from 'saas/server/services'

/** Where Stripe's dashboard shows things: the local one, or the real one in the key's mode. */
export function stripeDashboard({ stripeLocal, config }: Pick<Services, 'stripeLocal' | 'config'>): string {
  if (stripeLocal) return `${stripeLocal.url}/dashboard`
  return `https://dashboard.stripe.com${config.stripeProductionMode ? '' : '/test'}`
}
