import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { ApiError } from '../http/errors.ts'
import { AUTHENTICATION_FAILED, authenticationPage, declineErrors, filledCard } from './card.ts'
import {
  checkoutForm,
  choiceErrors,
  choices,
  FORM,
  promotionChoice,
  readPayer,
  submitLabel,
  type Typed,
} from './checkout-form.ts'
import { type Offer, offerSummary, readOffer } from './checkout-offer.ts'
import type { PagesContext } from './context.ts'
import { type FormErrors, readForm } from './form.ts'
import { type Html, messagePage, page, testMode } from './layout.ts'
import { text } from './wire.ts'

/** Hosted Checkout: `/c/pay/:sessionId`, and `/c/recover/:sessionId` where an expired one begins anew. */
export function checkoutPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get('/c/pay/:sessionId', async (c) => {
    const offer = await readOffer(context, c.req.param('sessionId'))
    if (!offer) return notFound(c)
    const typed = { email: text(offer.session, 'customer_email') ?? '' }
    return closed(c, offer) ?? c.html(checkoutPage(context, offer, typed, {}))
  })

  app.post('/c/pay/:sessionId', async (c) => {
    const sessionId = c.req.param('sessionId')
    const offer = await readOffer(context, sessionId)
    if (!offer) return notFound(c)
    // The button was pressed twice: the second time leads where the first one did.
    const paid = text(offer.session, 'status') === 'complete' && successUrl(offer)
    if (paid) return c.redirect(paid, 303)
    const refusal = closed(c, offer)
    if (refusal) return refusal

    const typed: Typed = await readForm(c)
    const filled = filledCard(typed, context.now())
    if (filled) return c.html(checkoutPage(context, offer, { ...typed, card: 'new', ...filled }, {}))
    if (typed.update) return await update(c, context, offer, typed)
    if (typed.authentication === 'fail')
      return c.html(checkoutPage(context, offer, typed, { form: AUTHENTICATION_FAILED }), 422)
    return await pay(c, context, offer, typed)
  })

  app.get('/c/recover/:sessionId', async (c) => {
    const url = await context.recoverCheckout(c.req.param('sessionId'))
    return url ? c.redirect(url, 303) : notFound(c)
  })

  return app
}

async function pay(c: Context, context: PagesContext, offer: Offer, typed: Typed) {
  const { payer, errors } = readPayer(offer, typed, context.now())
  if (Object.keys(errors).length > 0) return c.html(checkoutPage(context, offer, typed, errors), 422)
  const sessionId = text(offer.session, 'id') ?? ''
  const outcome = await context.completeCheckout(sessionId, payer)
  if (outcome.status === 'complete') return c.redirect(outcome.redirectUrl, 303)
  if (outcome.status === 'requires_authentication') {
    const { authentication: _answer, ...kept } = typed
    return c.html(authenticationPage(`/c/pay/${sessionId}`, kept))
  }
  return c.html(checkoutPage(context, offer, typed, declineErrors(outcome)), 422)
}

/** Works out the total for other quantities, another amount or a promotion code. */
async function update(c: Context, context: PagesContext, offer: Offer, typed: Typed) {
  const errors = choiceErrors(offer, typed)
  if (Object.keys(errors).length > 0) return c.html(checkoutPage(context, offer, typed, errors), 422)
  const sessionId = text(offer.session, 'id') ?? ''
  const chosen = { ...choices(offer, typed), ...promotionChoice(offer, typed) }
  const refused = await context.adjustCheckout(sessionId, chosen).catch((error) => {
    if (error instanceof ApiError && chosen.promotionCode) return error
    throw error
  })
  if (refused) return c.html(checkoutPage(context, offer, typed, { promotion_code: refused.message }), 422)
  const changed = await readOffer(context, sessionId)
  return changed ? c.html(checkoutPage(context, changed, typed, {})) : notFound(c)
}

function notFound(c: Context): Response | Promise<Response> {
  const message = 'This Checkout session does not exist here. Start again from the page that sent you.'
  return c.html(messagePage('Page not found', message), 404)
}

/** The page of a session that can no longer be paid; null while it is open. */
function closed(c: Context, offer: Offer): Response | Promise<Response> | null {
  const { session } = offer
  if (text(session, 'status') === 'expired') {
    const message = 'This Checkout session has expired and nothing was charged. Go back and start again.'
    return c.html(messagePage('Session expired', message, wayBack(offer)), 410)
  }
  if (text(session, 'status') === 'complete') {
    const href = successUrl(offer)
    const message = 'This Checkout session is complete. There is nothing left to pay here.'
    return c.html(messagePage("You're all done", message, href ? { href, label: 'Continue' } : undefined))
  }
  return null
}

function wayBack({ session }: Offer): { href: string; label: string } | undefined {
  const recovery = text(session, 'after_expiration.recovery.url')
  if (recovery) return { href: recovery, label: 'Start again' }
  const back = text(session, 'cancel_url')
  return back ? { href: back, label: 'Go back' } : undefined
}

function successUrl({ session }: Offer): string | null {
  const target = text(session, 'success_url') ?? text(session, 'return_url')
  return target?.replaceAll('{CHECKOUT_SESSION_ID}', text(session, 'id') ?? '') ?? null
}

function checkoutPage(context: PagesContext, offer: Offer, typed: Typed, errors: FormErrors): Html {
  const cancelUrl = text(offer.session, 'cancel_url')
  const after = text(offer.session, 'custom_text.after_submit.message')
  return page(
    `${submitLabel(offer)} · ${offer.merchant}`,
    html`${testMode()}<div class="checkout">
<section class="offer" aria-label="What you buy"><div class="inner stack">
${cancelUrl ? html`<p><a href="${cancelUrl}">← Back to ${offer.merchant}</a></p>` : html`<p class="muted">${offer.merchant}</p>`}
${offerSummary(offer, errors, FORM)}</div></section>
<main id="main" class="pay"><div class="inner stack">
${checkoutForm(offer, typed, errors, context.now())}
${after && html`<p class="small muted">${after}</p>`}</div></main></div>`,
  )
}
