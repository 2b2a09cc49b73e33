import type { Account } from '../account.ts'
import { type Customer, updateCustomer } from '../resources/customers.ts'
import type { PaymentMethod } from '../resources/payment-methods.ts'
import type { Subscription } from '../subscriptions/subscription.ts'

/** Puts a customer's new card in the place of the default one, for its live subscriptions too; the old card goes. */
export function replaceDefaultCard(account: Account, customer: Customer, methodId: string): void {
  const before = customer.invoice_settings.default_payment_method
  updateCustomer(account, customer, { invoice_settings: { default_payment_method: methodId } })
  for (const stored of account.objects.all<Subscription>('subscription', { '$.customer': customer.id })) {
    const isLive = stored.status !== 'canceled' && stored.status !== 'incomplete_expired'
    if (!isLive || stored.default_payment_method === null) continue
    account.change(stored, { default_payment_method: methodId }, 'customer.subscription.updated')
  }
  const old = before === null ? undefined : account.objects.find<PaymentMethod>('payment_method', before)
  if (old?.customer && old.id !== methodId)
    account.change(old, { customer: null, _spent: true }, 'payment_method.detached')
}
