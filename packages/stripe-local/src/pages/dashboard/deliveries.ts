import { Hono } from 'hono'
import { html } from 'hono/html'
import { ApiError } from '../../http/errors.ts'
import type { ApiObject, Delivery, PagesContext } from '../context.ts'
import { readForm } from '../form.ts'
import { type Html, status, time } from '../layout.ts'
import { list, text, texts } from '../wire.ts'
import { dashboardPage, table, tabs } from './frame.ts'
import { pager } from './paging.ts'

const PATH = '/dashboard/deliveries'
const ROWS = 25
const STATES = ['pending', 'delivered', 'failed'] as const

/** Webhook endpoints, and what was sent to them and answered. */
export function deliveryPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get(PATH, async (c) => {
    const before = c.req.query('before')
    const state = STATES.find((value) => value === c.req.query('state'))
    const found = await context.dashboard.deliveries({
      limit: ROWS + 1,
      ...(before && { before }),
      ...(state && { state }),
    })
    const shown = found.slice(0, ROWS)
    const endpoints = await readEndpoints(context)
    return c.html(
      dashboardPage(
        PATH,
        'Webhooks',
        html`<h1>Webhooks</h1>
${c.req.query('resent') && html`<p class="notice positive" role="status">Sent once more. Its newest attempt is below.</p>`}
${table({
  title: 'Endpoints',
  columns: ['Address', 'Status', { label: 'Events', wide: true }, { label: 'Switch', hidden: true }],
  rows: endpoints.map(
    (
      endpoint,
    ) => html`<tr><td><code>${text(endpoint, 'url') ?? text(endpoint, 'webhook_endpoint.url') ?? text(endpoint, 'name')}</code>
<div class="small muted">${text(endpoint, 'id')}</div></td><td>${status(text(endpoint, 'status') ?? '')}</td>
<td class="wide-only">${eventsOf(endpoint)}</td><td class="number">${endpointSwitch(endpoint)}</td></tr>`,
  ),
  empty: html`No endpoint yet. Make one with <code>stripe.webhookEndpoints.create</code>.`,
})}
<section class="card flush"><div class="spread"><h2>Sent</h2>${tabs(
          'Outcome',
          state ?? 'all',
          ['all', ...STATES].map((value) => [value, value === 'all' ? PATH : `${PATH}?state=${value}`]),
        )}</div>
${shown.map((delivery) => deliveryRow(delivery, delivery.id === c.req.query('resent')))}
${shown.length === 0 && html`<p class="empty">${state ? 'None of these.' : 'Nothing was sent yet.'}</p>`}</section>
${pager(c, { older: found.length > ROWS ? { before: shown.at(-1)?.id ?? '' } : null })}`,
      ),
    )
  })

  app.post(`${PATH}/endpoints/:id`, async (c) => {
    const { id } = c.req.param()
    const enable = (await readForm(c)).enable === 'yes'
    if (id.startsWith('we_')) await context.api('POST', `/v1/webhook_endpoints/${id}`, { disabled: !enable })
    else await context.api('POST', `/v2/core/event_destinations/${id}/${enable ? 'enable' : 'disable'}`)
    return c.redirect(PATH, 303)
  })

  app.post(`${PATH}/:id/resend`, async (c) => {
    const { id } = c.req.param()
    await context.dashboard.resend(id)
    return c.redirect(`${PATH}?resent=${encodeURIComponent(id)}#${encodeURIComponent(id)}`, 303)
  })

  return app
}

/** Classic endpoints and, where the API has them, the destinations of thin events. */
async function readEndpoints(context: PagesContext): Promise<ApiObject[]> {
  const destinations = await context.api('GET', '/v2/core/event_destinations').catch((error) => {
    if (error instanceof ApiError) return {}
    throw error
  })
  return [
    ...list(await context.api('GET', '/v1/webhook_endpoints', { limit: 100 }), 'data'),
    ...list(destinations, 'data'),
  ]
}

function endpointSwitch(endpoint: ApiObject): Html {
  const enabled = text(endpoint, 'status') === 'enabled'
  const address = text(endpoint, 'url') ?? text(endpoint, 'webhook_endpoint.url') ?? text(endpoint, 'id')
  return html`<form method="post" action="${PATH}/endpoints/${text(endpoint, 'id')}"><input type="hidden" name="enable" value="${enabled ? 'no' : 'yes'}">
<button class="small" aria-label="${enabled ? 'Disable' : 'Enable'} ${address}">${enabled ? 'Disable' : 'Enable'}</button></form>`
}

function eventsOf(endpoint: ApiObject): string {
  const events = texts(endpoint, 'enabled_events')
  const kind = text(endpoint, 'event_payload') === 'thin' ? ', thin' : ''
  if (events.includes('*')) return `All${kind}`
  const named =
    events.length <= 2 ? events.join(', ') : `${events.slice(0, 2).join(', ')} and ${events.length - 2} more`
  return `${named}${kind}`
}

export function deliveryRow(delivery: Delivery, open: boolean): Html {
  const last = delivery.attempts.at(-1)
  return html`<details class="delivery" id="${delivery.id}"${open && html` open`}><summary>
<span class="row">${status(delivery.status)}<code>${delivery.eventType}</code></span>
<span class="muted small">${last ? answerOf(last) : 'not sent yet'} · ${time(delivery.createdAt)}</span></summary>
<div class="stack"><div class="spread"><dl class="facts"><dt>To</dt><dd><code>${delivery.url}</code></dd>
<dt>Event</dt><dd><a class="id" href="/dashboard/events/${delivery.eventId}">${delivery.eventId}</a></dd>
${delivery.nextAttemptAt && html`<dt>Next attempt</dt><dd>${time(delivery.nextAttemptAt)}</dd>`}</dl>
<form method="post" action="${PATH}/${delivery.id}/resend"><button>Resend</button></form></div>
<h3>Attempts</h3>
${delivery.attempts.length === 0 && html`<p class="muted">None yet.</p>`}
${delivery.attempts.map(
  (attempt) => html`<div class="stack-small"><p>${time(attempt.at)} · ${answerOf(attempt)}</p>
${attempt.answerBody && html`<pre tabindex="0">${attempt.answerBody}</pre>`}</div>`,
)}
<h3>Request body</h3><pre tabindex="0">${indented(delivery.body)}</pre></div></details>`
}

function answerOf(attempt: Delivery['attempts'][number]): string {
  if (attempt.error) return attempt.error
  return attempt.answerStatus === null ? 'no answer' : `answered ${attempt.answerStatus}`
}

/** The body as sent when it is not JSON. */
function indented(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2)
  } catch {
    return body
  }
}
