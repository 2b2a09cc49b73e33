import type { Account } from '../account.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { planNext, subscriptionOf } from './subscription.ts'

/** A paid invoice brings its subscription back to good standing. */
export function subscriptionSettled(account: Account, paid: Invoice): void {
  if (!paid.parent) return
  const before = subscriptionOf(account, paid.parent.subscription_details.subscription)
  const isBehind = before.status === 'past_due' || before.status === 'unpaid' || before.status === 'incomplete'
  if (!isBehind || before.latest_invoice !== paid.id) return
  account.change(before, { status: 'active' }, 'customer.subscription.updated')
  planNext(account, before.id)
}

/** A failed charge of a renewal; after the last retry the subscription ends. */
export function subscriptionUnpaid(account: Account, open: Invoice, wasLastTry: boolean): void {
  if (!open.parent || open.billing_reason === 'subscription_create') return
  const before = subscriptionOf(account, open.parent.subscription_details.subscription)
  if (before.status !== 'active' && before.status !== 'past_due') return
  if (!wasLastTry || open.attempt_count <= 1) {
    account.change(before, { status: 'past_due' }, 'customer.subscription.updated')
    return
  }
  const now = account.seconds(before.test_clock)
  const ended = {
    status: 'canceled' as const,
    canceled_at: now,
    ended_at: now,
    cancellation_details: { ...before.cancellation_details, reason: 'payment_failed' },
  }
  account.objects.save({ ...before, ...ended })
  account.events.emit('customer.subscription.deleted', account.present({ ...before, ...ended }))
  planNext(account, before.id)
}
