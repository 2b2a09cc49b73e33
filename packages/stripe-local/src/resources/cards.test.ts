import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asks, behaviourOf, cardOfToken, faultOf, passesLuhn } from './cards.ts'

const NOW = new Date('2026-11-24T12:00:00Z')
const good = { number: '4242 4242 4242 4242', expMonth: 12, expYear: 2034, cvc: '123' }

test('every test name stands for a number that a card could have', () => {
  const names = ['visa', 'amex', 'unionpay', 'chargeDeclined', 'chargeCustomerFail', 'authenticationRequired', 'gb']
  for (const name of names) {
    for (const prefix of ['pm_card_', 'tok_']) {
      const card = cardOfToken(`${prefix}${name}`)
      assert.ok(card && passesLuhn(card.number), `${prefix}${name}`)
      assert.equal(faultOf(card, NOW), null, `${prefix}${name}`)
    }
  }
  assert.equal(cardOfToken('pm_card_nope'), null)
  assert.equal(cardOfToken('visa'), null)
  assert.equal(cardOfToken('pm_visa'), null)
})

test('the check digit is told from its neighbours', () => {
  // 4242…: doubled every second from the right, 8+2+8+2 … = 80, a multiple of ten; one more is not
  assert.equal(passesLuhn('4242424242424242'), true)
  assert.equal(passesLuhn('4242424242424243'), false)
  assert.equal(passesLuhn('378282246310005'), true) // fifteen digits
})

test('what is wrong with a card is said of the right field', () => {
  const cases: [wrong: Partial<typeof good>, field: string, code: string][] = [
    [{ number: '4242424242424241' }, 'number', 'incorrect_number'],
    [{ number: '4111111111111111' }, 'number', 'card_declined'], // a good number, but none of Stripe's
    [{ expMonth: 0 }, 'expiry', 'invalid_expiry_month'],
    [{ expYear: 2026, expMonth: 10 }, 'expiry', 'invalid_expiry_year'], // last month
    [{ expYear: 2080 }, 'expiry', 'invalid_expiry_year'],
    [{ cvc: '12' }, 'cvc', 'invalid_cvc'],
    [{ cvc: '1234' }, 'cvc', 'invalid_cvc'], // four digits are American Express's
  ]
  for (const [wrong, field, code] of cases) {
    const fault = faultOf({ ...good, ...wrong }, NOW)
    assert.deepEqual({ field: fault?.field, code: fault?.code }, { field, code }, JSON.stringify(wrong))
  }
  assert.equal(faultOf({ ...good, expYear: 2026, expMonth: 11 }, NOW), null) // good until its month ends
})

test('who asks, and when', () => {
  const cases: [number: string, setUp: boolean, present: boolean, absent: boolean][] = [
    ['4242424242424242', false, false, false],
    ['4000002500003155', false, true, true], // not yet set up: nobody there to answer
    ['4000002500003155', true, true, false],
    ['4000002760003184', true, true, true],
    ['4000003800000446', false, true, false],
  ]
  for (const [_number, _set_up, present, absent] of cases) {
    assert.equal(asks({ _number, _set_up }, 'on_session'), present, `${_number} with the customer`)
    assert.equal(asks({ _number, _set_up }, 'off_session'), absent, `${_number} without`)
  }
  assert.equal(behaviourOf('4000008260003178').charge?.decline_code, 'insufficient_funds')
})
