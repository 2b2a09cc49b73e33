import type { Account, Kind, Wire } from '../account.ts'
import { visible } from '../account.ts'
import { refuse } from '../http/errors.ts'
import type { Metadata } from '../http/params.ts'
import type { Stored } from '../objects.ts'

export interface Coupon extends Stored {
  object: 'coupon'
  amount_off: number | null
  currency: string | null
  duration: 'forever' | 'once' | 'repeating'
  duration_in_months: number | null
  livemode: false
  max_redemptions: number | null
  metadata: Metadata
  name: string | null
  percent_off: number | null
  redeem_by: number | null
  times_redeemed: number
  _applies_to: { products: string[] } | null
  /** Its amounts in other currencies. */
  _amounts: { [currency: string]: { amount_off: number } }
  _deleted?: true
}

export const coupon: Kind = {
  type: 'coupon',
  noun: 'coupon',
  present: (account, stored: Coupon): Wire => ({ ...visible(stored), valid: isValid(account, stored) }),
  onExpand: {
    applies_to: (_account, stored: Coupon) => stored._applies_to ?? undefined,
    currency_options: (_account, { amount_off, currency, _amounts }: Coupon) =>
      amount_off === null || currency === null ? undefined : { [currency]: { amount_off }, ..._amounts },
  },
}

/** Whether it can still be redeemed; who redeemed it before keeps it. */
export function isValid(account: Account, stored: Coupon): boolean {
  if (stored._deleted) return false
  if (stored.redeem_by !== null && account.seconds() > stored.redeem_by) return false
  return stored.max_redemptions === null || stored.times_redeemed < stored.max_redemptions
}

/** The coupon a parameter names. @throws ApiError for one that is unknown, deleted or used up */
export function redeemable(account: Account, id: string, param: string): Coupon {
  const found = account.objects.find<Coupon>('coupon', id)
  if (!found || found._deleted) throw refuse(`No such coupon: '${id}'`, { code: 'resource_missing', param })
  if (!isValid(account, found)) throw refuse(`Coupon expired: ${id}`, { code: 'coupon_expired', param })
  return found
}

/** What it takes off in this currency; null for a percentage. @throws ApiError for a currency it does not have */
export function amountOff(stored: Coupon, currency: string, param?: string): number | null {
  if (stored.amount_off === null) return null
  if (stored.currency === currency) return stored.amount_off
  const other = stored._amounts[currency]
  if (other) return other.amount_off
  throw refuse(`The coupon \`${stored.id}\` does not support currency \`${currency}\`.`, param ? { param } : {})
}
