import type { Account } from '../account.ts'
import { newId } from '../identifier.ts'
import { cancelPayment } from '../payments/pay.ts'
import type { PaymentIntent } from '../payments/payment-intent.ts'
import { cancelSetup, newSetupIntent, type SetupIntent } from '../payments/setup-intent.ts'
import type { CheckoutSession } from './session.ts'

const DAY = 86_400
/** How long the address that revives an expired session works. */
const RECOVERY_SECONDS = 30 * DAY

/** The timeline's handler for a session nobody completed. */
export function sessionDue(account: Account, id: string): void {
  const stored = account.objects.find<CheckoutSession>('checkout.session', id)
  if (stored?.status === 'open') expireSession(account, stored)
}

/** Closes an open session, with the intent that belonged to it. */
export function expireSession(account: Account, stored: CheckoutSession): CheckoutSession {
  account.timeline.schedule('checkout', stored.id, null)
  const payment = stored.payment_intent && account.objects.find<PaymentIntent>('payment_intent', stored.payment_intent)
  if (payment && payment.status !== 'canceled') cancelPayment(account, payment, 'expired')
  const setup = stored.setup_intent && account.objects.find<SetupIntent>('setup_intent', stored.setup_intent)
  if (setup && setup.status !== 'canceled') cancelSetup(account, setup, 'abandoned')
  const recovery = stored.after_expiration?.recovery
  const expired = account.objects.save<CheckoutSession>({
    ...stored,
    ...(recovery?.enabled && {
      after_expiration: {
        recovery: {
          ...recovery,
          expires_at: account.seconds() + RECOVERY_SECONDS,
          url: `${account.baseUrl()}/c/recover/${stored.id}`,
        },
      },
    }),
    status: 'expired',
    url: null,
  })
  account.events.emit('checkout.session.expired', account.present(expired))
  return expired
}

/** A copy of an expired session, open again for a day; null where none is offered, or no longer. @returns its address */
export function recoverSession(account: Account, id: string): string | null {
  const expired = account.objects.find<CheckoutSession>('checkout.session', id)
  const recovery = expired?.status === 'expired' ? expired.after_expiration?.recovery : null
  const now = account.seconds()
  if (!expired || !recovery?.url || (recovery.expires_at ?? 0) < now) return null
  const copy = newId(account.livemode ? 'cs_live' : 'cs_test', 58)
  const url = `${account.baseUrl()}/c/pay/${copy}`
  account.create<CheckoutSession>({
    ...expired,
    id: copy,
    after_expiration: { recovery: { ...recovery, expires_at: null, url: null } },
    created: now,
    expires_at: now + DAY,
    payment_intent: null,
    recovered_from: expired.id,
    setup_intent: expired.mode === 'setup' ? beginSetup(account, copy, expired.customer).id : null,
    status: 'open',
    url,
  })
  account.timeline.schedule('checkout', copy, (now + DAY) * 1000)
  return url
}

/** In setup mode the intent is there from the beginning. */
export function beginSetup(
  account: Account,
  session: string,
  customer: string | null,
  fields: Partial<SetupIntent> = {},
): SetupIntent {
  const intent = newSetupIntent(account, { customer }, { ...fields, _session: session })
  return account.create(intent, 'setup_intent.created')
}
