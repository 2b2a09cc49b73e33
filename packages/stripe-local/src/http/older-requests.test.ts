import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inPinnedWords } from './older-requests.ts'

const BASIL = '2025-08-27.basil'
const CLOVER = '2026-02-25.clover'
const DAHLIA = '2026-08-26.dahlia'
const ENDIVE = '2026-09-30.endive'

test('an older request is understood in the words of its version, and only in those', () => {
  const cases: [path: string, version: string, sent: object, understood: object][] = [
    ['/v1/subscriptions', BASIL, { customer: 'c' }, { customer: 'c', billing_mode: { type: 'classic' } }],
    ['/v1/subscriptions', BASIL, { billing_mode: { type: 'flexible' } }, { billing_mode: { type: 'flexible' } }],
    ['/v1/subscriptions', CLOVER, { customer: 'c' }, { customer: 'c' }],

    ['/v1/checkout/sessions', CLOVER, { ui_mode: 'hosted' }, { ui_mode: 'hosted_page' }],
    ['/v1/checkout/sessions', CLOVER, { ui_mode: 'custom' }, { ui_mode: 'elements' }],
    ['/v1/checkout/sessions', DAHLIA, { ui_mode: 'hosted' }, { ui_mode: 'hosted' }],
    [
      '/v1/checkout/sessions',
      BASIL,
      { mode: 'subscription', payment_method_types: ['card'], subscription_data: { trial_period_days: '7' } },
      {
        mode: 'subscription',
        allowed_payment_method_types: ['card'],
        subscription_data: { billing_mode: { type: 'classic' }, trial_period_days: '7' },
      },
    ],
    ['/v1/checkout/sessions', BASIL, { mode: 'payment' }, { mode: 'payment' }],

    ['/v1/setup_intents', DAHLIA, { payment_method_types: ['card'] }, { allowed_payment_method_types: ['card'] }],
    ['/v1/payment_intents/pi_1/confirm', DAHLIA, { payment_method_types: [] }, { allowed_payment_method_types: [] }],
    ['/v1/setup_intents', ENDIVE, { payment_method_types: ['card'] }, { payment_method_types: ['card'] }],

    ['/v1/subscriptions/sub_1', DAHLIA, { billing_cycle_anchor: 'now' }, { billing_cycle_anchor: { type: 'now' } }],
    [
      '/v1/subscriptions/sub_1/resume',
      DAHLIA,
      { billing_cycle_anchor: 'unchanged' },
      { billing_cycle_anchor: { type: 'unchanged' } },
    ],
    ['/v1/subscriptions/sub_1', ENDIVE, { billing_cycle_anchor: 'now' }, { billing_cycle_anchor: 'now' }],
    [
      '/v1/invoices/create_preview',
      DAHLIA,
      { subscription_details: { billing_cycle_anchor: '1790000000' } },
      { subscription_details: { billing_cycle_anchor: { type: 'timestamp', timestamp: '1790000000' } } },
    ],
  ]
  for (const [path, version, sent, understood] of cases) {
    assert.deepEqual(inPinnedWords(version, 'POST', path, { ...sent }), understood, `${version} ${path}`)
  }
})

test('a subscription begins at an instant in all versions', () => {
  const sent = { billing_cycle_anchor: '1790000000', billing_mode: { type: 'flexible' } }
  assert.deepEqual(inPinnedWords(BASIL, 'POST', '/v1/subscriptions', sent), sent)
})
