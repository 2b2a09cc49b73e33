import type { Objects } from '../objects.ts'
import { covers, type EventDestination, type WebhookEndpoint } from './endpoint.ts'

export interface Listener {
  /** The endpoint's or destination's id. */
  id: string
  url: string
}

/** Who wants to hear of a type of event. Asked at every event, answered anew only after an endpoint has changed. */
export class Listeners {
  readonly #objects: Objects
  readonly #known = { snapshot: new Map<string, Listener[]>(), thin: new Map<string, Listener[]>() }
  #endpoints: WebhookEndpoint[] = []
  #destinations: EventDestination[] = []
  #age = -1

  constructor(objects: Objects) {
    this.#objects = objects
  }

  of(form: 'snapshot' | 'thin', type: string): Listener[] {
    this.#refresh()
    const known = this.#known[form].get(type)
    if (known) return known
    const found = [
      ...this.#endpoints
        .filter(({ enabled_events: types }) => form === 'snapshot' && covers(types, type))
        .map(({ id, url }) => ({ id, url })),
      ...this.#destinations
        .filter(({ event_payload: payload, enabled_events: types }) => payload === form && covers(types, type))
        .map(({ id, _url: url }) => ({ id, url })),
    ]
    this.#known[form].set(type, found)
    return found
  }

  /** Whether anybody wants thin events at all. */
  get hasThin(): boolean {
    this.#refresh()
    return this.#destinations.some(({ event_payload: payload }) => payload === 'thin')
  }

  #refresh(): void {
    const age = this.#objects.changes('webhook_endpoint') + this.#objects.changes('v2.core.event_destination')
    if (age === this.#age) return
    this.#age = age
    this.#known.snapshot.clear()
    this.#known.thin.clear()
    this.#endpoints = this.#objects.all<WebhookEndpoint>('webhook_endpoint', { '$.status': 'enabled' })
    this.#destinations = this.#objects.all<EventDestination>('v2.core.event_destination', { '$.status': 'enabled' })
  }
}
