import type { Account } from '../account.ts'
import type { Customer } from '../resources/customers.ts'

/** Notes whether a customer is behind, as the latest change of any of its invoices says. */
export function setDelinquent(account: Account, customerId: string, delinquent: boolean): void {
  const customer = account.get<Customer>('customer', customerId)
  if (customer.delinquent !== delinquent) account.change<Customer>(customer, { delinquent }, 'customer.updated')
}
