import { MeterkitError } from 'meterkit'

export interface Refusal {
  /** Goes through addresses, where a sentence must not: anyone could write one there. */
  code: string
  /** What happened, that nothing was lost, what to do. */
  sentence: string
}

/** For the customer; the engine's own sentences speak to whoever runs the app. */
const SENTENCES: Record<string, string> = {
  usage_unreported:
    'Your latest usage could not be handed to Stripe yet, so nothing was changed. It is recorded and will be billed once. Try again in a minute.',
  subscription_not_live:
    'This subscription has already ended, so there is nothing to change. Subscribe to a plan to go on.',
  same_plan: 'This is your plan already. Nothing was changed.',
  meter_in_use:
    'There is a subscription already. Switch its plan instead of buying a second one; usage would be charged twice.',
  subscription_problem:
    'Something about this subscription has to be mended by us first, so nothing was changed. Please write to us.',
  unknown_plan: 'There is no such plan any more. Nothing was changed.',
  database_unreachable: 'Our database cannot be reached just now. Nothing was changed. Try again in a minute.',
  stripe_unreachable:
    'Stripe cannot be reached just now, so nothing was changed. Usage goes on being recorded. Try again in a minute.',
  stripe_busy:
    'Stripe is busy or has a problem just now, so nothing was changed. Usage goes on being recorded. Try again in a minute.',
}
const UNEXPLAINED = 'That did not work. Nothing was changed. Try again in a minute.'

const STRIPE_CODES: Record<string, string> = {
  StripeConnectionError: 'stripe_unreachable',
  StripeRateLimitError: 'stripe_busy',
  StripeAPIError: 'stripe_busy',
}

/** Why something was refused; null for a fault of ours, which belongs on the error page. */
export function refusalOf(error: unknown): Refusal | null {
  if (error instanceof MeterkitError) {
    return { code: error.code, sentence: SENTENCES[error.code] ?? withoutReference(error.message) }
  }
  const type = stripeErrorType(error)
  if (type === null) return null
  const code = STRIPE_CODES[type] ?? 'stripe_refused'
  const told = `Stripe refused this: ${(error as Error).message} Nothing was changed.`
  return { code, sentence: SENTENCES[code] ?? told }
}

/** The sentence of a refusal that an address carries; null without one. */
export function refusalFrom(code: string | null): string | null {
  return code === null ? null : (SENTENCES[code] ?? UNEXPLAINED)
}

/** By name, not by class: whoever made the error may have a copy of the SDK of its own. */
function stripeErrorType(error: unknown): string | null {
  const type = error instanceof Error && 'type' in error ? error.type : null
  return typeof type === 'string' && type.startsWith('Stripe') ? type : null
}

/** An operator looks the code up; a customer has no use for it. */
function withoutReference(message: string): string {
  return message.replace(/ \(\w+: docs\/errors\.md#\w+\)$/, '')
}
