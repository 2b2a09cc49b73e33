import { data, type RouterContextProvider, redirect } from 'react-router'
import { CLIENT_ADDRESS_HEADER } from './auth.ts'
import { servicesContext, visitContext } from './services.ts'

export interface SessionUser {
  id: string
  name: string
  email: string
  emailVerified: boolean
  role: 'admin' | 'user'
  twoFactorEnabled: boolean
  image: string | null
}

export interface Session {
  id: string
  token: string
  /** The administrator who looks at the app as this user, else null. */
  impersonatedBy: string | null
  user: SessionUser
}

/** The part of a loader's or an action's arguments that the server needs. */
export interface PageArgs {
  request: Request
  params: Record<string, string | undefined>
  context: Readonly<RouterContextProvider>
  url: URL
}

/** All loaders of one request ask the database once. */
const sessions = new WeakMap<Readonly<RouterContextProvider>, Promise<Session | null>>()

/** Whoever sent this request; read from the database, so a revoked session or a lost role counts at once. */
export function sessionOf({ request, context }: Pick<PageArgs, 'request' | 'context'>): Promise<Session | null> {
  const known = sessions.get(context)
  if (known) return known
  const asked = readSession(context, request)
  sessions.set(context, asked)
  return asked
}

/** For an action that has changed the user: the loaders that follow in the same request read anew. */
export function forgetSession({ context }: Pick<PageArgs, 'context'>): void {
  sessions.delete(context)
}

/** The user who is signed in, else null. */
export async function optionalUser(args: Pick<PageArgs, 'request' | 'context'>): Promise<SessionUser | null> {
  return (await sessionOf(args))?.user ?? null
}

/** The user who is signed in. @throws a redirect to the sign-in page, or 401 for who asks for JSON */
export async function requireUser(args: PageArgs): Promise<SessionUser> {
  const user = await optionalUser(args)
  if (user) return user
  if (wantsJson(args.request)) throw Response.json({ error: 'Sign in first.' }, { status: 401 })
  throw redirect(`/login?next=${encodeURIComponent(args.url.pathname + args.url.search)}`)
}

/** The administrator who is signed in. @throws 404 for everyone else: what is not yours does not show that it exists */
export async function requireAdmin(args: PageArgs): Promise<SessionUser> {
  const user = await requireUser(args)
  if (user.role !== 'admin') throw notFound()
  return user
}

/** For `throw`: the page of a missing thing. */
export function notFound() {
  return data(null, { status: 404, statusText: 'Not Found' })
}

/** A program rather than a person at a page: it gets a status and JSON instead of a redirect. */
export function wantsJson({ headers }: Request): boolean {
  const accept = headers.get('accept') ?? ''
  const isJson = headers.get('content-type')?.includes('application/json') ?? false
  return isJson || accept.includes('application/json') || accept.includes('text/event-stream')
}

/** The page to go to after signing in; anything but a path of ours becomes the app's first page. */
export function nextPage(url: URL): string {
  const next = url.searchParams.get('next') ?? ''
  return /^\/(?![/\\])/.test(next) ? next : '/app'
}

async function readSession(context: Readonly<RouterContextProvider>, request: Request): Promise<Session | null> {
  const { auth } = context.get(servicesContext)
  const { headers, response } = await auth.api.getSession({
    headers: authHeaders(context, request),
    query: { disableCookieCache: true },
    returnHeaders: true,
  })
  // A session that was prolonged renews its cookie.
  context.get(visitContext).cookies.push(...headers.getSetCookie())
  if (!response) return null
  const { session, user } = response
  return {
    id: session.id,
    token: session.token,
    impersonatedBy: session.impersonatedBy ?? null,
    user: {
      id: user.id,
      name: user.name,
      email: user.email,
      emailVerified: user.emailVerified,
      role: user.role === 'admin' ? 'admin' : 'user',
      twoFactorEnabled: user.twoFactorEnabled ?? false,
      image: user.image ?? null,
    },
  }
}

/** What better-auth should see of a request. */
export function authHeaders(context: Readonly<RouterContextProvider>, request: Request): Headers {
  const headers = new Headers()
  for (const name of ['cookie', 'user-agent']) {
    const value = request.headers.get(name)
    if (value) headers.set(name, value)
  }
  headers.set(CLIENT_ADDRESS_HEADER, context.get(visitContext).address)
  headers.set('origin', context.get(servicesContext).appUrl)
  return headers
}
