import { Autocomplete } from '@base-ui/react/autocomplete'
import { Dialog } from '@base-ui/react/dialog'
import Search from 'lucide-react/icons/search'
import { useEffect, useMemo, useState } from 'react'
import { useFetcher, useNavigate } from 'react-router'
import { menuOf, type Viewer } from './navigation.ts'
import type { loader, PaletteGroup, PaletteItem } from './palette.ts'

/** Base UI's shape of a group, and an item that knows whether to leave the router. */
interface Group {
  value: string
  items: Item[]
}

type Item = PaletteItem & { external?: boolean }

/** How long to wait for the next letter before asking the server. */
const pauseMs = 120

/** Opens the palette over pages, organizations, customers and events; so do ⌘K and Ctrl K. */
export function PaletteButton({ viewer }: { viewer: Viewer }) {
  const [open, setOpen] = useState(false)
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.metaKey || event.ctrlKey) || event.altKey || event.shiftKey) return
      event.preventDefault()
      setOpen((was) => !was)
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
  return (
    <Dialog.Root open={open} onOpenChange={setOpen}>
      <Dialog.Trigger className="noscript:hidden flex h-8 items-center gap-2 rounded-lg border bg-surface px-2.5 text-muted transition-colors hover:border-border-strong hover:text-text max-sm:border-transparent max-sm:bg-transparent">
        <Search className="size-4 shrink-0" aria-hidden />
        <span className="max-sm:sr-only">Search</span>
        <kbd className="ml-3 rounded border px-1 text-xs max-lg:hidden" aria-hidden>
          ⌘K
        </kbd>
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-black/45 transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0" />
        <Dialog.Popup
          aria-label="Search"
          className="fixed top-[min(6rem,10dvh)] left-1/2 z-50 flex max-h-[min(32rem,80dvh)] w-[min(36rem,calc(100vw-2rem))] -translate-x-1/2 flex-col overflow-hidden rounded-card border bg-popover shadow-float outline-none transition-opacity data-ending-style:opacity-0 data-starting-style:opacity-0"
        >
          <Palette viewer={viewer} onDone={() => setOpen(false)} />
          <Dialog.Close className="sr-only">Close the search</Dialog.Close>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

function Palette({ viewer, onDone }: { viewer: Viewer; onDone: () => void }) {
  const navigate = useNavigate()
  const fetcher = useFetcher<typeof loader>()
  const [query, setQuery] = useState('')
  const { load } = fetcher
  useEffect(() => {
    const timer = setTimeout(() => load(`/palette?q=${encodeURIComponent(query)}`), query === '' ? 0 : pauseMs)
    return () => clearTimeout(timer)
  }, [load, query])

  const groups = useMemo(
    () => [...pagesMatching(viewer, query), ...asGroups(fetcher.data ?? [])],
    [viewer, query, fetcher.data],
  )
  const go = ({ to, external }: Item) => {
    onDone()
    if (external) window.location.assign(to)
    else navigate(to)
  }
  return (
    <Autocomplete.Root
      open
      inline
      items={groups}
      filter={null}
      value={query}
      onValueChange={(value, { reason }) => {
        if (reason !== 'item-press') setQuery(value)
      }}
      itemToStringValue={(item: Item) => item.label}
      autoHighlight="always"
      keepHighlight
    >
      <div className="flex h-12 shrink-0 items-center gap-3 border-b px-4">
        <Search className="size-4 shrink-0 text-muted" aria-hidden />
        <Autocomplete.Input
          aria-label="Search pages, organizations, customers and events"
          placeholder={viewer.isAdmin ? 'Pages, organizations, customers, events' : 'Pages and organizations'}
          className="h-full min-w-0 flex-1 bg-transparent text-base outline-none"
        />
      </div>
      <div className="min-h-24 overflow-y-auto overscroll-contain p-2">
        <Autocomplete.Empty>
          <p className="px-3 py-6 text-center text-muted">
            {fetcher.state === 'idle' && query !== '' ? `Nothing is called “${query}”.` : 'Searching…'}
          </p>
        </Autocomplete.Empty>
        <Autocomplete.List>
          {(group: Group) => (
            <Autocomplete.Group key={group.value} items={group.items} className="mb-2 last:mb-0">
              <Autocomplete.GroupLabel className="px-2.5 py-1.5 text-muted text-xs">
                {group.value}
              </Autocomplete.GroupLabel>
              <Autocomplete.Collection>
                {(item: Item) => (
                  <Autocomplete.Item
                    key={item.to}
                    value={item}
                    onClick={() => go(item)}
                    className="flex min-h-9 cursor-pointer select-none items-center gap-4 rounded-md px-2.5 outline-none data-highlighted:bg-raised"
                  >
                    <span className="min-w-0 flex-1 truncate">{item.label}</span>
                    {item.detail && <span className="max-w-[50%] truncate text-muted text-xs">{item.detail}</span>}
                  </Autocomplete.Item>
                )}
              </Autocomplete.Collection>
            </Autocomplete.Group>
          )}
        </Autocomplete.List>
      </div>
    </Autocomplete.Root>
  )
}

/** The menus' pages and the account's, without asking anybody. */
function pagesMatching(viewer: Viewer, query: string): Group[] {
  const account: Item[] = [
    { label: 'Profile', to: '/app/users/profile' },
    { label: 'Two-factor authentication', to: '/app/users/two-factor-authentication' },
    { label: 'Sessions', to: '/app/users/sessions' },
    { label: 'New organization', to: '/app/organizations/new' },
  ]
  const sections: Group[] = menuOf(viewer).map(({ label, links }) => ({
    value: label ?? 'Pages',
    items: links.map(({ label, to, external }) => ({ label, to, external })),
  }))
  const wanted = query.trim().toLowerCase()
  return [...sections, { value: 'Account', items: account }]
    .map(({ value, items }) => ({
      value,
      items: items.filter(({ label }) => `${value} ${label}`.toLowerCase().includes(wanted)),
    }))
    .filter(({ items }) => items.length > 0)
}

function asGroups(found: PaletteGroup[]): Group[] {
  return found.map(({ label, items }) => ({ value: label, items }))
}
