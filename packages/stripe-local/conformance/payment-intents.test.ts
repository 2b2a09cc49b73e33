import assert from 'node:assert/strict'
import { Stripe } from 'stripe'
import { conformance, seconds } from './conformance.ts'
import { refused } from './refusal.ts'

/** Cards only, so that no `return_url` is asked for. */
const cards = { allowed_payment_method_types: ['card' as const] }
const confirmed = { amount: 1099, currency: 'usd', confirm: true, ...cards }

conformance(
  'a payment intent begins without a payment method and waits for one',
  'PaymentIntents.d.ts, PaymentIntent.status: "requires_payment_method"; docs.stripe.com/payments/paymentintents/lifecycle: "When the PaymentIntent is created, it has a status of requires_payment_method until a payment method is attached."',
  async ({ stripe }) => {
    const intent = await stripe.paymentIntents.create({ amount: 1099, currency: 'usd' })

    assert.match(intent.id, /^pi_/)
    assert.equal(intent.status, 'requires_payment_method')
    assert.equal(intent.amount, 1099)
    assert.equal(intent.amount_received, 0)
    assert.equal(intent.latest_charge, null)
    assert.match(intent.client_secret!, new RegExp(`^${intent.id}_secret_`))
  },
)

conformance(
  'automatic payment methods are on unless types are named',
  'docs.stripe.com/payments/payment-intents: "In the latest version of the API, specifying the automatic_payment_methods parameter is optional because Stripe enables its functionality by default."',
  async ({ stripe }) => {
    const automatic = await stripe.paymentIntents.create({ amount: 1099, currency: 'usd' })
    const named = await stripe.paymentIntents.create({ amount: 1099, currency: 'usd', ...cards })

    assert.equal(automatic.automatic_payment_methods?.enabled, true)
    assert.deepEqual(named.payment_method_types, ['card'])
  },
)

conformance(
  'a good card pays at once',
  'docs.stripe.com/testing: pm_card_visa; docs.stripe.com/payments/paymentintents/lifecycle: "A PaymentIntent with a status of succeeded means that the payment flow it is driving is complete."',
  async ({ stripe }) => {
    const intent = await stripe.paymentIntents.create({
      ...confirmed,
      payment_method: 'pm_card_visa',
      description: 'One book',
      metadata: { order: '7' },
      expand: ['latest_charge', 'payment_method'],
    })

    assert.equal(intent.status, 'succeeded')
    assert.equal(intent.amount_received, 1099)
    const charge = intent.latest_charge as Stripe.Charge
    assert.equal(charge.paid, true)
    assert.equal(charge.amount_captured, 1099)
    assert.equal(charge.payment_intent, intent.id)
    assert.equal(charge.payment_method_details?.card?.last4, '4242')
    assert.equal(charge.outcome?.type, 'authorized')
    assert.equal(charge.description, 'One book')
    assert.deepEqual({ ...charge.metadata }, { order: '7' })
  },
)

conformance(
  'a payment method comes first, the confirmation later',
  'docs.stripe.com/payments/paymentintents/lifecycle: "After the customer provides their payment information, the PaymentIntent is ready to be confirmed" (requires_confirmation)',
  async ({ stripe }) => {
    const made = await stripe.paymentIntents.create({ amount: 1099, currency: 'usd', ...cards })
    const ready = await stripe.paymentIntents.update(made.id, { payment_method: 'pm_card_visa', amount: 2000 })
    assert.equal(ready.status, 'requires_confirmation')

    const paid = await stripe.paymentIntents.confirm(made.id)
    assert.equal(paid.status, 'succeeded')
    assert.equal(paid.amount_received, 2000)
  },
)

conformance(
  'a declined card answers 402, and the intent remembers why and waits for another card',
  'docs.stripe.com/declines/codes, generic_decline; docs.stripe.com/payments/paymentintents/lifecycle: "If the payment attempt fails (for example due to a decline), the PaymentIntent\'s status returns to requires_payment_method"',
  async ({ stripe }) => {
    const cases: [card: string, code: string, decline: string | undefined, message: string][] = [
      ['pm_card_visa_chargeDeclined', 'card_declined', 'generic_decline', 'Your card was declined.'],
      [
        'pm_card_visa_chargeDeclinedInsufficientFunds',
        'card_declined',
        'insufficient_funds',
        'Your card has insufficient funds.',
      ],
      ['pm_card_visa_chargeDeclinedLostCard', 'card_declined', 'lost_card', 'Your card was declined.'],
      ['pm_card_chargeDeclinedExpiredCard', 'expired_card', undefined, 'Your card has expired.'],
      ['pm_card_chargeDeclinedIncorrectCvc', 'incorrect_cvc', undefined, "Your card's security code is incorrect."],
      [
        'pm_card_chargeDeclinedProcessingError',
        'processing_error',
        undefined,
        'An error occurred while processing your card. Try again in a little bit.',
      ],
    ]
    for (const [card, code, decline, message] of cases) {
      const failure = await refused(stripe.paymentIntents.create({ ...confirmed, payment_method: card }))
      assert.ok(failure instanceof Stripe.errors.StripeCardError, card)
      assert.equal(failure.statusCode, 402)
      assert.equal(failure.code, code)
      if (decline) assert.equal(failure.decline_code, decline)
      assert.equal(failure.message, message)
      assert.equal(failure.payment_method?.type, 'card')
      assert.equal(failure.doc_url?.endsWith(code.replaceAll('_', '-')), true)

      const intent = await stripe.paymentIntents.retrieve(failure.payment_intent!.id, { expand: ['latest_charge'] })
      assert.equal(intent.status, 'requires_payment_method')
      assert.equal(intent.payment_method, null)
      assert.equal(intent.last_payment_error?.code, code)
      assert.equal((intent.latest_charge as Stripe.Charge).status, 'failed')
      assert.equal((intent.latest_charge as Stripe.Charge).failure_code, code)

      const again = await stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_visa' })
      assert.equal(again.status, 'succeeded')
      assert.equal(again.last_payment_error, null)
    }
  },
)

conformance(
  'a card that always asks waits for the customer, and next_action leads to the bank',
  'docs.stripe.com/testing: 4000002760003184 "This card requires authentication on all transactions, no matter how the card is set up"; PaymentIntents.d.ts, NextAction.RedirectToUrl.url: "The URL you must redirect your customer to in order to authenticate the payment."',
  async ({ stripe }) => {
    const intent = await stripe.paymentIntents.create({
      ...confirmed,
      payment_method: 'pm_card_authenticationRequired',
      return_url: 'https://example.com/order/7',
    })

    assert.equal(intent.status, 'requires_action')
    assert.equal(intent.next_action?.type, 'redirect_to_url')
    assert.equal(intent.next_action?.redirect_to_url?.return_url, 'https://example.com/order/7')
    assert.match(intent.next_action!.redirect_to_url!.url!, /^https?:\/\//)
    assert.equal(intent.latest_charge, null)
  },
)

conformance(
  'with nobody there such a card is declined',
  'docs.stripe.com/declines/codes, authentication_required: "The card was declined because the transaction requires authentication such as 3D Secure"; PaymentIntents.d.ts, off_session: "the customer isn\'t in your checkout flow … and can\'t authenticate"',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    const card = await stripe.paymentMethods.attach('pm_card_authenticationRequired', { customer: customer.id })
    const failure = await refused(
      stripe.paymentIntents.create({
        ...confirmed,
        customer: customer.id,
        payment_method: card.id,
        off_session: true,
      }),
    )

    assert.ok(failure instanceof Stripe.errors.StripeCardError)
    assert.equal(failure.code, 'authentication_required')
    assert.equal(failure.payment_intent?.status, 'requires_payment_method')
  },
)

conformance(
  'error_on_requires_action fails rather than ask',
  'PaymentIntents.d.ts, error_on_requires_action: "Set to true to fail the payment attempt if the PaymentIntent transitions into requires_action"',
  async ({ stripe }) => {
    const failure = await refused(
      stripe.paymentIntents.create({
        ...confirmed,
        payment_method: 'pm_card_authenticationRequired',
        error_on_requires_action: true,
      }),
    )
    assert.ok(failure instanceof Stripe.errors.StripeCardError)
    assert.equal(failure.payment_intent?.status, 'requires_payment_method')
  },
)

conformance(
  'setup_future_usage attaches the card to the customer',
  'PaymentIntents.d.ts, setup_future_usage: "If you provide a Customer with the PaymentIntent, you can use this parameter to attach the payment method to the Customer after the PaymentIntent is confirmed"',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    const intent = await stripe.paymentIntents.create({
      ...confirmed,
      customer: customer.id,
      payment_method: 'pm_card_visa',
      setup_future_usage: 'off_session',
    })
    const kept = await stripe.customers.listPaymentMethods(customer.id)
    assert.deepEqual(
      kept.data.map(({ id }) => id),
      [intent.payment_method],
    )

    const later = await stripe.paymentIntents.create({
      ...confirmed,
      customer: customer.id,
      payment_method: kept.data[0]!.id,
      off_session: true,
    })
    assert.equal(later.status, 'succeeded')
  },
)

conformance(
  'a card that was used once without a customer may not be used again',
  'docs.stripe.com/api/payment_methods/attach: "To use this PaymentMethod … multiple times, you must attach it"; observed: the sentence of the refusal',
  async ({ stripe }) => {
    const card = await stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } })
    await stripe.paymentIntents.create({ ...confirmed, payment_method: card.id })

    const failure = await refused(stripe.paymentIntents.create({ ...confirmed, payment_method: card.id }))
    assert.equal(failure.statusCode, 400)
    assert.match(failure.message, /previously used/)
  },
)

conformance(
  'manual capture holds the amount first and takes it, or less, later',
  'docs.stripe.com/payments/place-a-hold-on-a-payment-method: "When you authorize … the PaymentIntent status transitions to requires_capture"; "You can capture less" by amount_to_capture, "the remaining amount is automatically released"',
  async ({ stripe }) => {
    const held = await stripe.paymentIntents.create({
      ...confirmed,
      payment_method: 'pm_card_visa',
      capture_method: 'manual',
    })
    assert.equal(held.status, 'requires_capture')
    assert.equal(held.amount_capturable, 1099)
    assert.equal(held.amount_received, 0)

    const tooMuch = await refused(stripe.paymentIntents.capture(held.id, { amount_to_capture: 1100 }))
    assert.equal(tooMuch.statusCode, 400)

    const captured = await stripe.paymentIntents.capture(held.id, {
      amount_to_capture: 1000,
      expand: ['latest_charge'],
    })
    assert.equal(captured.status, 'succeeded')
    assert.equal(captured.amount_received, 1000)
    const charge = captured.latest_charge as Stripe.Charge
    assert.equal(charge.captured, true)
    assert.equal(charge.amount_captured, 1000)
    assert.equal(charge.amount_refunded, 99)

    const again = await refused(stripe.paymentIntents.capture(held.id))
    assert.equal(again.code, 'payment_intent_unexpected_state')
  },
)

conformance(
  'what is held and not captured within seven days is let go',
  'docs.stripe.com/payments/place-a-hold-on-a-payment-method: "If you don\'t capture the payment before the authorization expires, the funds are released and the payment status changes to canceled"; online cards: 7 days',
  async ({ stripe, clock }) => {
    const time = await clock('2026-01-10T08:00:00Z')
    const customer = await time.customer()
    const held = await stripe.paymentIntents.create({
      ...confirmed,
      customer: customer.id,
      payment_method: customer.invoice_settings.default_payment_method as string,
      capture_method: 'manual',
      expand: ['latest_charge'],
    })
    const { card } = (held.latest_charge as Stripe.Charge).payment_method_details!
    assert.equal(card!.capture_before, seconds('2026-01-17T08:00:00Z'))

    await time.advance('2026-01-17T07:00:00Z')
    assert.equal((await stripe.paymentIntents.retrieve(held.id)).status, 'requires_capture')
    await time.advance('2026-01-17T09:00:00Z')
    const gone = await stripe.paymentIntents.retrieve(held.id, { expand: ['latest_charge'] })
    assert.equal(gone.status, 'canceled')
    assert.equal(gone.cancellation_reason, 'automatic')
    assert.equal((gone.latest_charge as Stripe.Charge).refunded, true)
  },
  { localOnly: 'cards are not on test clocks at the real Stripe' },
)

conformance(
  'an unpaid intent can be canceled, with a reason, and is then closed',
  'docs.stripe.com/api/payment_intents/cancel: "After it\'s canceled, no additional charges are made by the PaymentIntent and any operations on the PaymentIntent fail with an error."',
  async ({ stripe }) => {
    const made = await stripe.paymentIntents.create({ amount: 1099, currency: 'usd' })
    const canceled = await stripe.paymentIntents.cancel(made.id, { cancellation_reason: 'abandoned' })
    assert.equal(canceled.status, 'canceled')
    assert.equal(canceled.cancellation_reason, 'abandoned')
    assert.ok(canceled.canceled_at)

    const confirmation = await refused(
      stripe.paymentIntents.confirm(made.id, { payment_method: 'pm_card_visa', return_url: 'https://example.com' }),
    )
    assert.equal(confirmation.code, 'payment_intent_unexpected_state')
    const second = await refused(stripe.paymentIntents.cancel(made.id))
    assert.equal(second.code, 'payment_intent_unexpected_state')
  },
)

conformance(
  'canceling a held payment lets the amount go',
  'docs.stripe.com/api/payment_intents/cancel: "For PaymentIntents with a status of requires_capture, the remaining amount_capturable is automatically refunded."',
  async ({ stripe }) => {
    const held = await stripe.paymentIntents.create({
      ...confirmed,
      payment_method: 'pm_card_visa',
      capture_method: 'manual',
    })
    const canceled = await stripe.paymentIntents.cancel(held.id, { expand: ['latest_charge'] })
    assert.equal(canceled.status, 'canceled')
    assert.equal(canceled.amount_capturable, 0)
    assert.equal((canceled.latest_charge as Stripe.Charge).refunded, true)
  },
)

conformance(
  'a paid intent keeps its amount, and cannot be confirmed or canceled',
  'docs.stripe.com/error-codes, payment_intent_unexpected_state: "The PaymentIntent\'s state was incompatible with the operation you were trying to perform."',
  async ({ stripe }) => {
    const paid = await stripe.paymentIntents.create({ ...confirmed, payment_method: 'pm_card_visa' })
    for (const attempt of [
      stripe.paymentIntents.update(paid.id, { amount: 2000 }),
      stripe.paymentIntents.confirm(paid.id),
      stripe.paymentIntents.cancel(paid.id),
    ]) {
      assert.equal((await refused(attempt)).code, 'payment_intent_unexpected_state')
    }
    const noted = await stripe.paymentIntents.update(paid.id, { metadata: { order: '8' } })
    assert.equal(noted.metadata.order, '8')
  },
)

conformance(
  'a confirmation without a payment method is refused',
  'docs.stripe.com/error-codes, payment_intent_unexpected_state; observed: the sentence',
  async ({ stripe }) => {
    const failure = await refused(stripe.paymentIntents.create(confirmed))
    assert.equal(failure.statusCode, 400)
    assert.match(failure.message, /missing a payment method/)
  },
)

conformance(
  'amounts below the least charge and above eight digits are refused',
  'docs.stripe.com/currencies, "Minimum and maximum charge amounts": USD $0.50, eight digits; docs.stripe.com/error-codes, amount_too_small, amount_too_large',
  async ({ stripe }) => {
    const small = await refused(stripe.paymentIntents.create({ amount: 49, currency: 'usd' }))
    assert.equal(small.code, 'amount_too_small')
    const large = await refused(stripe.paymentIntents.create({ amount: 100_000_000, currency: 'usd' }))
    assert.equal(large.code, 'amount_too_large')
    const least = await stripe.paymentIntents.create({ amount: 50, currency: 'usd' })
    assert.equal(least.amount, 50)
  },
)

conformance(
  'methods of the Dashboard may redirect, so confirming them wants a return_url',
  'observed: "…you must provide a `return_url`. If you don\'t want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to `never`" (github.com/opencollective/opencollective-frontend/pull/12346)',
  async ({ stripe }) => {
    const intent = { amount: 1099, currency: 'usd', confirm: true, payment_method: 'pm_card_visa' }
    const failure = await refused(stripe.paymentIntents.create(intent))
    assert.equal(failure.statusCode, 400)
    assert.match(failure.message, /`return_url`/)

    const never = { enabled: true, allow_redirects: 'never' as const }
    const paid = await stripe.paymentIntents.create({ ...intent, automatic_payment_methods: never })
    assert.equal(paid.status, 'succeeded')
  },
)

conformance(
  'an unknown payment method is a resource that is missing, named by its parameter',
  'docs.stripe.com/error-codes, resource_missing',
  async ({ stripe }) => {
    const failure = await refused(stripe.paymentIntents.create({ ...confirmed, payment_method: 'pm_nope' }))
    assert.equal(failure.statusCode, 400)
    assert.equal(failure.code, 'resource_missing')
    assert.equal(failure.param, 'payment_method')
    assert.match(failure.message, /^No such PaymentMethod: 'pm_nope'/)
  },
)

conformance(
  "a customer's intents are listed, newest first",
  'docs.stripe.com/api/payment_intents/list, customer: "Only return PaymentIntents for the customer that this customer ID specifies"',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    const first = await stripe.paymentIntents.create({ amount: 1000, currency: 'usd', customer: customer.id })
    const second = await stripe.paymentIntents.create({ amount: 2000, currency: 'usd', customer: customer.id })
    const listed = await stripe.paymentIntents.list({ customer: customer.id })
    assert.deepEqual(
      listed.data.map(({ id }) => id),
      [second.id, first.id],
    )
  },
)

conformance(
  'each step of a payment is an event',
  'docs.stripe.com/api/events/types: payment_intent.created, charge.succeeded, payment_intent.succeeded',
  async ({ stripe, eventually }) => {
    const paid = await stripe.paymentIntents.create({ ...confirmed, payment_method: 'pm_card_visa' })
    await eventually(async () => {
      const events = await stripe.events.list({ types: ['payment_intent.created', 'payment_intent.succeeded'] })
      const types = events.data
        .filter(({ data }) => (data.object as Stripe.PaymentIntent).id === paid.id)
        .map(({ type }) => type)
      assert.deepEqual(types.toSorted(), ['payment_intent.created', 'payment_intent.succeeded'])
    })
  },
)
