import { syncBuiltinESMExports } from 'node:module'
import { connect, type Socket } from 'node:net'
import tls from 'node:tls'

/** What a client says when it opens an encrypted connection, as far as we look at it. */
interface Target {
  host?: string
  servername?: string
}

const STRIPE = /(^|\.)stripe\.com$/
/** The hosts of the API; the local Stripe serves all of them on one port. */
const SERVED = ['api.stripe.com', 'meter-events.stripe.com']

/**
 * Until the test is over, whatever this process sends to Stripe's API arrives at a local Stripe, whoever sends it and by
 * whatever client (`node:https`, any agent, `fetch`). No client is configured, changed or told.
 *
 * The one thing replaced is `tls.connect`, the last function of Node that all of them call: for Stripe's hosts it opens a
 * plain connection to the local port. All above it (requests, headers, keep-alive, retries) is the client's own; all that
 * is missing is the encryption. A connection to any other host of Stripe's fails, so that no test leaves the machine.
 *
 * @param t the test, or whatever else ends
 * @param local where the local Stripe listens
 * @returns the hosts connections were asked for, in order
 */
export function redirectStripe(
  t: { after(release: () => void): void },
  local: { host: string; port: number },
): string[] {
  const original = tls.connect
  const sockets = new Set<Socket>()
  const hosts: string[] = []
  tls.connect = ((...given: Parameters<typeof original>) => {
    const host = hostOf(given)
    if (!STRIPE.test(host)) return original(...given)
    hosts.push(host)
    if (!SERVED.includes(host)) throw new Error(`A client connects to ${host}, which the local Stripe does not serve.`)
    const socket = connect(local.port, local.host)
    // Clients wait for the end of the handshake before they send.
    socket.once('connect', () => socket.emit('secureConnect'))
    socket.once('close', () => sockets.delete(socket))
    sockets.add(socket)
    return socket
  }) as typeof original
  syncBuiltinESMExports()
  t.after(() => {
    tls.connect = original
    syncBuiltinESMExports()
    for (const socket of sockets) socket.destroy()
  })
  return hosts
}

/** `tls.connect` takes options, or a port and more. */
function hostOf(given: unknown[]): string {
  for (const one of given) {
    if (typeof one === 'string') return one
    if (typeof one === 'object' && one !== null) return (one as Target).host ?? (one as Target).servername ?? ''
  }
  return ''
}
