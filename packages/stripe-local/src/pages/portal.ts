import { Hono } from 'hono'
import { html } from 'hono/html'
import type { ApiObject, PagesContext } from './context.ts'
import { formatDate, type Html, status } from './layout.ts'
import { formatAmount } from './money.ts'
import { describeCard } from './payment-method.ts'
import { portalDetailsPages } from './portal-details.ts'
import { openPortal, type Portal, portalExpired, portalPage } from './portal-session.ts'
import { portalSubscriptionPages, switchingRefused } from './portal-subscription.ts'
import { describePrice, productName, withProduct } from './price.ts'
import { child, flag, instant, integer, list, reference, text } from './wire.ts'

const DONE: { [what: string]: string } = {
  card: 'Your payment method is updated.',
  canceled: 'Your subscription is canceled.',
  ending: 'Your subscription ends with the current period. You can renew it until then.',
  renewed: 'Your subscription renews again.',
  switched: 'Your plan is switched.',
  information: 'Your billing information is saved.',
}

/** Hosted customer portal: `/p/session/:portalSessionId` and what lies below it. */
export function portalPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get('/p/session/:portalSessionId', async (c) => {
    const portal = await openPortal(context, c)
    if (!portal) return portalExpired(c)
    const target = flowTarget(portal)
    return target ? c.redirect(target, 303) : c.html(await home(context, portal, undefined, undefined))
  })

  app.get('/p/session/:portalSessionId/home', async (c) => {
    const portal = await openPortal(context, c)
    return portal ? c.html(await home(context, portal, c.req.query('done'), c.req.query('after'))) : portalExpired(c)
  })

  app.route('/', portalSubscriptionPages(context))
  app.route('/', portalDetailsPages(context))
  return app
}

/** The page that a deep link leads to. */
function flowTarget({ base, flow }: Portal): string | null {
  const subscription = (type: string) => `${base}/subscriptions/${text(flow, `${type}.subscription`)}`
  switch (text(flow, 'type')) {
    case 'payment_method_update':
      return `${base}/payment-method`
    case 'customer_update':
      return `${base}/information`
    case 'subscription_cancel':
      return `${subscription('subscription_cancel')}/cancel`
    case 'subscription_update':
      return `${subscription('subscription_update')}/switch`
    case 'subscription_update_confirm': {
      const price = text(list(flow, 'subscription_update_confirm.items')[0], 'price') ?? ''
      return `${subscription('subscription_update_confirm')}/switch?price=${encodeURIComponent(price)}`
    }
    default:
      return null
  }
}

async function home(context: PagesContext, portal: Portal, done?: string, after?: string): Promise<Html> {
  const customer = text(portal.customer, 'id')
  const subscriptions = list(await context.api('GET', '/v1/subscriptions', { customer, limit: 100 }), 'data')
  const invoices = await context.api('GET', '/v1/invoices', {
    customer,
    limit: 12,
    ...(after && { starting_after: after }),
  })
  const said = done === undefined ? undefined : DONE[done]
  return portalPage(
    portal,
    'Billing',
    html`<h1 class="visually-hidden">Billing</h1>
${said && html`<p class="notice positive" role="status">${said}</p>`}
<section class="section" aria-labelledby="current"><h2 class="section-title" id="current">Current subscriptions</h2>
${subscriptions.length === 0 && html`<p class="muted">You have no subscriptions.</p>`}
${await Promise.all(subscriptions.map((subscription) => subscriptionCard(context, portal, subscription)))}</section>
${await paymentMethod(context, portal, subscriptions)}
${information(portal)}
${flag(portal.features, 'invoice_history.enabled') && invoiceHistory(portal, invoices)}`,
  )
}

async function subscriptionCard(context: PagesContext, portal: Portal, subscription: ApiObject): Promise<Html> {
  const address = `${portal.base}/subscriptions/${text(subscription, 'id')}`
  const items = list(subscription, 'items')
  const prices = await Promise.all(items.map((item) => withProduct(context, child(item, 'price') ?? {})))
  const ending = instant(subscription, 'cancel_at')
  const periodEnd = instant(items[0], 'current_period_end')
  const offersSwitch = flag(portal.features, 'subscription_update.enabled')
  const refused = offersSwitch ? switchingRefused(items) : null
  return html`<article class="stack-small">
<div class="spread"><h3>${prices.map(productName).join(', ')}</h3>${status(text(subscription, 'status') ?? '')}</div>
${prices.map((price) => {
  const { amount, per, billed, metered } = describePrice(price)
  return html`<p>${amount} ${per}${metered && html`<span class="muted">, ${billed}</span>`}</p>`
})}
<p class="muted">${
    ending ? `Ends on ${formatDate(ending)} and does not renew.` : periodEnd && `Renews on ${formatDate(periodEnd)}.`
  }</p>
${refused && html`<p class="small muted">${refused}</p>`}
<div class="row">
${
  ending
    ? html`<form method="post" action="${address}/renew"><button>Don't cancel subscription</button></form>`
    : html`${offersSwitch && !refused && html`<a class="button" href="${address}/switch">Switch plan</a>`}
${flag(portal.features, 'subscription_cancel.enabled') && html`<a class="button" href="${address}/cancel">Cancel subscription</a>`}`
}</div></article>`
}

async function paymentMethod(context: PagesContext, portal: Portal, subscriptions: ApiObject[]): Promise<Html> {
  const id =
    reference(portal.customer, 'invoice_settings.default_payment_method') ??
    subscriptions
      .map((subscription) => reference(subscription, 'default_payment_method'))
      .find((found) => found !== null)
  const card = id && child(await context.api('GET', `/v1/payment_methods/${id}`), 'card')
  return html`<section class="section" aria-labelledby="card"><h2 class="section-title" id="card">Payment method</h2>
<div class="spread"><p>${card ? describeCard(card) : html`<span class="muted">No card on file.</span>`}</p>
${
  flag(portal.features, 'payment_method_update.enabled') &&
  html`<a class="button" href="${portal.base}/payment-method">${card ? 'Update card' : 'Add card'}</a>`
}</div></section>`
}

function information({ base, customer, features }: Portal): Html {
  return html`<section class="section" aria-labelledby="information"><h2 class="section-title" id="information">Billing information</h2>
<div class="spread"><dl class="facts"><dt>Name</dt><dd>${text(customer, 'name') ?? '–'}</dd>
<dt>Email</dt><dd>${text(customer, 'email') ?? '–'}</dd></dl>
${flag(features, 'customer_update.enabled') && html`<a class="button" href="${base}/information">Update information</a>`}</div></section>`
}

function invoiceHistory(portal: Portal, page: ApiObject): Html {
  // A draft has no number and may still change: customers see an invoice once it is final.
  const invoices = list(page, 'data').filter((invoice) => text(invoice, 'status') !== 'draft')
  const last = list(page, 'data').at(-1)
  return html`<section class="section" aria-labelledby="invoices"><h2 class="section-title" id="invoices">Invoice history</h2>
${invoices.length === 0 && html`<p class="muted">No invoices yet. The first one comes when the first period ends.</p>`}
${
  invoices.length > 0 &&
  html`<div class="card flush scroll" tabindex="0"><table><thead><tr><th scope="col">Date</th><th scope="col">Invoice</th>
<th scope="col">Status</th><th scope="col" class="number">Amount</th></tr></thead><tbody>
${invoices.map((invoice) => {
  const created = instant(invoice, 'created')
  return html`<tr><td class="nowrap">${created && formatDate(created)}</td>
<td class="nowrap"><a href="/i/${text(invoice, 'id')}">${text(invoice, 'number') ?? text(invoice, 'id')}</a></td>
<td>${status(text(invoice, 'status') ?? '')}</td>
<td class="number">${formatAmount(integer(invoice, 'total') ?? 0, text(invoice, 'currency') ?? 'usd')}</td></tr>`
})}</tbody></table></div>`
}
${flag(page, 'has_more') && html`<p><a href="${portal.base}/home?after=${text(last, 'id')}">Older invoices</a></p>`}</section>`
}
