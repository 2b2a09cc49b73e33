import type { Account, Kind, Wire } from '../account.ts'
import { visible } from '../account.ts'
import { formatPico, PICO } from '../billing/decimal.ts'
import { describe } from '../billing/description.ts'
import { rate } from '../billing/rating.ts'
import type { Metadata } from '../http/params.ts'
import { listOf } from '../http/route.ts'
import { newId } from '../identifier.ts'
import type { Meter } from '../metering/usage.ts'
import type { Stored } from '../objects.ts'
import type { Customer } from '../resources/customers.ts'
import type { Price } from '../resources/prices.ts'
import type { Product } from '../resources/products.ts'
import type { Subscription, SubscriptionItem } from '../subscriptions/subscription.ts'
import type { WebhookEndpoint } from '../webhooks/deliveries.ts'
import { covers } from '../webhooks/events.ts'

export type BillingReason = 'subscription_create' | 'subscription_cycle' | 'subscription_update' | 'manual' | 'upcoming'

export interface Line {
  id: string
  object: 'line_item'
  amount: number
  currency: string
  description: string | null
  discount_amounts: []
  discountable: boolean
  discounts: []
  invoice: string | null
  livemode: false
  metadata: Metadata
  parent: LineParent | null
  period: { start: number; end: number }
  pretax_credit_amounts: []
  pricing: {
    price_details?: { price: string; product: string }
    type: 'price_details'
    unit_amount_decimal: string | null
  } | null
  quantity: number | null
  quantity_decimal: string | null
  subscription: string | null
  subtotal: number
  taxes: []
  /** The usage this line was made from, by its place in the invoice's `_usage`. */
  _usage?: number
}
type ProrationDetails = { credited_items: { invoice: string; invoice_line_items: string[] } | null } | null
export interface LineParent {
  invoice_item_details: {
    invoice_item: string
    proration: boolean
    proration_details: ProrationDetails
    subscription: string | null
  } | null
  subscription_item_details: {
    invoice_item: string | null
    proration: boolean
    proration_details: ProrationDetails
    subscription: string | null
    subscription_item: string
  } | null
  type: 'invoice_item_details' | 'subscription_item_details'
}

/** Metered usage that a draft bills: counted again, one last time, when the draft is finalized. */
export interface UsagePart {
  item: string
  price: string
  start: number
  end: number
}

export interface Invoice extends Stored {
  object: 'invoice'
  amount_due: number
  amount_overpaid: number
  amount_paid: number
  amount_remaining: number
  attempt_count: number
  attempted: boolean
  auto_advance: boolean
  automatically_finalizes_at: number | null
  billing_reason: BillingReason
  collection_method: 'charge_automatically' | 'send_invoice'
  currency: string
  customer: string
  customer_email: string | null
  customer_name: string | null
  default_payment_method: string | null
  description: string | null
  due_date: number | null
  effective_at: number | null
  ending_balance: number | null
  footer: string | null
  hosted_invoice_url: string | null
  invoice_pdf: string | null
  livemode: false
  metadata: Metadata
  next_payment_attempt: number | null
  number: string | null
  parent: {
    quote_details: null
    subscription_details: { metadata: Metadata; subscription: string; subscription_proration_date?: number }
    type: 'subscription_details'
  } | null
  period_end: number
  period_start: number
  starting_balance: number
  status: 'draft' | 'open' | 'paid' | 'uncollectible' | 'void'
  status_transitions: {
    finalized_at: number | null
    marked_uncollectible_at: number | null
    paid_at: number | null
    voided_at: number | null
  }
  subtotal: number
  test_clock: string | null
  total: number
  webhooks_delivered_at: number | null
  post_payment_credit_notes_amount: number
  pre_payment_credit_notes_amount: number
  _lines: Line[]
  _usage: UsagePart[]
  /** Waits for the 2xx to invoice.created before its hour begins. */
  _awaits_delivery: boolean
}

const LINES_SHOWN = 10
export const HOUR_SECONDS = 3600
/** Without a 2xx to invoice.created Stripe finalizes after this long. */
const DELIVERY_WAIT_SECONDS = 72 * HOUR_SECONDS

export const invoice: Kind = {
  type: 'invoice',
  noun: 'invoice',
  present: presentInvoice,
  references: {
    customer: 'customer',
    default_payment_method: 'payment_method',
    'parent.subscription_details.subscription': 'subscription',
    test_clock: 'test_helpers.test_clock',
  },
  onExpand: {
    payments: (account, stored: Invoice) => paymentsOf(account, stored),
    confirmation_secret: (account, stored: Invoice) => {
      const [payment] = account.objects.all('invoice_payment', { '$.invoice': stored.id }) as (Stored & {
        payment: { payment_intent: string }
      })[]
      return payment
        ? { client_secret: `${payment.payment.payment_intent}_secret_local`, type: 'payment_intent' }
        : null
    },
  },
}

export const lineItem: Kind = {
  type: 'line_item',
  noun: 'line item',
  references: { subscription: 'subscription', 'pricing.price_details.price': 'price' },
}

function paymentsOf(account: Account, stored: Invoice): Wire {
  const payments = account.objects.all('invoice_payment', { '$.invoice': stored.id }).toReversed()
  return listOf(
    payments.map((payment) => account.present(payment)),
    `/v1/invoice_payments?invoice=${stored.id}`,
  )
}

export function presentInvoice(_account: Account, stored: Invoice): Wire {
  const lines = linesOf(stored)
  return {
    ...visible(stored),
    account_country: 'US',
    account_name: 'Local Stripe',
    account_tax_ids: null,
    amount_shipping: 0,
    application: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    custom_fields: null,
    customer_account: null,
    customer_address: null,
    customer_phone: null,
    customer_shipping: null,
    customer_tax_exempt: 'none',
    customer_tax_ids: [],
    default_source: null,
    default_tax_rates: [],
    discounts: [],
    from_invoice: null,
    issuer: { type: 'self' },
    last_finalization_error: null,
    latest_revision: null,
    lines: {
      ...listOf(lines.slice(0, LINES_SHOWN), `/v1/invoices/${stored.id}/lines`, lines.length > LINES_SHOWN),
      total_count: lines.length,
    },
    on_behalf_of: null,
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    statement_descriptor: null,
    subtotal_excluding_tax: stored.subtotal,
    total_discount_amounts: [],
    total_excluding_tax: stored.total,
    total_pretax_credit_amounts: [],
    total_taxes: [],
  }
}

export function linesOf(stored: Invoice): Wire[] {
  return stored._lines.map((line) => ({ ...visible(line), invoice: stored.id }))
}

interface Draft {
  customer: Customer
  subscription: Subscription | null
  reason: BillingReason
  lines: Line[]
  usage: UsagePart[]
  period: { start: number; end: number }
  currency: string
  autoAdvance: boolean
  description?: string | null
  metadata?: Metadata
  prorationDate?: number | undefined
  collectionMethod?: Invoice['collection_method']
  daysUntilDue?: number | null
  defaultPaymentMethod?: string | null
}

/** Stores a draft, tells of it, and plans its finalization if it advances by itself. */
export function draftInvoice(account: Account, draft: Draft): Invoice {
  const { customer, subscription } = draft
  const clock = customer.test_clock
  const created = account.seconds(clock)
  const id = newId('in')
  const awaits = draft.autoAdvance && hasEndpointFor(account, 'invoice.created')
  const method = draft.collectionMethod ?? subscription?.collection_method ?? 'charge_automatically'
  const daysUntilDue = draft.daysUntilDue ?? subscription?.days_until_due ?? 30
  const stored: Invoice = {
    id,
    object: 'invoice',
    amount_due: 0,
    amount_overpaid: 0,
    amount_paid: 0,
    amount_remaining: 0,
    attempt_count: 0,
    attempted: false,
    auto_advance: draft.autoAdvance,
    automatically_finalizes_at: draft.autoAdvance ? created + HOUR_SECONDS : null,
    billing_reason: draft.reason,
    collection_method: method,
    created,
    currency: draft.currency,
    customer: customer.id,
    customer_email: customer.email,
    customer_name: customer.name,
    default_payment_method: draft.defaultPaymentMethod ?? null,
    description: draft.description ?? null,
    due_date: method === 'send_invoice' ? created + daysUntilDue * 86_400 : null,
    effective_at: null,
    ending_balance: null,
    footer: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    livemode: false,
    metadata: draft.metadata ?? {},
    next_payment_attempt: method === 'charge_automatically' && draft.autoAdvance ? created + HOUR_SECONDS : null,
    number: null,
    parent: subscription && {
      quote_details: null,
      subscription_details: {
        metadata: subscription.metadata,
        subscription: subscription.id,
        ...(draft.prorationDate !== undefined && { subscription_proration_date: draft.prorationDate }),
      },
      type: 'subscription_details',
    },
    period_end: draft.period.end,
    period_start: draft.period.start,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    starting_balance: customer.balance,
    status: 'draft',
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    subtotal: 0,
    test_clock: clock,
    total: 0,
    webhooks_delivered_at: awaits ? null : created,
    _lines: draft.lines,
    _usage: draft.usage,
    _awaits_delivery: awaits,
  }
  Object.assign(stored, totalsOf(stored))
  account.create(stored, 'invoice.created')
  if (draft.autoAdvance) {
    const at = created + (awaits ? DELIVERY_WAIT_SECONDS : HOUR_SECONDS)
    account.timeline.schedule('invoice', id, at * 1000, clock)
  }
  return stored
}

function hasEndpointFor(account: Account, type: string): boolean {
  return account.objects
    .all<WebhookEndpoint>('webhook_endpoint', { '$.status': 'enabled' })
    .some((endpoint) => covers(endpoint.enabled_events, type))
}

/** Sums of a draft. What the balance and the minimum charge do to the amount due is decided at finalization. */
export function totalsOf(stored: Invoice): Pick<Invoice, 'subtotal' | 'total' | 'amount_due' | 'amount_remaining'> {
  const total = stored._lines.reduce((sum, line) => sum + line.amount, 0)
  const due = Math.max(0, total + stored.starting_balance)
  return { subtotal: total, total, amount_due: due, amount_remaining: due }
}

/** The hour of a draft begins with the 2xx to its invoice.created. */
export function markDelivered(account: Account, invoiceId: string): void {
  const stored = account.objects.find<Invoice>('invoice', invoiceId)
  if (!stored?._awaits_delivery) return
  const now = account.seconds(stored.test_clock)
  const isWaiting = stored.status === 'draft' && stored.auto_advance
  account.objects.save({
    ...stored,
    webhooks_delivered_at: now,
    _awaits_delivery: false,
    ...(isWaiting && {
      automatically_finalizes_at: now + HOUR_SECONDS,
      next_payment_attempt: stored.next_payment_attempt === null ? null : now + HOUR_SECONDS,
    }),
  })
  if (isWaiting) account.timeline.schedule('invoice', stored.id, (now + HOUR_SECONDS) * 1000, stored.test_clock)
}

/** The lines of a metered item for a span of usage; `part` is where the invoice remembers the span. */
export function usageLines(account: Account, owner: Subscription, usage: UsagePart, part?: number): Line[] {
  const price = account.get<Price>('price', usage.price)
  const product = account.get<Product>('product', price.product)
  return rate(ratedPrice(price), usageOf(account, owner.customer, price, usage)).map((rated) => ({
    ...blankLine(price.currency),
    amount: Number(rated.amount),
    subtotal: Number(rated.amount),
    description: describe(rated, price, product),
    metadata: owner.metadata,
    parent: itemParent(owner.id, usage.item),
    period: { start: usage.start, end: usage.end },
    pricing: pricingOf(price, rated.unitAmount),
    ...quantities(rated.quantity),
    subscription: owner.id,
    ...(part !== undefined && { _usage: part }),
  }))
}

/** A metered price's usage of a customer in a span, in units of 10^-12. */
export function usageOf(
  account: Account,
  customer: string,
  price: Price,
  span: { start: number; end: number },
): bigint {
  const meter = account.get<Meter>('billing.meter', price.recurring?.meter ?? '')
  const lagMs = account.rehearsing ? account.previewLagMs : 0
  return account.usage.aggregate(
    meter,
    customer,
    span,
    lagMs > 0 ? { countedBeforeMs: account.timeline.realMs() - lagMs } : {},
  )
}

/** The line of a licensed item for a whole period, charged in advance. */
export function licensedLines(
  account: Account,
  item: SubscriptionItem,
  period: { start: number; end: number },
  metadata: Metadata,
): Line[] {
  const price = account.get<Price>('price', item.price)
  const product = account.get<Product>('product', price.product)
  return rate(ratedPrice(price), BigInt(item.quantity ?? 1) * PICO).map((rated) => ({
    ...blankLine(price.currency),
    amount: Number(rated.amount),
    subtotal: Number(rated.amount),
    description: describe(rated, price, product),
    metadata,
    parent: itemParent(item.subscription, item.id),
    period,
    pricing: pricingOf(price, rated.unitAmount),
    ...quantities(rated.quantity),
    subscription: item.subscription,
  }))
}

export function ratedPrice(price: Price) {
  return { ...price, tiers: price._tiers }
}

export function blankLine(currency: string): Line {
  return {
    id: newId('il'),
    object: 'line_item',
    amount: 0,
    currency,
    description: null,
    discount_amounts: [],
    discountable: true,
    discounts: [],
    invoice: null,
    livemode: false,
    metadata: {},
    parent: null,
    period: { start: 0, end: 0 },
    pretax_credit_amounts: [],
    pricing: null,
    quantity: null,
    quantity_decimal: null,
    subscription: null,
    subtotal: 0,
    taxes: [],
  }
}

export function pricingOf(price: Price, unitAmount: string | null): NonNullable<Line['pricing']> {
  return {
    price_details: { price: price.id, product: price.product },
    type: 'price_details',
    unit_amount_decimal: unitAmount,
  }
}

/** The whole quantity is cut off, the exact one beside it. */
export function quantities(quantity: bigint): { quantity: number; quantity_decimal: string } {
  return { quantity: Number(quantity / PICO), quantity_decimal: formatPico(quantity) }
}

function itemParent(subscription: string, item: string): LineParent {
  return {
    invoice_item_details: null,
    subscription_item_details: {
      invoice_item: null,
      proration: false,
      proration_details: null,
      subscription,
      subscription_item: item,
    },
    type: 'subscription_item_details',
  }
}
