import assert from 'node:assert/strict'
import type { Stripe } from 'stripe'
import { conformance } from './conformance.ts'
import { refusal } from './refusal.ts'

const THIN: Stripe.V2.Core.EventDestinationCreateParams = {
  name: 'errors',
  type: 'webhook_endpoint',
  event_payload: 'thin',
  enabled_events: ['v1.billing.meter.error_report_triggered'],
  webhook_endpoint: { url: 'https://example.com/thin' },
}

conformance(
  'secret and address are shown when asked for, the secret at creation alone',
  'stripe EventDestination.WebhookEndpoint.signing_secret: "Returned only in the create response when explicitly included; public API clients cannot retrieve it later."; url: "Returned only when explicitly included."',
  async ({ stripe }) => {
    const destination = await stripe.v2.core.eventDestinations.create({
      ...THIN,
      include: ['webhook_endpoint.signing_secret', 'webhook_endpoint.url'],
      metadata: { app: 'saas' },
    })

    assert.match(destination.webhook_endpoint!.signing_secret!, /^whsec_/)
    assert.equal(destination.webhook_endpoint!.url, 'https://example.com/thin')
    assert.deepEqual([destination.status, destination.event_payload], ['enabled', 'thin'])
    const plain = await stripe.v2.core.eventDestinations.retrieve(destination.id)
    assert.equal(plain.webhook_endpoint?.url, undefined)
    assert.equal(plain.webhook_endpoint?.signing_secret, undefined)
    const shown = await stripe.v2.core.eventDestinations.retrieve(destination.id, { include: ['webhook_endpoint.url'] })
    assert.equal(shown.webhook_endpoint!.url, 'https://example.com/thin')
    await stripe.v2.core.eventDestinations.del(destination.id)
  },
)

conformance(
  'a destination can be changed, disabled, enabled and deleted',
  'stripe EventDestinationResource: update, disable, enable, del; StatusDetails.Disabled.reason: user',
  async ({ stripe }) => {
    const { id } = await stripe.v2.core.eventDestinations.create(THIN)

    const changed = await stripe.v2.core.eventDestinations.update(id, {
      name: 'reports',
      enabled_events: ['v1.billing.meter.no_meter_found'],
      description: 'Meters',
    })
    assert.deepEqual(
      [changed.name, changed.description, changed.enabled_events],
      ['reports', 'Meters', ['v1.billing.meter.no_meter_found']],
    )
    const disabled = await stripe.v2.core.eventDestinations.disable(id)
    assert.deepEqual([disabled.status, disabled.status_details?.disabled?.reason], ['disabled', 'user'])
    assert.equal((await stripe.v2.core.eventDestinations.enable(id)).status, 'enabled')

    const ids: string[] = []
    for await (const destination of stripe.v2.core.eventDestinations.list({ limit: 1 })) ids.push(destination.id)
    assert(ids.includes(id))
    assert.equal((await stripe.v2.core.eventDestinations.del(id)).id, id)
    await assert.rejects(stripe.v2.core.eventDestinations.retrieve(id), refusal({ status: 404 }))
  },
)

conformance(
  'a ping is an event about the destination',
  'stripe EventDestinationResource.ping: "Send a `ping` event to an event destination."',
  async ({ stripe }) => {
    const { id } = await stripe.v2.core.eventDestinations.create(THIN)

    const ping = await stripe.v2.core.eventDestinations.ping(id)

    assert.equal(ping.type, 'v2.core.event_destination.ping')
    assert.equal(ping.object, 'v2.core.event')
    assert.equal((ping as Stripe.Events.V2CoreEventDestinationPingEvent).related_object.id, id)
    await stripe.v2.core.eventDestinations.del(id)
  },
)

conformance(
  'snapshot destinations have a version, thin ones must not be given one',
  'stripe EventDestinationCreateParams.snapshot_api_version: "For snapshot events only, the Stripe API version used to render event objects; do not provide this for thin events."',
  async ({ stripe }) => {
    const snapshot = await stripe.v2.core.eventDestinations.create({
      ...THIN,
      event_payload: 'snapshot',
      enabled_events: ['invoice.paid'],
      snapshot_api_version: '2026-10-28.endive',
    })

    assert.equal(snapshot.snapshot_api_version, '2026-10-28.endive')
    await stripe.v2.core.eventDestinations.del(snapshot.id)
    await assert.rejects(
      stripe.v2.core.eventDestinations.create({ ...THIN, snapshot_api_version: '2026-10-28.endive' }),
      refusal({ status: 400 }),
    )
  },
)

conformance(
  'a thin destination is told of v1 objects by twins of their snapshot events',
  'docs.stripe.com/changelog/dahlia/2026-08-26: thin v1 events; stripe EventBase.snapshot_event: "For thin events with a corresponding snapshot event, this is the snapshot event ID."',
  async ({ stripe, eventually }) => {
    const { id: destination } = await stripe.v2.core.eventDestinations.create({
      ...THIN,
      enabled_events: ['v1.customer.created', 'v1.price.deactivated'],
    })
    const customer = await stripe.customers.create({ name: 'Told thinly' })
    const price = await stripe.prices.create({ currency: 'usd', unit_amount: 1, product_data: { name: 'Old' } })
    await stripe.prices.update(price.id, { active: false })

    await eventually(async () => {
      const [twin] = (await stripe.v2.core.events.list({ object_id: customer.id, types: ['v1.customer.created'] })).data
      assert(twin)
      const snapshot = await stripe.events.retrieve(twin.snapshot_event!)
      assert.equal(snapshot.type, 'customer.created')
      const event = twin as Stripe.Events.V1CustomerCreatedEvent
      assert.deepEqual(
        { ...event.related_object },
        { id: customer.id, type: 'customer', url: `/v1/customers/${customer.id}` },
      )
      assert.equal(((await event.fetchRelatedObject()) as Stripe.Customer).name, 'Told thinly')
      const finer = await stripe.v2.core.events.list({ object_id: price.id, types: ['v1.price.deactivated'] })
      assert.equal(finer.data.length, 1)
    })
    await stripe.v2.core.eventDestinations.del(destination)
  },
)
