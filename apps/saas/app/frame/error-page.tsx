import { isRouteErrorResponse, useLocation } from 'react-router'
import { buttonClass, LinkButton } from '../ui/button.tsx'
import { Highlighted } from '../ui/code-block.tsx'

interface Words {
  code: string
  title: string
  text: string
}

/** What went wrong, that nothing was lost, and the way on. The cause itself is shown in development only. */
export function ErrorPage({ error, framed = false }: { error: unknown; framed?: boolean }) {
  const { pathname, search } = useLocation()
  const words = wordsFor(error)
  // Within the frame there is a main already.
  const Main = framed ? 'div' : 'main'
  const stack = import.meta.env.DEV && error instanceof Error ? error.stack : undefined
  return (
    <Main
      id={framed ? undefined : 'main'}
      className="mx-auto flex min-h-[70dvh] max-w-xl flex-col justify-center px-6 py-16"
    >
      <p className="font-mono text-muted tabular-nums">{words.code}</p>
      <h1 className="mt-2 font-medium text-3xl tracking-tight">{words.title}</h1>
      <p className="mt-3 text-pretty text-base text-muted">{words.text}</p>
      <div className="mt-7 flex flex-wrap gap-2.5">
        {words.code === '500' && (
          <a href={pathname + search} className={buttonClass({ variant: 'primary' })}>
            Try again
          </a>
        )}
        <LinkButton to="/app" variant={words.code === '500' ? 'secondary' : 'primary'}>
          Go to my pages
        </LinkButton>
        <LinkButton to="/" variant="ghost">
          Front page
        </LinkButton>
      </div>
      {stack && (
        <div className="mt-8 overflow-hidden rounded-card border bg-surface">
          <Highlighted text={stack} language="text" label="Stack" />
        </div>
      )}
    </Main>
  )
}

/** The document's title for an error. */
export function errorTitle(error: unknown): string {
  return wordsFor(error).title
}

function wordsFor(error: unknown): Words {
  if (!isRouteErrorResponse(error)) return internal
  const said = sentence(error.data)
  switch (error.status) {
    case 404:
      return {
        code: '404',
        title: 'There is no page here',
        text: said ?? 'The address may be mistyped, or what it led to is not yours to see or no longer exists.',
      }
    case 401:
    case 403:
      return {
        code: String(error.status),
        title: 'This is not for your role',
        text: said ?? 'An owner or admin of the organization can do this, or give you the role that may.',
      }
    case 402:
      return { code: '402', title: 'A plan is needed for this', text: said ?? 'Subscribe to a plan, then come back.' }
    case 429:
      return { code: '429', title: 'Too many tries', text: said ?? 'Wait a minute, then try once more.' }
    default:
      return error.status >= 500
        ? { ...internal, text: said ?? internal.text }
        : {
            code: String(error.status),
            title: 'That did not work',
            text: said ?? 'Nothing was changed. Go back and try again.',
          }
  }
}

const internal: Words = {
  code: '500',
  title: 'Something broke on our side',
  text: 'What you did may not have been saved; usage already recorded is safe and will be billed once. Try again in a moment.',
}

/** The sentence a page threw along: a string, or `{ message }`. */
function sentence(data: unknown): string | undefined {
  if (typeof data === 'string' && data.trim() && data.length < 400 && !data.startsWith('Error: ')) return data
  if (typeof data === 'object' && data !== null && 'message' in data && typeof data.message === 'string')
    return data.message
  return undefined
}
