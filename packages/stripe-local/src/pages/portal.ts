import { Hono } from 'hono'
import { html } from 'hono/html'
import type { ApiObject, PagesContext } from './context.ts'
import { formatDate, type Html, status } from './layout.ts'
import { formatAmount, formatQuantity } from './money.ts'
import { cardsSection, customerCards, portalCardPages } from './portal-cards.ts'
import { informationSection, portalDetailsPages } from './portal-details.ts'
import { portalLoginPages } from './portal-login.ts'
import { openPortal, type Portal, portalExpired, portalPage } from './portal-session.ts'
import { isPlanned, portalSubscriptionPages } from './portal-subscription.ts'
import { portalSwitchPages, switchingRefused } from './portal-switch.ts'
import { describePrice, productName, withProduct } from './price.ts'
import { child, flag, instant, integer, list, reference, text, texts } from './wire.ts'

const DONE: { [what: string]: string } = {
  card: 'Your payment method is updated.',
  default: 'Your default payment method is changed.',
  removed: 'The card is removed.',
  paused: 'Your subscription is paused. Nothing is charged until you resume it.',
  resumed: 'Your subscription is resumed.',
  scheduled: 'Your plan switches when the current period ends.',
  canceled: 'Your subscription is canceled.',
  ending: 'Your subscription ends with the current period. You can renew it until then.',
  renewed: 'Your subscription renews again.',
  switched: 'Your plan is switched.',
  information: 'Your billing information is saved.',
}
const REFUSED: { [what: string]: string } = {
  'last-card': 'This is the only card your subscription can be charged to. Add another one first, then remove it.',
}
const INVOICES_SHOWN = 12

/** Hosted customer portal: `/p/session/:portalSessionId` and what lies below it. */
export function portalPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get('/p/session/:portalSessionId', async (c) => {
    const portal = await openPortal(context, c)
    if (!portal) return portalExpired(context, c)
    const target = flowTarget(portal)
    return target ? c.redirect(target, 303) : c.html(await home(context, portal, {}))
  })

  app.get('/p/session/:portalSessionId/home', async (c) => {
    const portal = await openPortal(context, c)
    return portal ? c.html(await home(context, portal, c.req.query())) : portalExpired(context, c)
  })

  app.route('/', portalSubscriptionPages(context))
  app.route('/', portalSwitchPages(context))
  app.route('/', portalCardPages(context))
  app.route('/', portalDetailsPages(context))
  app.route('/', portalLoginPages(context))
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
    case 'subscription_pause':
      return `${subscription('subscription_pause')}/pause`
    case 'subscription_update':
      return `${subscription('subscription_update')}/switch`
    case 'subscription_update_confirm': {
      const item = list(flow, 'subscription_update_confirm.items')[0]
      const query = new URLSearchParams({ item: text(item, 'id') ?? '', price: text(item, 'price') ?? '' })
      const quantity = integer(item, 'quantity')
      if (quantity !== null) query.set('quantity', String(quantity))
      return `${subscription('subscription_update_confirm')}/switch?${query}`
    }
    default:
      return null
  }
}

async function home(context: PagesContext, portal: Portal, { done, after }: { [name: string]: string }): Promise<Html> {
  const customer = text(portal.customer, 'id')
  const subscriptions = list(await context.api('GET', '/v1/subscriptions', { customer, limit: 100 }), 'data')
  const showsInvoices = flag(portal.features, 'invoice_history.enabled')
  const said = done === undefined ? undefined : DONE[done]
  const refused = done === undefined ? undefined : REFUSED[done]
  const defaultCard =
    reference(portal.customer, 'invoice_settings.default_payment_method') ??
    subscriptions.map((one) => reference(one, 'default_payment_method')).find((found) => found !== null)
  return portalPage(
    portal,
    'Billing',
    html`<h1 class="visually-hidden">Billing</h1>
${said && html`<p class="notice positive" role="status">${said}</p>`}${refused && html`<p class="notice warning" role="alert">${refused}</p>`}
<section class="section" aria-labelledby="current"><h2 class="section-title" id="current">Current ${subscriptions.length === 1 ? 'subscription' : 'subscriptions'}</h2>
${subscriptions.length === 0 && html`<p class="muted">You have no subscriptions.</p>`}
${await Promise.all(subscriptions.map((subscription) => subscriptionCard(context, portal, subscription)))}</section>
${cardsSection(portal, await customerCards(context, portal), defaultCard ?? null)}
${await informationSection(context, portal)}
${showsInvoices && (await invoiceHistory(context, portal, after))}`,
  )
}

async function subscriptionCard(context: PagesContext, portal: Portal, subscription: ApiObject): Promise<Html> {
  const address = `${portal.base}/subscriptions/${text(subscription, 'id')}`
  const items = list(subscription, 'items')
  const prices = await Promise.all(items.map((item) => withProduct(context, child(item, 'price') ?? {})))
  const ending = instant(subscription, 'cancel_at')
  const periodEnd = instant(items[0], 'current_period_end')
  const trialEnd = text(subscription, 'status') === 'trialing' ? instant(subscription, 'trial_end') : null
  const paused = child(subscription, 'pause_collection')
  const offersSwitch =
    flag(portal.features, 'subscription_update.enabled') &&
    texts(portal.features, 'subscription_update.default_allowed_updates').length > 0
  const refused = offersSwitch ? switchingRefused(subscription, context.readings()) : null
  const resumes = instant(paused, 'resumes_at')
  const planned = isPlanned(subscription)
  return html`<article class="stack-small plan-card">
<div class="spread"><h3>${prices.map(productName).join(', ')}</h3>${status(paused ? 'paused' : (text(subscription, 'status') ?? ''))}</div>
${prices.map((price, index) => {
  const { amount, per, billed, metered } = describePrice(price)
  const quantity = integer(items[index], 'quantity') ?? 1
  return html`<p><span class="price">${amount}</span> ${per}${!metered && quantity > 1 && html` <span class="muted">× ${formatQuantity(quantity)}</span>`}${metered && html`<span class="muted">, ${billed}</span>`}</p>`
})}
<p class="muted">${
    ending
      ? `Ends on ${formatDate(ending)} and does not renew.`
      : paused
        ? resumes
          ? `Paused until ${formatDate(resumes)}.`
          : 'Paused until you resume it.'
        : trialEnd
          ? `Free trial until ${formatDate(trialEnd)}.`
          : periodEnd && `Renews on ${formatDate(periodEnd)}.`
  }</p>
${refused && html`<p class="small muted">${refused}</p>`}
${planned && html`<p class="notice">A change of this plan is planned. Until it takes effect, nothing else can be changed.</p>`}
<div class="row">${!planned && subscriptionActions(portal, address, { ending: ending !== null, paused: paused !== null, switches: offersSwitch && !refused })}</div></article>`
}

function subscriptionActions(
  portal: Portal,
  address: string,
  { ending, paused, switches }: { ending: boolean; paused: boolean; switches: boolean },
): Html {
  const cancels = flag(portal.features, 'subscription_cancel.enabled')
  const pauses = flag(portal.features, 'subscription_pause.enabled')
  if (ending)
    return html`${cancels && html`<form method="post" action="${address}/renew"><button>Don't cancel subscription</button></form>`}`
  return html`${paused && pauses && html`<form method="post" action="${address}/resume"><button class="primary">Resume subscription</button></form>`}
${switches && !paused && html`<a class="button" href="${address}/switch">Switch plan</a>`}
${pauses && !paused && html`<a class="button" href="${address}/pause">Pause subscription</a>`}
${cancels && html`<a class="button" href="${address}/cancel">Cancel subscription</a>`}`
}

async function invoiceHistory(context: PagesContext, portal: Portal, after: string | undefined): Promise<Html> {
  const page = await context.api('GET', '/v1/invoices', {
    customer: text(portal.customer, 'id'),
    limit: INVOICES_SHOWN,
    ...(after && { starting_after: after }),
  })
  const last = text(list(page, 'data').at(-1), 'id')
  // A draft has no number and may still change: customers see an invoice once it is final.
  const invoices = list(page, 'data').filter((invoice) => text(invoice, 'status') !== 'draft')
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
${
  (after || flag(page, 'has_more')) &&
  html`<nav class="row" aria-label="Invoices">${after && html`<a class="button" href="${portal.base}/home#invoices">Newest invoices</a>`}
${flag(page, 'has_more') && html`<a class="button" href="${portal.base}/home?after=${last}#invoices">Older invoices</a>`}</nav>`
}</section>`
}
