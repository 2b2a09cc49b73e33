import type { Account } from '../account.ts'
import type { Decline } from '../resources/cards.ts'

/** Decline codes that are also the error's code; all others come with `card_declined`. */
const OWN_CODES: { [code: string]: string } = {
  expired_card: 'Your card has expired.',
  incorrect_cvc: "Your card's security code is incorrect.",
  processing_error: 'An error occurred while processing your card. Try again in a little bit.',
}

/** The decline that somebody chose for the next charge on the page of faults; uses up one of its count. */
export function chosenDecline(account: Account): Decline | null {
  const code = account.faults.takeDecline()
  if (code === undefined) return null
  const own = OWN_CODES[code]
  if (own) return { code, message: own }
  const message = code === 'insufficient_funds' ? 'Your card has insufficient funds.' : 'Your card was declined.'
  return { code: 'card_declined', decline_code: code, message }
}
