import { html } from 'hono/html'
import type { ApiObject, PagesContext } from '../context.ts'
import { type Html, shortId, status, time } from '../layout.ts'
import { formatAmount } from '../money.ts'
import { productName, withProduct } from '../price.ts'
import { child, flag, instant, integer, list, reference, text } from '../wire.ts'
import type { Column } from './frame.ts'

export const SUBSCRIPTION_COLUMNS: Column[] = [
  'Subscription',
  'Plan',
  'Status',
  { label: 'Customer', wide: true },
  { label: 'Period ends', wide: true },
  { label: 'Created', wide: true },
]
export const INVOICE_COLUMNS: Column[] = [
  'Invoice',
  'Status',
  { label: 'Customer', wide: true },
  { label: 'Reason', wide: true },
  { label: 'Created', wide: true },
  { label: 'Amount', number: true },
]
export const EVENT_COLUMNS: Column[] = ['Event', { label: 'Id', wide: true }, { label: 'About', wide: true }, 'Created']

/** The names of a subscription's products, e.g. "Essential, Support". */
export async function planOf(context: PagesContext, subscription: ApiObject): Promise<string> {
  const items = list(subscription, 'items')
  const prices = await Promise.all(items.map((item) => withProduct(context, child(item, 'price') ?? {})))
  return prices.map(productName).join(', ')
}

export async function subscriptionRow(context: PagesContext, subscription: ApiObject): Promise<Html> {
  const id = text(subscription, 'id') ?? ''
  const ends = instant(list(subscription, 'items')[0], 'current_period_end')
  const live = !['canceled', 'incomplete_expired'].includes(text(subscription, 'status') ?? '')
  return html`<tr><td><a class="id" href="/dashboard/subscriptions/${id}" title="${id}">${shortId(id)}</a></td>
<td>${await planOf(context, subscription)}</td><td class="nowrap">${status(text(subscription, 'status') ?? '')}
${live && flag(subscription, 'cancel_at_period_end') && html`<span class="small muted">ends then</span>`}</td>
<td class="wide-only">${customerLink(reference(subscription, 'customer'))}</td>
<td class="nowrap wide-only">${live ? time(ends) : time(null)}</td><td class="nowrap wide-only">${time(instant(subscription, 'created'))}</td></tr>`
}

export function invoiceRow(invoice: ApiObject): Html {
  const id = text(invoice, 'id') ?? ''
  return html`<tr><td class="nowrap"><a href="/dashboard/invoices/${id}">${text(invoice, 'number') ?? shortId(id)}</a></td>
<td>${status(text(invoice, 'status') ?? '')}</td>
<td class="wide-only">${customerLink(reference(invoice, 'customer'), text(invoice, 'customer_email'))}</td>
<td class="muted nowrap wide-only">${(text(invoice, 'billing_reason') ?? '').replaceAll('_', ' ')}</td>
<td class="nowrap wide-only">${time(instant(invoice, 'created'))}</td>
<td class="number">${formatAmount(integer(invoice, 'total') ?? 0, text(invoice, 'currency') ?? 'usd')}</td></tr>`
}

export function eventRow(event: ApiObject): Html {
  const id = text(event, 'id') ?? ''
  return html`<tr><td class="anywhere"><a href="/dashboard/events/${id}"><code>${text(event, 'type')}</code></a></td>
<td class="id muted wide-only" title="${id}">${shortId(id)}</td><td class="wide-only">${aboutLink(child(event, 'data.object'))}</td>
<td class="nowrap">${time(instant(event, 'created'))}</td></tr>`
}

/** The object an event is about; a link where the dashboard has its page. */
function aboutLink(object: ApiObject | null): Html {
  const id = text(object, 'id')
  if (!id) return html`<span class="muted">–</span>`
  const pages: { [type: string]: string } = {
    customer: 'customers',
    subscription: 'subscriptions',
    invoice: 'invoices',
  }
  const section = pages[text(object, 'object') ?? '']
  // An upcoming invoice is shown by its event alone.
  if (!section || id.startsWith('upcoming_')) return html`<span class="id muted" title="${id}">${shortId(id)}</span>`
  return html`<a class="id" href="/dashboard/${section}/${encodeURIComponent(id)}" title="${id}">${shortId(id)}</a>`
}

export function customerLink(id: string | null, label?: string | null): Html {
  if (!id) return html`<span class="muted">–</span>`
  return html`<a href="/dashboard/customers/${id}" title="${id}"${!label && html` class="id"`}>${label ?? shortId(id)}</a>`
}
