import { createHash } from 'node:crypto'
import type { CardInput } from '../pages/context.ts'

/** How a test card behaves: refused at once, or later when it is charged, or wanting the bank's question. */
export interface CardBehaviour {
  brand: Brand
  country: string
  funding: 'credit' | 'debit' | 'prepaid'
  /** Refused as soon as it is set up or charged. */
  attach?: Decline
  /** Set up without complaint, refused at each charge. */
  charge?: Decline
  /**
   * While the customer is there the bank asks in all three cases. Later `setup` is charged without asking once it was
   * set up, `always` never is, and `prepared` is even without having been set up.
   */
  authentication?: 'setup' | 'always' | 'prepared'
}
export type Brand = 'visa' | 'mastercard' | 'amex' | 'discover' | 'diners' | 'jcb' | 'unionpay'
export interface Decline {
  code: string
  decline_code?: string
  message: string
}

/** Whether the bank wants to ask its customer before this charge. */
export function asks(method: { _number: string; _set_up: boolean }, usage: 'on_session' | 'off_session'): boolean {
  const { authentication } = behaviourOf(method._number)
  if (usage === 'on_session') return authentication !== undefined
  return authentication === 'always' || (authentication === 'setup' && !method._set_up)
}

/** The bank wants to ask and nobody is there to answer. */
export const ASKS: Decline = {
  code: 'authentication_required',
  decline_code: 'authentication_required',
  message: 'Your card was declined. This transaction requires authentication.',
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

const LOST: Decline = { code: 'card_declined', decline_code: 'lost_card', message: 'Your card was declined.' }
const STOLEN: Decline = { code: 'card_declined', decline_code: 'stolen_card', message: 'Your card was declined.' }
const TOO_OFTEN: Decline = {
  code: 'card_declined',
  decline_code: 'card_velocity_exceeded',
  message: 'Your card was declined for making repeated attempts too frequently or exceeding its amount limit.',
}
const FRAUDULENT: Decline = { code: 'card_declined', decline_code: 'fraudulent', message: 'Your card was declined.' }

type Entry = [number: string, brand: Brand, name: string | null, more?: Partial<CardBehaviour>]

/** Stripe's test numbers with the names that stand for them after `pm_card_` and `tok_` (docs: testing). */
const CARDS: Entry[] = [
  ['4242424242424242', 'visa', 'visa'],
  ['4000056655665556', 'visa', 'visa_debit', { funding: 'debit' }],
  ['5555555555554444', 'mastercard', 'mastercard'],
  ['2223003122003222', 'mastercard', null],
  ['5200828282828210', 'mastercard', 'mastercard_debit', { funding: 'debit' }],
  ['5105105105105100', 'mastercard', 'mastercard_prepaid', { funding: 'prepaid' }],
  ['378282246310005', 'amex', 'amex'],
  ['371449635398431', 'amex', null],
  ['6011111111111117', 'discover', 'discover'],
  ['6011000990139424', 'discover', null],
  ['6011981111111113', 'discover', null, { funding: 'debit' }],
  ['3056930009020004', 'diners', 'diners'],
  ['36227206271667', 'diners', null],
  ['3566002020360505', 'jcb', 'jcb', { country: 'JP' }],
  ['6200000000000005', 'unionpay', 'unionpay', { country: 'CN' }],
  ['6200000000000047', 'unionpay', null, { country: 'CN', funding: 'debit' }],
  ['6205500000000000004', 'unionpay', null, { country: 'CN' }],
  ['4000000760000002', 'visa', 'br', { country: 'BR' }],
  ['4000001240000000', 'visa', 'ca', { country: 'CA' }],
  ['4000004840008001', 'visa', 'mx', { country: 'MX' }],
  ['4000000400000008', 'visa', 'at', { country: 'AT' }],
  ['4000000560000004', 'visa', 'be', { country: 'BE' }],
  ['4000002080000001', 'visa', 'dk', { country: 'DK' }],
  ['4000002460000001', 'visa', 'fi', { country: 'FI' }],
  ['4000002500000003', 'visa', 'fr', { country: 'FR' }],
  ['4000002760000016', 'visa', 'de', { country: 'DE' }],
  ['4000003720000005', 'visa', 'ie', { country: 'IE' }],
  ['4000003800000008', 'visa', 'it', { country: 'IT' }],
  ['4000005280000002', 'visa', 'nl', { country: 'NL' }],
  ['4000005780000007', 'visa', 'no', { country: 'NO' }],
  ['4000006160000005', 'visa', 'pl', { country: 'PL' }],
  ['4000007240000007', 'visa', 'es', { country: 'ES' }],
  ['4000007520000008', 'visa', 'se', { country: 'SE' }],
  ['4000007560000009', 'visa', 'ch', { country: 'CH' }],
  ['4000008260000000', 'visa', 'gb', { country: 'GB' }],
  ['4000000360000006', 'visa', 'au', { country: 'AU' }],
  ['4000003560000008', 'visa', 'in', { country: 'IN' }],
  ['4000003920000003', 'visa', 'jp', { country: 'JP' }],
  ['4000007020000003', 'visa', 'sg', { country: 'SG' }],
  ['4000000000000002', 'visa', 'visa_chargeDeclined', { attach: DECLINED }],
  ['4000000000009995', 'visa', 'visa_chargeDeclinedInsufficientFunds', { attach: INSUFFICIENT }],
  ['4000000000009987', 'visa', 'visa_chargeDeclinedLostCard', { attach: LOST }],
  ['4000000000009979', 'visa', 'visa_chargeDeclinedStolenCard', { attach: STOLEN }],
  ['4000000000006975', 'visa', 'visa_chargeDeclinedVelocityLimitExceeded', { attach: TOO_OFTEN }],
  ['4000000000000069', 'visa', 'chargeDeclinedExpiredCard', { attach: EXPIRED }],
  ['4000000000000127', 'visa', 'chargeDeclinedIncorrectCvc', { attach: WRONG_CVC }],
  ['4000000000000119', 'visa', 'chargeDeclinedProcessingError', { attach: PROCESSING }],
  ['4100000000000019', 'visa', 'radarBlock', { charge: FRAUDULENT }],
  ['4000000000000341', 'visa', 'chargeCustomerFail', { charge: DECLINED }],
  ['4000002500003155', 'visa', 'authenticationRequiredOnSetup', { country: 'FR', authentication: 'setup' }],
  ['4000002760003184', 'visa', 'authenticationRequired', { country: 'DE', authentication: 'always' }],
  [
    '4000003800000446',
    'visa',
    'authenticationRequiredSetupForOffSession',
    { country: 'IT', authentication: 'prepared' },
  ],
  [
    '4000008260003178',
    'visa',
    'authenticationRequiredChargeDeclinedInsufficientFunds',
    { country: 'GB', authentication: 'always', charge: INSUFFICIENT },
  ],
  ['4000000000003220', 'visa', 'threeDSecure2Required', { authentication: 'setup' }],
  ['4000000000003063', 'visa', 'threeDSecureRequired', { authentication: 'setup' }],
  ['4000008400001629', 'visa', 'threeDSecureRequiredChargeDeclined', { authentication: 'setup', charge: DECLINED }],
  ['4000000000003055', 'visa', 'threeDSecureOptional'],
]

const BEHAVIOURS = new Map<string, CardBehaviour>(
  CARDS.map(([number, brand, , more]) => [number, { brand, country: 'US', funding: 'credit', ...more }]),
)

/** Names under which the same cards are known as well. */
const OTHER_NAMES: { [name: string]: string } = {
  us: '4242424242424242',
  chargeDeclined: '4000000000000002',
  chargeDeclinedInsufficientFunds: '4000000000009995',
  chargeDeclinedLostCard: '4000000000009987',
  chargeDeclinedStolenCard: '4000000000009979',
  chargeDeclinedFraudulent: '4100000000000019',
}
const NUMBERS = new Map<string, string>([
  ...CARDS.flatMap(([number, , name]): [string, string][] => (name === null ? [] : [[name, number]])),
  ...Object.entries(OTHER_NAMES),
])

/** The card that a test name such as `pm_card_visa` or `tok_visa` stands for; null for any other text. */
export function cardOfToken(token: string): CardInput | null {
  const number = NUMBERS.get(/^(?:pm_card|tok)_(.+)$/.exec(token)?.[1] ?? '')
  return number === undefined
    ? null
    : { number, expMonth: 12, expYear: 2034, cvc: behaviourOf(number).brand === 'amex' ? '1234' : '123' }
}

export function behaviourOf(number: string): CardBehaviour {
  return BEHAVIOURS.get(number) ?? { brand: brandOf(number), country: 'US', funding: 'credit' }
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
  if (!BEHAVIOURS.has(number)) {
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
