import type { Account, Kind } from '../account.ts'
import { formatAmount } from '../billing/currency.ts'
import { refuse } from '../http/errors.ts'
import type { Metadata } from '../http/params.ts'
import { newId } from '../identifier.ts'
import type { Stored } from '../objects.ts'
import type { Charge } from './charge.ts'

/** Money given back to the card it came from. */
export interface Refund extends Stored {
  object: 'refund'
  amount: number
  balance_transaction: null
  charge: string
  currency: string
  customer: string | null
  customer_account: null
  destination_details: { card: { type: 'refund' }; type: 'card' }
  metadata: Metadata
  payment_intent: string | null
  payment_method: string | null
  reason: 'duplicate' | 'fraudulent' | 'requested_by_customer' | null
  receipt_number: null
  source_transfer_reversal: null
  status: 'succeeded'
  transfer_reversal: null
}

export const refund: Kind = {
  type: 'refund',
  noun: 'refund',
  references: {
    charge: 'charge',
    customer: 'customer',
    payment_intent: 'payment_intent',
    payment_method: 'payment_method',
  },
}

/** Gives back a charge, by default all that is left of it. @throws ApiError when nothing, or too little, is left */
export function refundCharge(
  account: Account,
  charge: Charge,
  about: { amount?: number | undefined; created: number; reason?: Refund['reason'] | undefined; metadata?: Metadata },
): Refund {
  if (charge.status !== 'succeeded' || !charge.captured) {
    throw refuse(`The charge ${charge.id} was not paid and cannot be refunded.`, { param: 'charge' })
  }
  const left = charge.amount_captured - charge.amount_refunded
  if (left === 0) throw refuse(`Charge ${charge.id} has already been refunded.`, { code: 'charge_already_refunded' })
  const amount = about.amount ?? left
  if (amount > left) {
    const [asked, rest] = [amount, left].map((value) => formatAmount(String(value), charge.currency))
    throw refuse(`Refund amount (${asked}) is greater than unrefunded amount on charge (${rest})`, { param: 'amount' })
  }
  const made = account.create<Refund>(
    {
      id: newId('re'),
      object: 'refund',
      amount,
      balance_transaction: null,
      charge: charge.id,
      created: about.created,
      currency: charge.currency,
      customer: charge.customer,
      customer_account: null,
      destination_details: { card: { type: 'refund' }, type: 'card' },
      metadata: about.metadata ?? {},
      payment_intent: charge.payment_intent,
      payment_method: charge.payment_method,
      reason: about.reason ?? null,
      receipt_number: null,
      source_transfer_reversal: null,
      status: 'succeeded',
      transfer_reversal: null,
    },
    'refund.created',
  )
  const amount_refunded = charge.amount_refunded + amount
  account.change<Charge>(charge, { amount_refunded, refunded: amount_refunded === charge.amount }, 'charge.refunded')
  return made
}
