import { servicesContext, visitContext } from './services.ts'
import { authHeaders, type PageArgs } from './session.ts'

/** What better-auth answered; cookies it wanted to set are already on their way to the browser. */
export type AuthAnswer =
  | { ok: true; body: Record<string, unknown> }
  | { ok: false; status: number; code: string | null; message: string }

/**
 * Sends a form to better-auth as a browser would: its rate limits count it, its own checks of who may do what apply, and
 * cookies it sets go into the page's answer.
 *
 * @param path below `/api/auth`, e.g. `/sign-in/email`
 */
export async function submitToAuth(
  { request, context }: Pick<PageArgs, 'request' | 'context'>,
  path: string,
  body: Record<string, unknown>,
): Promise<AuthAnswer> {
  const { auth, appUrl, log } = context.get(servicesContext)
  const headers = authHeaders(context, request)
  headers.set('content-type', 'application/json')
  const response = await auth.handler(
    new Request(`${appUrl}/api/auth${path}`, { method: 'POST', headers, body: JSON.stringify(body) }),
  )
  context.get(visitContext).cookies.push(...response.headers.getSetCookie())
  const answer = (await response.json().catch(() => null)) as Record<string, unknown> | null
  if (response.ok) return { ok: true, body: answer ?? {} }
  if (response.status >= 500) log.error({ status: response.status, path, answer }, 'better-auth could not answer')
  return { ok: false, status: response.status, code: text(answer?.code), message: sentence(response, answer) }
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
