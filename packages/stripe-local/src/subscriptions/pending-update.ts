import type { Account } from '../account.ts'
import { voidInvoice } from '../invoices/finalize.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { replaceItems } from './items.ts'
import {
  itemsOf,
  type PendingUpdate,
  planNext,
  type Subscription,
  type SubscriptionItem,
  subscriptionOf,
} from './subscription.ts'

const HOUR = 3600
export const PENDING_SECONDS = 23 * HOUR

/** A subscription and its items as they are at one moment. */
export interface Snapshot {
  stored: Subscription
  items: SubscriptionItem[]
}

export function snapshotOf(account: Account, id: string): Snapshot {
  return { stored: subscriptionOf(account, id), items: itemsOf(account, id) }
}

/**
 * Takes changes back that were made to a subscription, and keeps them until the invoice they led to is paid.
 *
 * @param before what the subscription goes back to
 */
export function holdBack(
  account: Account,
  before: Snapshot,
  invoice: Invoice,
  terms: Pick<PendingUpdate, 'cause' | 'expires_at' | 'payment_behavior'>,
): Subscription {
  const { stored, items } = snapshotOf(account, before.stored.id)
  replaceItems(account, before.stored.id, before.items)
  return account.objects.save<Subscription>({
    ...before.stored,
    latest_invoice: invoice.id,
    _pending: { ...terms, invoice: invoice.id, fields: changedFields(before.stored, stored), items },
  })
}

/** 23 hours, or less where the trial or a period ends earlier. */
export function expiryOf({ stored, items }: Snapshot, now: number): number {
  const ends = items.map((item) => item.current_period_end)
  if (stored.status === 'trialing' && stored.trial_end !== null) ends.push(stored.trial_end)
  return Math.min(now + PENDING_SECONDS, ...ends.filter((end) => end > now))
}

function changedFields(before: Subscription, after: Subscription): Partial<Subscription> {
  const kept = new Set(['latest_invoice', '_pending'])
  return Object.fromEntries(
    Object.entries(after).filter(([key, value]) => !kept.has(key) && value !== before[key as keyof Subscription]),
  ) as Partial<Subscription>
}

/** The invoice is paid (or forgiven): what waited comes true. `fields` overrule what the subscription was to become. */
export function applyPending(account: Account, before: Subscription, fields: Partial<Subscription> = {}): Subscription {
  const pending = before._pending!
  const shownBefore = account.present(before)
  const { status_details: _why, ...rest } = before
  replaceItems(account, before.id, pending.items)
  const after = account.objects.save<Subscription>({
    ...(pending.cause === 'resumption' ? rest : before),
    ...pending.fields,
    ...fields,
    _pending: null,
  })
  const shown = account.present(after)
  account.events.emitChange('customer.subscription.updated', shown, shownBefore)
  const event = pending.cause === 'update' ? 'pending_update_applied' : 'resumed'
  account.events.emit(`customer.subscription.${event}`, shown)
  planNext(account, before.id)
  return after
}

/** The pending changes are given up, and their invoice with them; the subscription stays as it is. */
export function discardPending(account: Account, stored: Subscription): Subscription {
  const pending = stored._pending
  if (!pending) return stored
  const shownBefore = account.present(stored)
  // First, so that the invoice's end finds nothing more to take back.
  const after = account.objects.save<Subscription>({ ...stored, _pending: null })
  const invoice = account.objects.find<Invoice>('invoice', pending.invoice)
  if (invoice?.status === 'open') voidInvoice(account, invoice.id)
  account.events.emitChange('customer.subscription.updated', account.present(after), shownBefore)
  if (pending.cause === 'update')
    account.events.emit('customer.subscription.pending_update_expired', account.present(after))
  planNext(account, stored.id)
  return after
}
