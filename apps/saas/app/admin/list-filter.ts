/** What a list's address asks for. */
export interface ListFilter<Status extends string> {
  status?: Status
  search?: string
  cursor?: string
}

/** The engine's cursors: a direction and an id. */
const CURSOR = /^(?:[ab]|older_|newer_)(?:[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|evt_\w+)$/

/** People edit addresses: what is no status and no cursor of these lists is passed over. */
export function listFilter<const Status extends string>(
  { searchParams }: URL,
  statuses: readonly Status[] = [],
): ListFilter<Status> {
  const status = statuses.find((candidate) => candidate === searchParams.get('status'))
  const search = searchParams.get('search')?.trim().slice(0, 200)
  const asked = searchParams.get('after') ?? searchParams.get('before') ?? ''
  const cursor = CURSOR.test(asked) ? asked : null
  return { ...(status ? { status } : {}), ...(search ? { search } : {}), ...(cursor ? { cursor } : {}) }
}
