import type { Account } from '../account.ts'
import type { Price } from '../catalogue/price.ts'
import type { Invoice } from '../invoices/invoice.ts'
import type { Line } from '../invoices/line.ts'
import { isMetered, itemsOf, type Subscription, type SubscriptionItem } from '../subscriptions/subscription.ts'
import { netOf } from './apply.ts'
import { type Discount, reductionsOf } from './discount.ts'
import { shareDiscounts } from './share.ts'

/**
 * What a whole period of a licensed item costs once discounts are off, for a proration to take its share of: of the past
 * what was billed, with the discounts it was billed with; of the rest of the period with those there are now.
 *
 * @param full without discounts, in minor units
 * @see https://docs.stripe.com/billing/subscriptions/prorations
 */
export function netOfDiscounts(
  account: Account,
  stored: Subscription,
  item: SubscriptionItem,
  { full, side }: { full: bigint; side: 'credit' | 'debit' },
): bigint {
  if (full <= 0n || !account.objects.all<Discount>('discount', { '$.subscription': stored.id }).length) return full
  const billed = side === 'credit' ? billedLine(account, stored, item, full) : undefined
  return billed ? BigInt(netOf(billed)) : full - shareOf(account, stored, item, full)
}

/**
 * What of a line of usage before a switch discounts leave: the switch bills it as a proration, which no invoice discounts.
 * Amounts off are not for it; they go off the invoice that follows, once.
 */
export function netUsage(account: Account, stored: Subscription, line: Line): number {
  const at = account.seconds(stored.test_clock)
  const percentages = reductionsOf(account, stored.discounts ?? [], stored.currency, at).filter(
    ({ off }) => 'basisPoints' in off,
  )
  const product = line.pricing?.price_details?.product ?? null
  const [shares] = shareDiscounts([{ amount: BigInt(line.amount), isDiscountable: true, product }], percentages)
  return shares!.reduce((amount, share) => amount - Number(share.amount), line.amount)
}

/** The line that charged the item's running period. */
function billedLine(account: Account, stored: Subscription, item: SubscriptionItem, full: bigint): Line | undefined {
  return account.objects
    .all<Invoice>('invoice', { '$.customer': stored.customer })
    .toReversed()
    .flatMap((invoice) => (invoice.status === 'draft' || invoice.status === 'void' ? [] : invoice._lines))
    .find(
      ({ parent, amount }) =>
        parent?.subscription_item_details?.subscription_item === item.id &&
        !parent.subscription_item_details.proration &&
        BigInt(amount) === full,
    )
}

/** The item's part of what the discounts take off all licensed items. */
function shareOf(account: Account, stored: Subscription, item: SubscriptionItem, full: bigint): bigint {
  const at = account.seconds(stored.test_clock)
  const reductions = reductionsOf(account, stored.discounts ?? [], stored.currency, at)
  const others = itemsOf(account, stored.id).filter((other) => other.id !== item.id)
  const lines = [{ price: item.price, amount: full }, ...others.map((other) => costOf(account, other))].map(
    ({ price, amount }) => ({
      amount,
      isDiscountable: true,
      product: account.get<Price>('price', price).product,
    }),
  )
  return shareDiscounts(lines, reductions)[0]!.reduce((sum, share) => sum + share.amount, 0n)
}

function costOf(account: Account, { price: id, quantity }: SubscriptionItem): { price: string; amount: bigint } {
  const price = account.get<Price>('price', id)
  const amount = isMetered(price) ? 0n : BigInt(price.unit_amount ?? 0) * BigInt(quantity ?? 1)
  return { price: id, amount }
}
