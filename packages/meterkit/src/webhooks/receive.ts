import type { Stripe } from 'stripe'
import type { Database } from '../database/database.ts'
import { MeterkitError } from '../errors.ts'
import { type StoredWebhook, storeWebhook } from './store.ts'

/** Seconds. Replays of an old delivery are refused. */
const TOLERANCE = 300

/**
 * Checks a delivery on its raw body and stores it. Several secrets, because the webhook endpoint and the event
 * destination have one each, and one may just be rotated.
 * @returns the stored id; one delivered twice is stored once
 * @throws MeterkitError `invalid_signature`; nothing was stored
 * @see https://docs.stripe.com/webhooks#verify-official-libraries
 */
export async function receiveWebhook(
  { db, stripe, secrets, now }: { db: Database; stripe: Stripe; secrets: readonly string[]; now: Date },
  { body, signature }: { body: string; signature: string | null },
): Promise<{ id: string }> {
  const webhook = verified(stripe, secrets, body, signature, now)
  await storeWebhook(db, webhook, now)
  return { id: webhook.id }
}

function verified(
  stripe: Stripe,
  secrets: readonly string[],
  body: string,
  signature: string | null,
  now: Date,
): Pick<StoredWebhook, 'id' | 'type' | 'payload' | 'objectId' | 'body'> {
  if (secrets.length === 0) refuse('no webhook secret is configured. Set STRIPE_WEBHOOK_SECRET (it begins with whsec_)')
  let problem: unknown
  for (const secret of secrets) {
    try {
      stripe.webhooks.signature!.verifyHeader(body, signature ?? '', secret, TOLERANCE, undefined, now.getTime())
      return parsed(body)
    } catch (error) {
      problem = error
    }
  }
  return refuse((problem as Error).message, problem)
}

function parsed(body: string): Pick<StoredWebhook, 'id' | 'type' | 'payload' | 'objectId' | 'body'> {
  const event = JSON.parse(body) as {
    id: string
    object: string
    type: string
    created: number | string
    data?: { object?: { id?: string } }
    related_object?: { id?: string } | null
  }
  const thin = event.object === 'v2.core.event'
  const objectId = (thin ? event.related_object?.id : event.data?.object?.id) ?? null
  return { id: event.id, type: event.type, payload: thin ? 'thin' : 'snapshot', objectId, body: { ...event } }
}

function refuse(why: string, cause?: unknown): never {
  throw new MeterkitError('invalid_signature', `webhook: ${why}`, { field: 'stripe-signature', cause })
}
