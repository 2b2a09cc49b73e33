import type { Account, Wire } from '../account.ts'
import { refuse } from '../http/errors.ts'
import { integer, required, text } from '../http/params.ts'
import { route } from '../http/route.ts'
import { type Condition, conditionOf } from '../search/compile.ts'
import { SEARCHABLE, type Searchable } from '../search/fields.ts'
import { parseQuery } from '../search/query.ts'

export const searchRoutes = SEARCHABLE.map((searchable) =>
  route(
    'GET',
    `/v1/${searchable.resource}/search`,
    { query: required(text()), limit: integer({ min: 1, max: 100 }), page: text() },
    (account, params) => search(account, searchable, params),
  ),
)

/** What nobody should find: deleted customers, prices made for one use. */
const HIDDEN = `json_extract(data, '$._deleted') is null and json_extract(data, '$._inline') is null`

function search(
  account: Account,
  searchable: Searchable,
  params: { query: string; limit?: number; page?: string },
): Wire {
  const condition = conditionOf(parseQuery(params.query), searchable)
  const found = account.objects.page(searchable.type, {
    also: visibleTo(account, condition),
    limit: params.limit ?? 10,
    ...(params.page !== undefined && { startingAfter: idIn(params.page) }),
  })
  if (!found) throw refuse(`Invalid page token: ${params.page}`, { param: 'page' })
  const last = found.data.at(-1)
  return {
    object: 'search_result',
    data: found.data.map((stored) => account.present(stored)),
    has_more: found.hasMore,
    next_page: found.hasMore && last ? tokenOf(last.id) : null,
    url: `/v1/${searchable.resource}/search`,
  }
}

function visibleTo(account: Account, { sql, values }: Condition): Condition {
  const clocks = account.readings.searchFindsClockObjects ? '' : ` and json_extract(data, '$.test_clock') is null`
  return { sql: `${sql} and ${HIDDEN}${clocks}`, values }
}

/** A token that says nothing to people, as Stripe's does. */
function tokenOf(id: string): string {
  return Buffer.from(id).toString('base64url')
}

function idIn(token: string): string {
  return Buffer.from(token, 'base64url').toString('utf8')
}
