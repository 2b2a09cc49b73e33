import type { Kind, Wire } from '../account.ts'
import { refuse } from '../http/errors.ts'
import { integer, list, mergedMetadata, metadata, oneOf, required, shape, text } from '../http/params.ts'
import { route } from '../http/route.ts'
import { newId, newSecret } from '../identifier.ts'
import type { EventDestination } from '../webhooks/endpoint.ts'
import { API_VERSION, checkEventTypes } from '../webhooks/events.ts'
import { iso } from './meter-events.ts'
import { checkUrl, checkVersion } from './webhook-endpoints.ts'

export const eventDestination: Kind = {
  type: 'v2.core.event_destination',
  noun: 'event destination',
  present: (_account, stored: EventDestination) => presentDestination(stored, []),
}

/** The secret is shown in the answer to create alone. */
const included = ['webhook_endpoint.signing_secret', 'webhook_endpoint.url'] as const
const includeAtCreation = list(oneOf(...included))
const include = list(oneOf(included[1]))
type Include = (typeof included)[number][]

/** Secret and address are shown only when asked for. */
function presentDestination(stored: EventDestination, shown: Include): Wire {
  return {
    id: stored.id,
    object: stored.object,
    created: iso(stored.created),
    description: stored.description,
    enabled_events: stored.enabled_events,
    event_payload: stored.event_payload,
    events_from: ['@self'],
    livemode: false,
    metadata: stored.metadata,
    name: stored.name,
    ...(stored.snapshot_api_version !== null && { snapshot_api_version: stored.snapshot_api_version }),
    status: stored.status,
    ...(stored.status === 'disabled' && { status_details: { disabled: { reason: 'user' } } }),
    type: stored.type,
    updated: iso(stored.updated),
    webhook_endpoint: {
      ...(shown.includes('webhook_endpoint.signing_secret') && { signing_secret: stored._secret }),
      ...(shown.includes('webhook_endpoint.url') && { url: stored._url }),
    },
  }
}

export const eventDestinationRoutes = [
  route(
    'POST',
    '/v2/core/event_destinations',
    {
      name: required(text()),
      type: required(oneOf('amazon_eventbridge', 'azure_event_grid', 'webhook_endpoint')),
      event_payload: required(oneOf('snapshot', 'thin')),
      enabled_events: required(list(text())),
      description: text(),
      events_from: list(oneOf('@self', '@accounts', '@organization_members', '@organization_members/@accounts')),
      include: includeAtCreation,
      metadata: metadata(),
      snapshot_api_version: text(),
      webhook_endpoint: shape({ url: required(text()) }),
    },
    (account, params) => {
      if (params.type !== 'webhook_endpoint') {
        throw refuse(`stripe-local delivers to webhook endpoints only, not to ${params.type}.`, { param: 'type' })
      }
      if (params.events_from?.some((scope) => scope !== '@self')) {
        throw refuse('stripe-local has one account: `events_from` can only be `@self`.', { param: 'events_from' })
      }
      const url = params.webhook_endpoint?.url
      if (url === undefined)
        throw refuse('Missing required param: webhook_endpoint.', {
          code: 'parameter_missing',
          param: 'webhook_endpoint',
        })
      checkUrl(url, 'webhook_endpoint.url')
      checkEventTypes(params.enabled_events, params.event_payload)
      checkVersion(params.snapshot_api_version, 'snapshot_api_version')
      if (params.event_payload === 'thin' && params.snapshot_api_version !== undefined) {
        throw refuse('`snapshot_api_version` may only be given when `event_payload` is `snapshot`.', {
          param: 'snapshot_api_version',
        })
      }
      const created = account.seconds()
      const made = account.create<EventDestination>({
        id: newId(account.livemode ? 'ed' : 'ed_test'),
        object: 'v2.core.event_destination',
        created,
        description: params.description ?? '',
        enabled_events: params.enabled_events,
        event_payload: params.event_payload,
        livemode: false,
        metadata: mergedMetadata({}, params.metadata),
        name: params.name,
        snapshot_api_version: params.event_payload === 'snapshot' ? (params.snapshot_api_version ?? API_VERSION) : null,
        status: 'enabled',
        type: 'webhook_endpoint',
        updated: created,
        _url: url,
        _secret: newSecret('whsec'),
      })
      return presentDestination(made, params.include ?? [])
    },
  ),

  route(
    'GET',
    '/v2/core/event_destinations',
    { limit: integer({ min: 1, max: 100 }), include, page: text() },
    (account, params) => {
      const limit = params.limit ?? 20
      const page = account.objects.page<EventDestination>('v2.core.event_destination', {
        limit,
        ...(params.page !== undefined && { startingAfter: params.page }),
      })
      if (!page) throw refuse(`Invalid page: ${params.page}`, { param: 'page' })
      const next = page.hasMore ? `/v2/core/event_destinations?limit=${limit}&page=${page.data.at(-1)!.id}` : null
      return {
        data: page.data.map((stored) => presentDestination(stored, params.include ?? [])),
        next_page_url: next,
        previous_page_url: null,
      }
    },
  ),

  route('GET', '/v2/core/event_destinations/:id', { include }, (account, params, { id }) =>
    presentDestination(account.get<EventDestination>('v2.core.event_destination', id!), params.include ?? []),
  ),

  route(
    'POST',
    '/v2/core/event_destinations/:id',
    {
      name: text(),
      description: text(),
      enabled_events: list(text()),
      include,
      metadata: metadata(),
      webhook_endpoint: shape({ url: required(text()) }),
    },
    (account, { include: included, metadata: sent, webhook_endpoint: endpoint, ...params }, { id }) => {
      const before = account.get<EventDestination>('v2.core.event_destination', id!)
      if (endpoint) checkUrl(endpoint.url, 'webhook_endpoint.url')
      if (params.enabled_events) checkEventTypes(params.enabled_events, before.event_payload)
      const after = account.change(before, {
        ...params,
        metadata: mergedMetadata(before.metadata, sent),
        updated: account.seconds(),
        ...(endpoint && { _url: endpoint.url }),
      })
      return presentDestination(after, included ?? [])
    },
  ),

  route('DELETE', '/v2/core/event_destinations/:id', {}, (account, _params, { id }) => {
    const gone = account.get<EventDestination>('v2.core.event_destination', id!)
    account.objects.remove(gone.id)
    return { id: gone.id, object: 'v2.core.event_destination' }
  }),

  ...(['enable', 'disable'] as const).map((verb) =>
    route('POST', `/v2/core/event_destinations/:id/${verb}`, {}, (account, _params, { id }) => {
      const before = account.get<EventDestination>('v2.core.event_destination', id!)
      const after = account.change(before, { status: `${verb}d` as const, updated: account.seconds() })
      return presentDestination(after, [])
    }),
  ),

  route('POST', '/v2/core/event_destinations/:id/ping', {}, (account, _params, { id }) => {
    const target = account.get<EventDestination>('v2.core.event_destination', id!)
    const related = { id: target.id, type: target.object, url: `/v2/core/event_destinations/${target.id}` }
    return account.events.emitThin('v2.core.event_destination.ping', related, {}, target)
  }),
]
