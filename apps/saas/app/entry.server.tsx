import { PassThrough } from 'node:stream'
import { createReadableStreamFromReadable } from '@react-router/node'
import { isbot } from 'isbot'
import { renderToPipeableStream } from 'react-dom/server'
import {
  type EntryContext,
  type HandleErrorFunction,
  isRouteErrorResponse,
  type RouterContextProvider,
  ServerRouter,
} from 'react-router'
import { servicesContext, visitContext } from 'saas/server/services'

/** How long a page may keep streaming what it promised. */
export const streamTimeout = 10_000

/** Renders a page; it streams from the moment its frame is there, except for robots, which get it whole. */
export default function handleRequest(
  request: Request,
  status: number,
  headers: Headers,
  routerContext: EntryContext,
  context: RouterContextProvider,
): Promise<Response> | Response {
  headers.set('Content-Type', 'text/html; charset=utf-8')
  if (request.method === 'HEAD') return new Response(null, { status, headers })
  const { nonce } = context.get(visitContext)
  const whole = isbot(request.headers.get('user-agent') ?? '')

  return new Promise((resolve, reject) => {
    let answered = false
    const timeout = setTimeout(() => abort(), streamTimeout + 1000)
    const answer = () => {
      answered = true
      const body = new PassThrough({
        final(done) {
          clearTimeout(timeout)
          done()
        },
      })
      resolve(new Response(createReadableStreamFromReadable(body), { status, headers }))
      pipe(body)
    }
    const { pipe, abort } = renderToPipeableStream(
      <ServerRouter context={routerContext} url={request.url} nonce={nonce} />,
      {
        nonce,
        [whole ? 'onAllReady' : 'onShellReady']: answer,
        onShellError(error) {
          clearTimeout(timeout)
          reject(error)
        },
        onError(error) {
          status = 500
          if (answered && !request.signal.aborted) logFailure(context, request, error)
        },
      },
    )
  })
}

/** What a page threw. A missing page is the request log's line and no more. */
export const handleError: HandleErrorFunction = (error, { request, context }) => {
  if (request.signal.aborted || isRouteErrorResponse(error)) return
  logFailure(context, request, error)
}

function logFailure(context: Readonly<RouterContextProvider>, { method, url }: Request, error: unknown) {
  const { log } = context.get(servicesContext)
  const facts = { request: context.get(visitContext).id, page: `${method} ${new URL(url).pathname}` }
  log.error({ ...facts, error: error instanceof Error ? error.stack : String(error) }, 'a page failed')
}
