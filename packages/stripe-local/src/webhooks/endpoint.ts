import { newSecret } from '../identifier.ts'
import type { Objects, Stored } from '../objects.ts'
import type { Timeline } from '../timeline.ts'

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
  _rolled?: RolledSecret
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
  _rolled?: RolledSecret
}

/** The secret before the present one, in force until then. */
interface RolledSecret {
  secret: string
  until_ms: number
}

/** Whether an endpoint's `enabled_events` cover a type: by its name, or by `*` for all. */
export function covers(enabledEvents: string[], type: string): boolean {
  return enabledEvents.includes('*') || enabledEvents.includes(type)
}

const OLD_SECRET_MS_MAX = 24 * 60 * 60 * 1000

/**
 * Gives an endpoint a new secret, as its page in the Dashboard does. The old one stays in force for as long as asked, at
 * most a day; until then every delivery carries a signature by each.
 *
 * @returns the new secret @throws RangeError
 */
export function rollSecret(
  account: { objects: Objects; timeline: Timeline },
  id: string,
  oldInForceMs: number,
): string {
  if (oldInForceMs < 0 || oldInForceMs > OLD_SECRET_MS_MAX) {
    throw new RangeError(`A rolled secret stays in force for 0 to ${OLD_SECRET_MS_MAX} ms; got ${oldInForceMs}.`)
  }
  const endpoint = account.objects.any(id) as WebhookEndpoint | EventDestination | undefined
  if (!endpoint?._secret) throw new RangeError(`There is no webhook endpoint or event destination ${id}.`)
  const secret = newSecret('whsec')
  const rolled = { secret: endpoint._secret, until_ms: account.timeline.nowMs() + oldInForceMs }
  account.objects.save({ ...endpoint, _secret: secret, _rolled: rolled })
  return secret
}

/** All secrets that sign now. */
export function secretsOf({ _secret, _rolled }: WebhookEndpoint | EventDestination, nowMs: number): string[] {
  return _rolled && _rolled.until_ms > nowMs ? [_secret, _rolled.secret] : [_secret]
}
