import { setTimeout } from 'node:timers/promises'
import { requirePayer } from 'saas/server/payer'
import { type Services, servicesContext } from 'saas/server/services'
import type { Route } from './+types/live'
import { glance, readStanding, toJson, withCharges } from './standing.ts'

const LOOK_EVERY_MS = 500
/** Says that nothing has changed, so that the page can tell a quiet connection from a dead one. */
const ALIVE_EVERY_MS = 10_000
/** The browser then connects anew, and is asked again who it is. */
const STREAM_MS_MAX = 5 * 60_000

/** The payer's standing as JSON; as a stream of events (`standing`, `alive`) where the browser asks for one. */
export async function loader(args: Route.LoaderArgs) {
  const { customer } = await requirePayer(args)
  const services = args.context.get(servicesContext)
  // An EventSource that is answered 204 does not come back: there is nothing to follow yet.
  if (!customer) return new Response(null, { status: 204 })
  if (!args.request.headers.get('accept')?.includes('text/event-stream')) {
    return respond(toJson(await readStanding(services, customer.id)), 'application/json')
  }
  const signal = AbortSignal.any([args.request.signal, AbortSignal.timeout(STREAM_MS_MAX)])
  return respond(streamOf(standingEvents(services, customer.id, signal)), 'text/event-stream')
}

async function* standingEvents(
  services: Services,
  customerId: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let known = ''
  let toldAt = 0
  while (!signal.aborted) {
    const seen = await glance(services, customerId)
    const state = toJson(seen)
    const now = Date.now()
    const changed = state !== known
    if (changed) yield event('standing', await withCharges(services, seen))
    else if (now - toldAt >= ALIVE_EVERY_MS) yield event('alive', services.clock())
    else {
      await setTimeout(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
      continue
    }
    known = state
    toldAt = now
  }
}

function streamOf(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: async (controller) => {
      const { value, done } = await chunks.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: async () => {
      await chunks.return(undefined)
    },
  })
}

function event(name: 'standing' | 'alive', data: unknown): Uint8Array {
  return new TextEncoder().encode(`retry: 1000\nevent: ${name}\ndata: ${toJson(data)}\n\n`)
}

function respond(body: string | ReadableStream<Uint8Array>, type: string): Response {
  // nginx would otherwise keep the events back until its buffer is full.
  return new Response(body, {
    headers: { 'content-type': type, 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
  })
}
