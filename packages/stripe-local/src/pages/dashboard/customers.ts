import { Hono } from 'hono'
import { html } from 'hono/html'
import { describeAddress } from '../address.ts'
import type { ApiObject, PagesContext } from '../context.ts'
import { type Html, shortId, status, time } from '../layout.ts'
import { formatAmount } from '../money.ts'
import { describeCard } from '../payment-method.ts'
import { child, flag, instant, integer, list, reference, text } from '../wire.ts'
import { dashboardPage, objectHeading, rawObject, table } from './frame.ts'
import { type ListPage, readPage } from './paging.ts'
import { INVOICE_COLUMNS, invoiceRow, SUBSCRIPTION_COLUMNS, subscriptionRow } from './rows.ts'

const PATH = '/dashboard/customers'
const FOUND_MAX = 25

/** Customers: found by address, name or id, and one with everything that belongs to it. */
export function customerPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get(PATH, async (c) => {
    const words = c.req.query('q')?.trim() ?? ''
    const clock = c.req.query('test_clock')
    const { rows, pager } = words
      ? await search(context, words)
      : await readPage(context, c, '/v1/customers', { test_clock: clock })
    return c.html(
      dashboardPage(
        PATH,
        'Customers',
        html`<h1>Customers</h1>${clock && html`<p class="muted">On test clock <code>${clock}</code>. <a href="${PATH}">Show all others</a></p>`}
<form method="get" class="filter" role="search"><label class="visually-hidden" for="q">Email address, name or id</label>
<input id="q" name="q" value="${words}" placeholder="Email, name or id begins with"><button>Find</button></form>
${table({
  columns: ['Customer', 'Name', { label: 'Id', wide: true }, 'Created'],
  rows: rows.map((customer) => {
    const id = text(customer, 'id') ?? ''
    return html`<tr><td class="anywhere"><a href="${PATH}/${id}">${text(customer, 'email') ?? shortId(id)}</a></td>
<td>${text(customer, 'name') ?? html`<span class="muted">–</span>`}</td><td class="id muted wide-only" title="${id}">${shortId(id)}</td>
<td class="nowrap">${time(instant(customer, 'created'))}</td></tr>`
  }),
  empty: words
    ? html`No customer's email address, name or id begins with this. <a href="${PATH}">Show all</a>`
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
    const defaultCard = reference(customer, 'invoice_settings.default_payment_method')
    const clock = text(customer, 'test_clock')
    return c.html(
      dashboardPage(
        PATH,
        name,
        html`${objectHeading(name, id)}
<section class="card"><dl class="facts"><dt>Email</dt><dd>${text(customer, 'email') ?? '–'}</dd>
<dt>Created</dt><dd>${time(instant(customer, 'created'), { year: true })}</dd>
${describeAddress(child(customer, 'address')) && html`<dt>Address</dt><dd>${describeAddress(child(customer, 'address'))}</dd>`}
<dt>Balance</dt><dd>${balance(customer)}</dd>
<dt>Cards</dt><dd>${list(methods, 'data').map(
          (method) =>
            html`<div>${describeCard(child(method, 'card') ?? {})}${text(method, 'id') === defaultCard && html` <span class="status accent">default</span>`}</div>`,
        )}
${list(methods, 'data').length === 0 && 'None'}</dd>
${clock && html`<dt>Test clock</dt><dd><a href="${PATH}?test_clock=${clock}"><code>${clock}</code></a></dd>`}</dl></section>
${table({
  title: 'Subscriptions',
  columns: SUBSCRIPTION_COLUMNS,
  rows: await Promise.all(list(subscriptions, 'data').map((subscription) => subscriptionRow(context, subscription))),
  empty: 'No subscriptions.',
})}
${table({ title: 'Invoices', columns: INVOICE_COLUMNS, rows: list(invoices, 'data').map(invoiceRow), empty: 'No invoices yet.' })}
${await creditTables(context, id)}
<p><a href="/dashboard/payments?customer=${id}">Payments of this customer</a></p>
${rawObject(customer)}`,
      ),
    )
  })

  return app
}

async function search(context: PagesContext, words: string): Promise<ListPage> {
  const ids = context.dashboard.findCustomers(words, FOUND_MAX)
  const found = await Promise.all(ids.map((id) => context.api('GET', `/v1/customers/${id}`)))
  const note = html`<p class="muted small">Only the first ${FOUND_MAX} are shown: type more of it.</p>`
  return { rows: found.filter((one) => !flag(one, 'deleted')), pager: ids.length === FOUND_MAX ? note : html`` }
}

/** Stripe counts what a customer has to their credit as negative. */
function balance(customer: ApiObject): string {
  const minor = integer(customer, 'balance') ?? 0
  const amount = formatAmount(Math.abs(minor), text(customer, 'currency') ?? 'usd')
  if (minor === 0) return amount
  return minor < 0 ? `${amount} to their credit` : `${amount} owed, added to the next invoice`
}

/** Credit grants and credit notes, where there are any. */
async function creditTables(context: PagesContext, customer: string): Promise<Html> {
  const grants = list(await context.api('GET', '/v1/billing/credit_grants', { customer, limit: 25 }), 'data')
  const notes = list(await context.api('GET', '/v1/credit_notes', { customer, limit: 25 }), 'data')
  return html`${
    grants.length > 0 &&
    table({
      title: 'Credit grants',
      columns: ['Grant', 'Category', { label: 'Expires', wide: true }, { label: 'Amount', number: true }],
      rows: grants.map((grant) => {
        const monetary = child(grant, 'amount.monetary')
        return html`<tr><td>${text(grant, 'name') ?? shortId(text(grant, 'id') ?? '')}${instant(grant, 'voided_at') && html` ${status('void')}`}</td>
<td>${text(grant, 'category')}</td><td class="nowrap wide-only">${time(instant(grant, 'expires_at'))}</td>
<td class="number">${formatAmount(integer(monetary, 'value') ?? 0, text(monetary, 'currency') ?? 'usd')}</td></tr>`
      }),
      empty: '',
    })
  }${
    notes.length > 0 &&
    table({
      title: 'Credit notes',
      columns: ['Number', 'Status', { label: 'Reason', wide: true }, 'Created', { label: 'Amount', number: true }],
      rows: notes.map(
        (
          note,
        ) => html`<tr><td><a href="/dashboard/invoices/${reference(note, 'invoice')}">${text(note, 'number')}</a></td><td>${status(text(note, 'status') ?? '')}</td>
<td class="wide-only">${(text(note, 'reason') ?? '–').replaceAll('_', ' ')}</td><td class="nowrap">${time(instant(note, 'created'))}</td>
<td class="number">${formatAmount(integer(note, 'total') ?? 0, text(note, 'currency') ?? 'usd')}</td></tr>`,
      ),
      empty: '',
    })
  }`
}
