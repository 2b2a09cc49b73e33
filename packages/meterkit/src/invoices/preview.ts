import type { Stripe } from 'stripe'
import { formatAmount, formatQuantity } from '../pricing/describe.ts'
import type { Unreported } from '../reports/outstanding.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import type { StripePreview, UpcomingCharges } from './charges.ts'

/**
 * What Stripe expects to invoice, beside ours. It knows only what was reported, and a little later than that.
 * @returns null where Stripe sees nothing left to bill
 * @see https://docs.stripe.com/api/invoices/create_preview
 */
export async function stripePreview(
  { stripe, clock }: { stripe: Stripe; clock: () => Date },
  subscription: Subscription,
  ours: UpcomingCharges | null,
  unreported: Unreported,
): Promise<StripePreview | null> {
  try {
    const preview = await stripe.invoices.createPreview({ subscription: subscription.stripeId })
    const amount = BigInt(preview.total)
    const difference = (ours?.amount ?? 0n) - amount
    return {
      amount,
      currency: preview.currency,
      at: clock(),
      lines: preview.lines.data.map((line) => ({ description: line.description ?? '', amount: BigInt(line.amount) })),
      difference,
      reason:
        difference === 0n
          ? null
          : whyDifferent({ unreported, unit: ours?.lines[0]?.unit ?? 'units', difference, currency: preview.currency }),
    }
  } catch (error) {
    if ((error as { code?: unknown }).code === 'invoice_upcoming_none') return null
    throw error
  }
}

function whyDifferent(facts: { unreported: Unreported; unit: string; difference: bigint; currency: string }): string {
  const { quantity, failed } = facts.unreported
  if (quantity !== '0') {
    const way = failed > 0 ? 'some of their reports failed, which has to be settled' : 'the next sync brings them'
    return `${formatQuantity(quantity)} ${facts.unit} are not with Stripe yet; ${way}.`
  }
  return `Stripe takes a moment to add up what it has accepted; ${formatAmount(facts.difference, facts.currency)} should close by itself. Compare again in a minute.`
}
