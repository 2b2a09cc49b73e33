import ArrowDown from 'lucide-react/icons/arrow-down'
import ArrowUp from 'lucide-react/icons/arrow-up'
import ChevronLeft from 'lucide-react/icons/chevron-left'
import ChevronRight from 'lucide-react/icons/chevron-right'
import type { MouseEvent, ReactNode } from 'react'
import { Link, useLocation, useNavigate } from 'react-router'
import { buttonClass } from './button.tsx'
import { cn } from './cn.ts'
import { formatQuantity } from './quantity.ts'

export interface Column<Row> {
  key: string
  header: ReactNode
  cell: (row: Row) => ReactNode
  /** `right` for numbers and amounts. */
  align?: 'left' | 'right'
  /** Makes the header a link that sets `?sort=<sort>`, and `?sort=-<sort>` for the other way round. */
  sort?: string
  /** On a phone this column is left out. */
  wide?: boolean
  className?: string
}

/**
 * A table. The whole row leads to `rowHref`: the first column becomes its link, so it should hold no button or link of its own.
 * `empty` stands in its place when there are no rows. In a `Card` use `<Card flush>`.
 */
export function Table<Row>({
  columns,
  rows,
  empty,
  rowHref,
  rowKey,
  caption,
  rowClassName,
}: {
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  empty?: ReactNode
  rowHref?: (row: Row) => string | null
  rowKey?: (row: Row) => string
  /** What the table lists, for screen readers. */
  caption?: string
  rowClassName?: (row: Row) => string | undefined
}) {
  const navigate = useNavigate()
  if (rows.length === 0 && empty !== undefined) return <>{empty}</>

  const open = (event: MouseEvent<HTMLTableRowElement>, href: string) => {
    const target = event.target as HTMLElement
    if (target.closest('a, button, input, label, select, summary') || window.getSelection()?.toString()) return
    if (event.metaKey || event.ctrlKey) window.open(href, '_blank')
    else navigate(href)
  }

  return (
    // Scrolls sideways where the page is too narrow; by keyboard too, hence the tab stop.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable
    <section className="overflow-x-auto" aria-label={caption ?? 'Table'} tabIndex={0}>
      <table className="w-full border-collapse text-left">
        {caption && <caption className="sr-only">{caption}</caption>}
        <thead>
          <tr className="border-b">
            {columns.map((column) => (
              <HeaderCell key={column.key} column={column} />
            ))}
          </tr>
        </thead>
        <tbody className="tabular-nums">
          {rows.map((row, index) => {
            const href = rowHref?.(row)
            return (
              <tr
                key={rowKey ? rowKey(row) : index}
                onClick={href ? (event) => open(event, href) : undefined}
                className={cn(
                  'border-b last:border-b-0',
                  href && 'cursor-pointer transition-colors focus-within:bg-raised hover:bg-raised',
                  rowClassName?.(row),
                )}
              >
                {columns.map((column, position) => (
                  <td key={column.key} className={cn(cellClass(column), 'h-11 py-2')}>
                    {href && position === 0 ? (
                      <Link to={href} className="hover:text-accent">
                        {column.cell(row)}
                      </Link>
                    ) : (
                      column.cell(row)
                    )}
                  </td>
                ))}
              </tr>
            )
          })}
        </tbody>
      </table>
    </section>
  )
}

function HeaderCell<Row>({ column }: { column: Column<Row> }) {
  const { search } = useLocation()
  const classes = cn(cellClass(column), 'h-9 whitespace-nowrap font-normal text-muted text-xs')
  if (column.header === '') return <td className={classes} />
  if (!column.sort) {
    return (
      <th scope="col" className={classes}>
        {column.header}
      </th>
    )
  }
  const params = new URLSearchParams(search)
  const current = params.get('sort')
  const direction = current === column.sort ? 'ascending' : current === `-${column.sort}` ? 'descending' : undefined
  params.set('sort', direction === 'ascending' ? `-${column.sort}` : column.sort)
  for (const cursor of ['after', 'before', 'cursor']) params.delete(cursor)
  return (
    <th scope="col" className={classes} aria-sort={direction ?? 'none'}>
      <Link
        to={`?${params}`}
        preventScrollReset
        className="inline-flex items-center gap-1 hover:text-text aria-[sort]:text-text"
      >
        {column.header}
        {direction === 'ascending' && <ArrowUp className="size-3" aria-hidden />}
        {direction === 'descending' && <ArrowDown className="size-3" aria-hidden />}
      </Link>
    </th>
  )
}

function cellClass<Row>(column: Column<Row>): string {
  return cn(
    'px-3 align-middle first:pl-5 last:pr-5',
    column.align === 'right' && 'text-right',
    column.wide && 'max-md:hidden',
    column.className,
  )
}

/**
 * How many there are, and the way to the others. `next` and `previous` are cursors, set as `?after=` and `?before=` beside the
 * other search parameters; or whole targets, beginning with `?` or `/`. Null where there is nothing.
 */
export function Pager({
  next,
  previous,
  total,
  unit = 'rows',
}: {
  next?: string | null
  previous?: string | null
  total?: number | bigint | string | null
  /** The plural of what is listed: events, customers. */
  unit?: string
}) {
  const { search } = useLocation()
  const link = (name: 'after' | 'before', cursor: string) => {
    if (cursor.startsWith('?') || cursor.startsWith('/')) return cursor
    const params = new URLSearchParams(search)
    for (const other of ['after', 'before']) params.delete(other)
    params.set(name, cursor)
    return `?${params}`
  }
  return (
    <nav aria-label="Pages" className="flex min-h-12 items-center justify-between gap-4 border-t px-5 py-2 text-muted">
      <span className="tabular-nums">{total === undefined || total === null ? '' : formatQuantity(total, unit)}</span>
      {(next || previous) && (
        <span className="flex gap-2">
          <Step to={previous ? link('before', previous) : null} rel="prev">
            <ChevronLeft aria-hidden /> Previous
          </Step>
          <Step to={next ? link('after', next) : null} rel="next">
            Next <ChevronRight aria-hidden />
          </Step>
        </span>
      )}
    </nav>
  )
}

function Step({ to, rel, children }: { to: string | null; rel: string; children: ReactNode }) {
  const look = buttonClass({ variant: 'secondary', size: 'sm' })
  if (!to) return <span className={cn(look, 'invisible')}>{children}</span>
  return (
    <Link to={to} rel={rel} preventScrollReset className={look}>
      {children}
    </Link>
  )
}
