import type { Account, Kind } from '../account.ts'
import { newId } from '../identifier.ts'
import type { Stored } from '../objects.ts'
import { type Amount, type CreditGrant, isExpired, planExpiry } from './grant.ts'

/** Where credits were spent. */
interface Application {
  invoice: string
  invoice_line_item: string
}

/** One movement of a grant: the ledger of billing credits. */
export interface CreditBalanceTransaction extends Stored {
  object: 'billing.credit_balance_transaction'
  credit: {
    amount: Amount
    credits_application_invoice_voided: Application | null
    type: 'credits_application_invoice_voided' | 'credits_granted'
  } | null
  credit_grant: string
  debit: {
    amount: Amount
    credits_applied: Application | null
    type: 'credits_applied' | 'credits_expired' | 'credits_voided'
  } | null
  effective_at: number
  livemode: false
  test_clock: string | null
  type: 'credit' | 'debit'
  _customer: string
}

export const creditBalanceTransaction: Kind = {
  type: 'billing.credit_balance_transaction',
  noun: 'credit balance transaction',
  references: {
    credit_grant: 'billing.credit_grant',
    'credit.credits_application_invoice_voided.invoice': 'invoice',
    'debit.credits_applied.invoice': 'invoice',
    test_clock: 'test_helpers.test_clock',
  },
}

/** Gives what the grant says; spendable from its `effective_at` on. */
export function grantCredits(account: Account, grant: CreditGrant): void {
  const amount = grant.amount
  const credit = { amount, credits_application_invoice_voided: null, type: 'credits_granted' as const }
  write(account, grant, grant.effective_at, { credit })
}

/** Spends part of a grant on a line of an invoice. @returns the transaction's id */
export function spendCredits(account: Account, grant: CreditGrant, value: number, on: Application): string {
  const amount = amountOf(grant, value)
  const debit = { amount, credits_applied: on, type: 'credits_applied' as const }
  return move(account, grant, -value, { debit })
}

/** Ends what is left of a grant. */
export function endCredits(account: Account, grant: CreditGrant, why: 'credits_expired' | 'credits_voided'): void {
  if (grant._balance === 0) return
  const debit = { amount: amountOf(grant, grant._balance), credits_applied: null, type: why }
  move(account, grant, -grant._balance, { debit })
}

/** Gives back what a voided invoice had spent, by its transactions; what has expired meanwhile expires at once. */
export function reinstateCredits(account: Account, transactions: string[]): void {
  for (const id of transactions) {
    const spent = account.get<CreditBalanceTransaction>('billing.credit_balance_transaction', id)
    const { amount, credits_applied } = spent.debit!
    const grant = account.get<CreditGrant>('billing.credit_grant', spent.credit_grant)
    const type = 'credits_application_invoice_voided'
    move(account, grant, amount.monetary.value, {
      credit: { amount, credits_application_invoice_voided: credits_applied, type },
    })
    const after = account.get<CreditGrant>('billing.credit_grant', grant.id)
    if (isExpired(after, account.seconds(after.test_clock))) endCredits(account, after, 'credits_expired')
    else planExpiry(account, after)
  }
}

function move(
  account: Account,
  grant: CreditGrant,
  change: number,
  side: Partial<Pick<CreditBalanceTransaction, 'credit' | 'debit'>>,
): string {
  account.objects.save<CreditGrant>({ ...grant, _balance: grant._balance + change })
  return write(account, grant, account.seconds(grant.test_clock), side)
}

function write(
  account: Account,
  grant: CreditGrant,
  effectiveAt: number,
  { credit = null, debit = null }: Partial<Pick<CreditBalanceTransaction, 'credit' | 'debit'>>,
): string {
  const id = newId('cbtxn')
  account.create<CreditBalanceTransaction>(
    {
      id,
      object: 'billing.credit_balance_transaction',
      created: account.seconds(grant.test_clock),
      credit,
      credit_grant: grant.id,
      debit,
      effective_at: effectiveAt,
      livemode: false,
      test_clock: grant.test_clock,
      type: credit ? 'credit' : 'debit',
      _customer: grant.customer,
    },
    'billing.credit_balance_transaction.created',
  )
  return id
}

function amountOf(grant: CreditGrant, value: number): Amount {
  return { monetary: { currency: grant.amount.monetary.currency, value }, type: 'monetary' }
}
