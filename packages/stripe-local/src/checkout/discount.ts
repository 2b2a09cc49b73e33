import type { Account } from '../account.ts'
import type { Price } from '../catalogue/price.ts'
import { amountOff, redeemable } from '../discounts/coupon.ts'
import { countRedemption, reductionOf, usableCode } from '../discounts/discount.ts'
import type { PromotionCode } from '../discounts/promotion-code.ts'
import { shareDiscounts } from '../discounts/share.ts'
import { refuse } from '../http/errors.ts'
import type { SessionLine } from './line.ts'
import type { CheckoutSession } from './session.ts'

/** A coupon a session promises; it is redeemed when the session is completed. */
export interface SessionDiscount {
  coupon: string | null
  promotion_code: string | null
}

/** @throws ApiError for what could not be redeemed now */
export function sessionDiscounts(
  account: Account,
  given: { coupon?: string; promotion_code?: string }[],
  terms: { customer: string | null; currency: string },
): SessionDiscount[] {
  return given.map(({ coupon, promotion_code: code }, index) => {
    const param = `discounts[${index}]`
    if ((coupon === undefined) === (code === undefined)) {
      throw refuse(`You must specify exactly one of \`coupon\` and \`promotion_code\` in \`${param}\`.`, { param })
    }
    const id = code === undefined ? coupon! : usableCode(account, code, terms.customer, param).promotion.coupon
    amountOff(redeemable(account, id, `${param}[coupon]`), terms.currency, `${param}[coupon]`)
    return code === undefined ? { coupon: id, promotion_code: null } : { coupon: null, promotion_code: code }
  })
}

/**
 * The discounts of a session after somebody has entered a promotion code on its page; null takes it back.
 * @throws ApiError for a code that is unknown or cannot be redeemed
 */
export function enteredDiscounts(
  account: Account,
  session: Pick<CheckoutSession, 'allow_promotion_codes' | 'currency' | 'customer' | 'discounts'>,
  code: string | null | undefined,
): SessionDiscount[] {
  if (code === undefined || !session.allow_promotion_codes) return session.discounts ?? []
  if (code === null) return []
  const found = account.objects
    .all<PromotionCode>('promotion_code', { '$.active': true })
    .findLast((one) => one.code.toLowerCase() === code.toLowerCase() && isFor(one, session.customer))
  if (!found) throw refuse('This code is invalid.')
  const terms = { customer: session.customer, currency: session.currency ?? '' }
  return sessionDiscounts(account, [{ promotion_code: found.id }], terms)
}

function isFor({ customer }: PromotionCode, asking: string | null): boolean {
  return customer === null || customer === asking
}

/** The lines with what the discounts take off what is due today. */
export function discountLines(account: Account, lines: SessionLine[], discounts: SessionDiscount[]): SessionLine[] {
  if (discounts.length === 0) return lines
  const reductions = discounts.map(({ coupon, promotion_code: code }) =>
    reductionOf(account, couponBehind(account, { coupon, promotion_code: code }), lines[0]!.currency),
  )
  const shares = shareDiscounts(
    lines.map((line) => ({
      amount: BigInt(line.amount),
      isDiscountable: true,
      product: account.get<Price>('price', line.price).product,
    })),
    reductions,
  )
  return lines.map((line, index) => ({
    ...line,
    discount: Number(shares[index]!.reduce((sum, share) => sum + share.amount, 0n)),
  }))
}

/** Redeems what a one-time payment was given; a subscription's discounts are redeemed by itself. */
export function redeemForPayment(account: Account, discounts: SessionDiscount[]): void {
  for (const one of discounts)
    countRedemption(account, { coupon: couponBehind(account, one), promotion_code: one.promotion_code })
}

function couponBehind(account: Account, { coupon, promotion_code: code }: SessionDiscount): string {
  return coupon ?? account.get<PromotionCode>('promotion_code', code!).promotion.coupon
}
