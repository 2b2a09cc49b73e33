import type { Account, Wire } from '../account.ts'
import { type CreditGrant, grantsOf, isAvailable, isExpired, pricesOf, type Scope } from './grant.ts'

/**
 * A customer's credits by currency: what can be spent now (available) and what the ledger holds, future grants included.
 * `asked`: one grant, or those that can pay for a scope.
 */
export function summaryOf(
  account: Account,
  customer: string,
  asked: { grant: string } | { scope: Scope },
  at: number,
): Wire {
  const grants = grantsOf(account, customer).filter((grant) =>
    'grant' in asked ? grant.id === asked.grant : covers(grant.applicability_config.scope, asked.scope),
  )
  const currencies = [...new Set(grants.map((grant) => grant.amount.monetary.currency))]
  return {
    object: 'billing.credit_balance_summary',
    balances: currencies.map((currency) => balanceIn(currency, grants, at)),
    customer,
    customer_account: null,
    livemode: false,
  }
}

function balanceIn(currency: string, grants: CreditGrant[], at: number): Wire {
  const own = grants.filter((grant) => grant.amount.monetary.currency === currency)
  const amount = (counted: CreditGrant[]) => ({
    monetary: { currency, value: counted.reduce((sum, grant) => sum + grant._balance, 0) },
    type: 'monetary',
  })
  return {
    available_balance: amount(own.filter((grant) => isAvailable(grant, at))),
    ledger_balance: amount(own.filter((grant) => grant.voided_at === null && !isExpired(grant, at))),
  }
}

/** A grant for all metered prices covers any scope; one for some prices those scopes that name one of them. */
function covers(granted: Scope, asked: Scope): boolean {
  const [prices, wanted] = [pricesOf(granted), pricesOf(asked)]
  if (prices === null) return true
  return wanted !== null && [...wanted].some((id) => prices.has(id))
}
