import type { Account } from '../account.ts'
import { cardError, refuse } from '../http/errors.ts'
import {
  flag,
  integer,
  list,
  mergedMetadata,
  metadata,
  oneOf,
  range,
  shape,
  text,
  timestamp,
  unsettable,
} from '../http/params.ts'
import { listPage, listSlice, paging, route } from '../http/route.ts'
import { draftInvoice, HOUR_SECONDS } from '../invoices/draft.ts'
import { finalizeInvoice, markPaid, notEditable, planCollection, voidInvoice } from '../invoices/finalize.ts'
import { type Invoice, linesOf } from '../invoices/invoice.ts'
import { claimItems, lineOfItem, pendingItems } from '../invoices/items.ts'
import { collect, type InvoicePayment } from '../invoices/payment.ts'
import type { PaymentIntent } from '../payments/payment-intent.ts'
import { Previews } from '../previews/preview.ts'
import { type Subscription, subscriptionOf } from '../subscriptions/subscription.ts'
import { customerParameter } from './customers.ts'
import type { PaymentMethod } from './payment-methods.ts'
import { billingMode, checkProrationDate, itemChange } from './subscriptions.ts'

const previews = new WeakMap<Account, Previews>()

function previewsOf(account: Account): Previews {
  const kept = previews.get(account) ?? new Previews()
  previews.set(account, kept)
  return kept
}

const draftable = {
  auto_advance: flag(),
  collection_method: oneOf('charge_automatically', 'send_invoice'),
  days_until_due: integer({ min: 0 }),
  default_payment_method: unsettable(text()),
  description: unsettable(text()),
  footer: unsettable(text()),
  metadata: metadata(),
}

export const invoiceRoutes = [
  route(
    'POST',
    '/v1/invoices/create_preview',
    {
      customer: text(),
      subscription: text(),
      preview_mode: oneOf('next'),
      subscription_details: shape({
        billing_cycle_anchor: shape({ type: oneOf('now', 'unchanged') }),
        billing_mode: billingMode,
        cancel_at: unsettable(timestamp()),
        cancel_at_period_end: flag(),
        cancel_now: flag(),
        items: list(itemChange, { max: 20 }),
        proration_behavior: oneOf('always_invoice', 'create_prorations', 'none'),
        proration_date: timestamp(),
      }),
    },
    (account, params) => {
      if (params.customer === undefined && params.subscription === undefined) {
        throw refuse('You must provide at least one of `customer`, `customer_details`, `subscription` or `schedule`.')
      }
      const stored =
        params.subscription === undefined
          ? null
          : account.reference<Subscription>('subscription', params.subscription, 'subscription')
      if (stored && params.customer !== undefined && params.customer !== stored.customer) {
        throw refuse(`The subscription ${stored.id} does not belong to the customer ${params.customer}.`, {
          param: 'subscription',
        })
      }
      const customer = customerParameter(account, params.customer ?? stored!.customer)
      const details = params.subscription_details ?? {}
      if (details.proration_date !== undefined && stored) checkProrationDate(account, stored, details.proration_date)
      return previewsOf(account).preview(account, {
        customer,
        subscription: stored,
        items: details.items,
        cancelAtPeriodEnd: details.cancel_at_period_end,
        cancelAt: details.cancel_at,
        cancelNow: details.cancel_now,
        resetAnchor: details.billing_cycle_anchor?.type === 'now',
        billing: {
          at: details.proration_date ?? account.seconds(customer.test_clock),
          behavior: details.proration_behavior ?? 'create_prorations',
        },
      })
    },
  ),

  route(
    'POST',
    '/v1/invoices',
    {
      ...draftable,
      customer: text(),
      currency: text({ max: 3 }),
      subscription: text(),
      pending_invoice_items_behavior: oneOf('exclude', 'include'),
    },
    (account, params) => {
      const stored = params.subscription === undefined ? null : subscriptionOf(account, params.subscription)
      const customerId = params.customer ?? stored?.customer
      if (customerId === undefined)
        throw refuse('Missing required param: customer.', { code: 'parameter_missing', param: 'customer' })
      const customer = customerParameter(account, customerId)
      // Current usage is not pulled in: an ad-hoc invoice holds pending invoice items only.
      const takes = params.pending_invoice_items_behavior === 'include' || stored !== null
      const items = takes ? pendingItems(account, customer.id, stored?.id ?? null) : []
      const now = account.seconds(customer.test_clock)
      const made = draftInvoice(account, {
        customer,
        subscription: stored,
        reason: stored ? 'subscription_update' : 'manual',
        lines: items.map(lineOfItem),
        usage: [],
        period: { start: now, end: now },
        currency: params.currency?.toLowerCase() ?? stored?.currency ?? customer.currency ?? 'usd',
        autoAdvance: params.auto_advance ?? false,
        description: params.description ?? null,
        metadata: mergedMetadata({}, params.metadata),
        collectionMethod: params.collection_method ?? 'charge_automatically',
        daysUntilDue: params.days_until_due ?? null,
        defaultPaymentMethod: params.default_payment_method ?? null,
      })
      claimItems(account, items, made.id)
      return account.present(made)
    },
  ),

  route('GET', '/v1/invoices/:id', {}, (account, _params, { id }) =>
    account.present(account.get<Invoice>('invoice', id!)),
  ),

  route(
    'POST',
    '/v1/invoices/:id',
    { ...draftable, automatically_finalizes_at: timestamp(), due_date: timestamp() },
    (account, { metadata: sent, automatically_finalizes_at: at, days_until_due: _days, ...params }, { id }) => {
      const before = account.get<Invoice>('invoice', id!)
      if (before.status !== 'draft') checkFinalizedChange(params)
      const advances = params.auto_advance ?? before.auto_advance
      const finalizesAt = finalizationOf(account, before, advances, at)
      const after = account.change(
        before,
        { ...params, metadata: mergedMetadata(before.metadata, sent), automatically_finalizes_at: finalizesAt },
        'invoice.updated',
      )
      if (before.status === 'draft') planFinalization(account, after, at)
      return account.present(after)
    },
  ),

  route('DELETE', '/v1/invoices/:id', {}, (account, _params, { id }) => {
    const before = account.get<Invoice>('invoice', id!)
    if (before.status !== 'draft' || before.parent) {
      throw refuse('You can only delete draft invoices that are not from a subscription.')
    }
    account.timeline.schedule('invoice', before.id, null)
    account.objects.remove(before.id)
    account.events.emit('invoice.deleted', account.present(before))
    return { id: before.id, object: 'invoice', deleted: true }
  }),

  route(
    'GET',
    '/v1/invoices',
    {
      ...paging,
      collection_method: oneOf('charge_automatically', 'send_invoice'),
      created: range(),
      customer: text(),
      status: oneOf('draft', 'open', 'paid', 'uncollectible', 'void'),
      subscription: text(),
    },
    (account, params) => {
      if (params.customer !== undefined) account.reference('customer', params.customer, 'customer')
      return listPage<Invoice>(account, 'invoice', '/v1/invoices', params, {
        where: {
          '$.customer': params.customer,
          '$.status': params.status,
          '$.collection_method': params.collection_method,
          '$.parent.subscription_details.subscription': params.subscription,
        },
        ...(params.customer === undefined &&
          params.subscription === undefined && {
            also: { sql: `json_extract(data, '$.test_clock') is null`, values: [] },
          }),
        ...(params.created && { created: params.created }),
      })
    },
  ),

  route('GET', '/v1/invoices/:id/lines', paging, (account, params, { id }) => {
    const lines = previewsOf(account).linesOf(id!) ?? linesOf(account.get<Invoice>('invoice', id!))
    return listSlice(lines, `/v1/invoices/${id}/lines`, params, 'line item')
  }),

  route('POST', '/v1/invoices/:id/finalize', { auto_advance: flag() }, (account, params, { id }) => {
    const before = account.get<Invoice>('invoice', id!)
    const open = finalizeInvoice(account, before.id)
    const advances = params.auto_advance ?? before.auto_advance
    const isCharged = advances && open.status === 'open' && open.collection_method === 'charge_automatically'
    return account.present(isCharged ? planCollection(account, open) : open)
  }),

  route(
    'POST',
    '/v1/invoices/:id/pay',
    { forgive: flag(), off_session: flag(), paid_out_of_band: flag(), payment_method: text() },
    (account, params, { id }) => {
      const before = account.get<Invoice>('invoice', id!)
      if (before.status === 'paid') throw refuse('Invoice is already paid')
      const open = before.status === 'draft' ? finalizeInvoice(account, before.id) : before
      if (open.status === 'paid') return account.present(open)
      if (open.status !== 'open' && open.status !== 'uncollectible') throw refuse('This invoice can no longer be paid.')
      if (params.paid_out_of_band) return account.present(markPaid(account, open.id, open.amount_remaining))
      const method =
        params.payment_method === undefined
          ? undefined
          : account.reference<PaymentMethod>('payment_method', params.payment_method, 'payment_method')
      const after = collect(account, open, { ...(method && { method }), attended: params.off_session === false })
      if (after.status !== 'paid') account.answerWith(declined(account, after))
      return account.present(after)
    },
  ),

  route('POST', '/v1/invoices/:id/send', {}, (account, _params, { id }) => {
    const before = account.get<Invoice>('invoice', id!)
    const open = before.status === 'draft' ? finalizeInvoice(account, before.id) : before
    account.events.emit('invoice.sent', account.present(open))
    return account.present(open)
  }),

  route('POST', '/v1/invoices/:id/void', {}, (account, _params, { id }) => account.present(voidInvoice(account, id!))),

  route('POST', '/v1/invoices/:id/mark_uncollectible', {}, (account, _params, { id }) => {
    const before = account.get<Invoice>('invoice', id!)
    if (before.status !== 'open') throw refuse(`You can only pass in open invoices. This invoice isn't open.`)
    account.timeline.schedule('invoice', before.id, null)
    const transitions = { ...before.status_transitions, marked_uncollectible_at: account.seconds(before.test_clock) }
    const changes = {
      status: 'uncollectible' as const,
      auto_advance: false,
      next_payment_attempt: null,
      status_transitions: transitions,
    }
    return account.present(account.change(before, changes, 'invoice.marked_uncollectible'))
  }),

  route(
    'GET',
    '/v1/invoice_payments',
    { ...paging, invoice: text(), status: oneOf('canceled', 'open', 'paid') },
    (account, params) =>
      listPage<InvoicePayment>(account, 'invoice_payment', '/v1/invoice_payments', params, {
        where: { '$.invoice': params.invoice, '$.status': params.status },
      }),
  ),

  route('GET', '/v1/invoice_payments/:id', {}, (account, _params, { id }) =>
    account.present(account.get<InvoicePayment>('invoice_payment', id!)),
  ),

  route('GET', '/v1/charges/:id', {}, (account, _params, { id }) => account.present(account.get('charge', id!))),

  route(
    'GET',
    '/v1/charges',
    { ...paging, customer: text(), payment_intent: text(), created: range() },
    (account, params) =>
      listPage(account, 'charge', '/v1/charges', params, {
        where: { '$.customer': params.customer, '$.payment_intent': params.payment_intent },
        ...(params.created && { created: params.created }),
      }),
  ),
]

/** The refusal of a charge that was tried and recorded. */
function declined(account: Account, after: Invoice) {
  const [payment] = account.objects.all<InvoicePayment>('invoice_payment', { '$.invoice': after.id })
  const intent = payment && account.get<PaymentIntent>('payment_intent', payment.payment.payment_intent)
  const { code, decline_code: declineCode, message } = (intent?.last_payment_error ?? {}) as { [key: string]: string }
  return cardError(message ?? 'Your card was declined.', {
    code: code ?? 'card_declined',
    ...(declineCode && { decline_code: declineCode }),
    ...(intent && { payment_intent: intent.id }),
    ...(intent?.latest_charge && { charge: intent.latest_charge }),
  })
}

function checkFinalizedChange(params: object): void {
  const allowed = new Set(['auto_advance', 'metadata', 'default_payment_method'])
  const others = Object.keys(params).filter((name) => !allowed.has(name))
  if (others.length > 0) throw notEditable(`Finalized invoices can't be updated in this way (${others.join(', ')}).`)
}

/** Null when the draft will not finalize by itself. */
function finalizationOf(account: Account, before: Invoice, advances: boolean, at: number | undefined): number | null {
  if (before.status !== 'draft' || !advances) return null
  return at ?? before.automatically_finalizes_at ?? account.seconds(before.test_clock) + HOUR_SECONDS
}

/** An instant set by hand holds whether or not invoice.created was answered. */
function planFinalization(account: Account, after: Invoice, byHand: number | undefined): void {
  if (byHand === undefined && after.auto_advance && after._awaits_delivery) return
  const at = after.automatically_finalizes_at
  account.timeline.schedule('invoice', after.id, at === null ? null : at * 1000, after.test_clock)
}
