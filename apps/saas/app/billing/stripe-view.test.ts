import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Meterkit, StripePreview } from 'meterkit'
import { Stripe } from 'stripe'
import { readStripeView } from './stripe-view.ts'

const answering = (stripePreview: Meterkit['invoices']['stripePreview']) => ({
  invoices: { stripePreview } as Meterkit['invoices'],
})
const preview: StripePreview = { amount: 60n, currency: 'usd', at: new Date(0), lines: [], difference: 5n, reason: 'x' }

test('Stripe’s answer is shown as it is, and so is that it has nothing to bill', async () => {
  assert.deepEqual(
    await readStripeView(
      answering(async () => preview),
      'sub',
    ),
    { state: 'answered', preview },
  )
  assert.equal(
    (
      await readStripeView(
        answering(async () => null),
        'sub',
      )
    ).state,
    'nothing',
  )
})

test('a Stripe that cannot be reached is an answer, not an error', async () => {
  const view = await readStripeView(
    answering(async () => {
      throw new Stripe.errors.StripeConnectionError({ message: 'connect ECONNREFUSED' } as never)
    }),
    'sub',
  )
  assert.equal(view.state, 'failed')
  assert.equal(view.state === 'failed' && view.why, 'Stripe cannot be reached just now.')
})

test('nobody waits longer than was said for a Stripe that is silent', async () => {
  const silent = answering(() => new Promise<never>(() => {}))
  const view = await readStripeView(silent, 'sub', 20)
  assert.equal(view.state === 'failed' && view.why, 'Stripe did not answer within 0.02 seconds.')
})
