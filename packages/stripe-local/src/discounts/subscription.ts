import type { Account, Wire } from '../account.ts'
import { ApiError } from '../http/errors.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { endDiscount, type Redemption, redeem } from './discount.ts'

/**
 * The discounts a subscription has after an update: those named take the place of all it had, an empty list changes
 * nothing, null takes them all away.
 */
export function discountsFrom(account: Account, before: Subscription, given: Redemption[] | null): string[] {
  const had = before.discounts ?? []
  if (given?.length === 0) return had
  const owner = {
    customer: before.customer,
    subscription: before.id,
    currency: before.currency,
    at: account.seconds(before.test_clock),
    discounts: had,
  }
  const has = redeem(account, given ?? [], owner)
  for (const id of had) if (!has.includes(id)) endDiscount(account, id)
  return has
}

/** Takes away the discount that was added last. @returns it, as deleted @throws ApiError 404 when there is none */
export function removeDiscount(account: Account, before: Subscription): Wire {
  const last = before.discounts?.at(-1)
  if (last === undefined) {
    throw new ApiError(404, {
      type: 'invalid_request_error',
      code: 'resource_missing',
      message: `No active discount for subscription: ${before.id}`,
    })
  }
  const discounts = before.discounts!.slice(0, -1)
  account.change<Subscription>(before, { discounts }, 'customer.subscription.updated')
  endDiscount(account, last)
  const { end: _end, ...shown } = account.present(account.objects.find('discount', last)!)
  return { ...shown, deleted: true }
}
