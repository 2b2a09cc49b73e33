import type { Account } from '../account.ts'
import { flag, integer, required, text, timestamp } from '../http/params.ts'
import { listSlice, paging, route } from '../http/route.ts'
import type { ItemChange } from '../subscriptions/change.ts'
import { splitPhase } from '../subscriptions/scheduling.ts'
import { itemsOf, type Subscription, type SubscriptionItem, subscriptionOf } from '../subscriptions/subscription.ts'
import { checkChangeable, checkPendable, type Update, updateSubscription } from '../subscriptions/update.ts'
import { newItem, paymentBehavior, prorationBehavior } from './subscription-parameters.ts'

const billing = {
  payment_behavior: paymentBehavior,
  proration_behavior: prorationBehavior,
  proration_date: timestamp(),
}

export const subscriptionItemRoutes = [
  route(
    'POST',
    '/v1/subscription_items',
    { ...newItem, ...billing, subscription: required(text()) },
    (account, { subscription, payment_behavior, proration_behavior, proration_date, ...item }) => {
      const owner = account.reference<Subscription>('subscription', subscription, 'subscription')
      const before = new Set(itemsOf(account, owner.id).map(({ id }) => id))
      change(account, owner, item, { payment_behavior, proration_behavior, proration_date })
      const made = itemsOf(account, owner.id).find(({ id }) => !before.has(id))
      const pending = subscriptionOf(account, owner.id)._pending?.items.find(({ id }) => !before.has(id))
      return account.present((made ?? pending)!)
    },
  ),

  route('GET', '/v1/subscription_items', { ...paging, subscription: required(text()) }, (account, params) => {
    const owner = account.reference<Subscription>('subscription', params.subscription, 'subscription')
    const items = itemsOf(account, owner.id).map((item) => account.present(item))
    return listSlice(items, '/v1/subscription_items', params, 'subscription_item')
  }),

  route('GET', '/v1/subscription_items/:id', {}, (account, _params, { id }) =>
    account.present(account.get<SubscriptionItem>('subscription_item', id!)),
  ),

  route(
    'POST',
    '/v1/subscription_items/:id',
    { ...newItem, ...billing, off_session: flag(), quantity: integer({ min: 0 }) },
    (account, { payment_behavior, proration_behavior, proration_date, off_session, ...item }, { id }) => {
      const found = account.get<SubscriptionItem>('subscription_item', id!)
      const owner = subscriptionOf(account, found.subscription)
      change(
        account,
        owner,
        { ...item, id: found.id },
        { payment_behavior, proration_behavior, proration_date, off_session },
      )
      return account.present(account.get<SubscriptionItem>('subscription_item', found.id))
    },
  ),

  route('DELETE', '/v1/subscription_items/:id', { ...billing, clear_usage: flag() }, (account, params, { id }) => {
    const gone = account.get<SubscriptionItem>('subscription_item', id!)
    const { clear_usage, ...how } = params
    change(account, subscriptionOf(account, gone.subscription), { id: gone.id, deleted: true, clear_usage }, how)
    return { id: gone.id, object: 'subscription_item', deleted: true }
  }),
]

interface Terms {
  payment_behavior?: Update['paymentBehavior']
  proration_behavior?: Update['prorationBehavior']
  proration_date?: number | undefined
  off_session?: boolean | undefined
}

/** A change of one item is an update of its subscription. */
function change(account: Account, owner: Subscription, item: ItemChange, terms: Terms): void {
  checkChangeable(owner, ['items'])
  if (terms.payment_behavior === 'pending_if_incomplete') checkPendable([], owner)
  const after = updateSubscription(account, owner, {
    items: [item],
    itemParam: () => '',
    prorationBehavior: terms.proration_behavior,
    prorationDate: terms.proration_date,
    paymentBehavior: terms.payment_behavior,
    presence: terms.off_session ? { attended: false } : undefined,
    fields: {},
  })
  splitPhase(account, after, ['items'])
}
