import { Hono } from 'hono'
import { html } from 'hono/html'
import type { PagesContext } from '../context.ts'
import { time } from '../layout.ts'
import { instant, integer, text } from '../wire.ts'
import { deliveryRow } from './deliveries.ts'
import { dashboardPage, objectHeading, rawObject, table } from './frame.ts'
import { readPage } from './paging.ts'
import { EVENT_COLUMNS, eventRow } from './rows.ts'

const PATH = '/dashboard/events'

/** Events by type, and one as JSON. */
export function eventPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get(PATH, async (c) => {
    const type = c.req.query('type')?.trim()
    const { rows, pager } = await readPage(context, c, '/v1/events', { type })
    return c.html(
      dashboardPage(
        PATH,
        'Events',
        html`<h1>Events</h1>
<form method="get" class="filter" role="search"><label class="visually-hidden" for="type">Type of event</label>
<input id="type" name="type" value="${type ?? ''}" placeholder="invoice.* or customer.created"><button>Filter</button></form>
${table({
  columns: EVENT_COLUMNS,
  rows: rows.map(eventRow),
  empty: type ? html`No event of this type. <a href="${PATH}">Show all</a>` : 'Nothing has happened yet.',
})}${pager}`,
      ),
    )
  })

  app.get(`${PATH}/:id`, async (c) => {
    const event = await context.api('GET', `/v1/events/${c.req.param('id')}`)
    const type = text(event, 'type') ?? 'Event'
    const deliveries = await context.dashboard.deliveries({ limit: 25, event: text(event, 'id') ?? '' })
    const request = text(event, 'request.id')
    return c.html(
      dashboardPage(
        PATH,
        type,
        html`${objectHeading(type, text(event, 'id') ?? '')}
<section class="card"><dl class="facts"><dt>Created</dt><dd>${time(instant(event, 'created'), { year: true })}</dd>
<dt>Caused by</dt><dd>${request ? html`<a class="id" href="/dashboard/requests/${request}">${request}</a>` : 'The local Stripe itself'}</dd>
<dt>Webhooks pending</dt><dd>${integer(event, 'pending_webhooks') ?? 0}</dd></dl></section>
${deliveries.length > 0 && html`<section class="card flush"><h2>Webhooks</h2>${deliveries.map((delivery) => deliveryRow(delivery, false))}</section>`}
${rawObject(event, true)}`,
      ),
    )
  })

  return app
}
