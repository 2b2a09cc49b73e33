import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { ApiError } from '../http/errors.ts'
import type { Readings } from '../readings.ts'
import { updateObstacle } from '../resources/portal-sessions.ts'
import type { ApiObject, PagesContext } from './context.ts'
import { errorSummary, type FormErrors, field, readForm } from './form.ts'
import { formatDate, type Html } from './layout.ts'
import { formatAmount, formatQuantity } from './money.ts'
import { finish, notOffered, type Portal, portalPage, wayBack } from './portal-session.ts'
import { SUBSCRIPTION_PATH, subscriptionVisit } from './portal-subscription.ts'
import { describePrice, productName, withProduct, withTiers } from './price.ts'
import { child, flag, instant, integer, list, reference, text, texts } from './wire.ts'

const INTERVAL_DAYS: { [interval: string]: number } = { day: 1, week: 7, month: 30, year: 365 }
const OBSTACLES: { [obstacle: string]: string } = {
  'has multiple items': "Subscriptions to several products can't be switched here. Switch on the site you came from.",
  'has usage-based prices':
    "Plans billed by usage can't be switched here: Stripe's portal only cancels them. Switch on the site you came from.",
  'is collected by sending invoices':
    "Subscriptions paid by invoice can't be switched here. Switch on the site you came from.",
}

/** Why the portal does not switch this subscription's plan, in words for the customer; null when it does. */
export function switchingRefused(subscription: ApiObject, readings: Readings): string | null {
  const items = list(subscription, 'items')
  const obstacle = updateObstacle(
    { readings },
    {
      metered: items.some((item) => text(item, 'price.recurring.usage_type') === 'metered'),
      items: items.length,
      collection: text(subscription, 'collection_method'),
    },
  )
  return obstacle ? (OBSTACLES[obstacle] ?? null) : null
}

/** What may be chosen for a subscription's one item. */
interface Offer {
  price: ApiObject
  /** The least and the most that may be ordered; null when the quantity stays. */
  quantities: { least: number; most: number | null } | null
}
interface Choice extends Offer {
  quantity: number | null
}

/** Choosing another price or quantity, seeing what it costs, confirming it. */
export function portalSwitchPages(context: PagesContext): Hono {
  const app = new Hono()
  const visit = (work: (c: Context, portal: Portal, subscription: ApiObject) => Response | Promise<Response>) =>
    subscriptionVisit(context, 'subscription_update', (c, portal, subscription) =>
      switchingRefused(subscription, context.readings()) ? notOffered(c, portal) : work(c, portal, subscription),
    )

  app.get(
    `${SUBSCRIPTION_PATH}/switch`,
    visit(async (c, portal, subscription) => {
      const offers = await offersFor(context, portal, subscription)
      const { price, quantity } = c.req.query()
      if (price === undefined) return c.html(choosePage(portal, subscription, offers, {}))
      const choice = choose(offers, subscription, price, quantity)
      if (typeof choice === 'string')
        return c.html(choosePage(portal, subscription, offers, { quantity: choice }, price), 422)
      return c.html(await confirmPage(context, portal, subscription, choice, {}))
    }),
  )

  app.post(
    `${SUBSCRIPTION_PATH}/switch`,
    visit(async (c, portal, subscription) => {
      const form = await readForm(c)
      const choice = choose(await offersFor(context, portal, subscription), subscription, form.price, form.quantity)
      if (typeof choice === 'string') return notOffered(c, portal)
      const scheduled = isScheduled(portal, subscription, choice)
      try {
        if (scheduled) await scheduleSwitch(context, subscription, choice)
        else
          await context.api(
            'POST',
            `/v1/subscriptions/${text(subscription, 'id')}`,
            changeTo(portal, subscription, choice),
          )
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        return c.html(await confirmPage(context, portal, subscription, choice, { form: error.message }), 422)
      }
      const task = text(portal.flow, 'type') ?? ''
      return finish(c, portal, task.startsWith('subscription_update') ? task : '', scheduled ? 'scheduled' : 'switched')
    }),
  )

  return app
}

/** The configured prices that this subscription may move to, the one in force first where only its quantity can change. */
async function offersFor(context: PagesContext, portal: Portal, subscription: ApiObject): Promise<Offer[]> {
  const item = list(subscription, 'items')[0]
  const current = child(item, 'price') ?? {}
  const allowed = texts(portal.features, 'subscription_update.default_allowed_updates')
  const readings = context.readings()
  const offers: Offer[] = []
  for (const product of list(portal.features, 'subscription_update.products')) {
    const quantities = allowed.includes('quantity') ? quantitiesOf(product) : null
    for (const id of texts(product, 'prices')) {
      const isCurrent = id === text(current, 'id')
      if (isCurrent ? !quantities : !allowed.includes('price')) continue
      const price = await withTiers(context, await withProduct(context, await context.api('GET', `/v1/prices/${id}`)))
      if (!isCurrent && !fits(price, current, readings)) continue
      offers.push({ price, quantities: describePrice(price).metered ? null : quantities })
    }
  }
  return offers
}

function fits(price: ApiObject, current: ApiObject, readings: Readings): boolean {
  const tax = text(price, 'tax_behavior')
  return (
    flag(price, 'active') &&
    text(price, 'currency') === text(current, 'currency') &&
    tax === text(current, 'tax_behavior') &&
    (tax !== 'unspecified' || readings.portalSwitchesUnspecifiedTax) &&
    (!describePrice(price).metered || readings.portalUpdatesMetered)
  )
}

function quantitiesOf(product: ApiObject): Offer['quantities'] {
  const limited = flag(product, 'adjustable_quantity.enabled')
  const least = (limited ? integer(product, 'adjustable_quantity.minimum') : null) ?? 1
  return { least, most: limited ? integer(product, 'adjustable_quantity.maximum') : null }
}

/** @returns the choice, or what is wrong with it */
function choose(
  offers: Offer[],
  subscription: ApiObject,
  priceId: string | undefined,
  typed: string | undefined,
): Choice | string {
  const item = list(subscription, 'items')[0]
  // A deep link that only changes the quantity names no price.
  const wanted = priceId || reference(item, 'price')
  const offer = offers.find(({ price }) => text(price, 'id') === wanted)
  if (!offer) return 'Choose a plan.'
  const before = integer(item, 'quantity') ?? 1
  if (describePrice(offer.price).metered) return { ...offer, quantity: null }
  if (!offer.quantities || typed === undefined || typed === '') return { ...offer, quantity: before }
  const { least, most } = offer.quantities
  const quantity = Number(typed)
  if (!Number.isInteger(quantity) || quantity < least || (most !== null && quantity > most))
    return most === null ? `Enter a whole number, at least ${least}.` : `Enter a whole number from ${least} to ${most}.`
  return { ...offer, quantity }
}

function changeTo(portal: Portal, subscription: ApiObject, choice: Choice): ApiObject {
  const endsTrial = trialEnds(portal, subscription)
  const charges = chargesNow(portal, subscription)
  return {
    items: [itemFor(subscription, choice)],
    proration_behavior: text(portal.features, 'subscription_update.proration_behavior') ?? 'none',
    ...(endsTrial && { trial_end: 'now' }),
    ...(!endsTrial && anchorMoves(portal) && { billing_cycle_anchor: { type: 'now' } }),
    ...(charges && { payment_behavior: 'error_if_incomplete' }),
  }
}

function itemFor(subscription: ApiObject, choice: Choice): ApiObject {
  const item = list(subscription, 'items')[0]
  return {
    id: text(item, 'id'),
    price: text(choice.price, 'id'),
    ...(choice.quantity !== null && { quantity: choice.quantity }),
  }
}

function anchorMoves(portal: Portal): boolean {
  return text(portal.features, 'subscription_update.billing_cycle_anchor') === 'now'
}

function trialEnds(portal: Portal, subscription: ApiObject): boolean {
  return (
    text(subscription, 'status') === 'trialing' &&
    text(portal.features, 'subscription_update.trial_update_behavior') !== 'continue_trial'
  )
}

function chargesNow(portal: Portal, subscription: ApiObject): boolean {
  const invoices = text(portal.features, 'subscription_update.proration_behavior') === 'always_invoice'
  return invoices || anchorMoves(portal) || trialEnds(portal, subscription)
}

/** Whether the configuration keeps this change for the period's end: a lower amount, a shorter interval. */
function isScheduled(portal: Portal, subscription: ApiObject, choice: Choice): boolean {
  const conditions = list(portal.features, 'subscription_update.schedule_at_period_end.conditions').map((one) =>
    text(one, 'type'),
  )
  const item = list(subscription, 'items')[0]
  const before = child(item, 'price')
  const decreases = amountOf(choice.price, choice.quantity) < amountOf(before, integer(item, 'quantity'))
  const shortens = daysOf(choice.price) < daysOf(before)
  return (
    (decreases && conditions.includes('decreasing_item_amount')) ||
    (shortens && conditions.includes('shortening_interval'))
  )
}

function amountOf(price: unknown, quantity: number | null): number {
  return Number(text(price, 'unit_amount_decimal') ?? integer(price, 'unit_amount') ?? 0) * (quantity ?? 1)
}

function daysOf(price: unknown): number {
  return (
    (INTERVAL_DAYS[text(price, 'recurring.interval') ?? ''] ?? 0) * (integer(price, 'recurring.interval_count') ?? 1)
  )
}

/** The rest of the period as it is, then the new price, then free of the schedule. */
async function scheduleSwitch(context: PagesContext, subscription: ApiObject, choice: Choice): Promise<void> {
  const schedule = await context.api('POST', '/v1/subscription_schedules', {
    from_subscription: text(subscription, 'id'),
  })
  const item = list(subscription, 'items')[0]
  const quantity = integer(item, 'quantity')
  await context.api('POST', `/v1/subscription_schedules/${text(schedule, 'id')}`, {
    end_behavior: 'release',
    phases: [
      {
        start_date: integer(item, 'current_period_start'),
        end_date: integer(item, 'current_period_end'),
        items: [{ price: reference(item, 'price'), ...(quantity !== null && { quantity }) }],
      },
      {
        items: [{ price: text(choice.price, 'id'), ...(choice.quantity !== null && { quantity: choice.quantity }) }],
        proration_behavior: 'none',
      },
    ],
  })
}

function choosePage(
  portal: Portal,
  subscription: ApiObject,
  offers: Offer[],
  errors: FormErrors,
  chosen: string | undefined = undefined,
): Html {
  const item = list(subscription, 'items')[0]
  const adjustable = offers.some(({ quantities }) => quantities)
  const current = reference(item, 'price')
  return portalPage(
    portal,
    'Switch plan',
    html`<h1>${adjustable ? 'Update your subscription' : 'Switch plan'}</h1>
${errorSummary(errors, ['quantity'])}
${offers.length === 0 && html`<p class="muted">There is no other plan to switch to.</p>`}
<form method="get" class="stack" novalidate>
<fieldset class="stack"><legend class="visually-hidden">Plan</legend><div class="plans">
${offers.map(({ price }, index) => {
  const { amount, per, billed, tiers } = describePrice(price)
  const id = text(price, 'id')
  const checked = chosen === undefined ? index === 0 : chosen === id
  const description = text(price, 'product.description')
  return html`<label class="plan"><input type="radio" name="price" value="${id}"${checked && html` checked`}>
<span class="stack-small"><span class="spread"><strong>${productName(price)}</strong>${id === current && html`<span class="status accent">current</span>`}</span>
<span>${amount} ${per}</span>${billed && html`<span class="small muted">${billed}</span>`}
${tiers.map((tier) => html`<span class="small muted">${tier}</span>`)}${description && html`<span class="small muted">${description}</span>`}</span></label>`
})}</div></fieldset>
${
  adjustable &&
  html`<div class="narrow">${field({
    name: 'quantity',
    label: 'Quantity',
    value: String(integer(item, 'quantity') ?? 1),
    error: errors.quantity,
    inputmode: 'numeric',
  })}</div>`
}
<div class="row">${offers.length > 0 && html`<button class="primary">Continue</button>`}
<a class="button" href="${wayBack(portal, 'subscription_update')}">Go back</a></div></form>`,
  )
}

async function confirmPage(
  context: PagesContext,
  portal: Portal,
  subscription: ApiObject,
  choice: Choice,
  errors: FormErrors,
): Promise<Html> {
  const { amount, per } = describePrice(choice.price)
  const name = productName(choice.price)
  const item = list(subscription, 'items')[0]
  const scheduled = isScheduled(portal, subscription, choice)
  const periodEnd = instant(item, 'current_period_end')
  const changesPlan = text(choice.price, 'id') !== reference(item, 'price')
  const verb = changesPlan ? `Switch to ${name}` : 'Update quantity'
  return portalPage(
    portal,
    'Confirm the switch',
    html`<h1>${verb}?</h1>${errorSummary(errors, [])}
<dl class="facts"><dt>${changesPlan ? 'New price' : 'Price'}</dt><dd>${amount} ${per}</dd>
${choice.quantity !== null && choice.quantities && html`<dt>Quantity</dt><dd>${formatQuantity(choice.quantity)}</dd>`}
<dt>Takes effect</dt><dd>${scheduled && periodEnd ? `On ${formatDate(periodEnd)}, when the current period ends` : 'Now'}</dd></dl>
${!scheduled && (await costs(context, portal, subscription, choice))}
<form method="post" class="row"><input type="hidden" name="price" value="${text(choice.price, 'id')}">
${choice.quantities && choice.quantity !== null && html`<input type="hidden" name="quantity" value="${choice.quantity}">`}
<button class="primary">${verb}</button>
<a class="button" href="${wayBack(portal, 'subscription_update_confirm')}">Go back</a></form>`,
  )
}

/** What the change adds to the next invoice, line by line, and what is due. */
async function costs(
  context: PagesContext,
  portal: Portal,
  subscription: ApiObject,
  choice: Choice,
): Promise<Html | null> {
  const { payment_behavior: _whenDone, ...details } = changeTo(portal, subscription, choice)
  const preview = await context
    .api('POST', '/v1/invoices/create_preview', {
      subscription: text(subscription, 'id'),
      subscription_details: details,
    })
    .catch((error) => {
      // Without anything to bill there is nothing to preview, and nothing to warn of.
      if (error instanceof ApiError) return null
      throw error
    })
  if (!preview) return null
  const currency = text(preview, 'currency') ?? 'usd'
  const due = formatAmount(integer(preview, 'amount_due') ?? 0, currency)
  const now = chargesNow(portal, subscription)
  const at = now
    ? null
    : (instant(preview, 'next_payment_attempt') ?? instant(list(subscription, 'items')[0], 'current_period_end'))
  return html`<div class="card flush"><div class="scroll" tabindex="0"><table><thead><tr><th scope="col">${now ? 'Charged today' : 'On the next invoice'}</th>
<th scope="col" class="number">Amount</th></tr></thead><tbody>
${list(preview, 'lines').map(
  (line) =>
    html`<tr><td>${text(line, 'description') ?? 'Item'}</td><td class="number">${formatAmount(integer(line, 'amount') ?? 0, currency)}</td></tr>`,
)}</tbody><tfoot><tr><th scope="row" class="number">${now ? 'Due today' : 'Next invoice'}${at && html` <span class="muted">on ${formatDate(at)}</span>`}</th>
<td class="number">${due}</td></tr></tfoot></table></div></div>`
}
