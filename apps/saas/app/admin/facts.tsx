import type { ReactNode } from 'react'
import { Fragment } from 'react'

/** What is known of one thing: a name and a value on each line. */
export function Facts({ facts }: { facts: [name: string, value: ReactNode][] }) {
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-2.5">
      {facts.map(([name, value]) => (
        <Fragment key={name}>
          <dt className="text-muted">{name}</dt>
          <dd className="min-w-0 break-words text-right tabular-nums">
            {value ?? <span className="text-muted">–</span>}
          </dd>
        </Fragment>
      ))}
    </dl>
  )
}
