import { html } from 'hono/html'
import { digitsOf, passesLuhn } from '../resources/cards.ts'
import type { CardInput, CheckoutOutcome } from './context.ts'
import { type FormErrors, field } from './form.ts'
import { type Html, page, testMode } from './layout.ts'

/** Card fields as typed. */
export interface TypedCard {
  number: string
  expiry: string
  cvc: string
}

export const CARD_FIELDS = ['number', 'expiry', 'cvc'] as const

const TEST_CARDS = [
  { number: '4242 4242 4242 4242', does: 'Succeeds' },
  { number: '4000 0000 0000 0002', does: 'Is declined' },
  { number: '4000 0025 0000 3155', does: 'Asks for authentication' },
  { number: '4000 0000 0000 0341', does: 'Fails on first invoice' },
]

const MORE_CARDS = [
  { number: '4000 0000 0000 9995', does: 'Insufficient funds' },
  { number: '4000 0000 0000 0069', does: 'Is expired' },
  { number: '4000 0000 0000 0127', does: 'Wrong security code' },
  { number: '4000 0027 6000 3184', does: 'Always asks' },
  { number: '4000 0082 6000 3178', does: 'Asks, then has no funds' },
  { number: '4000 0000 0000 0119', does: 'Processing error' },
  { number: '5555 5555 5555 4444', does: 'Mastercard' },
  { number: '3782 822463 10005', does: 'American Express' },
]

export function typedCard(form: { [field: string]: string }): TypedCard {
  return { number: form.number ?? '', expiry: form.expiry ?? '', cvc: form.cvc ?? '' }
}

/** The typed card with what a test card's button fills in; null when the form was not sent by one. */
export function filledCard(form: { [field: string]: string }, now: Date): TypedCard | null {
  const card = [...TEST_CARDS, ...MORE_CARDS].find(({ number }) => number === form.fill)
  return card ? { number: card.number, ...fillings(card.number, now) } : null
}

function fillings(number: string, now: Date): { expiry: string; cvc: string } {
  const cvc = number.startsWith('37') ? '1234' : '123'
  return { expiry: `12 / ${String((now.getUTCFullYear() + 4) % 100).padStart(2, '0')}`, cvc }
}

/** Reads what was typed the way Stripe's form does, with its sentences; whether the card is any good, the bank says. */
export function readCard(typed: TypedCard, now: Date): { card: CardInput; errors: FormErrors } {
  const errors: FormErrors = {}
  const number = digitsOf(typed.number)
  const length = /^3[47]/.test(number) ? 15 : 16
  if (number === '') errors.number = 'Enter a card number.'
  else if (!/^\d+$/.test(number)) errors.number = 'Your card number is invalid.'
  else if (number.length < length) errors.number = 'Your card number is incomplete.'
  else if (!passesLuhn(number)) errors.number = 'Your card number is invalid.'

  const [, month = '', year = ''] = typed.expiry.trim().match(/^(\d{1,2})\s*[/\s-]?\s*(\d{4}|\d{2})$/) ?? []
  const expMonth = Number(month)
  const expYear = year.length === 2 ? 2000 + Number(year) : Number(year)
  const thisMonth = now.getUTCFullYear() * 12 + now.getUTCMonth()
  if (typed.expiry.trim() === '') errors.expiry = 'Enter the expiration date.'
  else if (month === '') errors.expiry = "Your card's expiration date is incomplete."
  else if (expMonth < 1 || expMonth > 12) errors.expiry = "Your card's expiration date is invalid."
  else if (expYear < now.getUTCFullYear()) errors.expiry = "Your card's expiration year is in the past."
  else if (expYear * 12 + expMonth - 1 < thisMonth) errors.expiry = "Your card's expiration date is in the past."

  const cvc = typed.cvc.trim()
  const cvcLength = /^3[47]/.test(number) ? 4 : 3
  if (cvc === '') errors.cvc = 'Enter the security code.'
  else if (!/^\d+$/.test(cvc)) errors.cvc = "Your card's security code is invalid."
  else if (cvc.length !== cvcLength) errors.cvc = "Your card's security code is incomplete."
  return { card: { number, expMonth, expYear, cvc }, errors }
}

/** Where in the form a refusal of the bank belongs. */
export function declineErrors(outcome: Extract<CheckoutOutcome, { status: 'declined' }>): FormErrors {
  return outcome.field === 'card' ? { form: outcome.message } : { [outcome.field]: outcome.message }
}

export function cardFields(typed: TypedCard, errors: FormErrors): Html {
  return html`${field({
    name: 'number',
    label: 'Card number',
    value: typed.number,
    error: errors.number,
    autocomplete: 'cc-number',
    inputmode: 'numeric',
    placeholder: '1234 1234 1234 1234',
    format: 'number',
    maxlength: 24,
  })}
<div class="pair">${field({
    name: 'expiry',
    label: 'Expiration (MM / YY)',
    value: typed.expiry,
    error: errors.expiry,
    autocomplete: 'cc-exp',
    inputmode: 'numeric',
    placeholder: 'MM / YY',
    format: 'expiry',
    maxlength: 9,
  })}
${field({
  name: 'cvc',
  label: 'CVC',
  value: typed.cvc,
  error: errors.cvc,
  autocomplete: 'cc-csc',
  inputmode: 'numeric',
  placeholder: 'CVC',
  format: 'cvc',
  maxlength: 4,
})}</div>`
}

/**
 * Submit buttons that fill the form, in the browser or by a round trip. They stand behind the form's own button in the
 * document: Enter presses the first.
 */
export function testCards(now: Date): Html {
  return html`<div class="stack-small" role="group" aria-labelledby="test-cards">
<p id="test-cards" class="small muted">Test cards: one click fills the form</p>
<div class="test-cards">${TEST_CARDS.map((card) => cardButton(card, now))}</div>
<details class="small"><summary class="muted">More test cards</summary>
<div class="test-cards after-summary">${MORE_CARDS.map((card) => cardButton(card, now))}</div></details></div>`
}

const PERSON = { email: 'jenny.rosen@example.com', name: 'Jenny Rosen' }

function cardButton({ number, does }: { number: string; does: string }, now: Date): Html {
  return html`<button type="submit" name="fill" value="${number}" formnovalidate
 data-fill="${JSON.stringify({ ...PERSON, card: 'new', number, ...fillings(number, now) })}"><strong>${does}</strong><span>${number}</span></button>`
}

/** The bank's extra question, pretended. `hidden` carries what was typed to the answer. */
export function authenticationPage(action: string, hidden: { [field: string]: string }): Html {
  return page(
    'Authentication',
    html`${testMode()}<main id="main" class="single"><div class="card stack bank">
<p class="small muted">3D Secure, pretended by the local Stripe</p>
<h1>Your bank asks: is it you?</h1>
<p class="muted">${hidden.number ? `The card ending in ${hidden.number.slice(-4)}` : 'Your saved card'} needs authentication. A real bank would now send you a code.</p>
<form method="post" action="${action}" class="row">
${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<button class="primary" name="authentication" value="complete">Complete authentication</button>
<button name="authentication" value="fail">Fail authentication</button>
</form></div></main>`,
  )
}

export const AUTHENTICATION_FAILED =
  'We are unable to authenticate your payment method. Please choose a different payment method and try again.'
