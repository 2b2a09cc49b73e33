import type { Account } from '../account.ts'
import { addIntervals } from '../billing/cycle.ts'
import type { Price } from '../catalogue/price.ts'
import { refuse } from '../http/errors.ts'
import { type Metadata, mergedMetadata } from '../http/params.ts'
import type { ItemChange } from './change.ts'
import { checkTogether, type NewItem, wantedPrice } from './items.ts'
import { type OneTime, oneTimePrice } from './one-time.ts'
import type { Phase, PhaseItem, PhaseOneTime, PhaseSettings, SubscriptionSchedule } from './schedule.ts'
import { type Interval, isMetered, itemsOf, NO_INVOICE_SETTINGS, type Subscription } from './subscription.ts'

/** A phase as a request describes it. */
export interface PhaseWish extends Partial<PhaseSettings> {
  add_invoice_items?: OneTime[] | undefined
  currency?: string | undefined
  duration?: { interval: Interval['interval']; interval_count?: number } | undefined
  end_date?: number | 'now' | undefined
  items: NewItem[]
  metadata?: Metadata | null | undefined
  proration_behavior?: Phase['proration_behavior'] | undefined
  start_date?: number | 'now' | undefined
  trial?: boolean | undefined
  trial_end?: number | 'now' | undefined
}

const PHASES_MAX = 10

/** Phases in a row: each begins where the one before it ends. @throws ApiError */
export function phasesFrom(
  account: Account,
  wishes: PhaseWish[],
  terms: { start: number; now: number; billingMode: 'flexible' | 'classic'; currency: string | null },
): Phase[] {
  if (wishes.length === 0) throw missing('phases')
  if (wishes.length > PHASES_MAX) {
    throw refuse(`A subscription schedule can have at most ${PHASES_MAX} current or future phases.`, {
      param: 'phases',
    })
  }
  const phases: Phase[] = []
  for (const [index, wish] of wishes.entries()) {
    const start = phases.at(-1)?.end_date ?? terms.start
    phases.push(phaseFrom(account, wish, { ...terms, start, param: `phases[${index}]` }))
  }
  return phases
}

function phaseFrom(
  account: Account,
  wish: PhaseWish,
  terms: { start: number; now: number; billingMode: 'flexible' | 'classic'; currency: string | null; param: string },
): Phase {
  const { start, now, param } = terms
  const given = wish.start_date === 'now' ? now : wish.start_date
  if (given !== undefined && given !== start) {
    throw refuse('The `start_date` of a phase must be the `end_date` of the phase before it.', {
      param: `${param}[start_date]`,
    })
  }
  const prices = wish.items.map((item, index) => wantedPrice(account, item, `${param}[items][${index}]`))
  const [first] = prices
  if (!first) throw missing(`${param}[items]`)
  const currency = wish.currency?.toLowerCase() ?? terms.currency ?? first.currency
  checkTogether(prices, { currency, billingMode: terms.billingMode })
  const end = endOf(wish, first, start, now, param)
  return {
    add_invoice_items: (wish.add_invoice_items ?? []).map((one, index) =>
      oneTimeFrom(account, one, currency, `${param}[add_invoice_items][${index}]`),
    ),
    application_fee_percent: null,
    billing_cycle_anchor: wish.billing_cycle_anchor ?? null,
    billing_thresholds: wish.billing_thresholds ?? null,
    collection_method: wish.collection_method ?? null,
    currency,
    default_payment_method: wish.default_payment_method ?? null,
    default_tax_rates: [],
    description: wish.description ?? null,
    discounts: [],
    end_date: end,
    invoice_settings: wish.invoice_settings ?? null,
    items: wish.items.map((item, index) => itemFrom(item, prices[index]!)),
    metadata: (wish.metadata ?? {}) as Metadata,
    on_behalf_of: null,
    proration_behavior: wish.proration_behavior ?? 'create_prorations',
    start_date: start,
    transfer_data: null,
    trial_end: trialEndOf(wish, start, end, now, param),
  }
}

function endOf(wish: PhaseWish, price: Price, start: number, now: number, param: string): number {
  if (wish.end_date !== undefined && wish.duration) {
    throw refuse('You may only specify one of these parameters: duration, end_date.', { param: `${param}[duration]` })
  }
  if (wish.end_date !== undefined) {
    const end = wish.end_date === 'now' ? now : wish.end_date
    if (end > start) return end
    throw refuse('The `end_date` of a phase must be after its `start_date`.', { param: `${param}[end_date]` })
  }
  const { interval, interval_count = 1 } = wish.duration ?? price.recurring!
  return addIntervals(start, { interval, interval_count }, 1)
}

function trialEndOf(wish: PhaseWish, start: number, end: number, now: number, param: string): number | null {
  const given = wish.trial_end === 'now' ? now : wish.trial_end
  if (wish.trial) {
    if (given === undefined || given === end) return end
    throw refuse('With `trial=true` the `trial_end` must be the end of the phase.', { param: `${param}[trial_end]` })
  }
  if (given === undefined) return null
  if (given >= start && given <= end) return given
  throw refuse('The `trial_end` must lie within the phase.', { param: `${param}[trial_end]` })
}

function itemFrom(item: NewItem, price: Price): PhaseItem {
  return {
    billing_thresholds: item.billing_thresholds ?? null,
    discounts: [],
    metadata: (item.metadata ?? {}) as Metadata,
    plan: price.id,
    price: price.id,
    ...(!isMetered(price) && { quantity: item.quantity ?? 1 }),
    tax_rates: [],
  }
}

function oneTimeFrom(account: Account, one: OneTime, currency: string, param: string): PhaseOneTime {
  const price = oneTimePrice(account, one, currency, param)
  return {
    discountable: one.discountable ?? null,
    discounts: [],
    metadata: mergedMetadata({}, one.metadata),
    period: (one.period as PhaseOneTime['period'] | undefined) ?? {
      end: { type: 'min_item_period_end' },
      start: { type: 'max_item_period_start' },
    },
    price: price.id,
    quantity: one.quantity ?? 1,
    tax_rates: [],
  }
}

function missing(param: string) {
  return refuse(`Missing required param: ${param}.`, { code: 'parameter_missing', param })
}

/** The phase that a subscription without a schedule is in: its running period. */
export function runningPhase(account: Account, stored: Subscription): Phase {
  const items = itemsOf(account, stored.id)
  const start = Math.max(...items.map((item) => item.current_period_start))
  const end = stored.cancel_at ?? Math.min(...items.map((item) => item.current_period_end))
  return {
    add_invoice_items: [],
    application_fee_percent: null,
    billing_cycle_anchor: null,
    billing_thresholds: null,
    collection_method: null,
    currency: stored.currency,
    default_payment_method: null,
    default_tax_rates: [],
    description: null,
    discounts: [],
    end_date: end,
    invoice_settings: null,
    items: phaseItemsOf(account, stored),
    metadata: {},
    on_behalf_of: null,
    proration_behavior: 'create_prorations',
    start_date: start,
    transfer_data: null,
    trial_end: stored.status === 'trialing' ? stored.trial_end : null,
  }
}

export function phaseItemsOf(account: Account, stored: Subscription): PhaseItem[] {
  return itemsOf(account, stored.id).map((item) => ({
    billing_thresholds: item.billing_thresholds ?? null,
    discounts: [],
    metadata: {},
    plan: item.price,
    price: item.price,
    ...(item.quantity !== undefined && { quantity: item.quantity }),
    tax_rates: [],
  }))
}

/** What must change for the subscription to have a phase's items. Items are told apart by their prices. */
export function changesTo(account: Account, stored: Subscription, wanted: PhaseItem[]): ItemChange[] {
  const items = itemsOf(account, stored.id)
  const kept = wanted.map((item): ItemChange => {
    const { quantity, billing_thresholds, metadata, price } = item
    const found = items.find((each) => each.price === price)
    const notes = { metadata, ...(found && billing_thresholds === null ? {} : { billing_thresholds }) }
    const amount = quantity === undefined ? {} : { quantity }
    return found ? { id: found.id, ...amount, ...notes } : { price, ...amount, ...notes, isPlanned: true }
  })
  const gone = items.filter((item) => !wanted.some(({ price }) => price === item.price))
  return [...kept, ...gone.map(({ id }) => ({ id, deleted: true }))]
}

/** What a phase sets on its subscription; what neither it nor its schedule names stays as it is. */
export function fieldsOf(
  schedule: SubscriptionSchedule,
  phase: Phase,
  before: Pick<Subscription, 'metadata'>,
): Partial<Subscription> {
  const defaults = schedule.default_settings
  const method = phase.collection_method ?? defaults.collection_method
  const settings = phase.invoice_settings ?? defaults.invoice_settings
  const thresholds = phase.billing_thresholds ?? defaults.billing_thresholds
  const card = phase.default_payment_method ?? defaults.default_payment_method
  const description = phase.description ?? defaults.description
  const { days_until_due: days, ...shown } = settings ?? { ...NO_INVOICE_SETTINGS, days_until_due: null }
  return {
    ...(method && { collection_method: method, days_until_due: method === 'send_invoice' ? (days ?? 30) : null }),
    ...(settings && { invoice_settings: shown }),
    ...(thresholds && { billing_thresholds: thresholds }),
    ...(card && { default_payment_method: card }),
    ...(description && { description }),
    metadata: mergedMetadata(before.metadata, phase.metadata),
  }
}
