import type { Account } from '../account.ts'
import type { Invoice } from '../invoices/invoice.ts'
import type { InvoicePayment } from '../invoices/payment.ts'
import type { PaymentIntent } from '../payments/payment-intent.ts'
import { endSubscription } from './cancel.ts'
import { applyPending, discardPending } from './pending-update.ts'
import { expire } from './renewal.ts'
import { planNext, type Subscription } from './subscription.ts'

/** A paid invoice brings its subscription back to good standing, and makes come true what waited for it. */
export function subscriptionSettled(account: Account, paid: Invoice): void {
  const before = ownerOf(account, paid)
  if (!before) return
  const stored =
    before.payment_settings.save_default_payment_method === 'on_subscription'
      ? rememberCard(account, before, paid)
      : before
  if (stored._pending?.invoice === paid.id) {
    applyPending(account, stored)
    return
  }
  const isBehind = stored.status === 'past_due' || stored.status === 'unpaid' || stored.status === 'incomplete'
  if (!isBehind || stored.latest_invoice !== paid.id) return
  account.change(stored, { status: 'active' }, 'customer.subscription.updated')
  planNext(account, stored.id)
}

/** A failed charge; what follows the last retry of a renewal is the account's setting. */
export function subscriptionUnpaid(account: Account, open: Invoice, wasLastTry: boolean): void {
  const before = ownerOf(account, open)
  if (!before || open.billing_reason === 'subscription_create') return
  if (before._pending?.invoice === open.id) {
    if (before._pending.payment_behavior === 'resume_on_payment_attempt')
      applyPending(account, before, { status: 'past_due' })
    return
  }
  if (before.status !== 'active' && before.status !== 'past_due') return
  if (!wasLastTry || open.attempt_count <= 1 || account.afterLastRetry === 'past_due') {
    account.change(before, { status: 'past_due' }, 'customer.subscription.updated')
    return
  }
  if (account.afterLastRetry === 'unpaid') {
    account.change(before, { status: 'unpaid' }, 'customer.subscription.updated')
    return
  }
  endSubscription(account, before, { at: account.seconds(before.test_clock), reason: 'payment_failed' })
}

/** An open invoice was given up as uncollectible: a resumption goes on without its money. */
export function subscriptionForgiven(account: Account, forgiven: Invoice): void {
  const before = ownerOf(account, forgiven)
  if (before?._pending?.invoice === forgiven.id && before._pending.cause === 'resumption') applyPending(account, before)
}

/** A voided invoice takes with it what waited for its payment: a pending change, a resumption, a first period. */
export function subscriptionVoided(account: Account, voided: Invoice): void {
  const before = ownerOf(account, voided)
  if (before?._pending?.invoice === voided.id) discardPending(account, before)
  else if (before?.status === 'incomplete' && before.latest_invoice === voided.id) {
    expire(account, before)
    planNext(account, before.id)
  }
}

/** An invoice that was sent is not paid by its due date. */
export function subscriptionOverdue(account: Account, open: Invoice): void {
  const before = ownerOf(account, open)
  if (before?.status !== 'active' || before.latest_invoice !== open.id) return
  account.change(before, { status: 'past_due' }, 'customer.subscription.updated')
}

function ownerOf(account: Account, invoice: Invoice): Subscription | undefined {
  const id = invoice.parent?.subscription_details.subscription
  return id === undefined ? undefined : account.objects.find<Subscription>('subscription', id)
}

/** What paid the invoice pays the next ones. */
function rememberCard(account: Account, stored: Subscription, paid: Invoice): Subscription {
  const [payment] = account.objects.all<InvoicePayment>('invoice_payment', { '$.invoice': paid.id })
  const intent = payment && account.objects.find<PaymentIntent>('payment_intent', payment.payment.payment_intent)
  const method = intent?.payment_method
  if (!method || method === stored.default_payment_method) return stored
  return account.change<Subscription>(stored, { default_payment_method: method }, 'customer.subscription.updated')
}
