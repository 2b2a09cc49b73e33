import type { Account, Kind } from '../account.ts'
import type { Metadata } from '../http/params.ts'
import { newId } from '../identifier.ts'
import type { Stored } from '../objects.ts'
import type { Customer } from '../resources/customers.ts'

/** One movement of a customer's balance. Negative amounts are credit, positive ones a debt the next invoice collects. */
export interface BalanceTransaction extends Stored {
  object: 'customer_balance_transaction'
  amount: number
  checkout_session: null
  credit_note: string | null
  currency: string
  customer: string
  customer_account: null
  description: string | null
  ending_balance: number
  invoice: string | null
  livemode: false
  metadata: Metadata
  type:
    | 'adjustment'
    | 'applied_to_invoice'
    | 'credit_note'
    | 'initial'
    | 'invoice_overpaid'
    | 'invoice_too_small'
    | 'unapplied_from_invoice'
}

export const balanceTransaction: Kind = {
  type: 'customer_balance_transaction',
  noun: 'customer balance transaction',
  references: { customer: 'customer', invoice: 'invoice', credit_note: 'credit_note' },
}

type Why = Pick<BalanceTransaction, 'type' | 'currency'> &
  Partial<Pick<BalanceTransaction, 'invoice' | 'credit_note' | 'description' | 'metadata'>>

/** Sets a customer's balance and writes down why. @returns the transaction */
export function changeBalance(account: Account, customer: Customer, balance: number, why: Why): BalanceTransaction {
  const made = account.create<BalanceTransaction>({
    id: newId('cbtxn'),
    object: 'customer_balance_transaction',
    amount: balance - customer.balance,
    checkout_session: null,
    created: account.seconds(customer.test_clock),
    credit_note: null,
    customer: customer.id,
    customer_account: null,
    description: null,
    ending_balance: balance,
    invoice: null,
    livemode: false,
    metadata: {},
    ...why,
  })
  account.change(customer, { balance, currency: customer.currency ?? why.currency }, 'customer.updated')
  return made
}
