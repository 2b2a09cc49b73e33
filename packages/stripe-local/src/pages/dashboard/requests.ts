import { Hono } from 'hono'
import { html } from 'hono/html'
import type { LoggedRequest } from '../../http/request-log.ts'
import type { PagesContext } from '../context.ts'
import { type Html, messagePage, time } from '../layout.ts'
import { dashboardPage, objectHeading, table, tabs } from './frame.ts'
import { pager } from './paging.ts'

const PATH = '/dashboard/requests'
const ROWS = 25
const OUTCOMES: { [name: string]: (request: LoggedRequest) => boolean } = {
  all: () => true,
  succeeded: ({ status }) => status !== null && status < 400,
  failed: ({ status }) => status === null || status >= 400,
}

/** The latest requests to the API, and one with its parameters and its answer. */
export function requestPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get(PATH, (c) => {
    const outcome = Object.keys(OUTCOMES).find((name) => name === c.req.query('outcome')) ?? 'all'
    const path = c.req.query('path')?.trim() ?? ''
    const before = c.req.query('before')
    const found = context.dashboard.requests({
      limit: ROWS + 1,
      ...(before && { before }),
      matches: (request) => OUTCOMES[outcome]!(request) && request.path.includes(path),
    })
    const shown = found.slice(0, ROWS)
    const filtered = outcome !== 'all' || path !== ''
    return c.html(
      dashboardPage(
        PATH,
        'Requests',
        html`<h1>Requests</h1>
<div class="spread">${tabs(
          'Outcome',
          outcome,
          Object.keys(OUTCOMES).map((name) => [
            name,
            `${PATH}?${new URLSearchParams({ outcome: name, ...(path && { path }) })}`,
          ]),
        )}<form method="get" class="filter" role="search"><label class="visually-hidden" for="path">Part of the path</label>
<input id="path" name="path" value="${path}" placeholder="/v1/customers"><input type="hidden" name="outcome" value="${outcome}"><button>Filter</button></form></div>
${table({
  columns: ['Request', 'Status', { label: 'Id', wide: true }, { label: 'Took', number: true, wide: true }, 'At'],
  rows: shown.map(requestRow),
  empty: filtered
    ? html`No such request. <a href="${PATH}">Show all</a>`
    : 'No request yet. Point the SDK here and send one.',
})}${pager(c, { older: found.length > ROWS ? { before: shown.at(-1)?.id ?? '' } : null })}
<p class="small muted">The last 500 are kept, in memory only. Keys are never kept; card numbers and secrets are masked.</p>`,
      ),
    )
  })

  app.get(`${PATH}/:id`, (c) => {
    const request = context.dashboard.request(c.req.param('id'))
    if (!request) {
      const message = 'It is older than the last 500, or the local Stripe was started again since.'
      return c.html(messagePage('This request is no longer kept', message, { href: PATH, label: 'All requests' }), 404)
    }
    const facts: [string, Html | string | null][] = [
      ['At', time(request.at, { year: true })],
      ['Took', `${request.tookMs.toFixed(1)} ms`],
      ['Idempotency key', request.idempotencyKey && html`<code>${request.idempotencyKey}</code>`],
      ['API version', request.apiVersion],
      ['User agent', request.userAgent],
    ]
    return c.html(
      dashboardPage(
        PATH,
        `${request.method} ${request.path}`,
        html`${objectHeading(`${request.method} ${request.path}`, request.id, outcomeOf(request))}
<section class="card"><dl class="facts">${facts.map(([label, value]) => value && html`<dt>${label}</dt><dd>${value}</dd>`)}</dl></section>
${request.query && parameters('Query', request.query)}
${request.body && (request.body.startsWith('{') ? json('Body', request.body) : parameters('Body', request.body))}
${request.answer ? json('Answer', request.answer) : html`<p class="notice warning">No answer was sent: the connection was cut on purpose.</p>`}`,
      ),
    )
  })

  return app
}

function requestRow(request: LoggedRequest): Html {
  return html`<tr><td class="anywhere"><a href="${PATH}/${request.id}"><code>${request.method} ${request.path}</code></a></td>
<td>${outcomeOf(request)}</td><td class="id muted wide-only">${request.id}</td>
<td class="number muted wide-only">${request.tookMs.toFixed(1)} ms</td><td class="nowrap">${time(request.at)}</td></tr>`
}

function outcomeOf({ status }: LoggedRequest): Html {
  if (status === null) return html`<span class="status danger">cut</span>`
  const tone = status < 400 ? 'positive' : status < 500 ? 'warning' : 'danger'
  return html`<span class="status ${tone}">${status}</span>`
}

/** Form fields as a table, decoded and in their order. */
function parameters(title: string, form: string): Html {
  return table({
    title,
    columns: ['Parameter', 'Value'],
    rows: [...new URLSearchParams(form)].map(
      ([name, value]) =>
        html`<tr><td class="nowrap"><code>${name}</code></td><td class="anywhere"><code>${value === '' ? '(empty)' : value}</code></td></tr>`,
    ),
    empty: 'None.',
  })
}

function json(title: string, text: string): Html {
  return html`<section class="card flush"><h2>${title}</h2><pre tabindex="0">${indented(text)}</pre></section>`
}

/** As sent when it is not JSON. */
function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
