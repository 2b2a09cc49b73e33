import type { Account } from '../account.ts'
import { refuse } from '../http/errors.ts'
import { isOver, type Subscription } from './subscription.ts'

/** Takes a subscription from classic to flexible billing; there is no way back. @throws ApiError where there is nothing to do */
export function migrate(account: Account, before: Subscription, mode: Subscription['billing_mode']): Subscription {
  if (isOver(before)) throw refuse(`The subscription \`${before.id}\` is canceled and cannot be migrated.`)
  if (before.billing_mode.type === 'flexible') {
    throw refuse(`The subscription \`${before.id}\` already has \`billing_mode[type]=flexible\`.`, {
      param: 'billing_mode[type]',
    })
  }
  const updated_at = account.seconds(before.test_clock)
  return account.change<Subscription>(
    before,
    { billing_mode: { ...mode, updated_at } },
    'customer.subscription.updated',
  )
}
