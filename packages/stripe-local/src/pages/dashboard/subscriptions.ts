import { Hono } from 'hono'
import { html } from 'hono/html'
import { ApiError } from '../../http/errors.ts'
import type { ApiObject, PagesContext } from '../context.ts'
import { type Html, status, time } from '../layout.ts'
import { formatAmount, formatQuantity } from '../money.ts'
import { describePrice, productName, withProduct } from '../price.ts'
import { child, flag, instant, integer, list, reference, text } from '../wire.ts'
import { dashboardPage, objectHeading, rawObject, table, tabs } from './frame.ts'
import { usageBetween } from './meters.ts'
import { readPage } from './paging.ts'
import { customerLink, INVOICE_COLUMNS, invoiceRow, planOf, SUBSCRIPTION_COLUMNS, subscriptionRow } from './rows.ts'

const PATH = '/dashboard/subscriptions'
const STATUSES = ['all', 'active', 'trialing', 'past_due', 'unpaid', 'paused', 'canceled']

/** Subscriptions, and one with its usage and what it would cost now. */
export function subscriptionPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get(PATH, async (c) => {
    const wanted = STATUSES.find((value) => value === c.req.query('status')) ?? 'all'
    const { rows, pager } = await readPage(context, c, '/v1/subscriptions', { status: wanted })
    return c.html(
      dashboardPage(
        PATH,
        'Subscriptions',
        html`<h1>Subscriptions</h1>${tabs(
          'Status',
          wanted.replaceAll('_', ' '),
          STATUSES.map((value) => [value.replaceAll('_', ' '), `${PATH}?status=${value}`]),
        )}
${table({
  columns: SUBSCRIPTION_COLUMNS,
  rows: await Promise.all(rows.map((subscription) => subscriptionRow(context, subscription))),
  empty:
    wanted === 'all'
      ? 'No subscriptions yet. Checkout makes one, or stripe.subscriptions.create.'
      : 'None with this status.',
})}${pager}`,
      ),
    )
  })

  app.get(`${PATH}/:id`, async (c) => {
    const id = c.req.param('id')
    const subscription = await context.api('GET', `/v1/subscriptions/${id}`)
    const invoices = await context.api('GET', '/v1/invoices', { subscription: id, limit: 25 })
    const plan = await planOf(context, subscription)
    return c.html(
      dashboardPage(
        PATH,
        plan,
        html`${objectHeading(plan, id, status(text(subscription, 'status') ?? ''))}
<section class="card"><dl class="facts"><dt>Customer</dt><dd>${customerLink(reference(subscription, 'customer'))}</dd>
<dt>Started</dt><dd>${time(instant(subscription, 'start_date'), { year: true })}</dd>
${instant(subscription, 'cancel_at') && html`<dt>Ends</dt><dd>${time(instant(subscription, 'cancel_at'), { year: true })}</dd>`}
${instant(subscription, 'ended_at') && html`<dt>Ended</dt><dd>${time(instant(subscription, 'ended_at'), { year: true })}</dd>`}
<dt>Billing mode</dt><dd>${text(subscription, 'billing_mode.type')}</dd>
<dt>Upcoming invoice</dt><dd>${await upcoming(context, subscription)}</dd></dl></section>
${await itemsTable(context, subscription)}
${table({ title: 'Invoices', columns: INVOICE_COLUMNS, rows: list(invoices, 'data').map(invoiceRow), empty: 'No invoices yet. The first comes at the end of the period.' })}
${rawObject(subscription)}`,
      ),
    )
  })

  return app
}

async function itemsTable(context: PagesContext, subscription: ApiObject): Promise<Html> {
  const rows = list(subscription, 'items').map(async (item) => {
    const price = await withProduct(context, child(item, 'price') ?? {})
    const { amount, per } = describePrice(price)
    const start = instant(item, 'current_period_start')
    const end = instant(item, 'current_period_end')
    const meter = text(price, 'recurring.meter')
    const usage =
      meter && start && end
        ? await usageBetween(context, meter, reference(subscription, 'customer') ?? '', start, end)
        : integer(item, 'quantity')
    return html`<tr><td>${productName(price)}<div class="small muted">${amount} ${per}</div></td>
<td class="nowrap">${time(start)} – ${time(end)}</td><td class="number">${usage === null ? '–' : formatQuantity(usage)}</td></tr>`
  })
  return table({
    title: 'Items',
    columns: ['Price', 'Current period', { label: 'Usage or quantity', number: true }],
    rows: await Promise.all(rows),
    empty: 'No items.',
  })
}

async function upcoming(context: PagesContext, subscription: ApiObject): Promise<string> {
  if (['canceled', 'incomplete_expired'].includes(text(subscription, 'status') ?? '')) return 'None: it has ended'
  try {
    const preview = await context.api('POST', '/v1/invoices/create_preview', { subscription: text(subscription, 'id') })
    const total = formatAmount(integer(preview, 'total') ?? 0, text(preview, 'currency') ?? 'usd')
    return flag(subscription, 'cancel_at_period_end') ? `${total}, the last one` : total
  } catch (error) {
    if (error instanceof ApiError) return error.message
    throw error
  }
}
