import Search from 'lucide-react/icons/search'
import { Form, Link, useSearchParams } from 'react-router'
import { Input } from '~/ui/field'

/** Searches the list it stands over, within the current tab. */
export function SearchForm({ label, placeholder }: { label: string; placeholder: string }) {
  const [params] = useSearchParams()
  const search = params.get('search') ?? ''
  const status = params.get('status')
  return (
    <Form role="search" className="flex items-center gap-3 px-5 py-3">
      {status && <input type="hidden" name="status" value={status} />}
      <div className="relative w-full max-w-sm">
        <Search className="pointer-events-none absolute top-2.5 left-2.5 size-4 text-muted" aria-hidden />
        <Input
          key={`${status} ${search}`}
          type="search"
          name="search"
          aria-label={label}
          placeholder={placeholder}
          defaultValue={search}
          className="pl-8.5"
        />
      </div>
      {search !== '' && (
        <Link to={status ? `?status=${status}` : '?'} className="whitespace-nowrap text-accent">
          Clear
        </Link>
      )}
    </Form>
  )
}

/** A list that search or filter has emptied. */
export function NothingFound({ what }: { what: string }) {
  const [params] = useSearchParams()
  const search = params.get('search')
  return (
    <p className="px-5 py-14 text-center text-muted">{search ? `No ${what} match “${search}”.` : `No ${what} here.`}</p>
  )
}
