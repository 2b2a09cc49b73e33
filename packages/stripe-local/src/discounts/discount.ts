import type { Account, Kind, Wire } from '../account.ts'
import { addIntervals } from '../billing/cycle.ts'
import { refuse } from '../http/errors.ts'
import { newId } from '../identifier.ts'
import type { Stored } from '../objects.ts'
import { amountOff, type Coupon, redeemable } from './coupon.ts'
import type { PromotionCode } from './promotion-code.ts'
import type { Reduction } from './share.ts'

/** A coupon that a customer has redeemed, for a subscription or for one invoice. */
export interface Discount extends Stored {
  object: 'discount'
  checkout_session: string | null
  customer: string
  customer_account: null
  end: number | null
  invoice: string | null
  invoice_item: null
  promotion_code: string | null
  source: { coupon: string; type: 'coupon' }
  start: number
  subscription: string | null
  subscription_item: null
}

export const discount: Kind = {
  type: 'discount',
  noun: 'discount',
  references: {
    customer: 'customer',
    promotion_code: 'promotion_code',
    'source.coupon': 'coupon',
  },
  present: (_account, { created: _created, ...stored }: Discount): Wire => stored,
}

/** One of the coupons a request names, in one of three ways. */
export interface Redemption {
  coupon?: string
  discount?: string
  promotion_code?: string
}

interface Owner {
  customer: string
  currency: string
  /** Unix seconds, on the customer's clock. */
  at: number
  subscription: string | null
  invoice?: string
  /** Its discounts so far, which may be named again. */
  discounts: string[]
}

/**
 * Redeems coupons into discounts. @returns their ids
 * @throws ApiError for one that is unknown, used up, in another currency, or not for this customer
 */
export function redeem(account: Account, given: Redemption[], owner: Owner, param = 'discounts'): string[] {
  return given.map((one, index) => redeemOne(account, one, owner, `${param}[${index}]`))
}

function redeemOne(account: Account, given: Redemption, owner: Owner, param: string): string {
  const named = Object.values(given).filter((value) => value !== undefined)
  if (named.length !== 1) {
    throw refuse(`You must specify exactly one of \`coupon\`, \`discount\` and \`promotion_code\` in \`${param}\`.`, {
      param,
    })
  }
  if (given.discount !== undefined) {
    if (owner.discounts.includes(given.discount)) return given.discount
    throw refuse(`No such discount: '${given.discount}'`, { code: 'resource_missing', param: `${param}[discount]` })
  }
  const code =
    given.promotion_code === undefined ? null : usableCode(account, given.promotion_code, owner.customer, param)
  const coupon = redeemable(account, code?.promotion.coupon ?? given.coupon!, `${param}[coupon]`)
  amountOff(coupon, owner.currency, `${param}[coupon]`)
  countRedemption(account, { coupon: coupon.id, promotion_code: code?.id ?? null })
  const made = account.create<Discount>(
    {
      id: newId('di'),
      object: 'discount',
      checkout_session: null,
      created: owner.at,
      customer: owner.customer,
      customer_account: null,
      end: endOf(coupon, owner.at),
      invoice: owner.invoice ?? null,
      invoice_item: null,
      promotion_code: code?.id ?? null,
      source: { coupon: coupon.id, type: 'coupon' },
      start: owner.at,
      subscription: owner.subscription,
      subscription_item: null,
    },
    'customer.discount.created',
  )
  return made.id
}

/** One redemption more of a coupon, through a promotion code or without one. */
export function countRedemption(account: Account, given: { coupon: string; promotion_code: string | null }): void {
  const coupon = account.get<Coupon>('coupon', given.coupon)
  account.change<Coupon>(coupon, { times_redeemed: coupon.times_redeemed + 1 })
  if (given.promotion_code === null) return
  const code = account.get<PromotionCode>('promotion_code', given.promotion_code)
  account.change<PromotionCode>(code, { times_redeemed: code.times_redeemed + 1 })
}

/** @param customer who would redeem it; null for somebody who is not known yet */
export function usableCode(account: Account, id: string, customer: string | null, param: string): PromotionCode {
  const name = `${param}[promotion_code]`
  const found = account.objects.find<PromotionCode>('promotion_code', id)
  if (!found) throw refuse(`No such promotion code: '${id}'`, { code: 'resource_missing', param: name })
  const shown = account.present(found)
  if (shown.active !== true)
    throw refuse('This promotion code cannot be redeemed because it is inactive.', { param: name })
  if (found.customer !== null && found.customer !== customer) {
    throw refuse('This promotion code cannot be redeemed because it belongs to another customer.', { param: name })
  }
  if (found.restrictions.first_time_transaction && customer !== null && hasPaidBefore(account, customer)) {
    throw refuse('This promotion code cannot be redeemed because the associated customer has prior transactions.', {
      param: name,
    })
  }
  if (found.restrictions.minimum_amount !== null) {
    throw refuse('The local Stripe does not know yet what a `minimum_amount` asks of a subscription.', { param: name })
  }
  return found
}

function hasPaidBefore(account: Account, customer: string): boolean {
  return account.objects
    .all<Stored & { amount_paid: number }>('invoice', { '$.customer': customer, '$.status': 'paid' })
    .some((invoice) => invoice.amount_paid > 0)
}

function endOf(coupon: Coupon, start: number): number | null {
  if (coupon.duration !== 'repeating') return null
  return addIntervals(start, { interval: 'month', interval_count: 1 }, coupon.duration_in_months!)
}

/** What discounts take off at an instant, those that have ended left out, as the arithmetic wants it. */
export function reductionsOf(account: Account, ids: string[], currency: string, at: number): Reduction[] {
  return ids
    .map((id) => account.get<Discount>('discount', id))
    .filter((stored) => stored.end === null || at < stored.end)
    .map((stored) => ({ ...reductionOf(account, stored.source.coupon, currency), id: stored.id }))
}

/** What a coupon takes off, redeemed or not. */
export function reductionOf(account: Account, couponId: string, currency: string): Reduction {
  const coupon = account.get<Coupon>('coupon', couponId)
  const amount = amountOff(coupon, currency)
  return {
    id: couponId,
    off:
      amount === null
        ? { basisPoints: BigInt(Math.round((coupon.percent_off ?? 0) * 100)) }
        : { amount: BigInt(amount) },
    products: coupon._applies_to?.products ?? null,
  }
}

/** Whether a discount is over once an invoice has taken it. */
export function isForOnce(account: Account, id: string): boolean {
  const { source } = account.get<Discount>('discount', id)
  return account.get<Coupon>('coupon', source.coupon).duration === 'once'
}

/** Tells that a discount was taken away, or is over. Invoices that have it keep it. */
export function endDiscount(account: Account, id: string): void {
  account.events.emit('customer.discount.deleted', account.present(account.get<Discount>('discount', id)))
}
