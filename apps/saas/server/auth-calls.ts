import { servicesContext, visitContext } from './services.ts'
import { authHeaders, type PageArgs } from './session.ts'

/** What better-auth answered; cookies it wanted to set are already on their way to the browser. */
export type AuthAnswer =
  | { ok: true; body: Record<string, unknown> }
  | { ok: false; status: number; code: string | null; message: string }

type Caller = Pick<PageArgs, 'request' | 'context'>

/**
 * Sends a form to better-auth as a browser would, so that its rate limits count it. For everything that somebody who
 * is not signed in may try: passwords, codes, registrations.
 */
export async function submitToAuth(args: Caller, path: string, body: Record<string, unknown>): Promise<AuthAnswer> {
  const { auth, appUrl } = args.context.get(servicesContext)
  const headers = authHeaders(args.context, args.request)
  headers.set('content-type', 'application/json')
  return authAnswer(
    args,
    auth.handler(new Request(`${appUrl}/api/auth${path}`, { method: 'POST', headers, body: JSON.stringify(body) })),
  )
}

/**
 * Settles a call of `auth.api` made with `asResponse: true`.
 *
 * @example await authAnswer(args, auth.api.updateUser({ body: { name }, headers: authHeaders(…), asResponse: true }))
 */
export async function authAnswer({ context }: Caller, answer: Promise<Response>): Promise<AuthAnswer> {
  const response = await answer
  context.get(visitContext).cookies.push(...response.headers.getSetCookie())
  const body = (await response.json().catch(() => null)) as Record<string, unknown> | null
  if (response.ok) return { ok: true, body: body ?? {} }
  if (response.status >= 500)
    context.get(servicesContext).log.error({ status: response.status, body }, 'better-auth could not answer')
  return { ok: false, status: response.status, code: text(body?.code), message: sentence(response, body) }
}

function sentence(response: Response, body: Record<string, unknown> | null): string {
  if (response.status === 429) {
    const seconds = response.headers.get('x-retry-after') ?? '60'
    return `That was tried too often. Wait ${seconds} seconds, then try again.`
  }
  if (response.status >= 500) return 'Something went wrong on our side. Nothing was changed; try again in a moment.'
  const message = text(body?.message) ?? 'That was refused.'
  return /[.!?]$/.test(message) ? message : `${message}.`
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
