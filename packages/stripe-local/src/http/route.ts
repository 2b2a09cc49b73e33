import type { Account, Wire } from '../account.ts'
import type { Page, Stored } from '../objects.ts'
import { refuseParameter } from './errors.ts'
import { integer, type Params, type Shape, text } from './params.ts'

export type Method = 'GET' | 'POST' | 'DELETE'

export interface Route {
  method: Method
  /** `/v1/customers/:id`; a segment that begins with a colon matches anything but a slash. */
  path: string
  params: Shape
  handle: (account: Account, params: never, ids: Ids) => Wire
}
export type Ids = { [name: string]: string }

/** One endpoint: what it accepts and what it does, all synchronous, in one transaction. */
export function route<S extends Shape>(
  method: Method,
  path: string,
  params: S,
  handle: (account: Account, params: Params<S>, ids: Ids) => Wire,
): Route {
  return { method, path, params, handle }
}

export const paging = {
  limit: integer({ min: 1, max: 100 }),
  starting_after: text(),
  ending_before: text(),
}
type Paging = { limit?: number; starting_after?: string; ending_before?: string }

/** One page of stored objects in Stripe's list envelope. @throws ApiError for an unknown cursor */
export function listPage<T extends Stored>(
  account: Account,
  type: T['object'],
  url: string,
  paging: Paging,
  query: Omit<Page, 'limit' | 'startingAfter' | 'endingBefore'> = {},
): Wire {
  const page = account.objects.page<T>(type, {
    ...query,
    limit: paging.limit ?? 10,
    ...cursors(paging),
  })
  if (!page) throw unknownCursor(account.noun(type), paging)
  return listOf(
    page.data.map((stored) => account.present(stored)),
    url,
    page.hasMore,
  )
}

/** A page of what is at hand as an array, in its order. */
export function listSlice(items: Wire[], url: string, paging: Paging, noun: string): Wire {
  const limit = paging.limit ?? 10
  const { startingAfter, endingBefore } = cursors(paging)
  const cursor = startingAfter ?? endingBefore
  const at = cursor === undefined ? -1 : items.findIndex((item) => item.id === cursor)
  if (cursor !== undefined && at < 0) throw unknownCursor(noun, paging)
  if (endingBefore !== undefined) {
    const data = items.slice(Math.max(0, at - limit), at)
    return listOf(data, url, at - limit > 0)
  }
  return listOf(items.slice(at + 1, at + 1 + limit), url, items.length > at + 1 + limit)
}

export function listOf(data: Wire[], url: string, hasMore = false): Wire {
  return { object: 'list', data, has_more: hasMore, url }
}

function cursors(paging: Paging): { startingAfter?: string; endingBefore?: string } {
  if (paging.starting_after !== undefined && paging.ending_before !== undefined) {
    throw refuseParameter('You may only specify one of these parameters: ending_before, starting_after.', {
      param: 'ending_before',
    })
  }
  return {
    ...(paging.starting_after !== undefined && { startingAfter: paging.starting_after }),
    ...(paging.ending_before !== undefined && { endingBefore: paging.ending_before }),
  }
}

function unknownCursor(noun: string, paging: Paging) {
  const [param, id] =
    paging.starting_after !== undefined
      ? ['starting_after', paging.starting_after]
      : ['ending_before', paging.ending_before]
  return refuseParameter(`No such ${noun}: '${id}'`, { code: 'resource_missing', param })
}
