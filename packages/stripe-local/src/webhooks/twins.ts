import type { RelatedObject, Wire } from '../account.ts'

/**
 * Since 2026-08-26.dahlia nearly every snapshot event has a thin twin, `v1.` and its type; since 2026-10-28.endive some
 * changes have finer ones. Which, and in what words: the SDK's V2/Core/Events.
 */
const WITHOUT_TWIN = ['apps.', 'customer.source.', 'reporting.', 'reserve.', 'source.', 'treasury.']

export function twinOf(type: string): string | null {
  return WITHOUT_TWIN.some((prefix) => type.startsWith(prefix)) ? null : `v1.${type}`
}

/** What a thin event is about; null for what cannot be fetched by itself, such as an upcoming invoice. */
export function relatedTo(object: Wire): RelatedObject | null {
  if (object.object === 'billing.alert_triggered') return relatedTo(object.alert as Wire)
  if (typeof object.id !== 'string' || object.id.startsWith('upcoming_in_')) return null
  if (object.object === 'discount' || object.object === 'billing_portal.session') return null
  const type = String(object.object)
  return { id: object.id, type, url: `/v1/${type.replace('.', '/')}s/${object.id}` }
}

/** The finer events of a change that `type` tells as a whole. */
export function finerTypes(type: string, after: Wire, before: Wire): string[] {
  const finer = FINER[type]
  if (!finer) return []
  const changed = (field: string) => JSON.stringify(after[field]) !== JSON.stringify(before[field])
  return finer(after, before, changed)
}

type Finer = (after: Wire, before: Wire, changed: (field: string) => boolean) => string[]

/** Statuses that have an event of their own; `paused` and its end have had theirs for long. */
const STATUSES = ['active', 'incomplete', 'incomplete_expired', 'past_due', 'trialing', 'unpaid']

const FINER: { [type: string]: Finer } = {
  'price.updated': (after, _before, changed) => [
    ...(changed('active') ? [after.active ? 'v1.price.activated' : 'v1.price.deactivated'] : []),
    ...(changed('lookup_key') ? ['v1.price.lookup_key_changed'] : []),
    ...(changed('tax_behavior') ? ['v1.price.tax_behavior_changed'] : []),
  ],
  'product.updated': (after, _before, changed) => [
    ...(changed('active') ? [after.active ? 'v1.product.activated' : 'v1.product.deactivated'] : []),
    ...(changed('default_price') ? ['v1.product.default_price_changed'] : []),
    ...(changed('tax_code') ? ['v1.product.tax_code_changed'] : []),
  ],
  'customer.subscription.updated': (after, before, changed) => [
    ...(changed('status') && STATUSES.includes(String(after.status))
      ? [`v1.customer.subscription.${after.status}`]
      : []),
    ...(changed('cancel_at') ? ['v1.customer.subscription.cancel_at_changed'] : []),
    ...(changed('default_payment_method') ? ['v1.customer.subscription.default_payment_method_changed'] : []),
    ...itemTypes(itemsOf(after), itemsOf(before)).map((name) => `v1.customer.subscription.${name}`),
  ],
}

type Item = { id: string; quantity?: number; price?: { id: string }; tax_rates?: unknown }

function itemsOf(subscription: Wire): Item[] {
  return (subscription.items as { data: Item[] } | undefined)?.data ?? []
}

function itemTypes(after: Item[], before: Item[]): string[] {
  const pairs = after.map((item) => ({ item, was: before.find(({ id }) => id === item.id) }))
  const some = (differs: (item: Item, was: Item) => boolean) => pairs.some(({ item, was }) => was && differs(item, was))
  return [
    ...(pairs.some(({ was }) => !was) ? ['item_added'] : []),
    ...(before.some(({ id }) => !after.some((item) => item.id === id)) ? ['item_removed'] : []),
    ...(some((item, was) => item.price?.id !== was.price?.id) ? ['item_price_changed'] : []),
    ...(some((item, was) => item.quantity !== was.quantity) ? ['item_quantity_changed'] : []),
    ...(some((item, was) => JSON.stringify(item.tax_rates) !== JSON.stringify(was.tax_rates))
      ? ['item_tax_rates_changed']
      : []),
  ]
}
