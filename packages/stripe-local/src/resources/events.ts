import type { Account, LoggedEvent, Wire } from '../account.ts'
import { missing, refuse } from '../http/errors.ts'
import { flag, integer, list, type Range, range, text } from '../http/params.ts'
import { listOf, paging, route } from '../http/route.ts'

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
    { limit: integer({ min: 1, max: 100 }), object_id: text(), types: list(text()), page: text() },
    (account, params) => {
      const limit = params.limit ?? 20
      const before = params.page === undefined ? Number.MAX_SAFE_INTEGER : eventOf(account, 'thin', params.page).seq
      const types = params.types ?? []
      const rows = account.db.all<LoggedEvent>(
        `select * from events where form = 'thin' and seq < ? ${params.object_id === undefined ? '' : 'and object_id = ?'}
         ${types.length === 0 ? '' : `and type in (${types.map(() => '?').join(', ')})`} order by seq desc limit ?`,
        before,
        ...(params.object_id === undefined ? [] : [params.object_id]),
        ...types,
        limit + 1,
      )
      const page = rows.slice(0, limit)
      const next = rows.length > limit ? `/v2/core/events?limit=${limit}&page=${page.at(-1)!.id}` : null
      return { data: page.map((row) => JSON.parse(row.data) as Wire), next_page_url: next, previous_page_url: null }
    },
  ),
]

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
  if (!found) throw missing('event', id)
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
