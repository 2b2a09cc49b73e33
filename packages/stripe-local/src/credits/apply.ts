import type { Account } from '../account.ts'
import type { Price } from '../catalogue/price.ts'
import { netOf } from '../discounts/apply.ts'
import type { Line, PretaxCredit } from '../invoices/line.ts'
import { type CreditGrant, grantsOf, inOrderOfUse, isAvailable, pricesOf } from './grant.ts'
import { spendCredits } from './ledger.ts'

/** What of an invoice decides which credits it takes. */
interface Payable {
  id: string
  customer: string
  currency: string
}

/** One grant paying part of one line. */
interface Share {
  grant: CreditGrant
  line: Line
  amount: number
}

/**
 * Spends a customer's billing credits on an invoice that is being finalized, grant by grant in Stripe's order, each on
 * the eligible lines from the first to the last. @returns the lines, with what was taken off each
 */
export function applyCredits(account: Account, invoice: Payable, lines: Line[], at: number): Line[] {
  const shares = sharesOf(account, invoice, lines, at)
  const credits = shares.map(({ grant, line, amount }) => {
    const fresh = account.get<CreditGrant>('billing.credit_grant', grant.id)
    const on = { invoice: invoice.id, invoice_line_item: line.id }
    return creditOf(amount, spendCredits(account, fresh, amount, on))
  })
  return withCredits(lines, shares, credits)
}

/** The lines as a preview shows them: nothing is spent and no transaction named. */
export function previewCredits(account: Account, invoice: Payable, lines: Line[], at: number): Line[] {
  const shares = sharesOf(account, invoice, lines, at)
  return withCredits(
    lines,
    shares,
    shares.map(({ amount }) => creditOf(amount, null)),
  )
}

function sharesOf(account: Account, invoice: Payable, lines: Line[], at: number): Share[] {
  const given = grantsOf(account, invoice.customer)
  if (given.length === 0) return []
  const usable = given.filter(
    (grant) => grant._balance > 0 && isAvailable(grant, at) && grant.amount.monetary.currency === invoice.currency,
  )
  const owed = new Map(lines.filter((line) => isEligible(account, line)).map((line) => [line, netOf(line)]))
  const shares: Share[] = []
  for (const grant of inOrderOfUse(usable)) {
    const prices = pricesOf(grant.applicability_config.scope)
    let left = grant._balance
    for (const [line, due] of owed) {
      const isCovered = prices === null || prices.has(line.pricing?.price_details?.price ?? '')
      const amount = isCovered ? Math.min(left, due) : 0
      if (amount === 0) continue
      shares.push({ grant, line, amount })
      owed.set(line, due - amount)
      left -= amount
    }
  }
  return shares
}

/** Credits pay for lines of a subscription that come from a price with a meter, and only for what is owed. */
function isEligible(account: Account, line: Line): boolean {
  if (line.subscription === null || line.amount <= 0) return false
  const id = line.pricing?.price_details?.price
  const price = id === undefined ? undefined : account.objects.find<Price>('price', id)
  return price?.recurring?.usage_type === 'metered'
}

function creditOf(amount: number, transaction: string | null): PretaxCredit {
  return { amount, credit_balance_transaction: transaction, type: 'credit_balance_transaction' }
}

function withCredits(lines: Line[], shares: Share[], credits: PretaxCredit[]): Line[] {
  if (shares.length === 0) return lines
  return lines.map((line) => {
    const own = credits.filter((_credit, index) => shares[index]!.line === line)
    return own.length === 0 ? line : { ...line, pretax_credit_amounts: own }
  })
}
