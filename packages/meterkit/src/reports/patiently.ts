import { Stripe } from 'stripe'
import { backOffMs } from './submit.ts'

const ATTEMPTS_MAX = 5

/** At the pace of reports; where Stripe is busy, again after a while. */
export async function patiently<Result>(
  context: { pace: () => Promise<void>; random: () => number },
  call: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 0; ; attempt++) {
    await context.pace()
    try {
      return await call()
    } catch (error) {
      if (attempt + 1 >= ATTEMPTS_MAX || !isBusy(error)) throw error
      const wait = backOffMs(attempt, 0, context.random()) / 10
      await new Promise((resolve) => setTimeout(resolve, wait))
    }
  }
}

function isBusy(error: unknown): boolean {
  if (!(error instanceof Stripe.errors.StripeError)) return false
  const status = error.statusCode ?? 0
  return status === 409 || status === 429 || status >= 500
}
