import type { Account } from '../account.ts'
import type { Line } from '../invoices/line.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { endDiscount, isForOnce, reductionsOf } from './discount.ts'
import { shareDiscounts } from './share.ts'

/** What of an invoice decides its discounts. */
interface Discounted {
  created: number
  currency: string
  discounts?: string[]
}

export interface DiscountAmount {
  amount: number
  discount: string
}

/** The lines with what the invoice's discounts take off each; to be done anew whenever the lines change. */
export function withDiscounts(account: Account, invoice: Discounted, lines: Line[]): Line[] {
  if (!invoice.discounts || invoice.discounts.length === 0) return lines
  const reductions = reductionsOf(account, invoice.discounts, invoice.currency, invoice.created)
  const shares = shareDiscounts(
    lines.map((line) => ({
      amount: BigInt(line.amount),
      isDiscountable: line.discountable,
      product: line.pricing?.price_details?.product ?? null,
    })),
    reductions,
  )
  return lines.map((line, index) => ({
    ...line,
    discount_amounts: shares[index]!.map(({ amount, discount }) => ({ amount: Number(amount), discount })),
  }))
}

/** What each discount takes off all of the lines. */
export function discountsOf(lines: { discount_amounts: DiscountAmount[] }[]): DiscountAmount[] {
  const sums = new Map<string, number>()
  for (const { discount_amounts } of lines)
    for (const { amount, discount } of discount_amounts) sums.set(discount, (sums.get(discount) ?? 0) + amount)
  return [...sums].map(([discount, amount]) => ({ amount, discount }))
}

/** What discounts leave of a line. */
export function netOf(line: Line): number {
  return line.discount_amounts.reduce((amount, off) => amount - off.amount, line.amount)
}

/**
 * The discounts a subscription's new invoice takes. Those for once are over with the first invoice that charges anything;
 * those for some months when the months are.
 */
export function takeDiscounts(
  account: Account,
  owner: Subscription,
  invoice: { at: number; charges: boolean },
): string[] {
  const had = owner.discounts ?? []
  if (had.length === 0) return []
  const running = had.filter((id) => reductionsOf(account, [id], owner.currency, invoice.at).length > 0)
  const kept = running.filter((id) => !invoice.charges || !isForOnce(account, id))
  if (kept.length < had.length) {
    account.objects.save<Subscription>({
      ...account.get<Subscription>('subscription', owner.id),
      discounts: kept,
    })
    for (const id of had) if (!kept.includes(id)) endDiscount(account, id)
  }
  return running
}
