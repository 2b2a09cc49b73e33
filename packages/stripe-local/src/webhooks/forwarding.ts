import type { Account } from '../account.ts'
import { refuse } from '../http/errors.ts'
import { newId, newSecret } from '../identifier.ts'
import type { EventDestination, WebhookEndpoint } from './endpoint.ts'
import { API_VERSION } from './events.ts'

/** Addresses that are told of everything, without an endpoint made by the API. */
export interface ForwardTo {
  /** Receives all snapshot events. */
  snapshot?: string
  /** Receives all thin events. */
  thin?: string
}

const DESCRIPTION = 'Made by stripe-local to forward all events.'

/**
 * Keeps one endpoint for each kind of event, at the address given now; without one it is disabled, so that forwarding lasts
 * as long as it is asked for. The secrets were drawn when the state began and stay.
 *
 * @throws ApiError for what is no address
 */
export function forward(account: Account, to: ForwardTo): { snapshot: string; thin: string } {
  const secrets = { snapshot: secretOf(account, 'forward_secret'), thin: secretOf(account, 'forward_thin_secret') }
  account.db.transaction(() => {
    forwardSnapshots(account, to.snapshot, secrets.snapshot)
    forwardThin(account, to.thin, secrets.thin)
  })
  return secrets
}

function secretOf({ db }: Account, name: string): string {
  const kept = db.setting(name)
  if (kept !== undefined) return kept
  const made = newSecret('whsec')
  db.writeSetting(name, made)
  return made
}

function forwardSnapshots(account: Account, url: string | undefined, secret: string): void {
  const id = account.db.setting('forward_endpoint')
  const kept = id === undefined ? undefined : account.objects.find<WebhookEndpoint>('webhook_endpoint', id)
  if (url === undefined) {
    if (kept) account.objects.save<WebhookEndpoint>({ ...kept, status: 'disabled' })
    return
  }
  checkAddress(url)
  if (kept) {
    account.objects.save<WebhookEndpoint>({ ...kept, url, status: 'enabled' })
    return
  }
  const made = account.objects.insert<WebhookEndpoint>({
    id: newId('we'),
    object: 'webhook_endpoint',
    api_version: API_VERSION,
    application: null,
    created: account.seconds(),
    description: DESCRIPTION,
    enabled_events: ['*'],
    livemode: false,
    metadata: {},
    status: 'enabled',
    url,
    _secret: secret,
  })
  account.db.writeSetting('forward_endpoint', made.id)
}

function forwardThin(account: Account, url: string | undefined, secret: string): void {
  const id = account.db.setting('forward_destination')
  const kept = id === undefined ? undefined : account.objects.find<EventDestination>('v2.core.event_destination', id)
  if (url === undefined) {
    if (kept) account.objects.save<EventDestination>({ ...kept, status: 'disabled' })
    return
  }
  checkAddress(url)
  if (kept) {
    account.objects.save<EventDestination>({ ...kept, _url: url, status: 'enabled' })
    return
  }
  const created = account.seconds()
  const made = account.objects.insert<EventDestination>({
    id: newId(account.livemode ? 'ed' : 'ed_test'),
    object: 'v2.core.event_destination',
    created,
    description: DESCRIPTION,
    enabled_events: ['*'],
    event_payload: 'thin',
    livemode: false,
    metadata: {},
    name: 'stripe-local',
    snapshot_api_version: null,
    status: 'enabled',
    type: 'webhook_endpoint',
    updated: created,
    _url: url,
    _secret: secret,
  })
  account.db.writeSetting('forward_destination', made.id)
}

function checkAddress(url: string): void {
  const scheme = URL.canParse(url) ? new URL(url).protocol : ''
  if (scheme === 'http:' || scheme === 'https:') return
  throw refuse(`Events cannot be forwarded to "${url}". Give a whole address, such as http://localhost:4000/webhooks.`)
}
