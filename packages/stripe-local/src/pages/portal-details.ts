import { Hono } from 'hono'
import { html } from 'hono/html'
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
import type { PagesContext } from './context.ts'
import { errorSummary, type FormErrors, field, readForm } from './form.ts'
import type { Html } from './layout.ts'
import { finish, notOffered, openPortal, type Portal, portalExpired, portalPage, wayBack } from './portal-session.ts'
import { flag, text, texts } from './wire.ts'

/** The customer's card, name and address for invoices. */
export function portalDetailsPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get('/p/session/:portalSessionId/payment-method', async (c) => {
    const portal = await openPortal(context, c)
    if (!portal) return portalExpired(c)
    if (!flag(portal.features, 'payment_method_update.enabled')) return notOffered(c, portal)
    return c.html(cardPage(context, portal, { number: '', expiry: '', cvc: '' }, {}))
  })

  app.post('/p/session/:portalSessionId/payment-method', async (c) => {
    const portal = await openPortal(context, c)
    if (!portal) return portalExpired(c)
    if (!flag(portal.features, 'payment_method_update.enabled')) return notOffered(c, portal)
    const form = await readForm(c)
    const typed = typedCard(form)
    const filled = filledCard(form, context.now())
    if (filled) return c.html(cardPage(context, portal, filled, {}))
    if (form.authentication === 'fail')
      return c.html(cardPage(context, portal, typed, { form: AUTHENTICATION_FAILED }), 422)
    const { card, errors } = readCard(typed, context.now())
    if (Object.keys(errors).length > 0) return c.html(cardPage(context, portal, typed, errors), 422)
    const customerId = text(portal.customer, 'id') ?? ''
    const outcome = await context.replaceCard(customerId, card, form.authentication === 'complete')
    if (outcome.status === 'complete') return finish(c, portal, 'payment_method_update', 'card')
    if (outcome.status === 'requires_authentication') return c.html(authenticationPage(c.req.path, { ...typed }))
    return c.html(cardPage(context, portal, typed, declineErrors(outcome)), 422)
  })

  app.get('/p/session/:portalSessionId/information', async (c) => {
    const portal = await openPortal(context, c)
    if (!portal) return portalExpired(c)
    if (!flag(portal.features, 'customer_update.enabled')) return notOffered(c, portal)
    const typed = { name: text(portal.customer, 'name') ?? '', email: text(portal.customer, 'email') ?? '' }
    return c.html(informationPage(portal, typed, {}))
  })

  app.post('/p/session/:portalSessionId/information', async (c) => {
    const portal = await openPortal(context, c)
    if (!portal) return portalExpired(c)
    if (!flag(portal.features, 'customer_update.enabled')) return notOffered(c, portal)
    const form = await readForm(c)
    const typed = { name: form.name?.trim() ?? '', email: form.email?.trim() ?? '' }
    const errors: FormErrors = {}
    if (mayChange(portal, 'name') && typed.name === '') errors.name = 'Enter a name.'
    if (mayChange(portal, 'email') && !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(typed.email))
      errors.email = 'Enter an email address such as jenny@example.com.'
    if (Object.keys(errors).length > 0) return c.html(informationPage(portal, typed, errors), 422)
    await context.api('POST', `/v1/customers/${text(portal.customer, 'id')}`, {
      ...(mayChange(portal, 'name') && { name: typed.name }),
      ...(mayChange(portal, 'email') && { email: typed.email }),
    })
    return finish(c, portal, 'customer_update', 'information')
  })

  return app
}

function mayChange(portal: Portal, what: 'name' | 'email'): boolean {
  return texts(portal.features, 'customer_update.allowed_updates').includes(what)
}

function cardPage(context: PagesContext, portal: Portal, typed: TypedCard, errors: FormErrors): Html {
  return portalPage(
    portal,
    'Update card',
    html`<h1>Update your card</h1>
<p class="muted">It replaces the card that your subscriptions are charged to.</p>
${errorSummary(errors, CARD_FIELDS)}
<form method="post" novalidate class="stack narrow">${cardFields(typed, errors)}
<div class="row"><button class="primary">Save card</button>
<a class="button" href="${wayBack(portal, 'payment_method_update')}">Go back</a></div>
${testCards(context.now())}</form>`,
  )
}

function informationPage(portal: Portal, typed: { name: string; email: string }, errors: FormErrors): Html {
  return portalPage(
    portal,
    'Billing information',
    html`<h1>Billing information</h1>
<p class="muted">It appears on your future invoices.</p>
${errorSummary(errors, ['name', 'email'])}
<form method="post" novalidate class="stack narrow">
${mayChange(portal, 'name') && field({ name: 'name', label: 'Name', value: typed.name, error: errors.name, autocomplete: 'name' })}
${
  mayChange(portal, 'email') &&
  field({
    name: 'email',
    label: 'Email',
    type: 'email',
    value: typed.email,
    error: errors.email,
    autocomplete: 'email',
  })
}
<div class="row"><button class="primary">Save</button>
<a class="button" href="${wayBack(portal, 'customer_update')}">Go back</a></div></form>`,
  )
}
