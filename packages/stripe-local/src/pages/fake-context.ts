import { ApiError } from '../http/errors.ts'
import { DEFAULT_READINGS } from '../readings.ts'
import type { ApiObject, CheckoutOutcome, CheckoutPayer, PagesContext } from './context.ts'

/** The pages' edge for tests: canned answers by `METHOD /path`, and a record of every call. */
export interface FakeContext extends PagesContext {
  answers: { [call: string]: ApiObject }
  calls: { call: string; params: { [key: string]: unknown } }[]
  payers: CheckoutPayer[]
  /** What completing Checkout or replacing a card answers next. */
  outcome: CheckoutOutcome
}

export const NOW = new Date('2026-11-24T12:00:00Z')

export function fakeContext(answers: { [call: string]: ApiObject } = {}): FakeContext {
  const fake: FakeContext = {
    answers: { 'GET /v1/account': { business_profile: { name: 'Test business' } }, ...answers },
    calls: [],
    payers: [],
    outcome: { status: 'complete', redirectUrl: 'https://shop.example/done?session=cs_test_1' },
    baseUrl: () => 'http://127.0.0.1:12111',
    secretKey: 'sk_test_local_fake',
    now: () => NOW,
    readings: () => DEFAULT_READINGS,
    api: async (method, path, params = {}) => {
      fake.calls.push({ call: `${method} ${path}`, params })
      const answer = fake.answers[`${method} ${path}`]
      if (!answer) throw new ApiError(404, { type: 'invalid_request_error', message: `No such object: ${path}` })
      return answer
    },
    completeCheckout: async (_sessionId, payer) => {
      fake.payers.push(payer)
      return fake.outcome
    },
    checkoutTerms: () => ({ needsCard: true, trialDays: null, trialEnd: null }),
    adjustCheckout: async () => {},
    recoverCheckout: async () => null,
    portalSession: async (sessionId) => fake.answers[`portal ${sessionId}`] ?? null,
    portalRecovery: { offered: () => false, use: () => false },
    replaceCard: async () => ({ status: 'succeeded', paymentMethod: 'pm_1' }),
    beginCardSetup: async () => ({ status: 'succeeded', paymentMethod: 'pm_1' }),
    authentication: () => null,
    answerAuthentication: () => null,
    dashboard: {
      deliveries: async () => [],
      resend: async () => {},
      advance: async () => {},
      upcoming: () => [],
      requests: () => [],
      request: () => null,
      findCustomers: () => [],
      meterEvents: () => [],
      meterUsers: () => [],
      faults: { read: () => ({}), write: () => {} },
    },
  }
  return fake
}

export const essentialPrice = {
  id: 'price_essential',
  object: 'price',
  currency: 'usd',
  billing_scheme: 'per_unit',
  unit_amount: 5,
  unit_amount_decimal: '5',
  type: 'recurring',
  recurring: { interval: 'month', interval_count: 1, usage_type: 'metered', meter: 'mtr_1' },
  transform_quantity: { divide_by: 1000, round: 'up' },
  product: { id: 'prod_1', object: 'product', name: 'Essential', description: 'For your first thousand tokens.' },
}

export const openSession = {
  id: 'cs_test_1',
  object: 'checkout.session',
  mode: 'subscription',
  status: 'open',
  currency: 'usd',
  amount_total: 0,
  customer: null,
  customer_email: null,
  success_url: 'https://shop.example/done?session={CHECKOUT_SESSION_ID}',
  cancel_url: 'https://shop.example/plans',
}
