import { Hono } from 'hono'
import { html } from 'hono/html'
import type { PagesContext } from '../context.ts'
import { shortId, time } from '../layout.ts'
import { formatAmount } from '../money.ts'
import { describeCard } from '../payment-method.ts'
import { child, flag, instant, integer, list, text } from '../wire.ts'
import { dashboardPage, objectHeading, rawObject, table } from './frame.ts'
import { readPage } from './paging.ts'
import { INVOICE_COLUMNS, invoiceRow, SUBSCRIPTION_COLUMNS, subscriptionRow } from './rows.ts'

const PATH = '/dashboard/customers'

/** Customers: found by email address, and one with everything that belongs to it. */
export function customerPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get(PATH, async (c) => {
    const email = c.req.query('email')?.trim()
    const clock = c.req.query('test_clock')
    const { rows, pager } = await readPage(context, c, '/v1/customers', { email, test_clock: clock })
    return c.html(
      dashboardPage(
        PATH,
        'Customers',
        html`<h1>Customers</h1>${clock && html`<p class="muted">On test clock <code>${clock}</code>.</p>`}
<form method="get" class="filter" role="search"><label class="visually-hidden" for="email">Email address</label>
<input id="email" name="email" value="${email ?? ''}" placeholder="Exact email address"><button>Find</button></form>
${table({
  columns: ['Customer', 'Name', 'Id', 'Created'],
  rows: rows.map((customer) => {
    const id = text(customer, 'id') ?? ''
    return html`<tr><td><a href="${PATH}/${id}">${text(customer, 'email') ?? shortId(id)}</a></td>
<td>${text(customer, 'name') ?? html`<span class="muted">–</span>`}</td><td class="id muted" title="${id}">${shortId(id)}</td>
<td class="nowrap">${time(instant(customer, 'created'))}</td></tr>`
  }),
  empty: email
    ? html`No customer has exactly this address. <a href="${PATH}">Show all</a>`
    : 'No customers yet. Checkout makes one, or stripe.customers.create.',
})}${pager}`,
      ),
    )
  })

  app.get(`${PATH}/:id`, async (c) => {
    const id = c.req.param('id')
    const customer = await context.api('GET', `/v1/customers/${id}`)
    if (flag(customer, 'deleted')) {
      const body = html`${objectHeading('Deleted customer', id)}<p class="muted">This customer was deleted.</p>`
      return c.html(dashboardPage(PATH, 'Deleted customer', body))
    }
    const of = { customer: id, limit: 25 }
    const subscriptions = await context.api('GET', '/v1/subscriptions', { ...of, status: 'all' })
    const invoices = await context.api('GET', '/v1/invoices', of)
    const methods = await context.api('GET', '/v1/payment_methods', of)
    const name = text(customer, 'name') ?? text(customer, 'email') ?? 'Customer'
    return c.html(
      dashboardPage(
        PATH,
        name,
        html`${objectHeading(name, id)}
<section class="card"><dl class="facts"><dt>Email</dt><dd>${text(customer, 'email') ?? '–'}</dd>
<dt>Created</dt><dd>${time(instant(customer, 'created'), { year: true })}</dd>
<dt>Balance</dt><dd>${formatAmount(integer(customer, 'balance') ?? 0, text(customer, 'currency') ?? 'usd')}</dd>
<dt>Cards</dt><dd>${list(methods, 'data').map((method) => html`<div>${describeCard(child(method, 'card') ?? {})}</div>`)}
${list(methods, 'data').length === 0 && 'None'}</dd>
${text(customer, 'test_clock') && html`<dt>Test clock</dt><dd><code>${text(customer, 'test_clock')}</code></dd>`}</dl></section>
${table({
  title: 'Subscriptions',
  columns: SUBSCRIPTION_COLUMNS,
  rows: await Promise.all(list(subscriptions, 'data').map((subscription) => subscriptionRow(context, subscription))),
  empty: 'No subscriptions.',
})}
${table({ title: 'Invoices', columns: INVOICE_COLUMNS, rows: list(invoices, 'data').map(invoiceRow), empty: 'No invoices yet.' })}
${rawObject(customer)}`,
      ),
    )
  })

  return app
}
