import assert from 'node:assert/strict'
import { conformance } from './conformance.ts'
import { refusal } from './refusal.ts'

const URL = 'https://example.com/hooks'

conformance(
  'the secret is shown when the endpoint is made, and never again',
  'stripe WebhookEndpoint.secret: "The endpoint\'s secret, used to generate webhook signatures. Only returned at creation."',
  async ({ stripe }) => {
    const endpoint = await stripe.webhookEndpoints.create({
      url: URL,
      enabled_events: ['invoice.paid', 'invoice.created'],
      description: 'Billing',
      metadata: { app: 'saas' },
    })

    assert.match(endpoint.secret!, /^whsec_/)
    assert.deepEqual(
      [endpoint.status, endpoint.url, endpoint.description, endpoint.application],
      ['enabled', URL, 'Billing', null],
    )
    assert.deepEqual(endpoint.enabled_events, ['invoice.paid', 'invoice.created'])
    assert.equal((await stripe.webhookEndpoints.retrieve(endpoint.id)).secret, undefined)
    await stripe.webhookEndpoints.del(endpoint.id)
  },
)

conformance(
  'an endpoint can be changed, disabled and deleted',
  'stripe WebhookEndpointUpdateParams.disabled: "Disable the webhook endpoint if set to true."',
  async ({ stripe }) => {
    const { id } = await stripe.webhookEndpoints.create({ url: URL, enabled_events: ['*'] })

    const changed = await stripe.webhookEndpoints.update(id, {
      url: `${URL}/new`,
      enabled_events: ['customer.created'],
      disabled: true,
      description: '',
    })
    assert.deepEqual(
      [changed.url, changed.enabled_events, changed.status, changed.description],
      [`${URL}/new`, ['customer.created'], 'disabled', null],
    )
    assert.equal((await stripe.webhookEndpoints.update(id, { disabled: false })).status, 'enabled')

    const listed = await stripe.webhookEndpoints.list({ limit: 100 })
    assert(listed.data.some((endpoint) => endpoint.id === id))
    assert.deepEqual({ ...(await stripe.webhookEndpoints.del(id)) }, { id, object: 'webhook_endpoint', deleted: true })
    await assert.rejects(stripe.webhookEndpoints.retrieve(id), refusal({ status: 404, code: 'resource_missing' }))
  },
)

conformance(
  'an address needs a scheme, and an event a name Stripe knows',
  'docs.stripe.com/error-codes: url_invalid; stripe WebhookEndpointCreateParams.EnabledEvent',
  async ({ stripe }) => {
    await assert.rejects(
      stripe.webhookEndpoints.create({ url: 'example.com/hooks', enabled_events: ['*'] }),
      refusal({ type: 'invalid_request_error', param: 'url' }),
    )
    await assert.rejects(
      stripe.webhookEndpoints.create({ url: URL, enabled_events: ['invoice.payed' as 'invoice.paid'] }),
      refusal({ type: 'invalid_request_error', param: 'enabled_events[0]' }),
    )
  },
)
