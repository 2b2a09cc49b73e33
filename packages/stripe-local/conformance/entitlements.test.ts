import assert from 'node:assert/strict'
import { conformance } from './conformance.ts'

conformance(
  'a customer without subscriptions is entitled to nothing',
  'stripe Entitlements.ActiveEntitlements.list: "Retrieve a list of active entitlements for a customer"',
  async ({ stripe }) => {
    const { id: customer } = await stripe.customers.create({})

    const { data, has_more } = await stripe.entitlements.activeEntitlements.list({ customer })

    assert.deepEqual(data, [])
    assert.equal(has_more, false)
  },
)

conformance(
  'a lookup key nobody used finds no feature',
  'stripe FeatureListParams.lookup_key: "If provided, filter results to only include features with the given lookup_key."',
  async ({ stripe, unique }) => {
    assert.deepEqual((await stripe.entitlements.features.list({ lookup_key: unique('exports') })).data, [])
    await assert.rejects(stripe.entitlements.features.retrieve('feat_unknown'), { statusCode: 404 })
  },
)
