import assert from 'node:assert/strict'
import { Stripe } from 'stripe'
import { conformance } from './conformance.ts'
import { refused } from './refusal.ts'

const cards = { allowed_payment_method_types: ['card' as const] }

conformance(
  'a setup intent waits for a payment method, to be charged off session by default',
  'SetupIntents.d.ts, usage: "If not provided, this value defaults to off_session."; SetupIntent.status',
  async ({ stripe }) => {
    const intent = await stripe.setupIntents.create({ metadata: { why: 'later' }, ...cards })
    assert.match(intent.id, /^seti_/)
    assert.equal(intent.status, 'requires_payment_method')
    assert.equal(intent.usage, 'off_session')
    assert.equal(intent.payment_method, null)
    assert.equal(intent.metadata!.why, 'later')
    assert.match(intent.client_secret!, new RegExp(`^${intent.id}_secret_`))
  },
)

conformance(
  'when it succeeds the card is attached to its customer',
  'SetupIntents.d.ts, customer: "If present, the SetupIntent\'s payment method will be attached to the Customer on successful setup."',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    const intent = await stripe.setupIntents.create({
      customer: customer.id,
      payment_method: 'pm_card_visa',
      confirm: true,
      ...cards,
    })
    assert.equal(intent.status, 'succeeded')
    const kept = await stripe.customers.listPaymentMethods(customer.id)
    assert.deepEqual(
      kept.data.map(({ id }) => id),
      [intent.payment_method],
    )
  },
)

conformance(
  'a card that is declined answers 402 and waits for another',
  'docs.stripe.com/testing: cards that simulate declines "can\'t be attached to a Customer object"; SetupIntent.last_setup_error: "The error encountered in the previous SetupIntent confirmation."',
  async ({ stripe }) => {
    const failure = await refused(
      stripe.setupIntents.create({ payment_method: 'pm_card_visa_chargeDeclined', confirm: true, ...cards }),
    )
    assert.ok(failure instanceof Stripe.errors.StripeCardError)
    assert.equal(failure.code, 'card_declined')
    const intent = await stripe.setupIntents.retrieve(failure.setup_intent!.id)
    assert.equal(intent.status, 'requires_payment_method')
    assert.equal(intent.last_setup_error?.decline_code, 'generic_decline')

    const again = await stripe.setupIntents.confirm(intent.id, { payment_method: 'pm_card_visa' })
    assert.equal(again.status, 'succeeded')
    assert.equal(again.last_setup_error, null)
  },
)

conformance(
  'a card that asks leads to the bank and back',
  'docs.stripe.com/testing: 4000002500003155; SetupIntents.d.ts, NextAction.RedirectToUrl.return_url',
  async ({ stripe }) => {
    const intent = await stripe.setupIntents.create({
      payment_method: 'pm_card_authenticationRequiredOnSetup',
      confirm: true,
      return_url: 'https://example.com/cards',
      ...cards,
    })
    assert.equal(intent.status, 'requires_action')
    assert.equal(intent.next_action!.type, 'redirect_to_url')
    assert.equal(intent.next_action!.redirect_to_url!.return_url, 'https://example.com/cards')
  },
)

conformance(
  'what the bank was told decides, and the address back says which',
  'docs.stripe.com/payments/setup-intents, after the redirect: query parameters setup_intent, setup_intent_client_secret and redirect_status',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    const begin = () =>
      stripe.setupIntents.create({
        customer: customer.id,
        payment_method: 'pm_card_authenticationRequiredOnSetup',
        confirm: true,
        return_url: 'https://example.com/cards?tab=1',
        ...cards,
      })
    const failed = await begin()
    const back = await answer(failed.next_action!.redirect_to_url!.url!, 'fail')
    assert.equal(back.searchParams.get('redirect_status'), 'failed')
    assert.equal(back.searchParams.get('setup_intent'), failed.id)
    assert.equal(back.searchParams.get('tab'), '1')
    const after = await stripe.setupIntents.retrieve(failed.id)
    assert.equal(after.status, 'requires_payment_method')
    assert.equal(after.last_setup_error!.code, 'setup_intent_authentication_failure')

    const passed = await begin()
    const good = await answer(passed.next_action!.redirect_to_url!.url!, 'complete')
    assert.equal(good.searchParams.get('redirect_status'), 'succeeded')
    assert.equal((await stripe.setupIntents.retrieve(passed.id)).status, 'succeeded')
    assert.equal((await stripe.customers.listPaymentMethods(customer.id)).data.length, 1)
  },
  { localOnly: "the bank's page has to be answered" },
)

conformance(
  'each confirmation is an attempt',
  'SetupAttempts.d.ts: "A SetupAttempt describes one attempted confirmation of a SetupIntent, whether that confirmation is successful or unsuccessful."',
  async ({ stripe }) => {
    const intent = await stripe.setupIntents.create(cards)
    await refused(stripe.setupIntents.confirm(intent.id, { payment_method: 'pm_card_visa_chargeDeclined' }))
    await stripe.setupIntents.confirm(intent.id, { payment_method: 'pm_card_visa' })
    const attempts = await stripe.setupAttempts.list({ setup_intent: intent.id })
    assert.deepEqual(
      attempts.data.map(({ status }) => status),
      ['succeeded', 'failed'],
    )
    assert.equal(attempts.data[1]!.setup_error?.code, 'card_declined')
    const after = await stripe.setupIntents.retrieve(intent.id)
    assert.equal(after.latest_attempt, attempts.data[0]!.id)
  },
)

conformance(
  'it can be canceled until it succeeded',
  'docs.stripe.com/api/setup_intents/cancel: "You can cancel a SetupIntent object when it\'s in one of these statuses: requires_payment_method, requires_confirmation, or requires_action."',
  async ({ stripe }) => {
    const open = await stripe.setupIntents.create(cards)
    const canceled = await stripe.setupIntents.cancel(open.id, { cancellation_reason: 'abandoned' })
    assert.equal(canceled.status, 'canceled')
    assert.equal(canceled.cancellation_reason, 'abandoned')

    const done = await stripe.setupIntents.create({ payment_method: 'pm_card_visa', confirm: true, ...cards })
    assert.equal((await refused(stripe.setupIntents.cancel(done.id))).code, 'setup_intent_unexpected_state')
    assert.equal((await refused(stripe.setupIntents.confirm(done.id))).code, 'setup_intent_unexpected_state')
  },
)

conformance(
  'it is listed by customer and by payment method, and updated while open',
  'docs.stripe.com/api/setup_intents/list: customer, payment_method; docs.stripe.com/api/setup_intents/update',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    const intent = await stripe.setupIntents.create(cards)
    const ready = await stripe.setupIntents.update(intent.id, {
      customer: customer.id,
      description: 'For later',
      payment_method: 'pm_card_mastercard',
    })
    assert.equal(ready.status, 'requires_confirmation')
    assert.equal(ready.description, 'For later')
    const byCustomer = await stripe.setupIntents.list({ customer: customer.id })
    assert.equal(byCustomer.data[0]!.id, intent.id)
    const byMethod = await stripe.setupIntents.list({ payment_method: ready.payment_method as string })
    assert.equal(byMethod.data[0]!.id, intent.id)
  },
)

/** Presses a button of the bank's page. @returns where it leads */
async function answer(url: string, authentication: 'complete' | 'fail'): Promise<URL> {
  const body = new URLSearchParams({ authentication })
  const response = await fetch(url, { method: 'POST', body, redirect: 'manual' })
  return new URL(response.headers.get('location')!)
}
