import { isIP } from 'node:net'

/** Names that nobody can register. */
const UNREGISTERED = ['localhost', 'test', 'local', 'internal', 'home.arpa']

/**
 * Answers web pages only where they are at home. Any site can have its own name lead to this machine, and its script would
 * then read the dashboard and the secret key on it as its own page. The API needs no such care: it asks for the key.
 *
 * @param own the name it was told to listen on
 */
export function atHome(
  fetch: (request: Request) => Promise<Response>,
  own: string,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const { hostname, pathname } = new URL(request.url)
    if (/^\/v[12]\//.test(pathname) || hostname === own || isHome(hostname)) return await fetch(request)
    return new Response(
      `stripe-local shows its pages on this machine only, not as ${hostname}. Open them by an IP address or as localhost, or start it with --host ${hostname}.\n`,
      { status: 403, headers: { 'content-type': 'text/plain; charset=utf-8' } },
    )
  }
}

/** An IP address, a name without a dot (a container's), one that nobody can register, or Stripe's, led here on purpose. */
function isHome(hostname: string): boolean {
  if (isIP(hostname.replace(/^\[|\]$/g, '')) !== 0 || !hostname.includes('.')) return true
  return [...UNREGISTERED, 'stripe.com'].some((name) => hostname.endsWith(`.${name}`))
}
