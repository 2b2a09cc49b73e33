import type { Pool, PoolClient } from 'pg'
import type { Stripe } from 'stripe'
import { lockCustomer, setBalance } from '../customers/store.ts'
import { rows, transaction } from '../database/database.ts'
import { releaseUnbilled } from '../reports/accept.ts'
import { countAwaited } from '../reports/outstanding.ts'
import type { SyncResult } from '../reports/report.ts'
import { changesUnderWay, closePeriods, noteChanging } from '../subscriptions/store.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import { idOf, instant, isMissing, type SyncContext, syncSubscription } from '../subscriptions/sync.ts'
import { setHeldReason, storeInvoice, subscriptionOfInvoice } from './store.ts'

export interface InvoiceContext extends SyncContext {
  /** Reports one customer's usage now, whatever its back-off. */
  flush: (customerId: string) => Promise<SyncResult>
  /** Resolves once all this process has recorded is in the database. */
  drained: () => Promise<void>
}

/** A period that ended this long ago without word of its invoice: Stripe is asked. */
const WORD_MS_MAX = 30 * 60 * 1000

/**
 * Takes an invoice over as Stripe has it now. A draft gets its period's outstanding usage first, while it can; where
 * that fails, the draft is held back rather than finalized short, and the next run tries again. A final one closes its
 * periods: usage that comes later is billed in the open one.
 * @throws Error where the flush could not finish, so that the caller tries again
 * @see https://docs.stripe.com/billing/subscriptions/webhooks (the hour before a draft is finalized)
 */
export async function takeInvoice(context: InvoiceContext, stripeId: string): Promise<void> {
  const { pool, stripe } = context
  const invoice = await stripe.invoices.retrieve(stripeId).catch(nullIfMissing)
  if (!invoice) return // a draft may be deleted
  const stripeSubscription = subscriptionOfInvoice(invoice)
  if (!stripeSubscription) return
  // Its period has just turned: the segments must say so before usage is placed.
  const subscription = await syncSubscription(context, stripeSubscription)
  if (!subscription) return
  const owner = { customerId: subscription.customerId, id: subscription.id }
  // What is too little for a card waits on the customer's balance, and belongs to what comes next.
  const customer = await stripe.customers.retrieve(idOf(invoice.customer!))
  await transaction(pool, async (client) => {
    await lockCustomer(client, owner.customerId)
    await storeAndClose(client, owner, invoice)
    await releaseUnbilled(client, owner, context.clock())
    if (!customer.deleted) await setBalance(client, owner.customerId, customer.balance)
  })
  if (invoice.status === 'draft') await flushDraft(context, invoice, subscription)
}

function nullIfMissing(error: unknown): null {
  if (isMissing(error)) return null
  throw error
}

/** Stores an invoice; a final one closes the periods that had ended when it was made. */
async function storeAndClose(
  client: PoolClient,
  owner: { customerId: string; id: string },
  invoice: Stripe.Invoice,
): Promise<void> {
  await storeInvoice(client, owner.customerId, owner.id, invoice)
  const finalizedAt = invoice.status_transitions.finalized_at
  if (invoice.status === 'draft' || !finalizedAt || invoice.billing_reason === 'subscription_create') return
  const closedAt = instant(finalizedAt)
  await closePeriods(client, owner, { endedBy: instant(invoice.created), closedAt, pricedAt: closedAt })
}

/**
 * The metadata of a draft that we hold back, and nobody else: written together with the hold, so that whoever has the
 * usage in lets it go, whatever died meanwhile.
 */
const HELD_METADATA = 'meterkit_held'

async function flushDraft(context: InvoiceContext, invoice: Stripe.Invoice, subscription: Subscription): Promise<void> {
  const { pool, stripe, log } = context
  const { customerId } = subscription
  const reason = await whyHeld(context, invoice, subscription)
  const held = invoice.metadata?.[HELD_METADATA] !== undefined
  await setHeldReason(pool, customerId, invoice.id!, reason)
  if (reason) {
    // Not again where it is: each change makes a webhook, and each webhook would come here.
    if (!held) await hold(stripe, invoice, true)
    log.error({ invoice: invoice.id, customer: customerId }, `a draft invoice is held back: ${reason}`)
    throw new Error(`invoice ${invoice.id} is held back: ${reason}`)
  }
  if (held) await hold(stripe, invoice, false)
}

async function hold(stripe: Stripe, { id }: Stripe.Invoice, held: boolean): Promise<void> {
  await stripe.invoices.update(id!, {
    auto_advance: !held,
    metadata: { [HELD_METADATA]: held ? 'usage is missing' : '' },
  })
}

/** Flushes the usage of a draft's period. @returns why the draft would be finalized short, or too long; null when all is in */
async function whyHeld(
  { pool, flush, drained }: InvoiceContext,
  invoice: Stripe.Invoice,
  subscription: Subscription,
): Promise<string | null> {
  if (!subscription.reportable) return subscription.problem
  await drained()
  const result = await flush(subscription.customerId)
  if (result.postponed > 0)
    return `usage of its period is not with Stripe yet: ${result.reason ?? 'another worker is at it'}`
  const awaited = await countAwaited(pool, subscription.customerId, subscription.id, instant(invoice.created))
  return awaited > 0
    ? `Stripe refused ${awaited} reports of its period. Mend and clear their errors, or void the events`
    : null
}

/** A change that Stripe has not answered for so long will not come about any more: the SDK asks three times, for 80 seconds each. */
const CHANGE_MS_MAX = 5 * 60 * 1000

/**
 * Before a customer's usage is placed: a period that ended a while ago, and of whose invoice no word has come (the
 * webhook was lost), is looked up at Stripe, because its usage is placed elsewhere once that invoice is final. So is a
 * subscription of which a change was asked for and not answered.
 * @returns why nothing may be reported yet; null where all is known
 */
export async function refreshEndedPeriods(context: SyncContext, customerId: string): Promise<string | null> {
  const { pool, clock } = context
  const changes = await changesUnderWay(pool, customerId)
  if (changes[0] && clock().getTime() - changes[0].at.getTime() < CHANGE_MS_MAX) {
    return 'Stripe has not answered a change of the subscription, which may still come about'
  }
  const silent = await silentSubscriptions(pool, customerId, new Date(clock().getTime() - WORD_MS_MAX))
  for (const subscription of [...silent, ...changes]) await refresh(context, customerId, subscription)
  for (const { id } of changes) await noteChanging(pool, id, null)
  return null
}

/** Those with usage in a period that ended before `endedBy`, and of whose invoice no word has come. */
async function silentSubscriptions(
  pool: Pool,
  customerId: string,
  endedBy: Date,
): Promise<{ id: string; stripeId: string }[]> {
  return rows(
    pool,
    /* sql */ `
    select distinct subscription.id, subscription.stripe_id as "stripeId"
    from billing.segments as segment
    join billing.subscriptions as subscription
      on subscription.customer_id = segment.customer_id and subscription.id = segment.subscription_id
    where segment.customer_id = $1 and segment.kind = 'billable' and segment.closed_at is null
      and coalesce(segment.period_end, subscription.period_end) < $2
      and (
        exists (select 1 from billing.rollups as rollup
          where rollup.customer_id = $1 and rollup.subscription_id = segment.subscription_id and rollup.due
            and rollup.since < coalesce(segment.period_end, subscription.period_end))
        or exists (select 1 from billing.reports as report
          where report.customer_id = $1 and report.subscription_id = segment.subscription_id
            and report.status in ('pending', 'unsure'))
      )`,
    [customerId, endedBy],
  )
}

async function refresh(
  context: SyncContext,
  customerId: string,
  { id, stripeId }: { id: string; stripeId: string },
): Promise<void> {
  const subscription = await syncSubscription(context, stripeId)
  if (!subscription) return
  const { data } = await context.stripe.invoices.list({ subscription: stripeId, limit: 10 })
  await transaction(context.pool, async (client) => {
    await lockCustomer(client, customerId)
    for (const invoice of data.reverse()) await storeAndClose(client, { customerId, id }, invoice)
    await releaseUnbilled(client, { customerId, id }, context.clock())
  })
}
