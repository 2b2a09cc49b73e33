import { type EndpointSchema, endpointFor, endpointKey, requestSchema } from '../schema/schema.ts'
import { ApiError } from './errors.ts'
import type { Ids, Route } from './route.ts'

export interface Found {
  route: Route
  ids: Ids
  /** What the SDK says of the endpoint; undefined for one of an older version's, which the SDK has no method for. */
  schema: EndpointSchema | undefined
}

/** Addresses to what answers them. A literal segment wins over an id. */
export class Router {
  readonly #exact = new Map<string, Route>()
  readonly #patterns = new Map<string, { route: Route; segments: string[] }[]>()

  constructor(routes: Route[]) {
    for (const route of routes) this.#register(route)
  }

  /** @throws ApiError 404 for an address nobody answers */
  find(method: string, path: string): Found {
    const exact = this.#exact.get(`${method} ${path}`)
    if (exact) return { route: exact, ids: {}, schema: schemaOf(exact) }
    const parts = path.split('/')
    for (const { route, segments } of this.#patterns.get(`${method} ${parts.length}`) ?? []) {
      if (!segments.every((segment, i) => segment === parts[i] || (segment.startsWith(':') && parts[i] !== '')))
        continue
      const named = segments.flatMap((segment, i) =>
        segment.startsWith(':') ? [[segment.slice(1), decoded(parts[i]!)]] : [],
      )
      return { route, ids: Object.fromEntries(named), schema: schemaOf(route) }
    }
    throw endpointFor(method, path) !== undefined ? notImplemented(method, path) : unrecognized(method, path)
  }

  #register(route: Route): void {
    if (!route.path.includes(':')) {
      this.#exact.set(`${route.method} ${route.path}`, route)
      return
    }
    const segments = route.path.split('/')
    const slot = `${route.method} ${segments.length}`
    this.#patterns.set(slot, [...(this.#patterns.get(slot) ?? []), { route, segments }])
  }
}

function schemaOf(route: Route): EndpointSchema | undefined {
  return requestSchema.endpoints[endpointKey(route.method, route.path)]
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

function unrecognized(method: string, path: string): ApiError {
  return notFound(
    `Unrecognized request URL (${method}: ${path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`,
  )
}

/** Not Stripe's: it has this endpoint, the local Stripe has not. */
function notImplemented(method: string, path: string): ApiError {
  return notFound(`stripe-local does not implement ${method} ${path} yet; its README lists the endpoints it has.`)
}

function notFound(message: string): ApiError {
  return new ApiError(404, { type: 'invalid_request_error', message }, false)
}
