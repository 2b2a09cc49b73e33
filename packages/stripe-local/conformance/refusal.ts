import assert from 'node:assert/strict'
import { Stripe } from 'stripe'

/** What `assert.rejects` takes: a 400 (or the status given) of Stripe's, with at least these fields. */
export function refusal(about: {
  status?: number
  type?: string
  code?: string | undefined
  param?: string | undefined
  message?: string | RegExp
}): (error: unknown) => true {
  return (error) => {
    assert(error instanceof Stripe.errors.StripeError, String(error))
    assert.equal(error.statusCode, about.status ?? 400, error.message)
    if (about.type !== undefined) assert.equal(error.rawType, about.type)
    if (about.message instanceof RegExp) assert.match(error.message, about.message)
    else if (about.message !== undefined) assert.equal(error.message, about.message)
    if ('code' in about) assert.equal(error.code, about.code)
    if ('param' in about) assert.equal(error.param, about.param)
    return true
  }
}

/** The refusal itself, for what is to be read from it. */
export async function refused(attempt: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  const outcome = await attempt.then(
    () => null,
    (error: unknown) => error,
  )
  assert.ok(outcome instanceof Stripe.errors.StripeError, 'it was not refused')
  return outcome
}
