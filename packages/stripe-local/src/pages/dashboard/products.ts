import { Hono } from 'hono'
import { html } from 'hono/html'
import type { ApiObject, PagesContext } from '../context.ts'
import { type Html, shortId, status, time } from '../layout.ts'
import { describePrice, withTiers } from '../price.ts'
import { child, flag, instant, list, text } from '../wire.ts'
import { dashboardPage, objectHeading, rawObject, table } from './frame.ts'
import { readPage } from './paging.ts'

const PATH = '/dashboard/products'
const PRICES_SHOWN = 100

/** Products, and one with its prices. */
export function productPages(context: PagesContext): Hono {
  const app = new Hono()

  app.get(PATH, async (c) => {
    const { rows, pager } = await readPage(context, c, '/v1/products')
    const priced = rows.map(async (product) => ({ product, words: await pricesInWords(context, product) }))
    return c.html(
      dashboardPage(
        PATH,
        'Products',
        html`<h1>Products</h1>
${table({
  columns: ['Product', 'Prices', 'Status', { label: 'Id', wide: true }, { label: 'Created', wide: true }],
  rows: (await Promise.all(priced)).map(({ product, words }) => {
    const id = text(product, 'id') ?? ''
    return html`<tr><td><a href="${PATH}/${encodeURIComponent(id)}">${text(product, 'name')}</a></td><td>${words}</td>
<td>${state(product)}</td><td class="id muted wide-only" title="${id}">${shortId(id)}</td><td class="nowrap wide-only">${time(instant(product, 'created'))}</td></tr>`
  }),
  empty: 'No products yet. Make one with stripe.products.create, or with a price.',
})}${pager}`,
      ),
    )
  })

  app.get(`${PATH}/:id`, async (c) => {
    const id = c.req.param('id')
    const product = await context.api('GET', `/v1/products/${encodeURIComponent(id)}`)
    const prices = await pricesOf(context, id, PRICES_SHOWN)
    const name = text(product, 'name') ?? 'Product'
    return c.html(
      dashboardPage(
        PATH,
        name,
        html`${objectHeading(name, id, state(product))}
<section class="card"><dl class="facts"><dt>Created</dt><dd>${time(instant(product, 'created'), { year: true })}</dd>
${text(product, 'description') && html`<dt>Description</dt><dd>${text(product, 'description')}</dd>`}
${text(product, 'unit_label') && html`<dt>Unit</dt><dd>${text(product, 'unit_label')}</dd>`}</dl></section>
${table({
  title: 'Prices',
  columns: ['Price', 'Billed', { label: 'Lookup key', wide: true }, 'Status', { label: 'Id', wide: true }],
  rows: await Promise.all(prices.map((price) => priceRow(context, { ...price, product }))),
  empty: 'No prices yet.',
})}${rawObject(product)}`,
      ),
    )
  })

  return app
}

/** Active and archived prices, newest first. */
async function pricesOf(context: PagesContext, product: string, limit: number): Promise<ApiObject[]> {
  const active = list(await context.api('GET', '/v1/prices', { product, limit }), 'data')
  const archived = list(await context.api('GET', '/v1/prices', { product, active: false, limit }), 'data')
  return [...active, ...archived]
}

async function pricesInWords(context: PagesContext, product: ApiObject): Promise<Html> {
  const page = await context.api('GET', '/v1/prices', { product: text(product, 'id'), limit: 2 })
  const [first, ...more] = list(page, 'data')
  if (!first) return html`<span class="muted">none active</span>`
  const { amount, per } = describePrice({ ...first, product })
  return html`${amount} ${per}${more.length > 0 && html` <span class="muted">and more</span>`}`
}

async function priceRow(context: PagesContext, price: ApiObject): Promise<Html> {
  const { amount, per, billed, tiers } = describePrice(await withTiers(context, price))
  const id = text(price, 'id') ?? ''
  const meter = text(price, 'recurring.meter')
  return html`<tr><td>${amount} ${per}${tiers.map((tier) => html`<div class="small muted">${tier}</div>`)}</td>
<td>${billed || 'once'}${meter && html`<div class="small"><a href="/dashboard/meters/${meter}">its meter</a></div>`}</td>
<td class="wide-only">${text(price, 'lookup_key') ? html`<code>${text(price, 'lookup_key')}</code>` : html`<span class="muted">–</span>`}</td>
<td>${state(price)}</td><td class="id muted wide-only" title="${id}">${shortId(id)}</td></tr>`
}

function state(object: unknown): Html {
  return child(object, 'deleted') ? status('deleted') : status(flag(object, 'active') ? 'active' : 'archived')
}
