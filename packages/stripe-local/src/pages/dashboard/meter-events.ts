import { Hono } from 'hono'
import { html } from 'hono/html'
import type { PagesContext, ReceivedEvent } from '../context.ts'
import { type Html, shortId, status, time } from '../layout.ts'
import { formatQuantity } from '../money.ts'
import { dashboardPage, table, tabs } from './frame.ts'
import { pager } from './paging.ts'
import { customerLink } from './rows.ts'

const SECTION = '/dashboard/meters'
const PATH = '/dashboard/meter-events'
const ROWS = 25
const STATES = ['pending', 'counted', 'rejected', 'cancelled'] as const
const TONES: { [state: string]: string } = {
  pending: 'warning',
  counted: 'positive',
  rejected: 'danger',
  cancelled: 'void',
}

/** Meter events as they were received, and what became of each. */
export function meterEventPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get(PATH, (c) => {
    const state = STATES.find((value) => value === c.req.query('state'))
    const meter = c.req.query('meter')
    const before = Number(c.req.query('before')) || undefined
    const found = context.dashboard.meterEvents({
      limit: ROWS + 1,
      ...(before && { before }),
      ...(state && { state }),
      ...(meter && { meter }),
    })
    const shown = found.slice(0, ROWS)
    const href = (value: string) =>
      `${PATH}?${new URLSearchParams({ ...(value !== 'all' && { state: value }), ...(meter && { meter }) })}`
    return c.html(
      dashboardPage(
        SECTION,
        'Meter events',
        html`<div class="spread"><h1>Meter events</h1>${
          meter ? html`<a href="${SECTION}/${meter}">Back to the meter</a>` : html`<a href="${SECTION}">All meters</a>`
        }</div>
${tabs(
  'State',
  state ?? 'all',
  ['all', ...STATES].map((value) => [value, href(value)]),
)}
${receivedTable(shown, state ? 'None in this state.' : 'None received yet. Send one with stripe.billing.meterEvents.create.')}
${pager(c, { older: found.length > ROWS ? { before: String(shown.at(-1)?.seq ?? '') } : null })}`,
      ),
    )
  })

  return app
}

export function receivedTable(events: ReceivedEvent[], empty: string, title?: string): Html {
  return table({
    ...(title && { title }),
    columns: [
      'Event name',
      'State',
      'Customer',
      { label: 'Identifier', wide: true },
      { label: 'Timestamp', wide: true },
      'Received',
      { label: 'Value', number: true },
    ],
    rows: events.map(
      (event) => html`<tr><td><code>${event.eventName}</code></td><td>${stateOf(event)}</td>
<td>${customerLink(event.customer)}</td><td class="id muted wide-only" title="${event.identifier}">${shortId(event.identifier)}</td>
<td class="nowrap wide-only">${time(event.timestamp)}</td><td class="nowrap">${time(event.receivedAt)}</td><td class="number">${shownValue(event)}</td></tr>`,
    ),
    empty,
  })
}

function stateOf({ state, rejection }: ReceivedEvent): Html {
  // What will be rejected is known when it is received, and told later.
  if (!rejection || state === 'counted') return html`<span class="status ${TONES[state] ?? ''}">${state}</span>`
  return html`${status(state)}<div class="small muted anywhere">${rejection}</div>`
}

/** A value that was not a number is shown as it came. */
function shownValue({ value }: ReceivedEvent): string {
  return /^-?\d+(\.\d+)?$/.test(value) ? formatQuantity(value) : value
}
