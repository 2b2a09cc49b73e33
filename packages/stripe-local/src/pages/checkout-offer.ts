import { html } from 'hono/html'
import { ApiError } from '../http/errors.ts'
import type { ApiObject, CheckoutTerms, PagesContext } from './context.ts'
import type { FormErrors } from './form.ts'
import { formatDate, type Html } from './layout.ts'
import { merchantName } from './merchant.ts'
import { formatAmount, formatQuantity, plainAmount } from './money.ts'
import { cardName } from './payment-method.ts'
import { describePrice, productName, withTiers } from './price.ts'
import { child, flag, integer, list, reference, text, texts } from './wire.ts'

/** A session with what its page shows beside it. */
export interface Offer {
  session: ApiObject
  mode: string
  currency: string
  items: OfferItem[]
  terms: CheckoutTerms
  merchant: string
  /** The customer's own address, which the payer cannot change. */
  knownEmail: string | null
  /** Cards of the customer's that may be shown again: id and words. */
  savedCards: { id: string; name: string }[]
}
export interface OfferItem {
  id: string
  price: ApiObject
  quantity: number | null
  /** Bounds of a quantity that the customer may change. */
  adjustable: { minimum: number; maximum: number } | null
  /** The customer says how much to pay. */
  isCustom: boolean
  description: string | null
  /** Before discounts. */
  total: number
}

/** Null when there is no such session. */
export async function readOffer(context: PagesContext, sessionId: string): Promise<Offer | null> {
  const path = `/v1/checkout/sessions/${encodeURIComponent(sessionId)}`
  const session = await context.api('GET', path).catch((error) => {
    if (error instanceof ApiError && error.status === 404) return null
    throw error
  })
  if (!session) return null
  const lines = await context.api('GET', `${path}/line_items`, { limit: 100, expand: ['data.price.product'] })
  const customerId = reference(session, 'customer')
  const customer = customerId ? await context.api('GET', `/v1/customers/${customerId}`) : null
  return {
    session,
    mode: text(session, 'mode') ?? 'payment',
    currency: text(session, 'currency') ?? 'usd',
    items: await Promise.all(list(lines, 'data').map((line) => offerItem(context, line))),
    terms: context.checkoutTerms(sessionId),
    merchant: await merchantName(context),
    knownEmail: customer && text(customer, 'email'),
    savedCards: customerId ? await savedCards(context, session, customerId) : [],
  }
}

async function offerItem(context: PagesContext, line: ApiObject): Promise<OfferItem> {
  return {
    id: text(line, 'id') ?? '',
    price: await withTiers(context, child(line, 'price') ?? {}),
    quantity: integer(line, 'quantity'),
    adjustable: flag(line, 'adjustable_quantity.enabled')
      ? {
          minimum: integer(line, 'adjustable_quantity.minimum') ?? 0,
          maximum: integer(line, 'adjustable_quantity.maximum') ?? 99,
        }
      : null,
    isCustom: child(line, 'price.custom_unit_amount') !== null,
    description: text(line, 'price.product.description'),
    total: integer(line, 'amount_subtotal') ?? 0,
  }
}

async function savedCards(context: PagesContext, session: ApiObject, customer: string): Promise<Offer['savedCards']> {
  const shown = texts(session, 'saved_payment_method_options.allow_redisplay_filters')
  const methods = await context.api('GET', '/v1/payment_methods', { customer, limit: 10 })
  return list(methods, 'data')
    .filter((method) => shown.includes(text(method, 'allow_redisplay') ?? ''))
    .map((method) => ({ id: text(method, 'id') ?? '', name: cardName(child(method, 'card') ?? {}) }))
}

/** The left side: what is bought and what it costs today. `form` is the id of the form that the inputs belong to. */
export function offerSummary(offer: Offer, errors: FormErrors, form: string): Html {
  const { items, merchant, mode, currency, session } = offer
  const total = integer(session, 'amount_total') ?? 0
  if (mode === 'setup') {
    return html`<h1>Save a card</h1><p class="muted">Nothing is charged now. ${merchant} keeps the card for later.</p>`
  }
  const single = items.length === 1 ? items[0] : undefined
  const adjusts = items.some((item) => item.adjustable || item.isCustom)
  return html`<div class="stack-small">
<h1>${heading(offer)}</h1>
${single && mode === 'subscription' ? priceHeading(single) : html`<p><span class="big">${formatAmount(total, currency)}</span>${mode === 'subscription' && html` <span class="muted">due today</span>`}</p>`}
${trial(offer) && html`<p><strong>${trial(offer)}</strong></p>`}
${single?.description && html`<p class="muted">${single.description}</p>`}</div>
<ul class="plain offer-lines">${items.map((item) => offerLine(item, offer, errors, form))}</ul>
${adjusts && html`<p class="row"><button form="${form}" name="update" value="yes" formnovalidate class="small">Update total</button></p>`}
${discount(offer, errors, form)}
<p class="total"><span>${mode === 'subscription' ? 'Due today' : 'Total due'}</span>
<span>${formatAmount(total, currency)}</span></p>`
}

/** What a coupon takes off, and where a promotion code is entered or taken back. */
function discount({ session, currency }: Offer, errors: FormErrors, form: string): Html | null {
  const off = integer(session, 'total_details.amount_discount') ?? 0
  const isEntered = list(session, 'discounts').length > 0
  const takesCodes = flag(session, 'allow_promotion_codes')
  const update = (value: string, label: string) =>
    html`<button form="${form}" name="update" value="${value}" formnovalidate class="small">${label}</button>`
  if (isEntered) {
    return html`<p class="total"><span>Discount</span> <span>${formatAmount(-off, currency)}</span></p>
${takesCodes && html`<p class="row">${update('remove_code', 'Remove code')}</p>`}`
  }
  if (!takesCodes) return null
  const error = errors.promotion_code
  const code = { name: 'promotion_code', label: 'Promotion code', form, error, attributes: html`type="text"` }
  return html`${smallInput(code)}<p class="row">${update('yes', 'Apply code')}</p>`
}

function heading({ items, merchant, mode }: Offer): string {
  if (mode !== 'subscription') return items.length === 1 ? productName(items[0]?.price) : `Pay ${merchant}`
  const recurring = items.find((item) => child(item.price, 'recurring')) ?? items[0]
  return `Subscribe to ${productName(recurring?.price)}`
}

function priceHeading({ price }: OfferItem): Html {
  const { amount, per } = describePrice(price)
  return html`<p><span class="big">${amount}</span> <span class="muted">${per}</span></p>`
}

function trial({ terms }: Offer): string | null {
  if (terms.trialDays !== null) return `${terms.trialDays} ${terms.trialDays === 1 ? 'day' : 'days'} free`
  return terms.trialEnd && `Free until ${formatDate(terms.trialEnd)}`
}

function offerLine(item: OfferItem, offer: Offer, errors: FormErrors, form: string): Html {
  const { currency } = offer
  const words = describePrice(item.price)
  const isRecurring = child(item.price, 'recurring') !== null
  const each = isRecurring || (item.quantity ?? 1) > 1 ? [words.amount, isRecurring ? words.per : 'each'] : []
  const price = item.isCustom ? '' : each.filter(Boolean).join(' ')
  const free = isRecurring && trial(offer)
  const billed = words.metered ? `metered: ${words.billed}` : words.billed
  const times = !item.adjustable && !words.metered && (item.quantity ?? 1) > 1
  return html`<li class="stack-small">
<p class="total"><span>${productName(item.price)}${times && ` × ${formatQuantity(item.quantity ?? 1)}`}</span>
<span>${free || (words.metered ? 'By usage' : formatAmount(item.total, currency))}</span></p>
${price && html`<p class="small muted">${[price, billed].filter(Boolean).join(', ')}</p>`}
${words.tiers.map((tier) => html`<p class="small muted">${tier}</p>`)}
${item.adjustable && quantityInput(item, item.adjustable, errors, form)}
${item.isCustom && amountInput(item, currency, errors, form)}</li>`
}

function quantityInput(
  item: OfferItem,
  bounds: { minimum: number; maximum: number },
  errors: FormErrors,
  form: string,
) {
  const name = `quantity_${item.id}`
  return smallInput({
    name,
    label: 'Quantity',
    form,
    error: errors[name],
    attributes: html`type="number" min="${bounds.minimum}" max="${bounds.maximum}" value="${item.quantity ?? 1}"`,
  })
}

function amountInput(item: OfferItem, currency: string, errors: FormErrors, form: string): Html {
  return smallInput({
    name: 'amount',
    label: `Amount (${currency.toUpperCase()})`,
    form,
    error: errors.amount,
    attributes: html`type="text" inputmode="decimal" value="${item.total === 0 ? '' : plainAmount(item.total, currency)}"`,
  })
}

function smallInput(input: { name: string; label: string; form: string; error: string | undefined; attributes: Html }) {
  const { name, label, form, error, attributes } = input
  return html`<div class="field small-field"><label for="${name}">${label}</label>
<input id="${name}" name="${name}" form="${form}" ${attributes}${error && html` aria-invalid="true" aria-describedby="${name}-error"`}>
${error && html`<p class="error" id="${name}-error">${error}</p>`}</div>`
}
