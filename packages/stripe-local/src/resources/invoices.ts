import type { Account } from '../account.ts'
import { currencyOf } from '../catalogue/currency.ts'
import { discountInvoice } from '../discounts/invoice.ts'
import { cardError, refuse } from '../http/errors.ts'
import {
  flag,
  integer,
  list,
  mergedMetadata,
  metadata,
  oneOf,
  onlyShown,
  type Params,
  range,
  required,
  shape,
  text,
  timestamp,
  unsettable,
} from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { missingParam } from '../http/wording.ts'
import { DAY_SECONDS, draftInvoice, HOUR_SECONDS } from '../invoices/draft.ts'
import {
  finalizeInvoice,
  markPaid,
  markUncollectible,
  notEditable,
  planCollection,
  voidInvoice,
} from '../invoices/finalize.ts'
import type { Invoice } from '../invoices/invoice.ts'
import { claimItems, type InvoiceItem, lineOfItem, waitingItems } from '../invoices/items.ts'
import { attachPayment, collect, type InvoicePayment } from '../invoices/payment.ts'
import { reviseInvoice } from '../invoices/revision.ts'
import type { PaymentIntent } from '../payments/payment-intent.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { type Customer, customerParameter } from './customers.ts'
import type { PaymentMethod } from './payment-methods.ts'
import { automaticTax } from './subscription-parameters.ts'

const address = shape({
  city: text(),
  country: text(),
  line1: text(),
  line2: text(),
  postal_code: text(),
  state: text(),
})

const changeable = {
  auto_advance: flag(),
  automatically_finalizes_at: timestamp(),
  collection_method: oneOf('charge_automatically', 'send_invoice'),
  custom_fields: onlyShown(
    unsettable(list(shape({ name: required(text({ max: 40 })), value: required(text({ max: 140 })) }), { max: 4 })),
  ),
  days_until_due: integer({ min: 0 }),
  default_payment_method: text(),
  description: onlyShown(unsettable(text())),
  discounts: unsettable(list(shape({ coupon: text(), discount: text(), promotion_code: text() }), { max: 20 })),
  automatic_tax: automaticTax,
  due_date: timestamp(),
  effective_at: onlyShown(unsettable(timestamp())),
  footer: onlyShown(unsettable(text())),
  issuer: onlyShown(shape({ type: required(oneOf('self')) })),
  metadata: metadata(),
  number: unsettable(text({ max: 26 })),
  payment_settings: onlyShown(shape({ payment_method_types: unsettable(list(text())) })),
  rendering: onlyShown(
    shape({
      amount_tax_display: unsettable(oneOf('exclude_tax', 'include_inclusive_tax')),
      pdf: shape({ page_size: oneOf('a4', 'auto', 'letter') }),
    }),
  ),
  shipping_details: onlyShown(
    unsettable(shape({ address: required(address), name: required(text()), phone: unsettable(text()) })),
  ),
  statement_descriptor: text({ max: 22 }),
}
type Changes = Params<typeof changeable>

export const invoiceRoutes = [
  route(
    'POST',
    '/v1/invoices',
    {
      ...changeable,
      customer: text(),
      currency: text({ max: 3 }),
      from_invoice: shape({ action: required(oneOf('revision')), invoice: required(text()) }),
      pending_invoice_items_behavior: oneOf('exclude', 'include'),
      subscription: text(),
    },
    (account, { customer, currency, from_invoice: from, pending_invoice_items_behavior, subscription, ...params }) => {
      if (from) {
        const revised = account.reference<Invoice>('invoice', from.invoice, 'from_invoice[invoice]')
        return account.present(reviseInvoice(account, revised))
      }
      const stored =
        subscription === undefined
          ? null
          : account.reference<Subscription>('subscription', subscription, 'subscription')
      const customerId = customer ?? stored?.customer
      if (customerId === undefined) throw missingParam('customer')
      const owner = customerParameter(account, customerId)
      if (stored && stored.customer !== owner.id) {
        throw refuse(`The subscription ${stored.id} does not belong to the customer ${owner.id}.`, {
          param: 'subscription',
        })
      }
      const chosen = currency === undefined ? undefined : currencyOf(currency)
      const own = chosen ?? stored?.currency ?? owner.currency ?? 'usd'
      const items = itemsFor(account, owner, stored, pending_invoice_items_behavior === 'include', own)
      const now = account.seconds(owner.test_clock)
      checkTerms(params, params.collection_method ?? 'charge_automatically')
      const made = draftInvoice(account, {
        customer: owner,
        subscription: stored,
        reason: stored ? 'subscription_update' : 'manual',
        lines: items.map(lineOfItem),
        usage: [],
        period: { start: now, end: now },
        currency: own,
        autoAdvance: params.auto_advance ?? false,
        metadata: mergedMetadata({}, params.metadata),
        collectionMethod: params.collection_method ?? 'charge_automatically',
        daysUntilDue: params.days_until_due ?? null,
        fields: fieldsFrom(account, params, owner),
      })
      claimItems(account, items, made.id)
      return account.present(params.discounts === undefined ? made : discountInvoice(account, made, params.discounts))
    },
  ),

  route('GET', '/v1/invoices/:id', {}, (account, _params, { id }) =>
    account.present(account.get<Invoice>('invoice', id!)),
  ),

  route('POST', '/v1/invoices/:id', changeable, (account, params, { id }) => {
    const before = account.get<Invoice>('invoice', id!)
    return account.present(
      before.status === 'draft' ? changeDraft(account, before, params) : changeFinal(account, before, params),
    )
  }),

  route('DELETE', '/v1/invoices/:id', {}, (account, _params, { id }) => {
    const before = account.get<Invoice>('invoice', id!)
    if (before.status !== 'draft') throw refuse('You can only delete draft invoices.')
    if (before.parent) throw refuse("You can't delete invoices created by subscriptions.")
    account.timeline.schedule('invoice', before.id, null)
    for (const item of account.objects.all<InvoiceItem>('invoiceitem', { '$.invoice': before.id })) {
      account.objects.remove(item.id)
      account.events.emit('invoiceitem.deleted', account.present(item))
    }
    const shown = account.present(before)
    account.objects.remove(before.id)
    account.events.emit('invoice.deleted', shown)
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
      due_date: range(),
      status: oneOf('draft', 'open', 'paid', 'uncollectible', 'void'),
      subscription: text(),
    },
    (account, params) => {
      if (params.customer !== undefined) account.reference('customer', params.customer, 'customer')
      const isOpen = params.customer === undefined && params.subscription === undefined
      return listPage<Invoice>(account, 'invoice', '/v1/invoices', params, {
        where: {
          '$.customer': params.customer,
          '$.status': params.status,
          '$.collection_method': params.collection_method,
          '$.parent.subscription_details.subscription': params.subscription,
          ...(isOpen && { '$.test_clock': null }),
        },
        ...(params.due_date && { also: within('due_date', params.due_date) }),
        ...(params.created && { created: params.created }),
      })
    },
  ),

  route('POST', '/v1/invoices/:id/finalize', { auto_advance: flag() }, (account, params, { id }) => {
    const before = account.get<Invoice>('invoice', id!)
    const open = finalizeInvoice(account, before.id)
    if (open.status !== 'open') return account.present(open)
    const advances = params.auto_advance ?? before.auto_advance
    const isCharged = advances && open.collection_method === 'charge_automatically'
    return account.present(
      isCharged ? planCollection(account, open) : account.objects.save({ ...open, auto_advance: advances }),
    )
  }),

  route(
    'POST',
    '/v1/invoices/:id/pay',
    // A card is never partly funded: there is no difference to forgive.
    { forgive: onlyShown(flag()), off_session: flag(), paid_out_of_band: flag(), payment_method: text() },
    (account, params, { id }) => {
      const before = account.get<Invoice>('invoice', id!)
      if (before.status === 'paid') throw refuse('Invoice is already paid')
      if (before.status === 'void') throw refuse('This invoice can no longer be paid.')
      const method =
        params.payment_method === undefined
          ? undefined
          : methodOf(account, before.customer, params.payment_method, 'payment_method')
      const open = before.status === 'draft' ? finalizeInvoice(account, before.id) : before
      if (open.status === 'paid') return account.present(open)
      if (params.paid_out_of_band) return account.present(markPaid(account, open.id, { outOfBand: true }))
      const after = collect(account, open, { method, attended: params.off_session === false })
      if (after.status !== 'paid') account.answerWith(declined(account, after))
      return account.present(after)
    },
  ),

  route('POST', '/v1/invoices/:id/send', {}, (account, _params, { id }) => {
    const before = account.get<Invoice>('invoice', id!)
    if (before.status === 'void' || before.status === 'uncollectible') {
      throw refuse(`You can't send an invoice that is ${before.status}.`)
    }
    if (before.collection_method !== 'send_invoice') {
      throw refuse("You can only manually send an invoice if its collection method is 'send_invoice'.")
    }
    const open = before.status === 'draft' ? finalizeInvoice(account, before.id) : before
    const shown = account.present(open)
    account.events.emit('invoice.sent', shown)
    return shown
  }),

  route('POST', '/v1/invoices/:id/void', {}, (account, _params, { id }) => account.present(voidInvoice(account, id!))),

  route('POST', '/v1/invoices/:id/mark_uncollectible', {}, (account, _params, { id }) =>
    account.present(markUncollectible(account, id!, 'user_forgiven')),
  ),

  route('POST', '/v1/invoices/:id/attach_payment', { payment_intent: text() }, (account, params, { id }) => {
    const open = account.get<Invoice>('invoice', id!)
    if (params.payment_intent === undefined) throw missingParam('payment_intent')
    if (open.status !== 'open') throw refuse('You can only attach payments to open invoices.')
    const intent = account.reference<PaymentIntent>('payment_intent', params.payment_intent, 'payment_intent')
    checkAttachable(open, intent)
    return account.present(attachPayment(account, open, intent))
  }),
]

/** Current usage is not pulled in: an ad-hoc invoice holds pending invoice items only. */
function itemsFor(
  account: Account,
  owner: Customer,
  subscription: Subscription | null,
  includes: boolean,
  currency: string,
): InvoiceItem[] {
  if (!includes && !subscription) return []
  return waitingItems(account, owner.id).filter(
    (item) =>
      item.currency === currency &&
      (!subscription || item.parent?.subscription_details.subscription === subscription.id),
  )
}

/** What is stored as it was given. */
function fieldsFrom(account: Account, params: Changes, owner: Customer): Partial<Invoice> {
  const { payment_settings: settings, rendering, shipping_details: shipping, due_date: due } = params
  const finalizesAt = params.automatically_finalizes_at
  return {
    ...(params.custom_fields !== undefined && { custom_fields: params.custom_fields }),
    ...(params.description !== undefined && { description: params.description }),
    ...(params.effective_at !== undefined && { effective_at: params.effective_at }),
    ...(params.footer !== undefined && { footer: params.footer }),
    ...(params.statement_descriptor !== undefined && { statement_descriptor: params.statement_descriptor }),
    ...(finalizesAt !== undefined && { automatically_finalizes_at: finalizesAt, auto_advance: true }),
    ...(due !== undefined && { due_date: due }),
    ...(params.default_payment_method !== undefined && {
      default_payment_method: methodOf(account, owner.id, params.default_payment_method, 'default_payment_method').id,
    }),
    ...(params.number && { number: checkedNumber(account, params.number), _number: params.number }),
    ...(settings && {
      payment_settings: {
        default_mandate: null,
        payment_method_options: null,
        payment_method_types: settings.payment_method_types ?? null,
      },
    }),
    ...(rendering && {
      rendering: {
        amount_tax_display: rendering.amount_tax_display ?? null,
        pdf: rendering.pdf ? { page_size: rendering.pdf.page_size ?? null } : null,
        template: null,
        template_version: null,
      },
    }),
    ...(shipping !== undefined && {
      shipping_details: shipping && {
        ...shipping,
        address: { ...NOWHERE, ...shipping.address },
        phone: shipping.phone ?? null,
      },
    }),
  }
}

const NOWHERE = { city: null, country: null, line1: null, line2: null, postal_code: null, state: null }

function changeDraft(account: Account, before: Invoice, params: Changes): Invoice {
  const owner = account.get<Customer>('customer', before.customer)
  const method = params.collection_method ?? before.collection_method
  checkTerms(params, method)
  const finalizesAt = params.automatically_finalizes_at
  const advances = params.auto_advance ?? (finalizesAt !== undefined || before.auto_advance)
  const at = advances
    ? (finalizesAt ?? before.automatically_finalizes_at ?? account.seconds(before.test_clock) + HOUR_SECONDS)
    : null
  const changes: Partial<Invoice> = {
    ...fieldsFrom(account, params, owner),
    ...(params.number === null && { number: null }),
    ...dueAfter(params, before, method),
    auto_advance: advances,
    automatically_finalizes_at: at,
    collection_method: method,
    metadata: mergedMetadata(before.metadata, params.metadata),
    next_payment_attempt: method === 'charge_automatically' ? at : null,
  }
  const { _number, ...unnumbered } = before
  const base = params.number === null ? unnumbered : before
  const changed = account.change<Invoice>(base, changes, 'invoice.updated')
  const after = params.discounts === undefined ? changed : discountInvoice(account, changed, params.discounts)
  // An instant set by hand holds whether or not invoice.created was answered.
  if (finalizesAt === undefined && after.auto_advance && after._awaits_delivery) return after
  account.timeline.schedule('invoice', after.id, at === null ? null : at * 1000, after.test_clock)
  return after
}

function dueAfter(params: Changes, before: Invoice, method: Invoice['collection_method']): Partial<Invoice> {
  if (method === 'charge_automatically') return { due_date: null }
  if (params.due_date !== undefined) return { due_date: params.due_date }
  if (params.days_until_due !== undefined) return { due_date: before.created + params.days_until_due * DAY_SECONDS }
  return { due_date: before.due_date ?? before.created + 30 * DAY_SECONDS }
}

const FINAL_CHANGES = new Set([
  'auto_advance',
  'metadata',
  'default_payment_method',
  'custom_fields',
  'footer',
  'description',
])

/** "Once an invoice is finalized, you can no longer change most of its details." */
function changeFinal(account: Account, before: Invoice, params: Changes): Invoice {
  const others = Object.keys(params).filter((name) => !FINAL_CHANGES.has(name))
  if (others.length > 0) throw notEditable(`Finalized invoices can't be updated in this way`)
  const owner = account.get<Customer>('customer', before.customer)
  const changes = {
    ...fieldsFrom(account, params, owner),
    ...(params.auto_advance !== undefined && { auto_advance: params.auto_advance }),
    metadata: mergedMetadata(before.metadata, params.metadata),
  }
  const after = account.change<Invoice>(before, changes, 'invoice.updated')
  if (params.auto_advance === false) account.timeline.schedule('invoice', after.id, null)
  return after
}

/** @throws ApiError for terms of payment on an invoice that is charged by itself */
function checkTerms(params: Changes, method: Invoice['collection_method']): void {
  const [term] = (['due_date', 'days_until_due'] as const).filter((name) => params[name] !== undefined)
  if (term === undefined) return
  if (params.due_date !== undefined && params.days_until_due !== undefined) {
    throw refuse('You may only specify one of these parameters: days_until_due, due_date.', { param: 'days_until_due' })
  }
  if (method === 'send_invoice') return
  throw refuse(`You can only set \`${term}\` if \`collection_method\` is \`send_invoice\`.`, { param: term })
}

function checkedNumber(account: Account, number: string): string {
  const [taken] = account.objects.all<Invoice>('invoice', { '$.number': number })
  if (taken) throw refuse(`An invoice with the number ${number} already exists.`, { param: 'number' })
  return number
}

/** A payment method of the invoice's customer. */
function methodOf(account: Account, customer: string, id: string, param: string): PaymentMethod {
  const method = account.reference<PaymentMethod>('payment_method', id, param)
  if (method.customer === customer) return method
  throw refuse(
    `The customer does not have a payment method with the ID ${id}. The payment method must be attached to the customer.`,
    { code: 'resource_missing', param },
  )
}

function checkAttachable(open: Invoice, intent: PaymentIntent): void {
  const param = 'payment_intent'
  if (intent.customer !== open.customer) {
    throw refuse("The PaymentIntent's customer must match the invoice's customer.", { param })
  }
  if (intent.currency !== open.currency) {
    throw refuse("The PaymentIntent's currency must match the invoice's currency.", { param })
  }
  if (intent._invoice !== undefined) throw refuse('This PaymentIntent is already attached to an invoice.', { param })
  if (intent.status === 'canceled')
    throw refuse('A canceled PaymentIntent cannot be attached to an invoice.', { param })
}

/** The refusal of a charge that was tried and recorded. */
function declined(account: Account, after: Invoice) {
  const payment = account.get<InvoicePayment>('invoice_payment', after._payment ?? '')
  const intent = account.get<PaymentIntent>('payment_intent', payment.payment.payment_intent)
  const shown = account.present(intent)
  if (intent.status === 'requires_action') {
    return cardError(
      'This payment requires additional user action before it can be completed successfully. Payment can be completed using the PaymentIntent associated with the invoice. For more details see: https://stripe.com/docs/billing/subscriptions/overview#requires-action',
      { code: 'invoice_payment_intent_requires_action', payment_intent: shown },
    )
  }
  const {
    code,
    decline_code: declineCode,
    message,
    charge,
  } = (intent.last_payment_error ?? {}) as { [key: string]: string }
  return cardError(
    message ??
      'This customer has no attached payment source or default payment method. Please consider adding a default payment method.',
    {
      code: code ?? 'missing',
      ...(declineCode && { decline_code: declineCode }),
      ...(charge && { charge }),
      payment_intent: shown,
    },
  )
}

/** A range of a field that is stored in the object, as SQL. */
function within(field: 'due_date', bounds: { gt?: number; gte?: number; lt?: number; lte?: number }) {
  const signs = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const
  const asked = (Object.keys(signs) as (keyof typeof signs)[]).filter((bound) => bounds[bound] !== undefined)
  return {
    sql: asked.map((bound) => `json_extract(data, '$.${field}') ${signs[bound]} ?`).join(' and ') || 'true',
    values: asked.map((bound) => bounds[bound]!),
  }
}
