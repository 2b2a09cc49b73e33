import assert from 'node:assert/strict'
import { Stripe } from 'stripe'
import { conformance } from './conformance.ts'

conformance(
  'an event name belongs to a single meter',
  'docs.stripe.com/billing/subscriptions/usage-based/meters/configure: "You can only use an event name with a single meter"',
  async ({ stripe, unique }) => {
    const event_name = unique('ai_tokens')
    await stripe.billing.meters.create({
      display_name: 'AI tokens',
      event_name,
      default_aggregation: { formula: 'sum' },
    })

    const again = stripe.billing.meters.create({
      display_name: 'Again',
      event_name,
      default_aggregation: { formula: 'sum' },
    })

    await assert.rejects(again, (error) => {
      assert(error instanceof Stripe.errors.StripeInvalidRequestError)
      assert.equal(error.statusCode, 400)
      assert.equal(error.rawType, 'invalid_request_error')
      return true
    })
  },
)
