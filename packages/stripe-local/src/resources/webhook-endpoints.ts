import type { Kind } from '../account.ts'
import { refuse } from '../http/errors.ts'
import { flag, list, mergedMetadata, metadata, required, text, unsettable } from '../http/params.ts'
import { listPage, paging, route } from '../http/route.ts'
import { newId, newSecret } from '../identifier.ts'
import type { WebhookEndpoint } from '../webhooks/endpoint.ts'
import { API_VERSION, checkEventTypes } from '../webhooks/events.ts'

export const webhookEndpoint: Kind = { type: 'webhook_endpoint', noun: 'webhook endpoint' }

export const webhookEndpointRoutes = [
  route(
    'POST',
    '/v1/webhook_endpoints',
    {
      url: required(text()),
      enabled_events: required(list(text())),
      api_version: text(),
      connect: flag(),
      description: unsettable(text({ max: 5000 })),
      metadata: metadata(),
    },
    (account, params) => {
      checkUrl(params.url)
      checkEventTypes(params.enabled_events)
      checkVersion(params.api_version)
      if (params.connect) throw refuse('stripe-local has no connected accounts.', { param: 'connect' })
      const made = account.create<WebhookEndpoint>({
        id: newId('we'),
        object: 'webhook_endpoint',
        api_version: params.api_version ?? API_VERSION,
        application: null,
        created: account.seconds(),
        description: params.description ?? null,
        enabled_events: params.enabled_events,
        livemode: false,
        metadata: mergedMetadata({}, params.metadata),
        status: 'enabled',
        url: params.url,
        _secret: newSecret('whsec'),
      })
      return { ...account.present(made), secret: made._secret }
    },
  ),

  route('GET', '/v1/webhook_endpoints', paging, (account, params) =>
    listPage<WebhookEndpoint>(account, 'webhook_endpoint', '/v1/webhook_endpoints', params),
  ),

  route('GET', '/v1/webhook_endpoints/:id', {}, (account, _params, { id }) =>
    account.present(account.get<WebhookEndpoint>('webhook_endpoint', id!)),
  ),

  route(
    'POST',
    '/v1/webhook_endpoints/:id',
    {
      url: text(),
      enabled_events: list(text()),
      disabled: flag(),
      description: unsettable(text({ max: 5000 })),
      metadata: metadata(),
    },
    (account, { disabled, metadata: sent, ...params }, { id }) => {
      const before = account.get<WebhookEndpoint>('webhook_endpoint', id!)
      if (params.url !== undefined) checkUrl(params.url)
      if (params.enabled_events) checkEventTypes(params.enabled_events)
      const changes = {
        ...params,
        metadata: mergedMetadata(before.metadata, sent),
        ...(disabled !== undefined && { status: disabled ? ('disabled' as const) : ('enabled' as const) }),
      }
      return account.present(account.change(before, changes))
    },
  ),

  route('DELETE', '/v1/webhook_endpoints/:id', {}, (account, _params, { id }) => {
    const gone = account.get<WebhookEndpoint>('webhook_endpoint', id!)
    account.objects.remove(gone.id)
    return { id: gone.id, object: 'webhook_endpoint', deleted: true }
  }),
]

/** Events have the pinned shape, which is that of every version since 2025-03-31.basil as far as the SDK's types go. */
export function checkVersion(version: string | undefined, param = 'api_version'): void {
  if (version === undefined || version >= '2025-03-31') return
  throw refuse(
    `stripe-local renders events as version ${API_VERSION} only; it knows nothing older than 2025-03-31.basil.`,
    {
      param,
    },
  )
}

export function checkUrl(url: string, param = 'url'): void {
  const scheme = URL.canParse(url) ? new URL(url).protocol : ''
  if (scheme !== 'http:' && scheme !== 'https:') {
    throw refuse('Invalid URL: An explicit scheme (such as https) must be provided.', { code: 'url_invalid', param })
  }
}
