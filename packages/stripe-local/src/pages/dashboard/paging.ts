import type { Context } from 'hono'
import { html } from 'hono/html'
import type { ApiObject, PagesContext } from '../context.ts'
import type { Html } from '../layout.ts'
import { flag, list, text } from '../wire.ts'

const ROWS = 25

/** One page of an API list, with the links to its neighbours. */
export interface ListPage {
  rows: ApiObject[]
  pager: Html
}

/** Reads the page of `path` that the request's `after` or `before` names. @throws ApiError for an unknown cursor */
export async function readPage(
  context: PagesContext,
  c: Context,
  path: string,
  filters: { [name: string]: string | undefined } = {},
): Promise<ListPage> {
  const given = Object.fromEntries(Object.entries(filters).filter(([, value]) => value))
  const after = c.req.query('after')
  const before = after ? undefined : c.req.query('before')
  const page = await context.api('GET', path, {
    limit: ROWS,
    ...given,
    ...(after && { starting_after: after }),
    ...(before && { ending_before: before }),
  })
  const rows = list(page, 'data')
  const more = flag(page, 'has_more')
  const newer = before ? more : after !== undefined
  const older = before ? true : more
  return {
    rows,
    pager: pager(c, {
      newer: newer ? { before: text(rows[0], 'id') ?? '' } : null,
      older: older ? { after: text(rows.at(-1), 'id') ?? '' } : null,
    }),
  }
}

/** Links to the neighbouring pages; filters in the address stay. */
export function pager(
  c: Context,
  to: { newer?: { [name: string]: string } | null; older: { [name: string]: string } | null },
): Html {
  const href = (cursor: { [name: string]: string }) => {
    const query = new URLSearchParams(c.req.query())
    for (const name of ['after', 'before']) query.delete(name)
    for (const [name, value] of Object.entries(cursor)) query.set(name, value)
    return `${c.req.path}?${query}`
  }
  if (!to.newer && !to.older) return html``
  return html`<nav class="row" aria-label="Pages">${to.newer && html`<a class="button" href="${href(to.newer)}">Newer</a>`}
${to.older && html`<a class="button" href="${href(to.older)}">Older</a>`}</nav>`
}

/** How many a list holds, said without reading all of a long one. */
export async function countOf(context: PagesContext, path: string, filters: ApiObject = {}): Promise<string> {
  const page = await context.api('GET', path, { limit: 100, ...filters })
  return `${list(page, 'data').length}${flag(page, 'has_more') ? '+' : ''}`
}
