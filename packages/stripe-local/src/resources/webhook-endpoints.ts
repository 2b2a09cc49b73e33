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
      description: unsettable(text()),
      metadata: metadata(),
    },
    (account, params) => {
      checkUrl(params.url)
      checkEventTypes(params.enabled_events)
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
      description: unsettable(text()),
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

export function checkUrl(url: string, param = 'url'): void {
  const scheme = URL.canParse(url) ? new URL(url).protocol : ''
  if (scheme !== 'http:' && scheme !== 'https:') {
    throw refuse('Invalid URL: An explicit scheme (such as https) must be provided.', { code: 'url_invalid', param })
  }
}
