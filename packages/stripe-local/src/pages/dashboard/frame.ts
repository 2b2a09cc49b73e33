import { html } from 'hono/html'
import { type Html, page } from '../layout.ts'

const SECTIONS: [group: string, pages: [path: string, name: string][]][] = [
  ['', [['/', 'Overview']]],
  [
    'Billing',
    [
      ['/dashboard/customers', 'Customers'],
      ['/dashboard/subscriptions', 'Subscriptions'],
      ['/dashboard/products', 'Products'],
      ['/dashboard/meters', 'Meters'],
      ['/dashboard/invoices', 'Invoices'],
      ['/dashboard/payments', 'Payments'],
    ],
  ],
  [
    'Developers',
    [
      ['/dashboard/events', 'Events'],
      ['/dashboard/deliveries', 'Webhooks'],
      ['/dashboard/requests', 'Requests'],
      ['/dashboard/clock', 'Clock'],
      ['/dashboard/faults', 'Faults'],
      ['/dashboard/readings', 'Readings'],
    ],
  ],
]

/** A page of the dashboard; `path` is the section it belongs to. */
export function dashboardPage(path: string, title: string, body: Html): Html {
  return page(
    `${title} · Local Stripe`,
    html`<div class="dashboard"><nav aria-label="Dashboard"><a class="brand" href="/"><strong>Local Stripe</strong>
<span class="small muted">Test mode, on this machine</span></a><div class="groups">${SECTIONS.map(
      ([group, pages]) =>
        html`${group && html`<p class="group small muted">${group}</p>`}<ul>${pages.map(
          ([href, name]) => html`<li><a href="${href}"${href === path && html` aria-current="page"`}>${name}</a></li>`,
        )}</ul>`,
    )}</div></nav><main id="main" class="stack">${body}</main></div>`,
  )
}

/** Title of a page about one object, with its id to copy. */
export function objectHeading(title: string, id: string, aside?: Html): Html {
  return html`<div class="spread"><div class="stack-small"><h1>${title}</h1>
<p class="row"><code class="muted">${id}</code><button type="button" class="small" data-copy="${id}" hidden>Copy id</button></p></div>${aside}</div>`
}

/** `wide` ones are left out on a phone; their cells carry the class `wide-only`. `hidden`: the label is only read out. */
export type Column = string | { label: string; number?: true; wide?: true; hidden?: true }

/** A table in a card, or a sentence when there is nothing to list. */
export function table(options: { title?: string; columns: Column[]; rows: Html[]; empty: Html | string }): Html {
  return html`<section class="card flush">${options.title && html`<h2>${options.title}</h2>`}
${
  options.rows.length === 0
    ? html`<p class="empty">${options.empty}</p>`
    : html`<div class="scroll" tabindex="0"><table><thead><tr>${options.columns.map((column) =>
        typeof column === 'string'
          ? html`<th scope="col">${column}</th>`
          : html`<th scope="col" class="${column.number ? 'number' : ''} ${column.wide ? 'wide-only' : ''}">${column.hidden ? html`<span class="visually-hidden">${column.label}</span>` : column.label}</th>`,
      )}</tr></thead><tbody>${options.rows}</tbody></table></div>`
}</section>`
}

/** An object as the API answers it, folded away. */
export function rawObject(object: unknown, open = false): Html {
  return html`<section class="card flush"><details${open && html` open`}><summary class="padded">JSON</summary>
<pre tabindex="0">${JSON.stringify(object, null, 2)}</pre></details></section>`
}

/** Links to the same list under other filters. */
export function tabs(label: string, current: string, entries: [value: string, href: string][]): Html {
  return html`<nav class="tabs" aria-label="${label}">${entries.map(
    ([value, href]) => html`<a href="${href}"${value === current && html` aria-current="page"`}>${value}</a>`,
  )}</nav>`
}
