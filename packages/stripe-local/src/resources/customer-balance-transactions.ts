import type { Account } from '../account.ts'
import { missing, refuse } from '../http/errors.ts'
import { integer, mergedMetadata, metadata, range, required, text, unsettable } from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { type BalanceTransaction, changeBalance } from '../invoices/balance.ts'
import type { Customer } from './customers.ts'

const PATH = '/v1/customers/:id/balance_transactions'

export const customerBalanceTransactionRoutes = [
  route(
    'POST',
    PATH,
    {
      amount: required(integer()),
      currency: required(text({ max: 3 })),
      description: unsettable(text({ max: 350 })),
      metadata: metadata(),
    },
    (account, params, { id }) => {
      const owner = account.get<Customer>('customer', id!)
      const currency = params.currency.toLowerCase()
      if (owner.currency !== null && owner.currency !== currency) {
        throw refuse(
          `You cannot combine currencies on a single customer. This customer has had a subscription, coupon, or invoice item with currency ${owner.currency}`,
          { param: 'currency' },
        )
      }
      const made = changeBalance(account, owner, owner.balance + params.amount, {
        type: 'adjustment',
        currency,
        description: params.description ?? null,
        metadata: mergedMetadata({}, params.metadata),
      })
      return account.present(made)
    },
  ),

  route('GET', PATH, { ...paging, created: range(), invoice: text() }, (account, params, { id }) => {
    const owner = account.get<Customer>('customer', id!)
    return listPage(account, 'customer_balance_transaction', PATH.replace(':id', owner.id), params, {
      where: { '$.customer': owner.id, '$.invoice': params.invoice },
      ...(params.created && { created: params.created }),
    })
  }),

  route('GET', `${PATH}/:transaction`, {}, (account, _params, { id, transaction }) =>
    account.present(ofCustomer(account, id!, transaction!)),
  ),

  route(
    'POST',
    `${PATH}/:transaction`,
    { description: unsettable(text({ max: 350 })), metadata: metadata() },
    (account, { metadata: sent, ...params }, { id, transaction }) => {
      const before = ofCustomer(account, id!, transaction!)
      const changes = { ...params, metadata: mergedMetadata(before.metadata, sent) }
      return account.present(account.change<BalanceTransaction>(before, changes))
    },
  ),
]

function ofCustomer(account: Account, customer: string, id: string): BalanceTransaction {
  const found = account.get<BalanceTransaction>('customer_balance_transaction', id)
  if (found.customer !== customer) throw missing('customer balance transaction', id)
  return found
}
