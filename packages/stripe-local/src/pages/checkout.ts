import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { ApiError } from '../http/errors.ts'
import {
  AUTHENTICATION_FAILED,
  authenticationPage,
  CARD_FIELDS,
  cardFields,
  declineErrors,
  filledCard,
  readCard,
  type TypedCard,
  testCards,
  typedCard,
} from './card.ts'
import type { ApiObject, PagesContext } from './context.ts'
import { errorSummary, type FormErrors, field, readForm } from './form.ts'
import { type Html, messagePage, page, testMode } from './layout.ts'
import { merchantName } from './merchant.ts'
import { formatAmount, formatQuantity } from './money.ts'
import { describePrice, productName } from './price.ts'
import { child, integer, list, reference, text } from './wire.ts'

const BUTTONS: { [mode: string]: string } = { subscription: 'Subscribe', payment: 'Pay', setup: 'Save card' }

interface Typed extends TypedCard {
  email: string
  name: string
}

/** A session with what its page shows beside it. */
interface Offer {
  session: ApiObject
  items: { price: ApiObject; quantity: number | null; description: string | null; total: number | null }[]
  merchant: string
  /** The customer's own address, which the payer cannot change. */
  knownEmail: string | null
}

/** Hosted Checkout: `/c/pay/:sessionId`. */
export function checkoutPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get('/c/pay/:sessionId', async (c) => {
    const offer = await readOffer(context, c.req.param('sessionId'))
    if (!offer) return notFound(c)
    const typed = { email: text(offer.session, 'customer_email') ?? '', name: '', number: '', expiry: '', cvc: '' }
    return closed(c, offer) ?? c.html(checkoutPage(context, offer, typed, {}))
  })

  app.post('/c/pay/:sessionId', async (c) => {
    const offer = await readOffer(context, c.req.param('sessionId'))
    if (!offer) return notFound(c)
    // The button was pressed twice: the second time leads where the first one did.
    const paid = text(offer.session, 'status') === 'complete' && successUrl(offer.session)
    if (paid) return c.redirect(paid, 303)
    const refusal = closed(c, offer)
    if (refusal) return refusal

    const form = await readForm(c)
    const typed = {
      ...typedCard(form),
      email: offer.knownEmail ?? form.email?.trim() ?? '',
      name: form.name?.trim() ?? '',
    }
    const filled = filledCard(form, context.now())
    if (filled) return c.html(checkoutPage(context, offer, { ...typed, ...filled }, {}))
    if (form.authentication === 'fail')
      return c.html(checkoutPage(context, offer, typed, { form: AUTHENTICATION_FAILED }), 422)
    return await pay(c, context, offer, typed, form.authentication === 'complete')
  })

  return app
}

async function pay(c: Context, context: PagesContext, offer: Offer, typed: Typed, authenticated: boolean) {
  const { card, errors } = readCard(typed, context.now())
  if (typed.email === '') errors.email = 'Enter an email address.'
  else if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(typed.email)) errors.email = 'Your email is incomplete.'
  if (typed.name === '') errors.name = 'Enter the name on the card.'
  if (Object.keys(errors).length > 0) return c.html(checkoutPage(context, offer, typed, errors), 422)

  const sessionId = text(offer.session, 'id') ?? ''
  const payer = { email: typed.email, name: typed.name, card, authenticated }
  const outcome = await context.completeCheckout(sessionId, payer)
  if (outcome.status === 'complete') return c.redirect(outcome.redirectUrl, 303)
  if (outcome.status === 'requires_authentication') {
    return c.html(authenticationPage(`/c/pay/${sessionId}`, { ...typed }))
  }
  return c.html(checkoutPage(context, offer, typed, declineErrors(outcome)), 422)
}

async function readOffer(context: PagesContext, sessionId: string): Promise<Offer | null> {
  const path = `/v1/checkout/sessions/${encodeURIComponent(sessionId)}`
  const session = await context.api('GET', path, { expand: ['line_items.data.price.product'] }).catch((error) => {
    if (error instanceof ApiError && error.status === 404) return null
    throw error
  })
  if (!session) return null
  const items = await Promise.all(
    list(session, 'line_items').map(async (item) => ({
      price: await withTiers(context, child(item, 'price') ?? {}),
      quantity: integer(item, 'quantity'),
      description: text(item, 'price.product.description'),
      total: integer(item, 'amount_total'),
    })),
  )
  const customerId = reference(session, 'customer')
  const knownEmail = customerId && text(await context.api('GET', `/v1/customers/${customerId}`), 'email')
  return { session, items, merchant: await merchantName(context), knownEmail: knownEmail ?? null }
}

/** Tiers come only when asked for, and only on the price itself. */
async function withTiers(context: PagesContext, price: ApiObject): Promise<ApiObject> {
  if (text(price, 'billing_scheme') !== 'tiered') return price
  const { tiers } = await context.api('GET', `/v1/prices/${text(price, 'id')}`, { expand: ['tiers'] })
  return { ...price, tiers }
}

function notFound(c: Context) {
  const message = 'This Checkout session does not exist here. Start again from the page that sent you.'
  return c.html(messagePage('Page not found', message), 404)
}

/** The page of a session that can no longer be paid; null while it is open. */
function closed(c: Context, { session }: Offer): Response | Promise<Response> | null {
  const back = text(session, 'cancel_url')
  if (text(session, 'status') === 'expired') {
    const message = 'This Checkout session has expired and nothing was charged. Go back and start again.'
    return c.html(messagePage('Session expired', message, back ? { href: back, label: 'Go back' } : undefined), 410)
  }
  if (text(session, 'status') === 'complete') {
    const href = successUrl(session)
    const message = 'This Checkout session is complete. There is nothing left to pay here.'
    return c.html(messagePage("You're all done", message, href ? { href, label: 'Continue' } : undefined))
  }
  return null
}

function successUrl(session: ApiObject): string | null {
  return text(session, 'success_url')?.replaceAll('{CHECKOUT_SESSION_ID}', text(session, 'id') ?? '') ?? null
}

function checkoutPage(context: PagesContext, offer: Offer, typed: Typed, errors: FormErrors): Html {
  const mode = text(offer.session, 'mode') ?? 'payment'
  const heading = mode === 'setup' ? 'Save a card' : productName(offer.items[0]?.price)
  const submit = BUTTONS[mode] ?? 'Pay'
  const cancelUrl = text(offer.session, 'cancel_url')
  return page(
    `${submit} · ${offer.merchant}`,
    html`${testMode()}<div class="checkout">
<section class="offer" aria-label="What you buy"><div class="inner stack">
${cancelUrl ? html`<p><a href="${cancelUrl}">← Back to ${offer.merchant}</a></p>` : html`<p class="muted">${offer.merchant}</p>`}
${offerSummary(offer, mode, heading)}</div></section>
<main id="main" class="pay"><div class="inner stack">
<h2>${mode === 'setup' ? 'Card details' : 'Pay with card'}</h2>
${errorSummary(errors, ['email', ...CARD_FIELDS, 'name'])}
<form method="post" novalidate class="stack">
${field({
  name: 'email',
  label: 'Email',
  type: 'email',
  value: offer.knownEmail ?? typed.email,
  readonly: offer.knownEmail !== null,
  error: errors.email,
  autocomplete: 'email',
  placeholder: 'email@example.com',
})}
${cardFields(typed, errors)}
${field({
  name: 'name',
  label: 'Cardholder name',
  value: typed.name,
  error: errors.name,
  autocomplete: 'cc-name',
  placeholder: 'Full name on card',
})}
<button class="primary wide">${submit}</button>
${mode === 'subscription' && html`<p class="small muted">By subscribing, you allow ${offer.merchant} to charge your card for future payments in accordance with their terms.</p>`}
${testCards(context.now())}
</form></div></main></div>`,
  )
}

function offerSummary(offer: Offer, mode: string, heading: string): Html {
  const currency = text(offer.session, 'currency') ?? 'usd'
  if (mode === 'setup')
    return html`<h1>${heading}</h1><p class="muted">Nothing is charged now. ${offer.merchant} keeps the card for later.</p>`
  const first = describePrice(offer.items[0]?.price)
  const single = offer.items.length === 1
  return html`<div class="stack-small">
<h1>${mode === 'subscription' ? `Subscribe to ${heading}` : heading}</h1>
${single && html`<p><span class="big">${first.amount}</span> <span class="muted">${first.per}</span></p>`}
${offer.items[0]?.description && single && html`<p class="muted">${offer.items[0].description}</p>`}</div>
<ul class="plain offer-lines">${offer.items.map((item) => offerLine(item, currency))}</ul>
<p class="total"><span>${mode === 'subscription' ? 'Due today' : 'Total due'}</span>
<span>${formatAmount(integer(offer.session, 'amount_total') ?? 0, currency)}</span></p>`
}

function offerLine(item: Offer['items'][number], currency: string): Html {
  const words = describePrice(item.price)
  const price = [words.amount, words.per].filter(Boolean).join(' ')
  const billed = words.metered ? `metered: ${words.billed}` : words.billed
  return html`<li class="stack-small">
<p class="total"><span>${productName(item.price)}${!words.metered && (item.quantity ?? 1) > 1 && ` × ${formatQuantity(item.quantity ?? 1)}`}</span>
<span>${words.metered ? 'By usage' : formatAmount(item.total ?? 0, currency)}</span></p>
<p class="small muted">${[price, billed].filter(Boolean).join(', ')}</p>
${words.tiers.map((tier) => html`<p class="small muted">${tier}</p>`)}</li>`
}
