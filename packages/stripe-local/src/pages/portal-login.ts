import { Hono } from 'hono'
import { html } from 'hono/html'
import { ApiError } from '../http/errors.ts'
import type { ApiObject, PagesContext } from './context.ts'
import { errorSummary, type FormErrors, field, readForm } from './form.ts'
import { type Html, messagePage, page, testMode } from './layout.ts'
import { merchantName } from './merchant.ts'
import { flag, list, text } from './wire.ts'

/**
 * The shareable login page of a portal configuration, `/p/login/:configuration`, and the way back into an expired
 * session. Stripe sends a link by e-mail; the local one, which sends no mail, shows the link at once.
 */
export function portalLoginPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get('/p/login/:configuration', async (c) => {
    const configuration = await openConfiguration(context, c.req.param('configuration'))
    return configuration ? c.html(loginPage(await merchantName(context), '', {})) : c.html(closedPage(), 404)
  })

  app.post('/p/login/:configuration', async (c) => {
    const configuration = await openConfiguration(context, c.req.param('configuration'))
    if (!configuration) return c.html(closedPage(), 404)
    const email = (await readForm(c)).email?.trim() ?? ''
    const found = email === '' ? [] : list(await context.api('GET', '/v1/customers', { email, limit: 1 }), 'data')
    const merchant = await merchantName(context)
    const errors = { email: email === '' ? 'Enter your email address.' : 'No customer has this email address.' }
    if (!found[0]) return c.html(loginPage(merchant, email, errors), 422)
    const session = await context.api('POST', '/v1/billing_portal/sessions', {
      customer: text(found[0], 'id'),
      configuration: text(configuration, 'id'),
    })
    return c.html(sentPage(merchant, email, text(session, 'url') ?? ''))
  })

  app.post('/p/session/:portalSessionId/log-in', (c) => {
    const id = c.req.param('portalSessionId')
    if (!context.portalRecovery.use(id))
      return c.html(
        messagePage('Session expired', 'It can no longer be opened. Start again from the site that sent you.'),
        404,
      )
    return c.redirect(`/p/session/${id}`, 303)
  })

  return app
}

async function openConfiguration(context: PagesContext, id: string): Promise<ApiObject | null> {
  try {
    const found = await context.api('GET', `/v1/billing_portal/configurations/${encodeURIComponent(id)}`)
    return flag(found, 'active') && flag(found, 'login_page.enabled') ? found : null
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null
    throw error
  }
}

function loginPage(merchant: string, email: string, errors: FormErrors): Html {
  return page(
    `Log in · ${merchant}`,
    html`${testMode()}<main id="main" class="single stack"><p class="muted">${merchant}</p><h1>Log in to manage your billing</h1>
${errorSummary(errors, ['email'])}
<form method="post" novalidate class="stack">${field({ name: 'email', label: 'Email', type: 'email', value: email, error: errors.email, autocomplete: 'email' })}
<div><button class="primary">Send</button></div></form></main>`,
  )
}

function sentPage(merchant: string, email: string, url: string): Html {
  return page(
    `Log in · ${merchant}`,
    html`${testMode()}<main id="main" class="single stack"><p class="muted">${merchant}</p><h1>Your link</h1>
<p>Stripe would now send a link to ${email}. The local one sends no mail: here it is.</p>
<p><a class="button primary" href="${url}">Open the portal</a></p></main>`,
  )
}

function closedPage(): Html {
  return messagePage('Login page closed', 'This login page does not exist, or its business has closed it.')
}
