import type { ApiObject } from './context.ts'
import { integer, text } from './wire.ts'

const BRANDS: { [brand: string]: string } = {
  amex: 'American Express',
  diners: 'Diners Club',
  jcb: 'JCB',
  unionpay: 'UnionPay',
}

/** "Visa •••• 4242", from a payment method's `card`. */
export function cardName(card: ApiObject): string {
  const brand = text(card, 'brand') ?? 'card'
  return `${BRANDS[brand] ?? brand.charAt(0).toUpperCase() + brand.slice(1)} •••• ${text(card, 'last4')}`
}

/** "Visa •••• 4242, expires 12/2030", from a payment method's `card`. */
export function describeCard(card: ApiObject): string {
  const expires = `${String(integer(card, 'exp_month')).padStart(2, '0')}/${integer(card, 'exp_year')}`
  return `${cardName(card)}, expires ${expires}`
}
