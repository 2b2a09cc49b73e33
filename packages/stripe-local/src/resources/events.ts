import type { Account, LoggedEvent, Wire } from '../account.ts'
import { missing, refuse } from '../http/errors.ts'
import { flag, integer, list, type Range, type Rule, range, shape, text } from '../http/params.ts'
import { listOf, paging, route } from '../http/route.ts'

/** Events can be read for 30 days. */
const KEPT_SECONDS = 30 * 86_400

/** In v2 an instant is RFC 3339; in a query string Unix seconds are taken, too. */
const instant: Rule<number> = {
  read(value, name) {
    const written = String(value)
    const at = /^\d+$/.test(written) ? Number(written) : Date.parse(written) / 1000
    if (Number.isNaN(at)) throw refuse(`Invalid timestamp: ${written}`, { param: name })
    return at
  },
}

export const eventRoutes = [
  route('GET', '/v1/events/:id', {}, (account, _params, { id }) => present(account, eventOf(account, 'snapshot', id!))),

  route(
    'GET',
    '/v1/events',
    { ...paging, type: text(), types: list(text(), { max: 20 }), created: range(), delivery_success: flag() },
    (account, params) => {
      if (params.type !== undefined && params.types) {
        throw refuse('You may only specify one of these parameters: type, types.', { param: 'type' })
      }
      const limit = params.limit ?? 10
      const backwards = params.ending_before !== undefined
      const cursor = params.starting_after ?? params.ending_before
      const at =
        cursor === undefined ? undefined : cursorOf(account, cursor, backwards ? 'ending_before' : 'starting_after')
      const types = params.types ?? (params.type === undefined ? [] : [params.type])
      const conditions: Condition[] = [
        { sql: 'created > ?', values: [oldest(account)] },
        ...(types.length > 0
          ? [{ sql: `(${types.map(() => 'type glob ?').join(' or ')})`, values: types.map(globOf) }]
          : []),
        ...createdConditions(params.created),
        ...(at !== undefined ? [{ sql: backwards ? 'seq > ?' : 'seq < ?', values: [at] }] : []),
        ...(params.delivery_success !== undefined ? [deliveredCondition(params.delivery_success)] : []),
      ]
      const rows = account.db.all<LoggedEvent>(
        `select * from events where ${[`form = 'snapshot'`, ...conditions.map(({ sql }) => sql)].join(' and ')}
         order by seq ${backwards ? 'asc' : 'desc'} limit ?`,
        ...conditions.flatMap(({ values }) => values),
        limit + 1,
      )
      const page = rows.slice(0, limit)
      const data = (backwards ? page.toReversed() : page).map((row) => present(account, row))
      return listOf(data, '/v1/events', rows.length > limit)
    },
  ),

  route(
    'GET',
    '/v2/core/events/:id',
    {},
    (account, _params, { id }) => JSON.parse(eventOf(account, 'thin', id!).data) as Wire,
  ),

  route(
    'GET',
    '/v2/core/events',
    {
      created: shape({ gt: instant, gte: instant, lt: instant, lte: instant }),
      limit: integer({ min: 1, max: 100 }),
      object_id: text(),
      page: text(),
      types: list(text(), { max: 20 }),
    },
    (account, { created, limit = 20, object_id: object, page: cursor, types = [] }) => {
      const at = cursor === undefined ? undefined : eventOf(account, 'thin', cursor).seq
      const conditions: Condition[] = [
        { sql: 'created > ?', values: [oldest(account)] },
        ...createdConditions(created),
        ...(at === undefined ? [] : [{ sql: 'seq < ?', values: [at] }]),
        ...(object === undefined ? [] : [{ sql: 'object_id = ?', values: [object] }]),
        ...(types.length === 0 ? [] : [{ sql: `type in (${types.map(() => '?').join(', ')})`, values: types }]),
      ]
      const rows = account.db.all<LoggedEvent>(
        `select * from events where ${[`form = 'thin'`, ...conditions.map(({ sql }) => sql)].join(' and ')}
         order by seq desc limit ?`,
        ...conditions.flatMap(({ values }) => values),
        limit + 1,
      )
      const page = rows.slice(0, limit)
      return {
        data: page.map((row) => JSON.parse(row.data) as Wire),
        next_page_url: rows.length > limit ? nextPage(page.at(-1)!, { created, limit, object, types }) : null,
        previous_page_url: null,
      }
    },
  ),
]

function nextPage(
  last: LoggedEvent,
  asked: { created: Range | undefined; limit: number; object: string | undefined; types: string[] },
): string {
  const query = new URLSearchParams({ limit: String(asked.limit), page: last.id })
  for (const [bound, at] of Object.entries(asked.created ?? {})) query.set(`created[${bound}]`, String(at))
  if (asked.object !== undefined) query.set('object_id', asked.object)
  for (const [index, type] of asked.types.entries()) query.set(`types[${index}]`, type)
  return `/v2/core/events?${query}`
}

function oldest(account: Account): number {
  return account.seconds() - KEPT_SECONDS
}

interface Condition {
  sql: string
  values: (string | number)[]
}

function createdConditions(created: Range = {}): Condition[] {
  const signs = { gt: '>', gte: '>=', lt: '<', lte: '<=' }
  return Object.entries(created).map(([bound, at]) => ({
    sql: `created ${signs[bound as keyof Range]} ?`,
    values: [at],
  }))
}

function deliveredCondition(wanted: boolean): Condition {
  const undelivered = `exists (select 1 from deliveries where event = events.id and state <> 'delivered')`
  return { sql: wanted ? `not ${undelivered}` : undelivered, values: [] }
}

function eventOf(account: Account, form: LoggedEvent['form'], id: string): LoggedEvent {
  const found = account.events.find(form, id)
  if (!found || found.created <= oldest(account)) throw missing('event', id)
  return found
}

function cursorOf(account: Account, id: string, param: string): number {
  const found = account.events.find('snapshot', id)
  if (!found) throw refuse(`No such event: '${id}'`, { code: 'resource_missing', param })
  return found.seq
}

function present(account: Account, row: LoggedEvent): Wire {
  return { ...(JSON.parse(row.data) as Wire), pending_webhooks: account.deliveries.pending(row.id) }
}

/** Only the star is a wildcard; SQLite's glob knows more. */
function globOf(type: string): string {
  return type.replaceAll(/[?[]/g, (letter) => `[${letter}]`)
}
