import type { ReactNode } from 'react'
import { Card } from '../ui/card.tsx'

/** A page's one form with its heading; `below` is the way to the neighbouring page. */
export function AuthCard({
  title,
  description,
  children,
  below,
}: {
  title: string
  description?: ReactNode
  children: ReactNode
  below?: ReactNode
}) {
  return (
    <>
      <Card className="p-6">
        <h1 className="font-medium text-xl tracking-tight">{title}</h1>
        {description && <p className="mt-1 text-pretty text-muted">{description}</p>}
        <div className="mt-5">{children}</div>
      </Card>
      {below && <p className="mt-5 text-center text-muted">{below}</p>}
    </>
  )
}

/** The look of a link within a sentence. */
export const textLink = 'font-medium text-accent underline-offset-2 hover:underline'
