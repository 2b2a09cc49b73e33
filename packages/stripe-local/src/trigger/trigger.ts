import { setTimeout as wait } from 'node:timers/promises'
import { Stripe } from 'stripe'
import type { Address } from '../address.ts'
import { RECIPES } from './recipes.ts'

const PATIENCE_MS = 5_000
const POLL_MS = 50

/** The types of event that can be triggered, sorted. */
export const triggerable: string[] = Object.keys(RECIPES).toSorted()

/**
 * Does through the API of a running local Stripe what leads to an event, and waits until it has happened.
 *
 * @returns the event's id
 * @throws Error for a type that cannot be triggered, or when the event does not come
 */
export async function trigger(address: Address, type: string): Promise<string> {
  const recipe = RECIPES[type]
  if (!recipe) {
    throw new Error(
      `stripe-local: "${type}" cannot be triggered. These can:\n${triggerable.map((name) => `  ${name}`).join('\n')}`,
    )
  }
  const stripe = clientOf(address)
  const before = await latest(stripe, type)
  await recipe(stripe)
  for (const untilMs = Date.now() + PATIENCE_MS; Date.now() < untilMs; await wait(POLL_MS)) {
    const now = await latest(stripe, type)
    if (now !== undefined && now !== before) return now
  }
  throw new Error(`stripe-local: all was done that leads to ${type}, but within 5 s no such event came.`)
}

async function latest(stripe: Stripe, type: string): Promise<string | undefined> {
  if (!type.startsWith('v1.')) return (await stripe.events.list({ type, limit: 1 })).data[0]?.id
  const { data } = await stripe.v2.core.events.list({ types: [type], limit: 1 })
  return data[0]?.id
}

function clientOf({ url, secretKey }: Address): Stripe {
  const { hostname, port } = new URL(url)
  return new Stripe(secretKey, { host: hostname, port: Number(port), protocol: 'http', telemetry: false })
}
