import { test } from 'node:test'
import { isReal } from './conformance.ts'

test('the suite of this folder asked the real Stripe', {
  skip: isReal ? false : 'no STRIPE_TEST_KEY: the suite asked the local Stripe alone',
}, () => {})
