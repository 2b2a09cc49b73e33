import { Hono } from 'hono'
import { html } from 'hono/html'
import type { PagesContext } from '../context.ts'
import { linesTable } from '../invoice.ts'
import { readStatement } from '../invoice-statement.ts'
import { type Html, status } from '../layout.ts'
import { reference, text } from '../wire.ts'
import { dashboardPage, objectHeading, rawObject, table, tabs } from './frame.ts'
import { readPage } from './paging.ts'
import { customerLink, INVOICE_COLUMNS, invoiceRow } from './rows.ts'

const PATH = '/dashboard/invoices'
const STATUSES = ['all', 'draft', 'open', 'paid', 'uncollectible', 'void']
/** What may be done with an invoice of each status. */
const ACTIONS: { [status: string]: [action: string, label: string][] } = {
  draft: [['finalize', 'Finalize now']],
  open: [
    ['pay', 'Charge now'],
    ['mark_uncollectible', 'Mark uncollectible'],
    ['void', 'Void'],
  ],
  uncollectible: [
    ['pay', 'Charge now'],
    ['void', 'Void'],
  ],
}

/** Invoices, and one with its lines and what can be done with it. */
export function invoiceListPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get(PATH, async (c) => {
    const wanted = STATUSES.find((value) => value === c.req.query('status')) ?? 'all'
    const { rows, pager } = await readPage(context, c, '/v1/invoices', {
      status: wanted === 'all' ? undefined : wanted,
    })
    return c.html(
      dashboardPage(
        PATH,
        'Invoices',
        html`<h1>Invoices</h1>${tabs(
          'Status',
          wanted,
          STATUSES.map((value) => [value, value === 'all' ? PATH : `${PATH}?status=${value}`]),
        )}
${table({
  columns: INVOICE_COLUMNS,
  rows: rows.map(invoiceRow),
  empty:
    wanted === 'all'
      ? html`No invoices yet. Usage is invoiced at the end of its period: <a href="/dashboard/clock">move the clock</a> there.`
      : 'None with this status.',
})}${pager}`,
      ),
    )
  })

  app.get(`${PATH}/:id`, async (c) => {
    const statement = await readStatement(context, c.req.param('id'))
    const id = text(statement.invoice, 'id') ?? ''
    const title = statement.number === 'Draft' ? 'Draft invoice' : `Invoice ${statement.number}`
    return c.html(
      dashboardPage(
        PATH,
        title,
        html`${objectHeading(title, id, status(statement.status))}
<div class="row"><a class="button" href="/i/${id}">Customer's page</a><a class="button" href="/i/${id}/pdf">PDF</a>
${actions(id, statement.status)}</div>
<section class="card"><dl class="facts"><dt>Customer</dt>
<dd>${customerLink(reference(statement.invoice, 'customer'), text(statement.invoice, 'customer_email'))}</dd>
<dt>Reason</dt><dd>${(text(statement.invoice, 'billing_reason') ?? '').replaceAll('_', ' ')}</dd>
${statement.facts.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl></section>
${linesTable(statement)}${rawObject(statement.invoice)}`,
      ),
    )
  })

  app.post(`${PATH}/:id/:action`, async (c) => {
    const { id, action } = c.req.param()
    const known = Object.values(ACTIONS).some((actions) => actions.some(([name]) => name === action))
    if (!known) return c.notFound()
    await context.api('POST', `/v1/invoices/${id}/${action}`)
    return c.redirect(`${PATH}/${id}`, 303)
  })

  return app
}

function actions(id: string, state: string): Html[] {
  return (ACTIONS[state] ?? []).map(
    ([action, label]) =>
      html`<form method="post" action="${PATH}/${id}/${action}"><button${action === 'void' && html` class="danger"`}>${label}</button></form>`,
  )
}
