import { Hono } from 'hono'
import { html } from 'hono/html'
import type { ApiObject, PagesContext } from '../context.ts'
import { type Html, shortId, status, time } from '../layout.ts'
import { formatAmount } from '../money.ts'
import { cardName } from '../payment-method.ts'
import { child, instant, integer, list, reference, text } from '../wire.ts'
import { dashboardPage, objectHeading, rawObject, table } from './frame.ts'
import { readPage } from './paging.ts'
import { customerLink } from './rows.ts'

const PATH = '/dashboard/payments'

/** Payment intents, and one with its charges. */
export function paymentPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get(PATH, async (c) => {
    const { rows, pager } = await readPage(context, c, '/v1/payment_intents', { customer: c.req.query('customer') })
    return c.html(
      dashboardPage(
        PATH,
        'Payments',
        html`<h1>Payments</h1>
${table({
  columns: [
    'Payment',
    'Status',
    { label: 'Customer', wide: true },
    { label: 'Why it failed', wide: true },
    { label: 'Created', wide: true },
    { label: 'Amount', number: true },
  ],
  rows: rows.map(paymentRow),
  empty:
    'No payments yet. The first comes with the first invoice that is charged, or with stripe.paymentIntents.create.',
})}${pager}`,
      ),
    )
  })

  app.get(`${PATH}/:id`, async (c) => {
    const id = c.req.param('id')
    const intent = await context.api('GET', `/v1/payment_intents/${id}`)
    const charges = list(await context.api('GET', '/v1/charges', { payment_intent: id, limit: 25 }), 'data')
    const currency = text(intent, 'currency') ?? 'usd'
    const amount = formatAmount(integer(intent, 'amount') ?? 0, currency)
    return c.html(
      dashboardPage(
        PATH,
        amount,
        html`${objectHeading(amount, id, status(text(intent, 'status') ?? ''))}
<section class="card"><dl class="facts"><dt>Customer</dt><dd>${customerLink(reference(intent, 'customer'))}</dd>
<dt>Created</dt><dd>${time(instant(intent, 'created'), { year: true })}</dd>
${text(intent, 'last_payment_error.message') && html`<dt>Why it failed</dt><dd>${text(intent, 'last_payment_error.message')}</dd>`}</dl></section>
${table({
  title: 'Charges',
  columns: [
    'Charge',
    'Status',
    { label: 'Card', wide: true },
    'Created',
    { label: 'Refunded', number: true, wide: true },
    { label: 'Amount', number: true },
  ],
  rows: charges.map((charge) => chargeRow(charge, currency)),
  empty: 'It was not charged yet.',
})}${rawObject(intent)}`,
      ),
    )
  })

  return app
}

function paymentRow(intent: ApiObject): Html {
  const id = text(intent, 'id') ?? ''
  return html`<tr><td><a class="id" href="${PATH}/${id}" title="${id}">${shortId(id)}</a></td><td>${status(text(intent, 'status') ?? '')}</td>
<td class="wide-only">${customerLink(reference(intent, 'customer'))}</td><td class="muted wide-only">${text(intent, 'last_payment_error.message') ?? '–'}</td>
<td class="nowrap wide-only">${time(instant(intent, 'created'))}</td>
<td class="number">${formatAmount(integer(intent, 'amount') ?? 0, text(intent, 'currency') ?? 'usd')}</td></tr>`
}

function chargeRow(charge: ApiObject, currency: string): Html {
  const id = text(charge, 'id') ?? ''
  const card = child(charge, 'payment_method_details.card')
  const refunded = integer(charge, 'amount_refunded') ?? 0
  return html`<tr><td class="id" title="${id}">${shortId(id)}</td>
<td>${status(text(charge, 'status') ?? '')}${text(charge, 'failure_message') && html`<div class="small muted">${text(charge, 'failure_message')}</div>`}</td>
<td class="wide-only">${card ? cardName(card) : '–'}</td><td class="nowrap">${time(instant(charge, 'created'))}</td>
<td class="number wide-only">${refunded === 0 ? html`<span class="muted">–</span>` : formatAmount(refunded, currency)}</td>
<td class="number">${formatAmount(integer(charge, 'amount') ?? 0, currency)}</td></tr>`
}
