import type { Meterkit, StripePreview } from 'meterkit'
import { refusalOf } from './refusal.ts'

/** The page has been there all the while; nobody waits longer than this for a figure that only confirms ours. */
const ANSWER_MS_MAX = 4_000

export type StripeView =
  | { state: 'answered'; preview: StripePreview }
  /** Stripe has nothing left to bill. */
  | { state: 'nothing'; at: Date }
  | { state: 'failed'; why: string; at: Date }

/** What Stripe itself expects to invoice. Never rejects: that Stripe cannot be reached is an answer, too. */
export async function readStripeView(
  { invoices }: Pick<Meterkit, 'invoices'>,
  subscriptionId: string,
  answerMsMax = ANSWER_MS_MAX,
): Promise<StripeView> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Stripe did not answer within ${answerMsMax / 1000} seconds.`)),
      answerMsMax,
    )
  })
  try {
    const preview = await Promise.race([invoices.stripePreview(subscriptionId), tooLate])
    return preview ? { state: 'answered', preview } : { state: 'nothing', at: new Date() }
  } catch (error) {
    const code = refusalOf(error)?.code
    const why = code === 'stripe_unreachable' ? 'Stripe cannot be reached just now.' : (error as Error).message
    return { state: 'failed', why, at: new Date() }
  } finally {
    clearTimeout(timer)
  }
}
