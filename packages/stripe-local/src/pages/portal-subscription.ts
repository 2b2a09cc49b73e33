import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { ApiError } from '../http/errors.ts'
import type { ApiObject, PagesContext } from './context.ts'
import { readForm } from './form.ts'
import { formatDate, type Html } from './layout.ts'
import { formatAmount } from './money.ts'
import {
  finish,
  notOffered,
  openPortal,
  ownSubscription,
  type Portal,
  portalExpired,
  portalPage,
  wayBack,
} from './portal-session.ts'
import { describePrice, productName, withProduct } from './price.ts'
import { child, flag, instant, integer, list, reference, text, texts } from './wire.ts'

const REASONS: { [feedback: string]: string } = {
  too_expensive: "It's too expensive",
  missing_features: 'Some features are missing',
  switched_service: "I'm switching to a different service",
  unused: "I don't use the service enough",
  customer_service: 'Customer service was less than expected',
  too_complex: 'Ease of use was less than expected',
  low_quality: 'Quality was less than expected',
  other: 'Other reason',
}

/**
 * Why the portal does not switch these items' plan, in words for the customer; null when it does. By Stripe's
 * documentation usage-based and multi-product subscriptions can only be canceled in the portal.
 */
export function switchingRefused(items: ApiObject[]): string | null {
  if (items.some((item) => text(item, 'price.recurring.usage_type') === 'metered'))
    return "Plans billed by usage can't be switched here: Stripe's portal only cancels them. Switch on the site you came from."
  if (items.length > 1)
    return "Subscriptions to several products can't be switched here. Switch on the site you came from."
  return null
}

/** Canceling, renewing and switching a subscription of the portal's customer. */
export function portalSubscriptionPages(context: PagesContext): Hono {
  const app = new Hono()
  const path = '/p/session/:portalSessionId/subscriptions/:subscriptionId'

  /** Runs only for the customer's own, still living subscription, and if the portal offers the feature. */
  const visit =
    (feature: string, work: (c: Context, portal: Portal, subscription: ApiObject) => Promise<Response>) =>
    async (c: Context): Promise<Response> => {
      const portal = await openPortal(context, c)
      if (!portal) return portalExpired(c)
      const subscription = await ownSubscription(context, portal, c.req.param('subscriptionId') ?? '')
      const over = !subscription || ['canceled', 'incomplete_expired'].includes(text(subscription, 'status') ?? '')
      if (over || !flag(portal.features, `${feature}.enabled`)) return notOffered(c, portal)
      return await work(c, portal, subscription)
    }

  app.get(
    `${path}/cancel`,
    visit('subscription_cancel', async (c, portal, subscription) =>
      c.html(await cancelPage(context, portal, subscription)),
    ),
  )

  app.post(
    `${path}/cancel`,
    visit('subscription_cancel', async (c, portal, subscription) => {
      const { feedback } = await readForm(c)
      const details = feedback && feedback in REASONS ? { cancellation_details: { feedback } } : {}
      const address = `/v1/subscriptions/${text(subscription, 'id')}`
      const immediately = text(portal.features, 'subscription_cancel.mode') === 'immediately'
      if (immediately) {
        const prorate = text(portal.features, 'subscription_cancel.proration_behavior') === 'create_prorations'
        // What a canceling DELETE does not take, the subscription is told before.
        if (feedback) await context.api('POST', address, details)
        await context.api('DELETE', address, { prorate })
      } else await context.api('POST', address, { cancel_at_period_end: true, ...details })
      return finish(c, portal, 'subscription_cancel', immediately ? 'canceled' : 'ending')
    }),
  )

  app.post(
    `${path}/renew`,
    visit('subscription_cancel', async (c, portal, subscription) => {
      const undo = flag(subscription, 'cancel_at_period_end') ? { cancel_at_period_end: false } : { cancel_at: '' }
      await context.api('POST', `/v1/subscriptions/${text(subscription, 'id')}`, undo)
      return c.redirect(`${portal.base}/home?done=renewed`, 303)
    }),
  )

  app.get(
    `${path}/switch`,
    visit('subscription_update', async (c, portal, subscription) => {
      if (switchingRefused(list(subscription, 'items'))) return notOffered(c, portal)
      const prices = await offeredPrices(context, portal, subscription)
      const chosen = prices.find((price) => text(price, 'id') === c.req.query('price'))
      if (!chosen) return c.html(choosePage(portal, prices))
      return c.html(await confirmPage(context, portal, subscription, chosen))
    }),
  )

  app.post(
    `${path}/switch`,
    visit('subscription_update', async (c, portal, subscription) => {
      const { price } = await readForm(c)
      const prices = await offeredPrices(context, portal, subscription)
      const offered = prices.some((offer) => text(offer, 'id') === price)
      if (switchingRefused(list(subscription, 'items')) || !offered) return notOffered(c, portal)
      const anchorNow = text(portal.features, 'subscription_update.billing_cycle_anchor') === 'now'
      await context.api('POST', `/v1/subscriptions/${text(subscription, 'id')}`, {
        ...switchTo(portal, subscription, price ?? ''),
        ...(anchorNow && { billing_cycle_anchor: { type: 'now' } }),
      })
      const task = text(portal.flow, 'type') ?? ''
      return finish(c, portal, task.startsWith('subscription_update') ? task : '', 'switched')
    }),
  )

  return app
}

async function cancelPage(context: PagesContext, portal: Portal, subscription: ApiObject): Promise<Html> {
  const items = list(subscription, 'items')
  const prices = await Promise.all(items.map((item) => withProduct(context, child(item, 'price') ?? {})))
  const name = prices.map(productName).join(', ')
  const immediately = text(portal.features, 'subscription_cancel.mode') === 'immediately'
  const end = instant(items[0], 'current_period_end')
  const metered = prices.some((price) => describePrice(price).metered)
  const reasons = flag(portal.features, 'subscription_cancel.cancellation_reason.enabled')
    ? texts(portal.features, 'subscription_cancel.cancellation_reason.options').filter((option) => option in REASONS)
    : []
  return portalPage(
    portal,
    'Cancel subscription',
    html`<h1>Cancel ${name}?</h1>
<p>${
      immediately
        ? `${name} ends as soon as you confirm. This cannot be undone.`
        : `You keep ${name} until ${end ? formatDate(end) : 'the end of the period'}; then it ends. You can change your mind until then.`
    }</p>
${metered && !immediately && html`<p class="muted">What you use until then is on a last invoice.</p>`}
<form method="post" class="stack">
${
  reasons.length > 0 &&
  html`<fieldset class="stack-small"><legend>Why are you canceling? <span class="muted">Optional</span></legend>
${reasons.map((reason) => html`<label class="check"><input type="radio" name="feedback" value="${reason}">${REASONS[reason]}</label>`)}</fieldset>`
}
<div class="row"><button class="primary">Cancel subscription</button>
<a class="button" href="${wayBack(portal, 'subscription_cancel')}">Go back</a></div></form>`,
  )
}

/** The prices of the configuration, without the one in force. */
async function offeredPrices(context: PagesContext, portal: Portal, subscription: ApiObject): Promise<ApiObject[]> {
  const current = reference(list(subscription, 'items')[0], 'price')
  const ids = list(portal.features, 'subscription_update.products').flatMap((product) => texts(product, 'prices'))
  const prices = await Promise.all(
    ids
      .filter((id) => id !== current)
      .map(async (id) => withProduct(context, await context.api('GET', `/v1/prices/${id}`))),
  )
  return prices.filter((price) => !describePrice(price).metered)
}

function choosePage(portal: Portal, prices: ApiObject[]): Html {
  return portalPage(
    portal,
    'Switch plan',
    html`<h1>Switch plan</h1>
${prices.length === 0 && html`<p class="muted">There is no other plan to switch to.</p>`}
<form method="get" class="stack">
<fieldset class="stack-small"><legend class="visually-hidden">Plan</legend>
${prices.map((price, index) => {
  const { amount, per } = describePrice(price)
  return html`<label class="check"><input type="radio" name="price" value="${text(price, 'id')}"${index === 0 && ' checked'}>
<span><strong>${productName(price)}</strong> ${amount} ${per}</span></label>`
})}</fieldset>
<div class="row">${prices.length > 0 && html`<button class="primary">Continue</button>`}
<a class="button" href="${wayBack(portal, 'subscription_update')}">Go back</a></div></form>`,
  )
}

async function confirmPage(
  context: PagesContext,
  portal: Portal,
  subscription: ApiObject,
  price: ApiObject,
): Promise<Html> {
  const { amount, per } = describePrice(price)
  const { items, proration_behavior } = switchTo(portal, subscription, text(price, 'id') ?? '')
  const preview = await context
    .api('POST', '/v1/invoices/create_preview', {
      subscription: text(subscription, 'id'),
      subscription_details: { items, proration_behavior },
    })
    .catch((error) => {
      // Without anything to bill there is nothing to preview, and nothing to warn of.
      if (error instanceof ApiError && error.status === 404) return null
      throw error
    })
  return portalPage(
    portal,
    'Confirm the switch',
    html`<h1>Switch to ${productName(price)}?</h1>
<dl class="facts"><dt>New price</dt><dd>${amount} ${per}</dd>
${preview && html`<dt>Next invoice</dt><dd>${formatAmount(integer(preview, 'amount_due') ?? 0, text(preview, 'currency') ?? 'usd')}</dd>`}</dl>
<form method="post" class="row"><input type="hidden" name="price" value="${text(price, 'id')}">
<button class="primary">Switch to ${productName(price)}</button>
<a class="button" href="${wayBack(portal, 'subscription_update_confirm')}">Go back</a></form>`,
  )
}

function switchTo(portal: Portal, subscription: ApiObject, price: string) {
  const item = list(subscription, 'items')[0]
  return {
    items: [{ id: text(item, 'id'), price, quantity: integer(item, 'quantity') ?? 1 }],
    proration_behavior: text(portal.features, 'subscription_update.proration_behavior') ?? 'none',
  }
}
