import { Link, useLocation, useResolvedPath } from 'react-router'
import { cn } from './cn.ts'
import { formatQuantityShort } from './quantity.ts'

export interface TabItem {
  to: string
  label: string
  count?: number | bigint | string
}

/**
 * Tabs that live in the URL, so that each can be linked to and Back works. A target with a search (`?status=failed`) is current when
 * the page's search has its parameters; the bare one (`?` or `.`) when none of the others is; a path when it is the page's.
 */
export function Tabs({ items, label = 'Views' }: { items: readonly TabItem[]; label?: string }) {
  const { pathname, search } = useLocation()
  const here = useResolvedPath('.').pathname
  const current = currentTab(items, { pathname, search, here })
  return (
    <nav aria-label={label} className="mb-5 overflow-x-auto border-b">
      <ul className="-mb-px flex gap-5">
        {items.map((item) => (
          <li key={item.to}>
            <Link
              to={item.to}
              preventScrollReset
              aria-current={item === current ? 'page' : undefined}
              className={cn(
                'flex h-10 items-center gap-2 whitespace-nowrap border-transparent border-b-2 text-muted transition-colors focus-visible:outline-offset-[-2px] hover:text-text',
                item === current && 'border-accent font-medium text-text',
              )}
            >
              {item.label}
              {item.count !== undefined && (
                <span className="rounded-md bg-raised px-1.5 py-0.5 font-normal text-muted text-xs tabular-nums">
                  {formatQuantityShort(item.count)}
                </span>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}

function currentTab(
  items: readonly TabItem[],
  { pathname, search, here }: { pathname: string; search: string; here: string },
): TabItem | undefined {
  const params = new URLSearchParams(search)
  const scored = items.map((item) => ({ item, score: matchScore(item.to, { pathname, params, here }) }))
  return scored.reduce<{ item?: TabItem; score: number }>((best, next) => (next.score > best.score ? next : best), {
    score: -1,
  }).item
}

/** How exactly a target names this page; below zero when it names another. */
function matchScore(
  to: string,
  { pathname, params, here }: { pathname: string; params: URLSearchParams; here: string },
): number {
  const [path = '', query = ''] = to.split('?')
  const target =
    path === '' || path === '.' ? here : path.startsWith('/') ? path : `${here}/${path}`.replace(/\/+/g, '/')
  const trim = (value: string) => value.replace(/\/+$/, '') || '/'
  if (path !== '' && path !== '.' && trim(target) !== trim(pathname)) return -1
  if (query === '' && path.startsWith('/') && trim(target) !== trim(pathname)) return -1
  const wanted = [...new URLSearchParams(query)].filter(([, value]) => value !== '')
  return wanted.every(([name, value]) => params.get(name) === value) ? wanted.length : -1
}
