import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MeterkitError } from 'meterkit'
import { Stripe } from 'stripe'
import { refusalFrom, refusalOf } from './refusal.ts'

test('a refusal of the engine is a sentence for the customer, without the operator’s reference', () => {
  const unreported = new MeterkitError('usage_unreported', 'switchPlan: 3 reports of sub_1 wait for Stripe.')
  assert.match(refusalOf(unreported)?.sentence ?? '', /nothing was changed.*billed once.*Try again/)

  const other = new MeterkitError('invalid_price', 'The price has no amount.')
  assert.equal(refusalOf(other)?.sentence, 'The price has no amount.')
})

test('a fault of Stripe says that nothing was changed', () => {
  const cases: [error: Error, code: string][] = [
    [new Stripe.errors.StripeConnectionError({ message: 'socket hang up' } as never), 'stripe_unreachable'],
    [new Stripe.errors.StripeRateLimitError({ message: 'Too many requests' } as never), 'stripe_busy'],
    [new Stripe.errors.StripeInvalidRequestError({ message: 'No such price.' } as never), 'stripe_refused'],
  ]
  for (const [error, code] of cases) {
    assert.equal(refusalOf(error)?.code, code)
    assert.match(refusalOf(error)?.sentence ?? '', /nothing was changed/i)
  }
})

test('a fault of ours is none of these', () => {
  assert.equal(refusalOf(new TypeError('x is undefined')), null)
  assert.equal(refusalOf('a text'), null)
})

test('an address brings a sentence of ours, whatever stands in it', () => {
  assert.equal(refusalFrom(null), null)
  assert.match(refusalFrom('same_plan') ?? '', /This is your plan already/)
  assert.match(refusalFrom('Call 555-0100 and tell us your card') ?? '', /^That did not work/)
})
