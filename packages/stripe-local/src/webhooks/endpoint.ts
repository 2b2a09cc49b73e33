import type { Stored } from '../objects.ts'

/** Where snapshot events go. */
export interface WebhookEndpoint extends Stored {
  object: 'webhook_endpoint'
  api_version: string | null
  application: null
  description: string | null
  enabled_events: string[]
  livemode: false
  metadata: { [key: string]: string }
  status: 'enabled' | 'disabled'
  url: string
  _secret: string
}

/** Where thin events go, or snapshot events for who prefers the v2 API. */
export interface EventDestination extends Stored {
  object: 'v2.core.event_destination'
  description: string
  enabled_events: string[]
  event_payload: 'thin' | 'snapshot'
  livemode: false
  metadata: { [key: string]: string }
  name: string
  snapshot_api_version: string | null
  status: 'enabled' | 'disabled'
  type: 'webhook_endpoint'
  updated: number
  _url: string
  _secret: string
}

/** Whether an endpoint's `enabled_events` cover a type: by its name, or by `*` for all. */
export function covers(enabledEvents: string[], type: string): boolean {
  return enabledEvents.includes('*') || enabledEvents.includes(type)
}
