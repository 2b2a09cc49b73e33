import { createHash } from 'node:crypto'
import type { CardInput } from '../pages/context.ts'

/** How a test card behaves: refused when it is attached, or later when it is charged, or wanting the bank's question. */
export interface CardBehaviour {
  brand: 'visa' | 'mastercard' | 'amex' | 'discover' | 'diners' | 'jcb' | 'unionpay'
  /** Refused as soon as it is set up. */
  attach?: Decline
  /** Set up without complaint, refused at each charge. */
  charge?: Decline
  /** `setup`: asked once, when it is set up; `always`: at every charge as well. */
  authentication?: 'setup' | 'always'
}
export interface Decline {
  code: string
  decline_code?: string
  message: string
}

const DECLINED: Decline = { code: 'card_declined', decline_code: 'generic_decline', message: 'Your card was declined.' }
const INSUFFICIENT: Decline = {
  code: 'card_declined',
  decline_code: 'insufficient_funds',
  message: 'Your card has insufficient funds.',
}
const EXPIRED: Decline = { code: 'expired_card', message: 'Your card has expired.' }
const WRONG_CVC: Decline = { code: 'incorrect_cvc', message: "Your card's security code is incorrect." }
const PROCESSING: Decline = {
  code: 'processing_error',
  message: 'An error occurred while processing your card. Try again in a little bit.',
}

/** Stripe's test numbers (docs: testing). */
const CARDS: { [number: string]: CardBehaviour } = {
  '4242424242424242': { brand: 'visa' },
  '4000056655665556': { brand: 'visa' },
  '5555555555554444': { brand: 'mastercard' },
  '2223003122003222': { brand: 'mastercard' },
  '5200828282828210': { brand: 'mastercard' },
  '378282246310005': { brand: 'amex' },
  '371449635398431': { brand: 'amex' },
  '6011111111111117': { brand: 'discover' },
  '3056930009020004': { brand: 'diners' },
  '3566002020360505': { brand: 'jcb' },
  '6200000000000005': { brand: 'unionpay' },
  '4000000000000002': { brand: 'visa', attach: DECLINED },
  '4000000000009995': { brand: 'visa', attach: INSUFFICIENT },
  '4000000000000069': { brand: 'visa', attach: EXPIRED },
  '4000000000000127': { brand: 'visa', attach: WRONG_CVC },
  '4000000000000119': { brand: 'visa', attach: PROCESSING },
  '4000000000000341': { brand: 'visa', charge: DECLINED },
  '4000002500003155': { brand: 'visa', authentication: 'setup' },
  '4000002760003184': { brand: 'visa', authentication: 'always' },
  '4000008260003178': { brand: 'visa', authentication: 'always', charge: INSUFFICIENT },
}

/** Test names of payment methods and tokens, and the number each stands for. */
const TOKENS: { [token: string]: string } = {
  pm_card_visa: '4242424242424242',
  pm_card_visa_debit: '4000056655665556',
  pm_card_mastercard: '5555555555554444',
  pm_card_amex: '378282246310005',
  pm_card_discover: '6011111111111117',
  pm_card_chargeDeclined: '4000000000000002',
  pm_card_visa_chargeDeclined: '4000000000000002',
  pm_card_chargeDeclinedInsufficientFunds: '4000000000009995',
  pm_card_chargeDeclinedExpiredCard: '4000000000000069',
  pm_card_chargeDeclinedIncorrectCvc: '4000000000000127',
  pm_card_chargeDeclinedProcessingError: '4000000000000119',
  pm_card_chargeCustomerFail: '4000000000000341',
  pm_card_authenticationRequired: '4000002760003184',
  pm_card_authenticationRequiredOnSetup: '4000002500003155',
  tok_visa: '4242424242424242',
  tok_mastercard: '5555555555554444',
  tok_amex: '378282246310005',
  tok_chargeDeclined: '4000000000000002',
  tok_chargeCustomerFail: '4000000000000341',
}

export function cardOfToken(token: string): CardInput | null {
  const number = TOKENS[token]
  return number === undefined ? null : { number, expMonth: 12, expYear: 2034, cvc: '123' }
}

export function behaviourOf(number: string): CardBehaviour {
  return CARDS[number] ?? { brand: brandOf(number) }
}

/** The same number has the same fingerprint, as at Stripe; the number itself is never stored. */
export function fingerprintOf(number: string): string {
  return createHash('sha256').update(`stripe-local ${number}`).digest('base64').replaceAll(/[+/=]/g, '').slice(0, 16)
}

export type CardFault = { field: 'number' | 'expiry' | 'cvc'; code: string; message: string }

/** What is wrong with a card as it was typed, or null. */
export function faultOf(card: CardInput, now: Date): CardFault | null {
  const number = digitsOf(card.number)
  if (!/^\d{12,19}$/.test(number) || !passesLuhn(number)) {
    return { field: 'number', code: 'incorrect_number', message: 'Your card number is incorrect.' }
  }
  if (!(number in CARDS)) {
    // Stripe's test mode takes its own test numbers only; a real card must not be typed here.
    return {
      field: 'number',
      code: 'card_declined',
      message:
        'Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test cards, visit: https://stripe.com/docs/testing.',
    }
  }
  if (!Number.isInteger(card.expMonth) || card.expMonth < 1 || card.expMonth > 12) {
    return { field: 'expiry', code: 'invalid_expiry_month', message: "Your card's expiration month is invalid." }
  }
  const isPast =
    card.expYear < now.getUTCFullYear() ||
    (card.expYear === now.getUTCFullYear() && card.expMonth < now.getUTCMonth() + 1)
  if (!Number.isInteger(card.expYear) || isPast || card.expYear > now.getUTCFullYear() + 50) {
    return { field: 'expiry', code: 'invalid_expiry_year', message: "Your card's expiration year is invalid." }
  }
  const digits = behaviourOf(number).brand === 'amex' ? /^\d{3,4}$/ : /^\d{3}$/
  if (!digits.test(card.cvc))
    return { field: 'cvc', code: 'invalid_cvc', message: "Your card's security code is invalid." }
  return null
}

export function digitsOf(number: string): string {
  return number.replaceAll(/[\s-]/g, '')
}

/** The check digit of ISO/IEC 7812: from the right, every second digit doubled, digit sums add up to a multiple of ten. */
export function passesLuhn(number: string): boolean {
  const sum = [...number].reverse().reduce((total, digit, index) => {
    const doubled = Number(digit) * (index % 2 === 1 ? 2 : 1)
    return total + (doubled > 9 ? doubled - 9 : doubled)
  }, 0)
  return sum % 10 === 0
}

function brandOf(number: string): CardBehaviour['brand'] {
  if (/^3[47]/.test(number)) return 'amex'
  if (/^(5[1-5]|2[2-7])/.test(number)) return 'mastercard'
  if (/^6(011|5)/.test(number)) return 'discover'
  return 'visa'
}
