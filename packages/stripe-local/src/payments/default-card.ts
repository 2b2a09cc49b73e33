import type { Account } from '../account.ts'
import { type Customer, updateCustomer } from '../resources/customers.ts'
import type { Subscription } from '../subscriptions/subscription.ts'

/** Makes a customer's card the one to charge, for those live subscriptions too that had one of their own. */
export function makeDefaultCard(account: Account, customer: Customer, methodId: string): void {
  updateCustomer(account, customer, { invoice_settings: { default_payment_method: methodId } })
  for (const stored of account.objects.all<Subscription>('subscription', { '$.customer': customer.id })) {
    const isLive = stored.status !== 'canceled' && stored.status !== 'incomplete_expired'
    if (!isLive || stored.default_payment_method === null) continue
    account.change(stored, { default_payment_method: methodId }, 'customer.subscription.updated')
  }
}
