import { Hono } from 'hono'
import { html } from 'hono/html'
import type { ApiObject, PagesContext } from '../context.ts'
import { shortId, status } from '../layout.ts'
import { formatQuantity } from '../money.ts'
import { flag, integer, list, text } from '../wire.ts'
import { dashboardPage, table, tabs } from './frame.ts'
import { pager } from './paging.ts'
import { customerLink } from './rows.ts'

const PATH = '/dashboard/meters'
const MINUTE_MS = 60_000
const ROWS = 25
const RANGES: [name: string, hours: number][] = [
  ['24 hours', 24],
  ['7 days', 7 * 24],
  ['30 days', 30 * 24],
  ['90 days', 90 * 24],
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

/** Meters, and what each customer used. */
export function meterPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get(PATH, async (c) => {
    const meters = list(await context.api('GET', '/v1/billing/meters', { limit: 100 }), 'data')
    const [range, hours] = RANGES.find(([name]) => name === c.req.query('range')) ?? RANGES[2]!
    const end = new Date(context.now().getTime() + 5 * MINUTE_MS)
    const start = new Date(end.getTime() - hours * 60 * MINUTE_MS)
    const { rows, next } = await readUsers(context, meters, { start, end }, c.req.query('after'))
    const most = meters.map((_, index) => Math.max(...rows.map(({ used }) => used[index] ?? 0), 0))
    return c.html(
      dashboardPage(
        PATH,
        'Meters',
        html`<h1>Meters</h1>
${table({
  columns: ['Meter', 'Event name', 'Aggregation', 'Status', 'Id'],
  rows: meters.map((meter) => {
    const id = text(meter, 'id') ?? ''
    return html`<tr><td>${text(meter, 'display_name')}</td><td><code>${text(meter, 'event_name')}</code></td>
<td>${text(meter, 'default_aggregation.formula')}</td><td>${status(text(meter, 'status') ?? '')}</td>
<td class="id muted" title="${id}">${shortId(id)}</td></tr>`
  }),
  empty: 'No meters yet. Make one with stripe.billing.meters.create.',
})}
${
  meters.length > 0 &&
  html`<div class="spread"><h2>Usage per customer</h2>${tabs(
    'Range',
    range,
    RANGES.map(([name]) => [name, `${PATH}?range=${encodeURIComponent(name)}`]),
  )}</div>
${table({
  columns: [
    'Customer',
    ...meters.map((meter) => ({ label: text(meter, 'display_name') ?? '', number: true as const })),
  ],
  rows: rows.map(
    ({ id, label, used }) => html`<tr><td>${customerLink(id, label)}</td>
${used.map(
  (value, index) => html`<td class="number">${value === 0 ? html`<span class="muted">0</span>` : formatQuantity(value)}
<meter class="share" min="0" max="${most[index] || 1}" value="${Math.max(value, 0)}" aria-hidden="true"></meter></td>`,
)}</tr>`,
  ),
  empty: 'Nobody used anything in this time.',
})}${pager(c, { older: next === null ? null : { after: next } })}`
}`,
      ),
    )
  })

  return app
}

interface User {
  id: string
  label: string | null
  /** By meter, in the order of the meters. */
  used: number[]
}

/** The next customers who used anything, newest customer first; `next` is where to go on. */
async function readUsers(
  context: PagesContext,
  meters: ApiObject[],
  { start, end }: { start: Date; end: Date },
  after: string | undefined,
): Promise<{ rows: User[]; next: string | null }> {
  const rows: User[] = []
  for (let cursor = after; ; ) {
    const page = await context.api('GET', '/v1/customers', { limit: 100, ...(cursor && { starting_after: cursor }) })
    for (const customer of list(page, 'data')) {
      if (rows.length === ROWS) return { rows, next: cursor ?? null }
      const id = text(customer, 'id') ?? ''
      const used: number[] = []
      for (const meter of meters) used.push(await usageBetween(context, text(meter, 'id') ?? '', id, start, end))
      if (used.some((value) => value !== 0)) rows.push({ id, label: text(customer, 'email'), used })
      cursor = id
    }
    if (!flag(page, 'has_more')) return { rows, next: null }
  }
}
