import { Hono } from 'hono'
import { html } from 'hono/html'
import type { PagesContext } from '../context.ts'
import { shortId, time } from '../layout.ts'
import { instant, list, text } from '../wire.ts'
import { dueInWords, periodEnds } from './due.ts'
import { dashboardPage, table } from './frame.ts'
import { countOf } from './paging.ts'
import { EVENT_COLUMNS, eventRow } from './rows.ts'

/** `/`: what there is, what comes next, and how to connect. */
export function overviewPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get('/', async (c) => {
    const [customers, subscriptions, drafts, open, meters] = await Promise.all([
      countOf(context, '/v1/customers'),
      countOf(context, '/v1/subscriptions'),
      countOf(context, '/v1/invoices', { status: 'draft' }),
      countOf(context, '/v1/invoices', { status: 'open' }),
      countOf(context, '/v1/billing/meters', { status: 'active' }),
    ])
    const sessions = await context.api('GET', '/v1/checkout/sessions', { status: 'open', limit: 10 })
    const events = await context.api('GET', '/v1/events', { limit: 10 })
    const failed = await context.dashboard.deliveries({ limit: 100, state: 'failed' })
    const due = context.dashboard.upcoming(5)
    const address = new URL(context.baseUrl())
    const connect = `new Stripe('${context.secretKey}', {
  host: '${address.hostname}',
  port: ${address.port || 80},
  protocol: 'http',
})`
    const figures: [label: string, value: string, href: string][] = [
      ['Customers', customers, '/dashboard/customers'],
      ['Live subscriptions', subscriptions, '/dashboard/subscriptions'],
      ['Active meters', meters, '/dashboard/meters'],
      ['Draft invoices', drafts, '/dashboard/invoices?status=draft'],
      ['Open invoices', open, '/dashboard/invoices?status=open'],
      ['Failed webhooks', failed.length === 100 ? '100+' : String(failed.length), '/dashboard/deliveries?state=failed'],
    ]
    const [next] = await periodEnds(context, 10)
    return c.html(
      dashboardPage(
        '/',
        'Overview',
        html`<h1>Overview</h1>
<div class="figures">${figures.map(
          ([label, value, href]) =>
            html`<a class="card" href="${href}"><div class="muted small">${label}</div><div class="value">${value}</div></a>`,
        )}</div>
<div class="grid"><section class="card stack"><h2>Time</h2><dl class="facts"><dt>Local time</dt>
<dd>${time(context.now(), { year: true })}</dd><dt>Next period end</dt><dd>${time(next?.end ?? null, { year: true })}${next && html` <span class="muted">${next.customer}</span>`}</dd></dl>
${due.length > 0 && html`<ul class="plain due small">${due.map((thing) => html`<li class="spread"><span>${dueInWords(thing)}</span>${time(thing.at)}</li>`)}</ul>`}
<p><a class="button" href="/dashboard/clock">Move the clock</a></p></section>
<section class="card stack"><h2>Connect</h2><dl class="facts"><dt>Secret key</dt><dd class="row"><code>${context.secretKey}</code>
<button type="button" class="small" data-copy="${context.secretKey}" hidden>Copy key</button></dd></dl>
<pre class="wrap">${connect}</pre>
<p class="row"><button type="button" data-copy="${connect}" hidden>Copy code</button>
<span class="muted">The key opens nothing but this local Stripe.</span></p></section></div>
${
  list(sessions, 'data').length > 0 &&
  table({
    title: 'Open Checkout sessions',
    columns: ['Session', 'Mode', 'Expires'],
    rows: list(sessions, 'data').map((session) => {
      const id = text(session, 'id') ?? ''
      return html`<tr><td><a class="id" href="/c/pay/${id}" title="${id}">${shortId(id)}</a></td>
<td>${text(session, 'mode')}</td><td>${time(instant(session, 'expires_at'))}</td></tr>`
    }),
    empty: '',
  })
}
${table({
  title: 'Latest events',
  columns: EVENT_COLUMNS,
  rows: list(events, 'data').map(eventRow),
  empty: 'Nothing has happened yet. Send the first request and its events appear here.',
})}`,
      ),
    )
  })

  return app
}
