import { redirect } from 'react-router'

/** What a list's address asks for. */
export interface ListFilter<Status extends string> {
  status?: Status
  search?: string
  cursor?: string
}

/** The engine's cursors: a direction and an id. */
const ENGINE_CURSOR = /^(?:[ab]|older_|newer_)(?:[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|evt_\w+)$/
/** Lists of the app itself go on after the id of the last row: a UUID, or a number. */
export const ID_CURSOR = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/
export const NUMBER_CURSOR = /^\d{1,18}$/

const PARAMETERS = ['status', 'search', 'after', 'before']

/**
 * Reads it; people edit addresses.
 *
 * @throws a redirect to the address without what means nothing here, so that a list never looks filtered when it is not
 */
export function listFilter<const Status extends string>(
  { pathname, searchParams }: URL,
  statuses: readonly Status[] = [],
  cursors = ENGINE_CURSOR,
): ListFilter<Status> {
  const isMeant = (name: string, value: string) => {
    if (name === 'status') return statuses.some((status) => status === value)
    if (name === 'after' || name === 'before') return cursors.test(value)
    return PARAMETERS.includes(name)
  }
  const meant = new URLSearchParams([...searchParams].filter(([name, value]) => isMeant(name, value)))
  if (meant.size < searchParams.size) throw redirect(meant.size > 0 ? `${pathname}?${meant}` : pathname)

  const status = statuses.find((candidate) => candidate === meant.get('status'))
  const search = meant.get('search')?.trim().slice(0, 200)
  const cursor = meant.get('after') ?? meant.get('before')
  return { ...(status ? { status } : {}), ...(search ? { search } : {}), ...(cursor ? { cursor } : {}) }
}
