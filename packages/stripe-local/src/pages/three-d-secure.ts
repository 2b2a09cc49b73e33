import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import type { PagesContext } from './context.ts'
import { readForm } from './form.ts'
import { messagePage, page, testMode } from './layout.ts'
import { merchantName } from './merchant.ts'
import { formatAmount } from './money.ts'

/** What the bank is asked about. */
export interface Authentication {
  last4: string
  /** Null where a card is set up and nothing is paid. */
  amount: { minor: number; currency: string } | null
  /** False once it was answered, or the intent moved on. */
  isOpen: boolean
  /** Where the answered question leads, with what Stripe adds to it; null when nobody said. */
  returnTo: string | null
}

/** The bank's question, pretended: `/3d-secure/:intentId?client_secret=…`, where `next_action` leads. */
export function threeDSecurePages(context: PagesContext): Hono {
  const app = new Hono()

  app.get('/3d-secure/:intentId', async (c) => {
    const asked = context.authentication(c.req.param('intentId'), c.req.query('client_secret') ?? '')
    if (!asked) return notFound(c)
    if (!asked.isOpen) return answered(c, asked.returnTo)
    const amount = asked.amount && formatAmount(asked.amount.minor, asked.amount.currency)
    const merchant = await merchantName(context)
    return c.html(
      page(
        'Authentication',
        html`${testMode()}<main id="main" class="single"><div class="card stack bank">
<p class="small muted">3D Secure, pretended by the local Stripe</p>
<h1>Your bank asks: is it you?</h1>
<p class="muted">${merchant} wants to ${amount ? html`charge <strong>${amount}</strong> to` : 'keep'} your card ending in ${asked.last4}.
A real bank would now send you a code.</p>
<form method="post" class="row">
<button class="primary" name="authentication" value="complete">Complete authentication</button>
<button name="authentication" value="fail">Fail authentication</button>
</form></div></main>`,
      ),
    )
  })

  app.post('/3d-secure/:intentId', async (c) => {
    const [id, secret] = [c.req.param('intentId'), c.req.query('client_secret') ?? '']
    if (!context.authentication(id, secret)) return notFound(c)
    const { authentication } = await readForm(c)
    return answered(c, context.answerAuthentication(id, secret, authentication === 'complete'))
  })

  return app
}

function answered(c: Context, returnTo: string | null): Response | Promise<Response> {
  if (returnTo !== null) return c.redirect(returnTo, 303)
  return c.html(messagePage('Thank you', 'Your bank has your answer. You can close this page.'))
}

function notFound(c: Context): Response | Promise<Response> {
  return c.html(messagePage('Page not found', 'There is nothing to authenticate here.'), 404)
}
