import type { PoolClient } from 'pg'
import type { Stripe } from 'stripe'
import { type Database, rows } from '../database/database.ts'
import { idOf, instant } from '../subscriptions/sync.ts'
import type { InvoiceRow } from './charges.ts'

/** The Stripe id of the subscription an invoice bills, if it bills one. */
export function subscriptionOfInvoice(invoice: Stripe.Invoice): string | null {
  const subscription = invoice.parent?.subscription_details?.subscription
  return subscription ? idOf(subscription) : null
}

/** Where the usage on an invoice lies: its metered lines, else the invoice's own period. */
function usagePeriod(invoice: Stripe.Invoice): { start: Date; end: Date } {
  const lines = invoice.lines.data
  if (lines.length === 0) return { start: instant(invoice.period_start), end: instant(invoice.period_end) }
  return {
    start: instant(Math.min(...lines.map((line) => line.period.start))),
    end: instant(Math.max(...lines.map((line) => line.period.end))),
  }
}

/** How far an invoice has come: it never goes back. */
function standing(row: string): string {
  return `array_position(array['draft', 'open', 'uncollectible', 'void', 'paid'], ${row}.status)`
}

export async function storeInvoice(
  client: PoolClient,
  customerId: string,
  subscriptionId: string | null,
  invoice: Stripe.Invoice,
): Promise<void> {
  const period = usagePeriod(invoice)
  const finalizedAt = invoice.status_transitions?.finalized_at
  await client.query(
    /* sql */ `
    insert into billing.invoices (customer_id, stripe_id, subscription_id, number, status, period_start, period_end,
      currency, total, amount_due, created_at, finalized_at, hosted_url, pdf_url)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    on conflict (customer_id, stripe_id) do update
    set number = excluded.number, status = excluded.status, period_start = excluded.period_start,
        period_end = excluded.period_end, total = excluded.total, amount_due = excluded.amount_due,
        finalized_at = excluded.finalized_at, hosted_url = excluded.hosted_url, pdf_url = excluded.pdf_url,
        held_reason = case when excluded.status = 'draft' then invoices.held_reason end
    -- an older answer that arrives late does not take an invoice back
    where ${standing('excluded')} >= ${standing('invoices')}`,
    [
      customerId,
      invoice.id,
      subscriptionId,
      invoice.number,
      invoice.status ?? 'draft',
      period.start,
      period.end,
      invoice.currency,
      invoice.total,
      invoice.amount_due,
      instant(invoice.created),
      finalizedAt ? instant(finalizedAt) : null,
      invoice.hosted_invoice_url ?? null,
      invoice.invoice_pdf ?? null,
    ],
  )
}

/** For those who look at the invoice; that it is held is written on it at Stripe. */
export async function setHeldReason(
  db: Database,
  customerId: string,
  stripeId: string,
  reason: string | null,
): Promise<void> {
  await db.query(
    /* sql */ `
    update billing.invoices set held_reason = $3
    where customer_id = $1 and stripe_id = $2 and held_reason is distinct from $3`,
    [customerId, stripeId, reason],
  )
}

export async function listInvoices(db: Database, customerId: string): Promise<InvoiceRow[]> {
  const found = await rows<
    Omit<InvoiceRow, 'total' | 'amountDue' | 'period'> & { total: string; amountDue: string; start: Date; end: Date }
  >(
    db,
    /* sql */ `
    select stripe_id as "stripeId", subscription_id as "subscriptionId", number, status, period_start as start,
      period_end as "end", currency, total, amount_due as "amountDue", created_at as "createdAt",
      finalized_at as "finalizedAt", hosted_url as "hostedUrl", pdf_url as "pdfUrl", held_reason as "heldReason"
    from billing.invoices
    where customer_id = $1
    order by created_at desc, stripe_id desc
    limit 100`,
    [customerId],
  )
  return found.map(({ start, end, total, amountDue, ...invoice }) => ({
    ...invoice,
    period: { start, end },
    total: BigInt(total),
    amountDue: BigInt(amountDue),
  }))
}
