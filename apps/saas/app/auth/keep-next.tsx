import type { ComponentProps } from 'react'
import { Link, useLocation } from 'react-router'

/** A link between the pages of signing in that keeps where to go afterwards (`?next=`). */
export function KeepNext({ to, ...rest }: Omit<ComponentProps<typeof Link>, 'to'> & { to: string }) {
  const next = new URLSearchParams(useLocation().search).get('next')
  return <Link {...rest} to={next ? `${to}?${new URLSearchParams({ next })}` : to} />
}
