import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { ApiError } from '../http/errors.ts'
import {
  AUTHENTICATION_FAILED,
  CARD_FIELDS,
  cardFields,
  declineErrors,
  filledCard,
  readCard,
  type TypedCard,
  testCards,
  typedCard,
} from './card.ts'
import type { PagesContext } from './context.ts'
import { errorSummary, type FormErrors, readForm } from './form.ts'
import { invoicePdf } from './invoice-pdf.ts'
import { defaultCard, readStatement, type Statement } from './invoice-statement.ts'
import { type Html, messagePage, page, status, testMode } from './layout.ts'
import { describeCard } from './payment-method.ts'
import { reference, text } from './wire.ts'

const NO_CARD: TypedCard = { number: '', expiry: '', cvc: '' }

/** Hosted invoices: `/i/:invoiceId`, with payment while open, and `/i/:invoiceId/pdf`. */
export function invoicePages(context: PagesContext): Hono {
  const app = new Hono()

  app.get('/i/:invoiceId', async (c) => {
    const statement = await findStatement(context, c)
    if (!statement) return notFound(c)
    // Where the bank's page leads back to.
    const failed = c.req.query('redirect_status') === 'failed' && statement.status === 'open'
    return c.html(await invoicePage(context, statement, NO_CARD, failed ? { form: AUTHENTICATION_FAILED } : {}))
  })

  app.get('/i/:invoiceId/pdf', async (c) => {
    const statement = await findStatement(context, c)
    if (!statement) return notFound(c)
    return c.body(invoicePdf(statement), 200, {
      'Content-Type': 'application/pdf',
      'Content-Disposition': `inline; filename="invoice-${statement.number.replace(/[^\w-]/g, '')}.pdf"`,
    })
  })

  app.post('/i/:invoiceId/pay', async (c) => {
    const statement = await findStatement(context, c)
    if (!statement) return notFound(c)
    const address = `/i/${text(statement.invoice, 'id')}`
    if (statement.status !== 'open') return c.redirect(address, 303)
    const form = await readForm(c)
    const typed = typedCard(form)
    const again = async (errors: FormErrors, shown = typed) =>
      c.html(await invoicePage(context, statement, shown, errors), 422)

    const filled = filledCard(form, context.now())
    if (filled) return c.html(await invoicePage(context, statement, filled, {}))
    if (form.number !== undefined) {
      const { card, errors } = readCard(typed, context.now())
      if (Object.keys(errors).length > 0) return await again(errors)
      const customerId = reference(statement.invoice, 'customer') ?? ''
      // The bank asks once, when the invoice is paid; that sets the card up as well.
      const outcome = await context.replaceCard(customerId, card)
      if (outcome.status === 'declined') return await again(declineErrors(outcome))
    }
    const outcome = await pay(context, statement, form.number !== undefined)
    if (outcome.status === 'declined') return await again({ form: outcome.message })
    return c.redirect(outcome.status === 'asked' ? outcome.url : address, 303)
  })

  return app
}

type Payment = { status: 'paid' } | { status: 'asked'; url: string } | { status: 'declined'; message: string }

/** Charges the invoice while its payer is there. `asked`: the bank has a question, on the page at `url`. */
async function pay(context: PagesContext, { invoice }: Statement, withNewCard: boolean): Promise<Payment> {
  const id = text(invoice, 'id')
  const customer = await context.api('GET', `/v1/customers/${reference(invoice, 'customer')}`)
  const method = withNewCard && reference(customer, 'invoice_settings.default_payment_method')
  try {
    await context.api('POST', `/v1/invoices/${id}/pay`, {
      off_session: false,
      ...(method && { payment_method: method }),
    })
    return { status: 'paid' }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    if (error.error.code !== 'invoice_payment_intent_requires_action') {
      return { status: 'declined', message: error.message }
    }
    const intent = text(error.error.payment_intent, 'id')
    const asked = await context.api('POST', `/v1/payment_intents/${intent}/confirm`, {
      return_url: `${context.baseUrl()}/i/${id}`,
    })
    return { status: 'asked', url: text(asked, 'next_action.redirect_to_url.url') ?? '' }
  }
}

async function findStatement(context: PagesContext, c: Context): Promise<Statement | null> {
  try {
    return await readStatement(context, c.req.param('invoiceId') ?? '')
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null
    throw error
  }
}

function notFound(c: Context): Response | Promise<Response> {
  return c.html(messagePage('Invoice not found', 'This invoice does not exist here.'), 404)
}

async function invoicePage(
  context: PagesContext,
  statement: Statement,
  typed: TypedCard,
  errors: FormErrors,
): Promise<Html> {
  const id = text(statement.invoice, 'id')
  const open = statement.status === 'open'
  return page(
    `Invoice ${statement.number} · ${statement.merchant}`,
    html`${testMode()}<main id="main" class="invoice stack">
<div class="spread"><div class="stack-small"><p class="muted">${statement.merchant}</p>
<h1>${statement.status === 'draft' ? 'Draft invoice' : `Invoice ${statement.number}`}</h1></div><div class="row no-print">${status(statement.status)}
<a class="button" href="/i/${id}/pdf">Download PDF</a><button type="button" data-print hidden>Print</button></div></div>
${banner(statement)}
${errorSummary(errors, CARD_FIELDS)}
${open && (await payment(context, statement, typed, errors))}
<div class="card stack"><div class="parties"><dl class="facts">
${statement.facts.map(([label, value]) => html`<dt>${label}</dt><dd>${value}</dd>`)}</dl>
<dl class="facts"><dt>Billed to</dt><dd>${statement.billedTo.map((line) => html`<div>${line}</div>`)}</dd></dl></div></div>
${linesTable(statement)}
${statement.notes.map((note) => html`<p class="muted">${note}</p>`)}
</main>`,
  )
}

const BANNERS: { [status: string]: [tone: string, said: string] } = {
  draft: ['warning', 'This is a draft: its amounts may still change.'],
  paid: ['positive', 'This invoice is paid. Thank you.'],
  void: ['', 'This invoice was voided: nothing is to be paid.'],
  uncollectible: ['danger', 'This invoice was given up as uncollectible.'],
}

function banner({ status: state }: Statement): Html | null {
  const found = BANNERS[state]
  return found ? html`<p class="notice ${found[0]}">${found[1]}</p>` : null
}

/** What was used and what it costs, with the totals. */
export function linesTable({ lines, totals }: Statement): Html {
  return html`<div class="card flush"><table class="invoice-lines"><thead><tr><th scope="col">Description</th>
<th scope="col" class="number">Quantity</th><th scope="col" class="number">Unit price</th>
<th scope="col" class="number">Amount</th></tr></thead><tbody>
${lines.map(
  (line) => html`<tr><td>${line.description}${line.period && html`<div class="small muted">${line.period}</div>`}</td>
<td class="number" data-label="Quantity">${line.quantity}</td><td class="number" data-label="Unit price">${line.unitPrice}</td>
<td class="number" data-label="Amount">${line.amount}</td></tr>`,
)}
${lines.length === 0 && html`<tr><td colspan="4" class="muted">This invoice has no lines.</td></tr>`}</tbody><tfoot>
${totals.map(
  ([label, amount]) =>
    html`<tr><th scope="row" colspan="3" class="number">${label}</th><td class="number">${amount}</td></tr>`,
)}</tfoot></table></div>`
}

async function payment(
  context: PagesContext,
  statement: Statement,
  typed: TypedCard,
  errors: FormErrors,
): Promise<Html> {
  const card = await defaultCard(context, statement.invoice)
  const action = `/i/${text(statement.invoice, 'id')}/pay`
  const otherOpen = !card || typed.number !== '' || Object.keys(errors).length > 0
  return html`<section class="card stack no-print" aria-label="Payment">
<div class="spread"><p><span class="big">${statement.remaining}</span> <span class="muted">to pay</span></p>
${card && html`<form method="post" action="${action}"><button class="primary">Pay invoice</button></form>`}</div>
${card && html`<p class="muted">With ${describeCard(card)}.</p>`}
<details${otherOpen && html` open`}><summary>${card ? 'Pay with another card' : 'Pay with a card'}</summary>
<form method="post" action="${action}" novalidate class="stack narrow after-summary">${cardFields(typed, errors)}
<button class="primary">Pay with this card</button>
${testCards(context.now())}</form></details></section>`
}
