/**
 * Where Stripe's documentation is silent or contradicts itself, the local Stripe picks one reading. Each stands here
 * with its default and is asked for at the one place that needs it, so that a test can try the other one:
 * `startStripeLocal({ readings: { zeroUsageLine: 'suppressed' } })`.
 */
export interface Readings {
  /** Whether a renewal prints a metered line for a period without usage (flexible billing mode). */
  zeroUsageLine: 'printed' | 'suppressed'
  /** What Checkout calls the payment of a session whose prices are all metered. */
  meteredCheckoutPaymentStatus: 'no_payment_required' | 'paid'
}

export const DEFAULT_READINGS: Readings = {
  zeroUsageLine: 'printed',
  meteredCheckoutPaymentStatus: 'no_payment_required',
}
