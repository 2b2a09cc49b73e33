import { Hono } from 'hono'
import { html } from 'hono/html'
import type { ApiObject, PagesContext } from '../context.ts'
import { type Html, shortId, status, time } from '../layout.ts'
import { formatQuantity } from '../money.ts'
import { instant, integer, list, text } from '../wire.ts'
import { barChart } from './chart.ts'
import { dashboardPage, objectHeading, rawObject, table, tabs } from './frame.ts'
import { receivedTable } from './meter-events.ts'
import { pager, readPage } from './paging.ts'
import { customerLink } from './rows.ts'

const PATH = '/dashboard/meters'
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const ROWS = 25
const RANGES: [name: string, window: 'hour' | 'day', steps: number][] = [
  ['24 hours', 'hour', 24],
  ['7 days', 'day', 7],
  ['30 days', 'day', 30],
  ['90 days', 'day', 90],
]

/**
 * A customer's usage as the meter's summaries have it. Summaries begin and end on minutes: the minutes in which `start`
 * and `end` lie are counted whole.
 */
export async function usageBetween(
  context: PagesContext,
  meterId: string,
  customerId: string,
  start: Date,
  end: Date,
): Promise<number> {
  const summaries = await context.api('GET', `/v1/billing/meters/${meterId}/event_summaries`, {
    customer: customerId,
    start_time: (Math.floor(start.getTime() / MINUTE_MS) * MINUTE_MS) / 1000,
    end_time: (Math.ceil(end.getTime() / MINUTE_MS) * MINUTE_MS) / 1000,
    limit: 1,
  })
  return integer(list(summaries, 'data')[0], 'aggregated_value') ?? 0
}

/** Meters, and one with who used how much of it, when. */
export function meterPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get(PATH, async (c) => {
    const { rows, pager } = await readPage(context, c, '/v1/billing/meters')
    return c.html(
      dashboardPage(
        PATH,
        'Meters',
        html`<div class="spread"><h1>Meters</h1><a class="button" href="/dashboard/meter-events">Received events</a></div>
${table({
  columns: ['Meter', 'Event name', 'Aggregation', 'Status', { label: 'Id', wide: true }],
  rows: rows.map((meter) => {
    const id = text(meter, 'id') ?? ''
    return html`<tr><td><a href="${PATH}/${id}">${text(meter, 'display_name')}</a></td><td><code>${text(meter, 'event_name')}</code></td>
<td>${text(meter, 'default_aggregation.formula')}</td><td>${status(text(meter, 'status') ?? '')}</td>
<td class="id muted wide-only" title="${id}">${shortId(id)}</td></tr>`
  }),
  empty: 'No meters yet. Make one with stripe.billing.meters.create.',
})}${pager}`,
      ),
    )
  })

  app.get(`${PATH}/:id`, async (c) => {
    const id = c.req.param('id')
    const meter = await context.api('GET', `/v1/billing/meters/${id}`)
    const range = RANGES.find(([name]) => name === c.req.query('range')) ?? RANGES[2]!
    const after = c.req.query('after')
    const users = context.dashboard.meterUsers(id, { limit: ROWS + 1, ...(after && { after }) })
    const span = spanOf(context.now(), range)
    const shown = await Promise.all(users.slice(0, ROWS).map((customer) => readUser(context, id, customer, span)))
    const chosen = c.req.query('customer') ?? shown[0]?.id
    const name = text(meter, 'display_name') ?? 'Meter'
    const query = (more: { [name: string]: string }) =>
      `${PATH}/${id}?${new URLSearchParams({ range: range[0], ...more })}`
    const ranges = RANGES.map(([label]): [string, string] => [
      label,
      query({ range: label, ...(chosen && { customer: chosen }) }),
    ])
    return c.html(
      dashboardPage(
        PATH,
        name,
        html`${objectHeading(name, id, status(text(meter, 'status') ?? ''))}
<section class="card"><dl class="facts"><dt>Event name</dt><dd><code>${text(meter, 'event_name')}</code></dd>
<dt>Aggregation</dt><dd>${text(meter, 'default_aggregation.formula')}</dd>
${text(meter, 'event_time_window') && html`<dt>Window</dt><dd>the last event of each ${text(meter, 'event_time_window')} counts</dd>`}
<dt>Created</dt><dd>${time(instant(meter, 'created'), { year: true })}</dd></dl></section>
<div class="spread"><h2>Usage</h2>${tabs('Range', range[0], ranges)}</div>
${chosen && (await usageChart(context, id, await readUser(context, id, chosen, span), range, span))}
${usersTable(shown, (customer) => query({ customer, ...(after && { after }) }), chosen)}
${pager(c, { older: users.length > ROWS ? { after: users[ROWS - 1] ?? '' } : null })}
${receivedTable(context.dashboard.meterEvents({ limit: 10, meter: id }), 'None received yet.', 'Latest events')}
<p><a href="/dashboard/meter-events?meter=${id}">All received events</a></p>
${rawObject(meter)}`,
      ),
    )
  })

  return app
}

interface Span {
  start: Date
  end: Date
}

/** Whole hours or UTC days up to now, the current one included: what grouped summaries want. */
function spanOf(now: Date, [, window, steps]: (typeof RANGES)[number]): Span {
  const stepMs = window === 'hour' ? HOUR_MS : DAY_MS
  const end = Math.floor(now.getTime() / stepMs) * stepMs + stepMs
  return { start: new Date(end - steps * stepMs), end: new Date(end) }
}

interface User {
  id: string
  label: string | null
  used: number
}

async function readUser(context: PagesContext, meter: string, id: string, span: Span): Promise<User> {
  const customer = await context.api('GET', `/v1/customers/${id}`).catch((): ApiObject => ({}))
  const used = await usageBetween(context, meter, id, span.start, span.end)
  return { id, label: text(customer, 'email') ?? text(customer, 'name'), used }
}

function usersTable(users: User[], chartHref: (customer: string) => string, chosen: string | undefined): Html {
  const most = Math.max(...users.map(({ used }) => used), 0)
  return table({
    columns: ['Customer', { label: 'Chart', hidden: true }, { label: 'Used', number: true }],
    rows: users.map(
      ({ id, label, used }) => html`<tr><td class="anywhere">${customerLink(id, label)}</td>
<td>${id === chosen ? html`<span class="small muted">in the chart</span>` : html`<a class="small" href="${chartHref(id)}">Show in the chart</a>`}</td>
<td class="number">${formatQuantity(used)}<meter class="share" min="0" max="${most || 1}" value="${Math.max(used, 0)}" aria-hidden="true"></meter></td></tr>`,
    ),
    empty: 'Nobody has used it yet.',
  })
}

async function usageChart(
  context: PagesContext,
  meter: string,
  { id: customer, label }: User,
  [name, window, steps]: (typeof RANGES)[number],
  span: Span,
): Promise<Html> {
  const summaries = await context.api('GET', `/v1/billing/meters/${meter}/event_summaries`, {
    customer,
    start_time: span.start.getTime() / 1000,
    end_time: span.end.getTime() / 1000,
    value_grouping_window: window,
    limit: 100,
  })
  const values = new Map(
    list(summaries, 'data').map((one) => [integer(one, 'start_time'), integer(one, 'aggregated_value') ?? 0]),
  )
  const stepMs = window === 'hour' ? HOUR_MS : DAY_MS
  const bars = Array.from({ length: steps }, (_, index) => {
    const at = new Date(span.start.getTime() + index * stepMs)
    return { at, value: values.get(at.getTime() / 1000) ?? 0 }
  })
  return html`<figure class="card stack-small"><figcaption class="spread"><span>${customerLink(customer, label)}</span>
<span class="muted small">last ${name}, by ${window}, UTC</span></figcaption>${barChart(bars, window)}</figure>`
}
