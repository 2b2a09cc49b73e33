import type { Account, Kind } from '../account.ts'
import { type Price, planOf } from '../catalogue/price.ts'
import { missing } from '../http/errors.ts'
import { flag, range, text } from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'

/** A recurring price under its older name; nothing of it is stored. */
export const plan: Kind = {
  type: 'plan',
  noun: 'plan',
  references: { product: 'product' },
  onExpand: { tiers: (_account, stored: Price) => stored._tiers ?? undefined },
}

export const planRoutes = [
  route('GET', '/v1/plans/:id', {}, (account, _params, { id }) => planOf(recurringPrice(account, id!))),

  route('GET', '/v1/plans', { ...paging, active: flag(), created: range(), product: text() }, (account, params) => {
    const page = listPage<Price>(account, 'price', '/v1/plans', params, {
      where: { '$.type': 'recurring', '$.active': params.active, '$.product': params.product },
      ...(params.created && { created: params.created }),
    })
    const data = (page.data as { id: string }[]).map(({ id }) => planOf(recurringPrice(account, id)))
    return { ...page, data }
  }),
]

function recurringPrice(account: Account, id: string): Price {
  const found = account.objects.find<Price>('price', id)
  if (found?.type !== 'recurring') throw missing('plan', id)
  return found
}
