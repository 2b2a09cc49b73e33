import { addressLines } from './address.ts'
import type { ApiObject, PagesContext } from './context.ts'
import { formatDate } from './layout.ts'
import { merchantName } from './merchant.ts'
import { formatAmount, formatQuantity } from './money.ts'
import { describePrice, withProduct } from './price.ts'
import { child, instant, integer, list, text } from './wire.ts'

/** An invoice as it is read: on the page, on paper and as PDF. */
export interface Statement {
  invoice: ApiObject
  merchant: string
  number: string
  status: string
  billedTo: string[]
  /** What its sender wrote on it. */
  notes: string[]
  facts: [label: string, value: string][]
  lines: { description: string; period: string | null; quantity: string; unitPrice: string; amount: string }[]
  totals: [label: string, amount: string][]
  /** What is still to be paid, e.g. "$12.50". */
  remaining: string
}

/** Reads an invoice with all its lines. @throws ApiError 404 when there is none */
export async function readStatement(context: PagesContext, invoiceId: string): Promise<Statement> {
  const path = `/v1/invoices/${encodeURIComponent(invoiceId)}`
  const invoice = await context.api('GET', path)
  const currency = text(invoice, 'currency') ?? 'usd'
  const money = (field: string) => formatAmount(integer(invoice, field) ?? 0, currency)
  const lines = await readLines(context, path)
  const units = await unitPrices(context, lines)
  return {
    invoice,
    merchant: await merchantName(context),
    number: text(invoice, 'number') ?? 'Draft',
    status: text(invoice, 'status') ?? 'draft',
    billedTo: [
      text(invoice, 'customer_name'),
      ...addressLines(child(invoice, 'customer_address')),
      text(invoice, 'customer_email'),
      ...list(invoice, 'customer_tax_ids').map((taxId) => text(taxId, 'value')),
    ].filter((part) => part !== null),
    notes: [text(invoice, 'description'), text(invoice, 'footer')].filter((part) => part !== null),
    facts: factsOf(invoice),
    lines: lines.map((line) => ({
      description: text(line, 'description') ?? 'Item',
      period: periodOf(line),
      quantity: quantityOf(line),
      unitPrice: units.get(text(line, 'pricing.price_details.price') ?? '') ?? unitAmountOf(line, currency),
      amount: formatAmount(integer(line, 'amount') ?? 0, currency),
    })),
    totals: totalsOf(invoice, money),
    remaining: money('amount_remaining'),
  }
}

async function readLines(context: PagesContext, path: string): Promise<ApiObject[]> {
  const lines: ApiObject[] = []
  for (;;) {
    const after = text(lines.at(-1), 'id')
    const page = await context.api('GET', `${path}/lines`, { limit: 100, ...(after && { starting_after: after }) })
    lines.push(...list(page, 'data'))
    if (page.has_more !== true || list(page, 'data').length === 0) return lines
  }
}

/** "$0.05 per 1,000 tokens" for prices that count in packages: there quantity × unit amount would not give the line's amount. */
async function unitPrices(context: PagesContext, lines: ApiObject[]): Promise<Map<string, string>> {
  const ids = new Set(lines.map((line) => text(line, 'pricing.price_details.price')).filter((id) => id !== null))
  const found = new Map<string, string>()
  for (const id of ids) {
    const price = await context.api('GET', `/v1/prices/${id}`)
    const size = integer(price, 'transform_quantity.divide_by')
    if (size === null) continue
    const { amount, per } = describePrice(await withProduct(context, price))
    found.set(id, `${amount} ${per}`)
  }
  return found
}

function quantityOf(line: ApiObject): string {
  const quantity = text(line, 'quantity_decimal') ?? integer(line, 'quantity')
  return quantity === null ? '' : formatQuantity(quantity)
}

function unitAmountOf(line: ApiObject, currency: string): string {
  const amount = text(line, 'pricing.unit_amount_decimal')
  return amount === null ? '' : formatAmount(amount, currency)
}

function periodOf(line: ApiObject): string | null {
  const start = instant(line, 'period.start')
  const end = instant(line, 'period.end')
  if (!start || !end || start.getTime() === end.getTime()) return null
  return `${formatDate(start)} – ${formatDate(end)}`
}

function factsOf(invoice: ApiObject): Statement['facts'] {
  const facts: [string, Date | null][] = [
    ['Date of issue', instant(invoice, 'status_transitions.finalized_at')],
    ['Date due', instant(invoice, 'due_date')],
    ['Paid on', instant(invoice, 'status_transitions.paid_at')],
    ['Uncollectible since', instant(invoice, 'status_transitions.marked_uncollectible_at')],
    ['Voided on', instant(invoice, 'status_transitions.voided_at')],
    ['Final after', instant(invoice, 'automatically_finalizes_at')],
  ]
  return facts.flatMap(([label, at]) => (at ? [[label, formatDate(at)] as [string, string]] : []))
}

function totalsOf(invoice: ApiObject, money: (field: string) => string): Statement['totals'] {
  const currency = text(invoice, 'currency') ?? 'usd'
  const less = (label: string, minor: number): Statement['totals'] =>
    minor === 0 ? [] : [[label, formatAmount(-minor, currency)]]
  const tax = sum(invoice, 'total_taxes')
  const totals: Statement['totals'] = [
    ['Subtotal', money('subtotal')],
    ...less('Discount', sum(invoice, 'total_discount_amounts')),
    ...less('Credits applied', creditsApplied(invoice)),
    ...(tax === 0 ? [] : [['Tax', formatAmount(tax, currency)] satisfies [string, string]]),
    ['Total', money('total')],
    ...less('Credited by credit note', integer(invoice, 'pre_payment_credit_notes_amount') ?? 0),
  ]
  const before = integer(invoice, 'starting_balance') ?? 0
  const after = integer(invoice, 'ending_balance')
  // Small amounts are carried over instead of charged, and credit is used up: both show as a movement of the balance.
  if (after !== null && after !== before) {
    const applied = formatAmount(before - after, currency)
    totals.push([after > before ? 'Carried to the next invoice' : 'Applied balance', applied])
  }
  totals.push(['Amount due', money('amount_due')])
  if ((integer(invoice, 'amount_paid') ?? 0) > 0) totals.push(['Amount paid', money('amount_paid')])
  return [...totals, ...less('Credited after payment', integer(invoice, 'post_payment_credit_notes_amount') ?? 0)]
}

function sum(invoice: ApiObject, field: string): number {
  return list(invoice, field).reduce((total, one) => total + (integer(one, 'amount') ?? 0), 0)
}

/** Of all pretax credits those of the credit balance: discounts have a row of their own. */
function creditsApplied(invoice: ApiObject): number {
  return list(invoice, 'total_pretax_credit_amounts')
    .filter((one) => text(one, 'type') === 'credit_balance_transaction')
    .reduce((total, one) => total + (integer(one, 'amount') ?? 0), 0)
}

/** "Paid with Visa •••• 4242" needs the card of the customer. */
export async function defaultCard(context: PagesContext, invoice: ApiObject): Promise<ApiObject | null> {
  const customerId = text(invoice, 'customer') ?? text(invoice, 'customer.id')
  if (!customerId) return null
  const customer = await context.api('GET', `/v1/customers/${customerId}`)
  const method = text(invoice, 'default_payment_method') ?? text(customer, 'invoice_settings.default_payment_method')
  return method ? child(await context.api('GET', `/v1/payment_methods/${method}`), 'card') : null
}
