import type { Context } from 'hono'
import { html } from 'hono/html'
import { ApiError } from '../http/errors.ts'
import type { ApiObject, PagesContext } from './context.ts'
import { type Html, messagePage, page, testMode } from './layout.ts'
import { merchantName } from './merchant.ts'
import { child, flag, reference, text } from './wire.ts'

/** What one visit of the customer portal is about. */
export interface Portal {
  /** The address all pages of this visit begin with. */
  base: string
  merchant: string
  customer: ApiObject
  features: ApiObject
  headline: string | null
  privacyUrl: string | null
  termsUrl: string | null
  returnUrl: string | null
  /** The one thing the visitor was sent to do; null for the whole portal. */
  flow: ApiObject | null
}

/** The visit that a request belongs to; null when its session expired or never was. */
export async function openPortal(context: PagesContext, c: Context): Promise<Portal | null> {
  const sessionId = c.req.param('portalSessionId') ?? ''
  const session = await context.portalSession(sessionId)
  if (!session) return null
  const customer = await context.api('GET', `/v1/customers/${reference(session, 'customer')}`)
  const path = `/v1/billing_portal/configurations/${reference(session, 'configuration')}`
  const configuration = await context.api('GET', path, { expand: ['features.subscription_update.products'] })
  return {
    base: `/p/session/${sessionId}`,
    merchant: await merchantName(context),
    customer,
    features: child(configuration, 'features') ?? {},
    headline: text(configuration, 'business_profile.headline'),
    privacyUrl: text(configuration, 'business_profile.privacy_policy_url'),
    termsUrl: text(configuration, 'business_profile.terms_of_service_url'),
    returnUrl: text(session, 'return_url') ?? text(configuration, 'default_return_url'),
    flow: child(session, 'flow'),
  }
}

type Visit = (c: Context, portal: Portal) => Response | Promise<Response>

/** Handlers that run only in a living session whose configuration offers the feature. */
export function portalVisit(
  context: PagesContext,
  feature: string,
): (work: Visit) => (c: Context) => Promise<Response> {
  return (work) => async (c) => {
    const portal = await openPortal(context, c)
    if (!portal) return portalExpired(context, c)
    return flag(portal.features, `${feature}.enabled`) ? work(c, portal) : notOffered(c, portal)
  }
}

export function portalExpired(context: PagesContext, c: Context): Response | Promise<Response> {
  const sessionId = c.req.param('portalSessionId') ?? ''
  const message = 'This portal session has expired. Open the billing page of the site that sent you and start again.'
  if (!context.portalRecovery.offered(sessionId)) return c.html(messagePage('Session expired', message), 404)
  return c.html(
    page(
      'Session expired',
      html`${testMode()}<main id="main" class="single stack"><h1>Session expired</h1>
<p class="muted">For your security the session has ended. Stripe would now send you a link by e-mail; here one click is enough.</p>
<form method="post" action="/p/session/${sessionId}/log-in"><button class="primary">Log in again</button></form></main>`,
    ),
    404,
  )
}

export function notOffered(c: Context, portal: Portal): Response | Promise<Response> {
  const message = `${portal.merchant} does not offer this here.`
  return c.html(messagePage('Not available', message, { href: `${portal.base}/home`, label: 'Go back' }), 404)
}

/** The portal's frame: who it belongs to and the way back on one side, the page on the other. */
export function portalPage(portal: Portal, title: string, body: Html): Html {
  return page(
    `${title} · ${portal.merchant}`,
    html`${testMode()}<div class="portal"><aside aria-label="${portal.merchant}"><div class="stack">
<p><strong>${portal.merchant}</strong></p>
<p class="big-title">${portal.headline ?? 'Manage your subscription and billing details'}</p>
${portal.returnUrl && html`<p><a href="${portal.returnUrl}">← Return to ${portal.merchant}</a></p>`}
</div>${
      (portal.termsUrl || portal.privacyUrl) &&
      html`<p class="row small foot">${portal.termsUrl && html`<a href="${portal.termsUrl}">Terms</a>`}${portal.privacyUrl && html`<a href="${portal.privacyUrl}">Privacy</a>`}</p>`
    }</aside><main id="main" class="stack">${body}</main></div>`,
  )
}

/** The customer's own subscription of that id; null for anyone else's. */
export async function ownSubscription(context: PagesContext, portal: Portal, id: string): Promise<ApiObject | null> {
  try {
    const found = await context.api('GET', `/v1/subscriptions/${encodeURIComponent(id)}`)
    return reference(found, 'customer') === text(portal.customer, 'id') ? found : null
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null
    throw error
  }
}

/** Where a visit continues when its task is done: home, or where the flow says. */
export function finish(c: Context, portal: Portal, task: string, done: string): Response | Promise<Response> {
  const after = child(portal.flow, 'after_completion')
  if (portal.flow && text(portal.flow, 'type') === task) {
    const address = text(after, 'redirect.return_url')
    if (text(after, 'type') === 'redirect' && address) return c.redirect(address, 303)
    if (text(after, 'type') === 'hosted_confirmation') {
      const message =
        text(after, 'hosted_confirmation.custom_message') ?? 'Your changes are saved. You can close this page.'
      const back =
        portal.returnUrl && html`<p><a class="button" href="${portal.returnUrl}">Return to ${portal.merchant}</a></p>`
      return c.html(portalPage(portal, 'Done', html`<h1>Done</h1><p>${message}</p>${back}`))
    }
  }
  return c.redirect(`${portal.base}/home?done=${done}`, 303)
}

/** Back to the portal, or out of it when the visitor was sent for one task only. */
export function wayBack(portal: Portal, task: string): string {
  return portal.flow && text(portal.flow, 'type') === task && portal.returnUrl
    ? portal.returnUrl
    : `${portal.base}/home`
}
