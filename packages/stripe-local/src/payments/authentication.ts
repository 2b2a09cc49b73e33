import type { Account } from '../account.ts'
import type { Authentication } from '../pages/three-d-secure.ts'
import type { PaymentMethod } from '../resources/payment-methods.ts'
import { answerPayment } from './pay.ts'
import type { PaymentIntent } from './payment-intent.ts'
import { answerSetup, type SetupIntent } from './setup-intent.ts'

/** What the bank is asked about by the intent of that secret; null when there is no such intent. */
export function authenticationOf(account: Account, id: string, secret: string): Authentication | null {
  const intent = intentOf(account, id, secret)
  if (!intent) return null
  const method = account.objects.find<PaymentMethod>('payment_method', intent.payment_method ?? '')
  return {
    last4: method?.card.last4 ?? '····',
    amount: intent.object === 'payment_intent' ? { minor: intent.amount, currency: intent.currency } : null,
    isOpen: intent.status === 'requires_action',
    returnTo: returnTo(intent, intent._return_url),
  }
}

/**
 * Gives the bank's answer. @returns the intent's return_url with what Stripe adds to it, or null when it has none
 */
export function answerAuthentication(account: Account, id: string, secret: string, passed: boolean): string | null {
  const before = intentOf(account, id, secret)
  if (!before) return null
  const after =
    before.object === 'payment_intent' ? answerPayment(account, before, passed) : answerSetup(account, before, passed)
  return returnTo(after, before._return_url)
}

function intentOf(account: Account, id: string, secret: string): PaymentIntent | SetupIntent | null {
  const found =
    account.objects.find<PaymentIntent>('payment_intent', id) ?? account.objects.find<SetupIntent>('setup_intent', id)
  return found && found.client_secret === secret ? found : null
}

function returnTo(intent: PaymentIntent | SetupIntent, address: string | null): string | null {
  if (address === null) return null
  const url = new URL(address)
  url.searchParams.set(intent.object, intent.id)
  url.searchParams.set(`${intent.object}_client_secret`, intent.client_secret)
  const isGood = intent.status !== 'requires_payment_method' && intent.status !== 'canceled'
  url.searchParams.set('redirect_status', isGood ? 'succeeded' : 'failed')
  return url.href
}
