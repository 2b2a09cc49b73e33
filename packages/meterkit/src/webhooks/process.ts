import { type Stripe, Stripe as StripeClient } from 'stripe'
import { type InvoiceContext, takeInvoice } from '../invoices/flush.ts'
import { rejectAccepted } from '../reports/store.ts'
import { idOf, instant, syncSubscription } from '../subscriptions/sync.ts'
import { traced } from '../tracing.ts'
import { getWebhook, type StoredWebhook, settleWebhook, webhooksToRetry } from './store.ts'

/**
 * Handles one stored delivery. What counts is the object as Stripe has it now, fetched afresh: so the order of
 * deliveries does not matter, and handling one twice changes nothing.
 * @throws whatever went wrong, after noting it, so that the job tries again
 */
export async function processWebhook(context: InvoiceContext, id: string): Promise<void> {
  const webhook = await getWebhook(context.pool, id)
  if (!webhook || webhook.status === 'processed' || webhook.status === 'ignored') return
  await handleWebhook(context, webhook)
}

/** Stored this long ago and not taken up: whoever should have done so has died. */
const UNTOUCHED_MS_MAX = 60_000

/**
 * Deliveries that failed before, among them drafts held back for an outage, and such as were never taken up: tried
 * again, so that none waits for ever. One that fails does not stop the others, but where Stripe is away all would.
 */
export async function retryWebhooks(context: InvoiceContext): Promise<void> {
  const { pool, clock, log } = context
  for (const id of await webhooksToRetry(pool, new Date(clock().getTime() - UNTOUCHED_MS_MAX))) {
    try {
      await processWebhook(context, id)
    } catch (error) {
      log.warn({ webhook: id, error: (error as Error).message }, 'a webhook failed again')
      if (error instanceof StripeClient.errors.StripeConnectionError) return
    }
  }
}

/** The same, also for one that was processed before. */
export async function replayWebhook(context: InvoiceContext, id: string): Promise<void> {
  const webhook = await getWebhook(context.pool, id)
  if (webhook) await handleWebhook(context, webhook)
}

function handleWebhook(context: InvoiceContext, webhook: StoredWebhook): Promise<void> {
  const { id, type, objectId } = webhook
  const attributes = {
    'meterkit.webhook': id,
    'stripe.event_type': type,
    ...(objectId ? { 'stripe.object': objectId } : {}),
  }
  return traced('meterkit webhook', attributes, () => settle(context, webhook))
}

async function settle(context: InvoiceContext, webhook: StoredWebhook): Promise<void> {
  const { pool, clock } = context
  try {
    const handled = await handle(context, webhook)
    await settleWebhook(pool, webhook.id, { status: handled ? 'processed' : 'ignored', error: null, now: clock() })
  } catch (error) {
    await settleWebhook(pool, webhook.id, { status: 'failed', error: (error as Error).message, now: clock() })
    throw error
  }
}

/** @returns false for types that change nothing here */
async function handle(context: InvoiceContext, webhook: StoredWebhook): Promise<boolean> {
  const { type, objectId } = webhook
  if (type.startsWith('customer.subscription.') && objectId) {
    await syncSubscription(context, objectId, { changedBy: priceChangeOf(webhook) })
    return true
  }
  if (type === 'checkout.session.completed') {
    const session = (webhook.body as unknown as Stripe.CheckoutSessionCompletedEvent).data.object
    if (session.mode !== 'subscription' || !session.subscription) return false
    await syncSubscription(context, idOf(session.subscription))
    return true
  }
  // an upcoming invoice has no id, and nothing to take over yet
  if (type.startsWith('invoice.') && type !== 'invoice.upcoming' && objectId) {
    await takeInvoice(context, objectId)
    return true
  }
  if (type === 'v1.billing.meter.error_report_triggered' || type === 'v1.billing.meter.no_meter_found') {
    await rejectReports(context, webhook)
    return true
  }
  return false
}

/** When the prices changed of which a `customer.subscription.updated` tells; null for one that tells of something else. */
function priceChangeOf({ type, body }: StoredWebhook): Date | null {
  if (type !== 'customer.subscription.updated') return null
  const { created, data } = body as unknown as Stripe.CustomerSubscriptionUpdatedEvent
  return data.previous_attributes?.items ? instant(created) : null
}

interface MeterErrorData {
  reason: {
    error_types: {
      code: string
      sample_errors: { error_message: string; request: { identifier?: string; idempotency_key?: string } }[]
    }[]
  }
}

/**
 * Events Stripe took and refused later. It tells samples only: this is a help, reconciliation is the proof.
 * @see https://docs.stripe.com/billing/subscriptions/usage-based/recording-usage-api (error codes)
 */
async function rejectReports({ pool, stripe, log }: InvoiceContext, webhook: StoredWebhook): Promise<void> {
  const event = await stripe.v2.core.events.retrieve(webhook.id)
  const { reason } = (event as unknown as { data: MeterErrorData }).data
  for (const { code, sample_errors } of reason.error_types) {
    for (const sample of sample_errors) {
      const identifier = identifierOf(sample.request)
      if (!identifier) continue
      const known = await rejectAccepted(pool, identifier, `${sample.error_message} (${code})`)
      if (known) log.error({ identifier, code }, 'Stripe refused a report after it had accepted it')
    }
  }
}

/** Stripe's reference names the event's identifier, its example the key of the request, which is that and a number. */
function identifierOf(request: { identifier?: string; idempotency_key?: string }): string | undefined {
  return (request.identifier || request.idempotency_key)?.replace(/^(meterkit_[0-9a-f-]{36})-\d+$/, '$1')
}
