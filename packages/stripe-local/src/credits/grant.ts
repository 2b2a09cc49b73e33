import type { Account, Kind } from '../account.ts'
import type { Metadata } from '../http/params.ts'
import type { Stored } from '../objects.ts'

/** Billing credits given to a customer, for what it uses of metered prices. */
export interface CreditGrant extends Stored {
  object: 'billing.credit_grant'
  amount: Amount
  applicability_config: { scope: Scope }
  category: 'paid' | 'promotional'
  customer: string
  customer_account: null
  effective_at: number
  expires_at: number | null
  livemode: false
  metadata: Metadata
  name: string | null
  priority: number
  test_clock: string | null
  updated: number
  voided_at: number | null
  /** What is left of it, in minor units. */
  _balance: number
}
export interface Amount {
  monetary: { currency: string; value: number }
  type: 'monetary'
}
/** All metered prices or, by their ids, some. */
export interface Scope {
  price_type?: 'metered'
  prices?: { id: string }[]
}

export const creditGrant: Kind = {
  type: 'billing.credit_grant',
  noun: 'credit grant',
  references: { customer: 'customer', test_clock: 'test_helpers.test_clock' },
}

export function grantsOf(account: Account, customer: string): CreditGrant[] {
  return account.objects.all<CreditGrant>('billing.credit_grant', { '$.customer': customer })
}

/** Whether its credits can be spent at an instant. */
export function isAvailable(grant: CreditGrant, at: number): boolean {
  return grant.voided_at === null && grant.effective_at <= at && !isExpired(grant, at)
}

export function isExpired(grant: CreditGrant, at: number): boolean {
  return grant.expires_at !== null && grant.expires_at <= at
}

/** A scope's prices, or null when it holds all metered prices. */
export function pricesOf(scope: Scope): Set<string> | null {
  return scope.prices ? new Set(scope.prices.map(({ id }) => id)) : null
}

/**
 * Stripe's order of spending: the lower priority number, then what expires sooner, promotional before paid, what became
 * effective earlier, what was created earlier.
 */
export function inOrderOfUse(grants: CreditGrant[]): CreditGrant[] {
  const expiry = (grant: CreditGrant) => grant.expires_at ?? Number.POSITIVE_INFINITY
  const isPaid = (grant: CreditGrant) => (grant.category === 'paid' ? 1 : 0)
  return grants.toSorted(
    (a, b) =>
      a.priority - b.priority ||
      (expiry(a) === expiry(b) ? 0 : expiry(a) - expiry(b)) ||
      isPaid(a) - isPaid(b) ||
      a.effective_at - b.effective_at ||
      a.created - b.created,
  )
}

/** Plans the end of what is left of it, on its customer's clock. */
export function planExpiry(account: Account, grant: CreditGrant): void {
  const at = grant.voided_at === null && grant._balance > 0 ? grant.expires_at : null
  account.timeline.schedule('credit_grant', grant.id, at === null ? null : at * 1000, grant.test_clock)
}
