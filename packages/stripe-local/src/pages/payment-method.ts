import type { ApiObject } from './context.ts'
import { integer, text } from './wire.ts'

/** "Visa •••• 4242, expires 12/2030", from a payment method's `card`. */
export function describeCard(card: ApiObject): string {
  const brand = text(card, 'brand') ?? 'card'
  const expires = `${String(integer(card, 'exp_month')).padStart(2, '0')}/${integer(card, 'exp_year')}`
  return `${brand.charAt(0).toUpperCase()}${brand.slice(1)} •••• ${text(card, 'last4')}, expires ${expires}`
}
