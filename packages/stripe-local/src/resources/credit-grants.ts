import type { Account } from '../account.ts'
import { currencyOf } from '../catalogue/currency.ts'
import type { Price } from '../catalogue/price.ts'
import { type CreditGrant, isExpired, planExpiry, type Scope } from '../credits/grant.ts'
import { type CreditBalanceTransaction, endCredits, grantCredits } from '../credits/ledger.ts'
import { summaryOf } from '../credits/summary.ts'
import { refuse } from '../http/errors.ts'
import {
  integer,
  list,
  mergedMetadata,
  metadata,
  oneOf,
  required,
  shape,
  text,
  timestamp,
  unsettable,
} from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { missingParam } from '../http/wording.ts'
import { newId } from '../identifier.ts'
import { customerParameter } from './customers.ts'

/** Grants of a customer that are neither used up nor expired nor voided. */
const UNUSED_MAX = 100

const scope = shape({
  price_type: oneOf('metered'),
  prices: list(shape({ id: required(text()) }), { max: 20 }),
})

export const creditGrantRoutes = [
  route(
    'POST',
    '/v1/billing/credit_grants',
    {
      amount: required(
        shape({
          type: required(oneOf('monetary')),
          monetary: shape({ currency: required(text({ max: 3 })), value: required(integer({ min: 1 })) }),
        }),
      ),
      applicability_config: required(shape({ scope: required(scope) })),
      category: oneOf('paid', 'promotional'),
      customer: text(),
      effective_at: timestamp(),
      expires_at: timestamp(),
      metadata: metadata(),
      name: text({ max: 100 }),
      priority: integer({ min: 0, max: 100 }),
    },
    (account, params) => {
      if (params.customer === undefined) throw missingParam('customer')
      if (!params.amount.monetary) throw missingParam('amount[monetary]')
      const owner = customerParameter(account, params.customer)
      const now = account.seconds(owner.test_clock)
      const effectiveAt = params.effective_at ?? now
      if (params.expires_at !== undefined && params.expires_at <= Math.max(effectiveAt, now)) {
        throw refuse('`expires_at` must be in the future and after `effective_at`.', { param: 'expires_at' })
      }
      checkRoom(account, owner.id, now)
      const grant = account.create<CreditGrant>(
        {
          id: newId('credgr'),
          object: 'billing.credit_grant',
          amount: {
            monetary: {
              currency: currencyOf(params.amount.monetary.currency, 'amount[monetary][currency]'),
              value: params.amount.monetary.value,
            },
            type: 'monetary',
          },
          applicability_config: {
            scope: checkedScope(account, params.applicability_config.scope, 'applicability_config[scope]'),
          },
          category: params.category ?? 'paid',
          created: now,
          customer: owner.id,
          customer_account: null,
          effective_at: effectiveAt,
          expires_at: params.expires_at ?? null,
          livemode: false,
          metadata: mergedMetadata({}, params.metadata),
          name: params.name ?? null,
          priority: params.priority ?? 50,
          test_clock: owner.test_clock,
          updated: now,
          voided_at: null,
          _balance: params.amount.monetary.value,
        },
        'billing.credit_grant.created',
      )
      grantCredits(account, grant)
      planExpiry(account, grant)
      return account.present(grant)
    },
  ),

  route('GET', '/v1/billing/credit_grants/:id', {}, (account, _params, { id }) =>
    account.present(account.get<CreditGrant>('billing.credit_grant', id!)),
  ),

  route(
    'POST',
    '/v1/billing/credit_grants/:id',
    { expires_at: unsettable(timestamp()), metadata: metadata() },
    (account, { metadata: sent, ...params }, { id }) => {
      const before = account.get<CreditGrant>('billing.credit_grant', id!)
      const now = account.seconds(before.test_clock)
      if (params.expires_at !== undefined) checkLive(before, now, 'updated')
      if (params.expires_at && params.expires_at <= now) {
        throw refuse('`expires_at` must be in the future.', { param: 'expires_at' })
      }
      const changes = { ...params, metadata: mergedMetadata(before.metadata, sent), updated: now }
      const after = account.change<CreditGrant>(before, changes, 'billing.credit_grant.updated')
      planExpiry(account, after)
      return account.present(after)
    },
  ),

  route('GET', '/v1/billing/credit_grants', { ...paging, customer: text() }, (account, params) =>
    listPage<CreditGrant>(account, 'billing.credit_grant', '/v1/billing/credit_grants', params, {
      where: { '$.customer': params.customer },
    }),
  ),

  route('POST', '/v1/billing/credit_grants/:id/expire', {}, (account, _params, { id }) => {
    const before = account.get<CreditGrant>('billing.credit_grant', id!)
    const now = account.seconds(before.test_clock)
    checkLive(before, now, 'expired')
    return account.present(endGrant(account, before, { expires_at: now }, 'credits_expired'))
  }),

  route('POST', '/v1/billing/credit_grants/:id/void', {}, (account, _params, { id }) => {
    const before = account.get<CreditGrant>('billing.credit_grant', id!)
    const now = account.seconds(before.test_clock)
    checkLive(before, now, 'voided')
    if (before._balance !== before.amount.monetary.value) {
      throw refuse('You cannot void a credit grant that has been applied to an invoice. You can expire it instead.')
    }
    return account.present(endGrant(account, before, { voided_at: now }, 'credits_voided'))
  }),

  route(
    'GET',
    '/v1/billing/credit_balance_summary',
    {
      customer: text(),
      filter: required(
        shape({
          applicability_scope: scope,
          credit_grant: text(),
          type: required(oneOf('applicability_scope', 'credit_grant')),
        }),
      ),
    },
    (account, { customer, filter }) => {
      if (customer === undefined) throw missingParam('customer')
      const owner = customerParameter(account, customer)
      const given = filter[filter.type]
      if (given === undefined) throw missingParam(`filter[${filter.type}]`)
      const asked =
        typeof given === 'string'
          ? { grant: account.reference<CreditGrant>('billing.credit_grant', given, 'filter[credit_grant]').id }
          : { scope: checkedScope(account, given, 'filter[applicability_scope]') }
      return summaryOf(account, owner.id, asked, account.seconds(owner.test_clock))
    },
  ),

  route(
    'GET',
    '/v1/billing/credit_balance_transactions',
    { ...paging, credit_grant: text(), customer: text() },
    (account, params) => {
      const url = '/v1/billing/credit_balance_transactions'
      return listPage<CreditBalanceTransaction>(account, 'billing.credit_balance_transaction', url, params, {
        where: { '$.credit_grant': params.credit_grant, '$._customer': params.customer },
      })
    },
  ),

  route('GET', '/v1/billing/credit_balance_transactions/:id', {}, (account, _params, { id }) =>
    account.present(account.get<CreditBalanceTransaction>('billing.credit_balance_transaction', id!)),
  ),
]

/** The timeline's handler: what is left of a grant ends with it. */
export function grantDue(account: Account, id: string): void {
  const grant = account.objects.find<CreditGrant>('billing.credit_grant', id)
  if (grant && isExpired(grant, account.seconds(grant.test_clock))) endCredits(account, grant, 'credits_expired')
}

function endGrant(
  account: Account,
  before: CreditGrant,
  end: Partial<CreditGrant>,
  why: 'credits_expired' | 'credits_voided',
): CreditGrant {
  const updated = account.seconds(before.test_clock)
  const ended = account.change<CreditGrant>(before, { ...end, updated }, 'billing.credit_grant.updated')
  endCredits(account, ended, why)
  const after = account.get<CreditGrant>('billing.credit_grant', before.id)
  planExpiry(account, after)
  return after
}

/** One of the two, and only prices with a meter. */
function checkedScope(account: Account, given: Scope, param: string): Scope {
  if (given.price_type !== undefined && given.prices !== undefined) {
    throw refuse(`You may only specify one of these parameters: ${param}[price_type], ${param}[prices].`, {
      param: `${param}[price_type]`,
    })
  }
  if (given.price_type !== undefined) return { price_type: given.price_type }
  if (given.prices === undefined) throw missingParam(`${param}[price_type]`)
  for (const [index, { id }] of given.prices.entries()) {
    const price = account.reference<Price>('price', id, `${param}[prices][${index}][id]`)
    if (price.recurring?.usage_type !== 'metered') {
      throw refuse(`The price \`${id}\` is not metered. Billing credits only apply to prices with a meter.`, {
        param: `${param}[prices][${index}][id]`,
      })
    }
  }
  return { prices: given.prices.map(({ id }) => ({ id })) }
}

function checkLive(grant: CreditGrant, now: number, verb: string): void {
  if (grant.voided_at !== null) throw refuse(`This credit grant is voided and cannot be ${verb}.`)
  if (isExpired(grant, now)) throw refuse(`This credit grant has expired and cannot be ${verb}.`)
}

function checkRoom(account: Account, customer: string, now: number): void {
  const unused = account.objects
    .all<CreditGrant>('billing.credit_grant', { '$.customer': customer })
    .filter((grant) => grant.voided_at === null && grant._balance > 0 && !isExpired(grant, now))
  if (unused.length < UNUSED_MAX) return
  throw refuse(`A customer can have at most ${UNUSED_MAX} unused credit grants.`, { param: 'customer' })
}
