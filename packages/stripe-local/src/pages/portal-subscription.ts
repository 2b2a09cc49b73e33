import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import type { ApiObject, PagesContext } from './context.ts'
import { readForm } from './form.ts'
import { formatDate, type Html } from './layout.ts'
import { finish, notOffered, ownSubscription, type Portal, portalPage, portalVisit, wayBack } from './portal-session.ts'
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
const DAYS: { [interval: string]: number } = { day: 1, week: 7 }

/** A handler for the customer's own, still living subscription, if the portal offers the feature. */
export function subscriptionVisit(
  context: PagesContext,
  feature: string,
  work: (c: Context, portal: Portal, subscription: ApiObject) => Response | Promise<Response>,
): (c: Context) => Promise<Response> {
  return portalVisit(
    context,
    feature,
  )(async (c, portal) => {
    const subscription = await ownSubscription(context, portal, c.req.param('subscriptionId') ?? '')
    const over = !subscription || ['canceled', 'incomplete_expired'].includes(text(subscription, 'status') ?? '')
    return over || isPlanned(subscription) ? notOffered(c, portal) : work(c, portal, subscription)
  })
}

/**
 * docs.stripe.com/customer-management: "Customers can't update or cancel subscriptions that currently have an update
 * scheduled with a subscription schedule."
 */
export function isPlanned(subscription: ApiObject): boolean {
  return reference(subscription, 'schedule') !== null
}

export const SUBSCRIPTION_PATH = '/p/session/:portalSessionId/subscriptions/:subscriptionId'

/** Canceling, renewing, pausing and resuming a subscription of the portal's customer. */
export function portalSubscriptionPages(context: PagesContext): Hono {
  const app = new Hono()
  const address = (subscription: ApiObject) => `/v1/subscriptions/${text(subscription, 'id')}`

  app.get(
    `${SUBSCRIPTION_PATH}/cancel`,
    subscriptionVisit(context, 'subscription_cancel', async (c, portal, subscription) =>
      c.html(await cancelPage(context, portal, subscription)),
    ),
  )

  app.post(
    `${SUBSCRIPTION_PATH}/cancel`,
    subscriptionVisit(context, 'subscription_cancel', async (c, portal, subscription) => {
      const form = await readForm(c)
      const details = cancellationDetails(form)
      const immediately = text(portal.features, 'subscription_cancel.mode') === 'immediately'
      if (immediately) {
        const prorate = text(portal.features, 'subscription_cancel.proration_behavior') === 'create_prorations'
        await context.api('DELETE', address(subscription), { prorate, ...details })
      } else await context.api('POST', address(subscription), { cancel_at_period_end: true, ...details })
      return finish(c, portal, 'subscription_cancel', immediately ? 'canceled' : 'ending')
    }),
  )

  app.post(
    `${SUBSCRIPTION_PATH}/renew`,
    subscriptionVisit(context, 'subscription_cancel', async (c, portal, subscription) => {
      const undo = flag(subscription, 'cancel_at_period_end') ? { cancel_at_period_end: false } : { cancel_at: '' }
      await context.api('POST', address(subscription), undo)
      return c.redirect(`${portal.base}/home?done=renewed`, 303)
    }),
  )

  app.get(
    `${SUBSCRIPTION_PATH}/pause`,
    subscriptionVisit(context, 'subscription_pause', async (c, portal, subscription) =>
      c.html(await pausePage(context, portal, subscription)),
    ),
  )

  app.post(
    `${SUBSCRIPTION_PATH}/pause`,
    subscriptionVisit(context, 'subscription_pause', async (c, portal, subscription) => {
      const { duration } = await readForm(c)
      const ends = pauseEnds(context, portal)
      const chosen = ends.find(({ value }) => value === duration) ?? ends[0]
      const resumes = chosen?.at ? { resumes_at: Math.floor(chosen.at.getTime() / 1000) } : {}
      await context.api('POST', address(subscription), { pause_collection: { behavior: 'void', ...resumes } })
      return finish(c, portal, 'subscription_pause', 'paused')
    }),
  )

  app.post(
    `${SUBSCRIPTION_PATH}/resume`,
    subscriptionVisit(context, 'subscription_pause', async (c, portal, subscription) => {
      await context.api('POST', address(subscription), { pause_collection: '' })
      return c.redirect(`${portal.base}/home?done=resumed`, 303)
    }),
  )

  return app
}

function cancellationDetails({ feedback, comment }: { [field: string]: string }): ApiObject {
  const given = {
    ...(feedback && feedback in REASONS && { feedback }),
    ...(comment?.trim() && { comment: comment.trim() }),
  }
  return Object.keys(given).length > 0 ? { cancellation_details: given } : {}
}

/** The names of what a subscription is to, e.g. "Essential, Support". */
async function subscribedPrices(context: PagesContext, subscription: ApiObject): Promise<ApiObject[]> {
  const items = list(subscription, 'items')
  return Promise.all(items.map((item) => withProduct(context, child(item, 'price') ?? {})))
}

async function cancelPage(context: PagesContext, portal: Portal, subscription: ApiObject): Promise<Html> {
  const prices = await subscribedPrices(context, subscription)
  const name = prices.map(productName).join(', ')
  const immediately = text(portal.features, 'subscription_cancel.mode') === 'immediately'
  const end = instant(list(subscription, 'items')[0], 'current_period_end')
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
${reasons.map((reason) => html`<label class="check"><input type="radio" name="feedback" value="${reason}">${REASONS[reason]}</label>`)}</fieldset>
<div class="field narrow"><label for="comment">Anything else? <span class="muted">Optional</span></label>
<textarea id="comment" name="comment" rows="3" maxlength="500"></textarea></div>`
}
<div class="row"><button class="primary">Cancel subscription</button>
<a class="button" href="${wayBack(portal, 'subscription_cancel')}">Go back</a></div></form>`,
  )
}

/** When a pause may end, as the configuration offers; `at` null: when the customer resumes. */
function pauseEnds(context: PagesContext, portal: Portal): { value: string; label: string; at: Date | null }[] {
  if (text(portal.features, 'subscription_pause.duration.type') === 'indefinite')
    return [{ value: 'indefinite', label: 'Until you resume it', at: null }]
  return list(portal.features, 'subscription_pause.duration.interval_options').map((option) => {
    const interval = text(option, 'interval') ?? 'month'
    const count = integer(option, 'interval_count') ?? 1
    const at = new Date(context.now())
    if (interval in DAYS) at.setUTCDate(at.getUTCDate() + count * (DAYS[interval] ?? 1))
    else at.setUTCMonth(at.getUTCMonth() + count * (interval === 'year' ? 12 : 1))
    return {
      value: `${count}-${interval}`,
      label: `For ${count} ${interval}${count === 1 ? '' : 's'}, until ${formatDate(at)}`,
      at,
    }
  })
}

async function pausePage(context: PagesContext, portal: Portal, subscription: ApiObject): Promise<Html> {
  const name = (await subscribedPrices(context, subscription)).map(productName).join(', ')
  const ends = pauseEnds(context, portal)
  return portalPage(
    portal,
    'Pause subscription',
    html`<h1>Pause ${name}?</h1>
<p>While it is paused nothing is charged. You can resume it at any time.</p>
<form method="post" class="stack"><fieldset class="stack-small"><legend>How long?</legend>
${ends.map(
  ({ value, label }, index) =>
    html`<label class="check"><input type="radio" name="duration" value="${value}"${index === 0 && html` checked`}>${label}</label>`,
)}</fieldset>
<div class="row"><button class="primary">Pause subscription</button>
<a class="button" href="${wayBack(portal, 'subscription_pause')}">Go back</a></div></form>`,
  )
}
