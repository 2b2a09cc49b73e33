import assert from 'node:assert/strict'
import { Stripe } from 'stripe'
import { conformance } from './conformance.ts'
import { refused } from './refusal.ts'

const cards = { allowed_payment_method_types: ['card' as const] }

conformance('each brand has its test card', 'docs.stripe.com/testing, "Cards by brand"', async ({ stripe }) => {
  const brands: [name: string, brand: string, last4: string, funding: string][] = [
    ['pm_card_visa', 'visa', '4242', 'credit'],
    ['pm_card_visa_debit', 'visa', '5556', 'debit'],
    ['pm_card_mastercard', 'mastercard', '4444', 'credit'],
    ['pm_card_mastercard_debit', 'mastercard', '8210', 'debit'],
    ['pm_card_mastercard_prepaid', 'mastercard', '5100', 'prepaid'],
    ['pm_card_amex', 'amex', '0005', 'credit'],
    ['pm_card_discover', 'discover', '1117', 'credit'],
    ['pm_card_diners', 'diners', '0004', 'credit'],
    ['pm_card_jcb', 'jcb', '0505', 'credit'],
    ['pm_card_unionpay', 'unionpay', '0005', 'credit'],
  ]
  const customer = await stripe.customers.create()
  for (const [name, brand, last4, funding] of brands) {
    const { card } = await stripe.paymentMethods.attach(name, { customer: customer.id })
    if (brand !== 'amex') assert.equal(card!.last4, last4, name)
    assert.equal(card!.brand, brand, name)
    assert.equal(card!.funding, funding, name)
  }
})

conformance('cards of other countries say so', 'docs.stripe.com/testing, "Cards by country"', async ({ stripe }) => {
  for (const [name, country] of [
    ['pm_card_gb', 'GB'],
    ['pm_card_de', 'DE'],
    ['pm_card_jp', 'JP'],
  ] as const) {
    const intent = await stripe.paymentIntents.create({
      amount: 1000,
      currency: 'usd',
      confirm: true,
      payment_method: name,
      expand: ['payment_method'],
      ...cards,
    })
    assert.equal((intent.payment_method as Stripe.PaymentMethod).card!.country, country)
  }
})

conformance(
  'a card that declines cannot be attached',
  'docs.stripe.com/testing, "Declined payments": "The cards in the previous table can\'t be attached to a Customer object."',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    for (const name of ['pm_card_visa_chargeDeclined', 'pm_card_chargeDeclinedExpiredCard']) {
      const failure = await refused(stripe.paymentMethods.attach(name, { customer: customer.id }))
      assert.ok(failure instanceof Stripe.errors.StripeCardError, name)
      assert.equal(failure.statusCode, 402)
    }
    assert.equal((await stripe.customers.listPaymentMethods(customer.id)).data.length, 0)
  },
)

conformance(
  'one card is attached and declines when it is charged',
  'docs.stripe.com/testing: 4000000000000341 "Decline after attaching: Attaching this card to a Customer object succeeds, but attempts to charge the customer fail."',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    const card = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: customer.id })
    const failure = await refused(
      stripe.paymentIntents.create({
        amount: 1000,
        currency: 'usd',
        confirm: true,
        customer: customer.id,
        payment_method: card.id,
        ...cards,
      }),
    )
    assert.equal(failure.code, 'card_declined')
  },
)

conformance(
  'a card that asks unless it was set up is declined off session when it was not',
  'docs.stripe.com/testing: 4000002500003155 "This card requires authentication for off-session payments unless you set it up for future payments. … On-session payments with this card always require authentication."',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    const card = await stripe.paymentMethods.attach('pm_card_authenticationRequiredOnSetup', { customer: customer.id })
    const payment = {
      amount: 1000,
      currency: 'usd',
      confirm: true,
      customer: customer.id,
      payment_method: card.id,
      ...cards,
    }
    const failure = await refused(stripe.paymentIntents.create({ ...payment, off_session: true }))
    assert.equal(failure.code, 'authentication_required')
    const attended = await stripe.paymentIntents.create({ ...payment, return_url: 'https://example.com' })
    assert.equal(attended.status, 'requires_action')
  },
)

conformance(
  'a card that is set up already asks only while the customer is there',
  'docs.stripe.com/testing: 4000003800000446 "This card is already set up for off-session use. It requires authentication for one-time and other on-session payments. However, all off-session payments succeed as if the card has been previously set up."',
  async ({ stripe }) => {
    const customer = await stripe.customers.create()
    const card = await stripe.paymentMethods.attach('pm_card_authenticationRequiredSetupForOffSession', {
      customer: customer.id,
    })
    const payment = {
      amount: 1000,
      currency: 'usd',
      confirm: true,
      customer: customer.id,
      payment_method: card.id,
      ...cards,
    }
    assert.equal((await stripe.paymentIntents.create({ ...payment, off_session: true })).status, 'succeeded')
    const attended = await stripe.paymentIntents.create({ ...payment, return_url: 'https://example.com' })
    assert.equal(attended.status, 'requires_action')
  },
)

conformance(
  'a card that asks and then has no funds is declined after the question',
  'docs.stripe.com/testing: 4000008260003178 "This card requires authentication on all transactions. … payments … will be declined with an insufficient_funds failure code even after being successfully authenticated"',
  async ({ stripe }) => {
    const intent = await stripe.paymentIntents.create({
      amount: 1000,
      currency: 'usd',
      confirm: true,
      payment_method: 'pm_card_authenticationRequiredChargeDeclinedInsufficientFunds',
      return_url: 'https://example.com/back',
      ...cards,
    })
    const body = new URLSearchParams({ authentication: 'complete' })
    const page = intent.next_action!.redirect_to_url!.url!
    const back = await fetch(page, { method: 'POST', body, redirect: 'manual' })
    assert.match(back.headers.get('location')!, /redirect_status=failed/)
    const after = await stripe.paymentIntents.retrieve(intent.id, { expand: ['latest_charge'] })
    assert.equal(after.status, 'requires_payment_method')
    assert.equal(after.last_payment_error!.decline_code, 'insufficient_funds')
    const { card } = (after.latest_charge as Stripe.Charge).payment_method_details!
    assert.equal(card!.three_d_secure!.result, 'authenticated')
  },
  { localOnly: "the bank's page has to be answered" },
)

conformance(
  'numbers, dates and codes that cannot be are refused by their parameter',
  'docs.stripe.com/testing, "Invalid data"; docs.stripe.com/error-codes: incorrect_number, invalid_expiry_month, invalid_expiry_year, invalid_cvc',
  async ({ stripe }) => {
    const good = { number: '4242424242424242', exp_month: 12, exp_year: 2040, cvc: '123' }
    const cases: [wrong: object, code: string, param: string][] = [
      [{ number: '4242424242424241' }, 'incorrect_number', 'number'],
      [{ exp_month: 13 }, 'invalid_expiry_month', 'exp_month'],
      [{ exp_year: 2020 }, 'invalid_expiry_year', 'exp_year'],
      [{ cvc: '99' }, 'invalid_cvc', 'cvc'],
    ]
    for (const [wrong, code, param] of cases) {
      const failure = await refused(stripe.paymentMethods.create({ type: 'card', card: { ...good, ...wrong } }))
      assert.equal(failure.statusCode, 402, code)
      assert.equal(failure.code, code)
      assert.equal(failure.param, param)
    }
    const amex = await stripe.paymentMethods.create({
      type: 'card',
      card: { ...good, number: '378282246310005', cvc: '1234' },
    })
    assert.equal(amex.card!.brand, 'amex')
  },
  { localOnly: 'accounts may send raw card numbers only where Stripe has allowed it' },
)
