import type { Account } from '../account.ts'
import type { CardInput, CardSetup } from '../pages/context.ts'
import { behaviourOf, type CardFault, digitsOf, faultOf } from '../resources/cards.ts'
import { type Customer, customerParameter } from '../resources/customers.ts'
import { createPaymentMethod } from '../resources/payment-methods.ts'
import { confirmSetup, newSetupIntent, type SetupIntent } from './setup-intent.ts'

/**
 * Sets up a card that a customer has typed, to be charged from now on: when it succeeds it is the customer's default
 * card. Where the bank wants to ask, `url` is its page, which leads to `returnUrl` in the end with `redirect_status`,
 * `succeeded` or `failed`, in its query.
 */
export function beginCardSetup(account: Account, customerId: string, card: CardInput, returnUrl: string): CardSetup {
  const refusal = cardRefusal(card, new Date(account.timeline.nowMs()))
  if (refusal) return refusal
  const customer = customerParameter(account, customerId)
  const intent = beginSetup(account, customer, card)
  const after = confirmSetup(account, intent, { returnUrl })
  if (after.next_action) return { status: 'requires_action', url: after.next_action.redirect_to_url!.url }
  return { status: 'succeeded', paymentMethod: after.payment_method! }
}

function beginSetup(account: Account, customer: Customer, card: CardInput): SetupIntent {
  const payer = { name: customer.name, email: customer.email }
  const method = createPaymentMethod(account, card, payer)
  const fields = { payment_method: method.id, status: 'requires_confirmation' as const, _becomes_default: true }
  const about = { customer: customer.id, clock: customer.test_clock }
  return account.create(newSetupIntent(account, about, fields), 'setup_intent.created')
}

export type CardRefusal = { status: 'declined'; field: 'number' | 'expiry' | 'cvc' | 'card'; message: string }

/** Why a typed card is refused on the spot, by the form or by the bank, and beside which field that is said. */
export function cardRefusal(card: CardInput, now: Date): CardRefusal | null {
  const fault = faultOf(card, now)
  if (fault) return { status: 'declined', field: fault.field, message: fault.message }
  const decline = behaviourOf(digitsOf(card.number)).attach
  return decline ? { status: 'declined', field: fieldOf(decline.code), message: decline.message } : null
}

/** The field of the form that an error code concerns. */
export function fieldOf(code: string): CardFault['field'] | 'card' {
  if (code === 'expired_card') return 'expiry'
  return code === 'incorrect_cvc' ? 'cvc' : 'card'
}

/** The same without the bank's question, for a payment that follows at once and asks it. */
export function replaceCard(account: Account, customerId: string, card: CardInput): CardSetup {
  const refusal = cardRefusal(card, new Date(account.timeline.nowMs()))
  if (refusal) return refusal
  const after = confirmSetup(account, beginSetup(account, customerParameter(account, customerId), card), {
    authenticated: true,
  })
  return { status: 'succeeded', paymentMethod: after.payment_method! }
}
