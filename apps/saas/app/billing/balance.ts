import type { InvoiceRow } from 'meterkit'
import { minimumCharge } from 'meterkit/pricing'

/** What the next invoice asks for: charges with what earlier invoices left on the balance. Minor units. */
export interface Due {
  amount: bigint
  /** The part of a credit that the charges do not use up; it stays for later invoices. */
  creditLeft: bigint
}

/**
 * @param charges  minor units
 * @param carried  minor units; owed is positive, a credit negative
 */
export function dueOf(charges: string | bigint, carried: string | bigint): Due {
  const sum = BigInt(charges) + BigInt(carried)
  return sum < 0n ? { amount: 0n, creditLeft: -sum } : { amount: sum, creditLeft: 0n }
}

/** What an invoice took from the card, and what the balance had to do with it. */
export type Settlement =
  | { kind: 'plain'; charged: bigint }
  /** Too little for a card: it waits on the balance. */
  | { kind: 'carried_over'; amount: bigint }
  /** With what earlier invoices had left. */
  | { kind: 'with_carried'; charged: bigint; carried: bigint }
  | { kind: 'less_credit'; charged: bigint; credit: bigint }

export function settlementOf({
  status,
  total,
  amountDue,
  currency,
}: Pick<InvoiceRow, 'status' | 'total' | 'amountDue' | 'currency'>): Settlement {
  if (amountDue === total) return { kind: 'plain', charged: total }
  if (amountDue > total) return { kind: 'with_carried', charged: amountDue, carried: amountDue - total }
  const tooLittle = total > 0n && total < (minimumCharge(currency) ?? 0n)
  if (status === 'paid' && amountDue === 0n && tooLittle) return { kind: 'carried_over', amount: total }
  return { kind: 'less_credit', charged: amountDue, credit: total - amountDue }
}
