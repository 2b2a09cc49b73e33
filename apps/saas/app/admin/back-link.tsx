import ArrowLeft from 'lucide-react/icons/arrow-left'
import { Link } from 'react-router'

/** From one thing to the list it is in. */
export function BackLink({ to, children }: { to: string; children: string }) {
  return (
    <Link to={to} className="mb-3 inline-flex items-center gap-1.5 text-muted hover:text-text">
      <ArrowLeft className="size-4" aria-hidden /> {children}
    </Link>
  )
}
