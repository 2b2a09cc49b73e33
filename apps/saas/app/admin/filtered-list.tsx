import type { ReactNode } from 'react'
import { Card } from '~/ui/card'
import { Pager } from '~/ui/table'
import { Tabs } from '~/ui/tabs'
import { SearchForm } from './search-form.tsx'

/** A list narrowed by tabs and searched, a page at a time; where there is nothing to list at all, what to do instead. */
export function FilteredList<Filter extends string>({
  filter,
  counts,
  chosen,
  search,
  unit,
  page,
  nothing,
  children,
}: {
  /** What the tabs narrow by, and the label of each. */
  filter: { label: string; labels: Record<Filter, string> }
  counts: Record<Filter | 'all', number>
  chosen: Filter | null
  search: { text: string | null; placeholder: string }
  /** What is listed, in the plural. */
  unit: string
  page: { next: string | null; previous: string | null }
  nothing: ReactNode
  /** The table. */
  children: ReactNode
}) {
  const filters = Object.keys(filter.labels) as Filter[]
  return (
    <>
      <Tabs
        label={filter.label}
        items={[
          { to: '?', label: 'All', count: counts.all },
          ...filters.map((key) => ({ to: `?status=${key}`, label: filter.labels[key], count: counts[key] })),
        ]}
      />
      <Card flush className="relative">
        {counts.all === 0 ? (
          nothing
        ) : (
          <>
            <SearchForm label={`Search ${unit}`} placeholder={search.placeholder} />
            {children}
            <Pager
              next={page.next}
              previous={page.previous}
              total={search.text ? null : counts[chosen ?? 'all']}
              unit={unit}
            />
          </>
        )}
      </Card>
    </>
  )
}
