import type { Account } from '../account.ts'
import { totalsOf } from '../invoices/draft.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { withDiscounts } from './apply.ts'
import { type Redemption, redeem } from './discount.ts'

/** Gives a draft other discounts than it has; null takes them all away. @throws ApiError for one that cannot be redeemed */
export function discountInvoice(account: Account, draft: Invoice, given: Redemption[] | null): Invoice {
  const discounts = redeem(account, given ?? [], {
    customer: draft.customer,
    currency: draft.currency,
    at: account.seconds(draft.test_clock),
    subscription: null,
    invoice: draft.id,
    discounts: draft.discounts ?? [],
  })
  const whole = draft._lines.map((line) => ({ ...line, discount_amounts: [] }))
  const changed = { ...draft, discounts, _lines: withDiscounts(account, { ...draft, discounts }, whole) }
  const { _lines } = changed
  return account.change<Invoice>(draft, { discounts, _lines, ...totalsOf(changed) }, 'invoice.updated')
}
