import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { type AddressInfo, isIPv6 } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { ConnectionCut } from './api.ts'

export interface Listening {
  url: string
  host: string
  port: number
  /** Ends open connections as well. */
  close: () => Promise<void>
}

/** Serves `fetch` on a port. @throws Error when it is taken and `strictPort` is not false */
export async function listen(
  fetch: (request: Request) => Promise<Response>,
  options: { port?: number; strictPort?: boolean; host?: string },
): Promise<Listening> {
  const host = options.host ?? '127.0.0.1'
  const server = createServer(
    getRequestListener(async (request, { incoming }) => {
      try {
        return await fetch(request)
      } catch (error) {
        if (!(error instanceof ConnectionCut)) throw error
        ;(incoming as IncomingMessage).socket.destroy()
        return new Response(null, { status: 499 })
      }
    }) as (incoming: IncomingMessage, outgoing: ServerResponse) => void,
  )
  const tryPort = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, () => {
        server.off('error', reject)
        resolve()
      })
    })
  const wanted = options.port ?? 0
  await tryPort(wanted).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error
    if (options.strictPort !== false) {
      throw new Error(`stripe-local: port ${wanted} on ${host} is taken. Name another, or let it take any free one.`, {
        cause: error,
      })
    }
    return tryPort(0)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    host,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
