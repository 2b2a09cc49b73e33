import { Link } from 'react-router'
import { CopyButton } from './copy-button.tsx'
import { shortenMiddle } from './shorten.ts'

/** An id, shortened in the middle, whole on hover, with a copy button; `to` makes it a link, `copy={false}` leaves the button out. */
export function ShortId({
  id,
  to,
  copy = true,
  className,
}: {
  id: string
  to?: string
  copy?: boolean
  className?: string
}) {
  const shown = (
    <code title={id} className="text-xs">
      {shortenMiddle(id)}
    </code>
  )
  return (
    <span className={`inline-flex items-center gap-0.5 whitespace-nowrap${className ? ` ${className}` : ''}`}>
      {to ? (
        <Link to={to} className="hover:text-accent">
          {shown}
        </Link>
      ) : (
        shown
      )}
      {copy && <CopyButton text={id} label={`Copy ${id}`} />}
    </span>
  )
}
