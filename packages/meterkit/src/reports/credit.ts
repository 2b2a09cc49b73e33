import type { Stripe } from 'stripe'
import { type Database, rows } from '../database/database.ts'
import { formatDecimal, parseDecimal, subtract } from '../pricing/decimal.ts'
import { formatQuantity } from '../pricing/describe.ts'
import type { Period } from '../subscriptions/subscription.ts'
import type { PlannedReport } from './report.ts'
import type { OpenReport } from './store.ts'

/** By which an invoice item is known as ours. */
export const REPORT_METADATA = 'meterkit_report'
/** Clocks differ, and an item is searched for by its age. */
const AGE_SECONDS_SPARE = 24 * 60 * 60

/**
 * Gives usage back in money: an item on the subscription's next invoice.
 * @see https://docs.stripe.com/api/invoiceitems/create (amount: "Passing in a negative amount will reduce the amount_due on the invoice")
 */
export async function createCredit(stripe: Stripe, report: OpenReport, customer: string): Promise<void> {
  const day = report.since.toISOString().slice(0, 10)
  await stripe.invoiceItems.create(
    {
      customer,
      subscription: report.stripeSubscriptionId,
      amount: Number(report.amount),
      currency: report.currency!,
      description: `Credit for ${formatQuantity(taken(report))} of ${day}, taken back`,
      metadata: { [REPORT_METADATA]: report.identifier },
    },
    // A key replays errors, too: another after any definite answer.
    { idempotencyKey: `${report.identifier}-${report.definiteAnswers}` },
  )
}

/** Whether an earlier attempt, whose answer was lost, did reach Stripe. */
export async function hasCredit(stripe: Stripe, report: OpenReport, customer: string): Promise<boolean> {
  const since = Math.floor(report.firstAttemptAt!.getTime() / 1000) - AGE_SECONDS_SPARE
  for await (const item of stripe.invoiceItems.list({ customer, created: { gte: since }, limit: 100 })) {
    if (item.metadata?.[REPORT_METADATA] === report.identifier) return true
  }
  return false
}

/**
 * What became of the invoice a credit is for: `void` where nobody pays it, `reduced` where less than its prices was paid for
 * it, so that how much is due only a person can tell.
 */
export async function standingOf(
  stripe: Stripe,
  report: OpenReport,
): Promise<{ kind: 'void' } | { kind: 'reduced'; invoice: string; by: string } | { kind: 'full' }> {
  const at = report.pricedIn!.getTime() / 1000
  for await (const invoice of stripe.invoices.list({ subscription: report.stripeSubscriptionId, limit: 100 })) {
    const line = invoice.lines.data.find(({ period }) => period.start <= at && at < period.end)
    if (!line || invoice.status === 'draft') continue
    if (invoice.status === 'void' || invoice.status === 'uncollectible') return { kind: 'void' }
    const name = invoice.number ?? invoice.id!
    if (line.discount_amounts?.some(({ amount }) => amount > 0)) {
      return { kind: 'reduced', invoice: name, by: 'the discount' }
    }
    const noted = invoice.pre_payment_credit_notes_amount + invoice.post_payment_credit_notes_amount
    if (noted > 0) return { kind: 'reduced', invoice: name, by: 'what the credit notes' }
  }
  return { kind: 'full' }
}

/** "-12" is "12". */
function taken({ value }: OpenReport): string {
  return formatDecimal(subtract({ digits: 0n, scale: 0 }, parseDecimal(value)))
}

/** A credit on a coming invoice: written down, or what the next sync will write. */
export interface PeriodCredit {
  meter: string
  since: Date
  /** Negative, in the meter's unit. */
  value: string
  /** Minor units, negative. */
  amount: bigint
  pricedIn: Date
}

/**
 * Credits that the invoice of the current period will carry: Stripe took them in it, or has not taken them yet.
 * @param planned  the customer's reports to come
 */
export async function creditsOf(
  db: Database,
  { customerId, subscriptionId, period }: { customerId: string; subscriptionId: string; period: Period },
  planned: readonly PlannedReport[],
): Promise<PeriodCredit[]> {
  const written = await rows<Omit<PeriodCredit, 'amount'> & { amount: string }>(
    db,
    /* sql */ `
    select meter.event_name as meter, since, value, amount, priced_in as "pricedIn"
    from billing.reports as report join billing.meters as meter on meter.id = report.meter
    where customer_id = $1 and subscription_id = $2 and kind = 'credit' and amount <> 0
      and (status in ('pending', 'unsure')
        or status = 'accepted' and accepted_at >= $3 and accepted_at < $4)
    order by report.id`,
    [customerId, subscriptionId, period.start, period.end],
  )
  const toCome = planned.flatMap(({ subscriptionId: of, meter, since, value, credit }) =>
    credit && credit.amount !== 0n && of === subscriptionId
      ? { meter, since, value, amount: credit.amount, pricedIn: credit.pricedIn }
      : [],
  )
  return [...written.map((row) => ({ ...row, amount: BigInt(row.amount) })), ...toCome]
}
