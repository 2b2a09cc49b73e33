import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import {
  AUTHENTICATION_FAILED,
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
import { errorSummary, type FormErrors, readForm } from './form.ts'
import type { Html } from './layout.ts'
import { cardName, describeCard } from './payment-method.ts'
import { finish, type Portal, portalPage, portalVisit, wayBack } from './portal-session.ts'
import { child, flag, list, text } from './wire.ts'

const BLANK: TypedCard = { number: '', expiry: '', cvc: '' }

/** The customer's cards: add, make default, remove. */
export function portalCardPages(context: PagesContext): Hono {
  const app = new Hono()
  const base = '/p/session/:portalSessionId'
  const visit = portalVisit(context, 'payment_method_update')

  app.get(
    `${base}/payment-method`,
    visit(async (c, portal) => c.html(cardPage(context, portal, BLANK, {}))),
  )

  app.post(
    `${base}/payment-method`,
    visit(async (c, portal) => {
      const form = await readForm(c)
      const typed = typedCard(form)
      const again = (errors: FormErrors) => c.html(cardPage(context, portal, typed, errors), 422)
      const filled = filledCard(form, context.now())
      if (filled) return c.html(cardPage(context, portal, filled, {}))
      const { card, errors } = readCard(typed, context.now())
      if (Object.keys(errors).length > 0) return again(errors)
      const customerId = text(portal.customer, 'id') ?? ''
      const back = `${context.baseUrl()}${portal.base}/payment-method/asked`
      const outcome = await context.beginCardSetup(customerId, card, back)
      if (outcome.status === 'declined') return again(declineErrors(outcome))
      return outcome.status === 'requires_action'
        ? c.redirect(outcome.url, 303)
        : finish(c, portal, 'payment_method_update', 'card')
    }),
  )

  // Where the bank's page leads back to.
  app.get(
    `${base}/payment-method/asked`,
    visit(async (c, portal) =>
      c.req.query('redirect_status') === 'succeeded'
        ? finish(c, portal, 'payment_method_update', 'card')
        : c.html(cardPage(context, portal, BLANK, { form: AUTHENTICATION_FAILED }), 422),
    ),
  )

  app.post(
    `${base}/payment-methods/:method/default`,
    visit(async (c, portal) => {
      const own = await ownCard(context, portal, c)
      if (own) await makeDefault(context, text(portal.customer, 'id') ?? '', text(own, 'id') ?? '')
      return c.redirect(`${portal.base}/home?done=default#cards`, 303)
    }),
  )

  app.post(
    `${base}/payment-methods/:method/remove`,
    visit(async (c, portal) => {
      const own = await ownCard(context, portal, c)
      const cards = await customerCards(context, portal)
      if (own && !(await mayRemove(context, portal, cards)))
        return c.redirect(`${portal.base}/home?done=last-card#cards`, 303)
      if (own) await context.api('POST', `/v1/payment_methods/${text(own, 'id')}/detach`)
      return c.redirect(`${portal.base}/home?done=removed#cards`, 303)
    }),
  )

  return app
}

/** All cards of the portal's customer, newest first. */
export async function customerCards(context: PagesContext, portal: Portal): Promise<ApiObject[]> {
  const page = { customer: text(portal.customer, 'id'), limit: 100 }
  return list(await context.api('GET', '/v1/payment_methods', page), 'data')
}

/** The card for the customer's invoices and for those subscriptions that had one of their own. */
async function makeDefault(context: PagesContext, customerId: string, method: string): Promise<void> {
  await context.api('POST', `/v1/customers/${customerId}`, { invoice_settings: { default_payment_method: method } })
  const live = await context.api('GET', '/v1/subscriptions', { customer: customerId, limit: 100 })
  for (const subscription of list(live, 'data')) {
    if (!text(subscription, 'default_payment_method')) continue
    await context.api('POST', `/v1/subscriptions/${text(subscription, 'id')}`, { default_payment_method: method })
  }
}

/** A customer who is charged by subscription keeps at least one card (support.stripe.com, "Billing customer portal"). */
async function mayRemove(context: PagesContext, portal: Portal, cards: ApiObject[]): Promise<boolean> {
  if (cards.length > 1) return true
  const live = await context.api('GET', '/v1/subscriptions', { customer: text(portal.customer, 'id'), limit: 1 })
  return list(live, 'data').length === 0
}

async function ownCard(context: PagesContext, portal: Portal, c: Context): Promise<ApiObject | null> {
  const cards = await customerCards(context, portal)
  return cards.find((card) => text(card, 'id') === c.req.param('method')) ?? null
}

/** The section of the portal's first page. */
export function cardsSection(portal: Portal, cards: ApiObject[], defaultId: string | null): Html {
  const changeable = flag(portal.features, 'payment_method_update.enabled')
  return html`<section class="section" aria-labelledby="cards"><h2 class="section-title" id="cards">Payment methods</h2>
${cards.length === 0 && html`<p class="muted">No card on file.</p>`}
${
  cards.length > 0 &&
  html`<ul class="plain rows">${cards.map((method) => cardRow(portal, method, text(method, 'id') === defaultId, changeable))}</ul>`
}
${changeable && html`<p><a class="button" href="${portal.base}/payment-method">Add card</a></p>`}</section>`
}

function cardRow(portal: Portal, method: ApiObject, isDefault: boolean, changeable: boolean): Html {
  const card = child(method, 'card') ?? {}
  const address = `${portal.base}/payment-methods/${text(method, 'id')}`
  const name = cardName(card)
  return html`<li class="spread"><p>${describeCard(card)} ${isDefault && html`<span class="status accent">default</span>`}</p>
${
  changeable &&
  html`<div class="row">${
    !isDefault &&
    html`<form method="post" action="${address}/default"><button class="small" aria-label="Make default: ${name}">Make default</button></form>`
  }<form method="post" action="${address}/remove"><button class="small danger" aria-label="Remove ${name}">Remove</button></form></div>`
}</li>`
}

function cardPage(context: PagesContext, portal: Portal, typed: TypedCard, errors: FormErrors): Html {
  return portalPage(
    portal,
    'Update card',
    html`<h1>Update your card</h1>
<p class="muted">Your subscriptions and invoices are charged to it from now on.</p>
${errorSummary(errors, CARD_FIELDS)}
<form method="post" action="${portal.base}/payment-method" novalidate class="stack narrow">${cardFields(typed, errors)}
<div class="row"><button class="primary">Save card</button>
<a class="button" href="${wayBack(portal, 'payment_method_update')}">Go back</a></div>
${testCards(context.now())}</form>`,
  )
}
