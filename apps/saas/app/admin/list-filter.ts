/** What a list's address asks for. */
export interface ListFilter<Status extends string> {
  status?: Status
  search?: string
  cursor?: string
}

/** Anything the address says that is no status of this list is passed over. */
export function listFilter<const Status extends string>(
  { searchParams }: URL,
  statuses: readonly Status[] = [],
): ListFilter<Status> {
  const status = statuses.find((candidate) => candidate === searchParams.get('status'))
  const search = searchParams.get('search')?.trim().slice(0, 200)
  const cursor = searchParams.get('after') ?? searchParams.get('before')
  return { ...(status ? { status } : {}), ...(search ? { search } : {}), ...(cursor ? { cursor } : {}) }
}
