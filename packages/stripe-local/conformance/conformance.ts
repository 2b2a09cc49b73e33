import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Stripe } from 'stripe'
import { startStripeLocal } from '../src/index.ts'
import { checkedFetch } from './answers.ts'

process.env.STRIPE_SUPPRESS_NOTICES = 'true'

/** A key of a sandbox or of test mode: the suite then asks the real Stripe instead of the local one. */
const REAL_KEY = process.env.STRIPE_TEST_KEY
export const isReal = REAL_KEY !== undefined && REAL_KEY !== ''

export interface Subject {
  /** The official SDK, against the Stripe under test. Every answer is checked against the SDK's own types. */
  stripe: Stripe
  /** A name nobody in the account has used. */
  unique: (name: string) => string
  /** A test clock: the one way to let time pass that both Stripes have. */
  clock: (at: string) => Promise<Clock>
  /** Repeats `check` until it no longer throws: for what Stripe does a moment later (usage, events). */
  eventually: (check: () => Promise<void>) => Promise<void>
}

export interface Clock {
  id: string
  /** A customer on this clock with a card that always pays. */
  customer: (params?: Stripe.CustomerCreateParams) => Promise<Stripe.Customer>
  /** Moves the clock and waits until everything on the way is done. At most two billing intervals at once. */
  advance: (to: string) => Promise<void>
}

/**
 * One promise of Stripe's, kept by whichever Stripe is asked.
 *
 * @param source where Stripe says so: a page and its sentence, or the SDK type and field it is written at; what only
 *   people reported begins with `observed:`
 * @param options.localOnly why the real Stripe cannot be asked (a hosted page to click, a fault, a day of waiting)
 */
export function conformance(
  promise: string,
  source: string,
  check: (subject: Subject, t: TestContext) => Promise<void>,
  options: { localOnly?: string } = {},
): void {
  if (source.trim() === '') throw new Error(`"${promise}" names no source.`)
  const skip = isReal && options.localOnly ? options.localOnly : false
  test(promise, { skip }, async (t) => {
    const problems: string[] = []
    const stripe = await stripeUnderTest(t, problems)
    await check(subjectOf(t, stripe), t)
    if (problems.length > 0) throw new Error(`Answers that the SDK's types do not allow:\n${problems.join('\n')}`)
  })
}

async function stripeUnderTest(t: TestContext, problems: string[]): Promise<Stripe> {
  const httpClient = Stripe.createFetchHttpClient(checkedFetch(problems, isReal))
  if (isReal) return new Stripe(REAL_KEY!, { httpClient, telemetry: false })
  const local = await startStripeLocal({ aggregationDelayMs: 0 })
  t.after(() => local.close())
  return new Stripe(local.secretKey, { ...local.clientConfig, httpClient, maxNetworkRetries: 0, telemetry: false })
}

function subjectOf(t: TestContext, stripe: Stripe): Subject {
  return {
    stripe,
    unique: (name) => `${name}_${crypto.randomUUID().slice(0, 8)}`,
    clock: (at) => startClock(t, stripe, at),
    eventually,
  }
}

async function startClock(t: TestContext, stripe: Stripe, at: string): Promise<Clock> {
  const { id } = await stripe.testHelpers.testClocks.create({ frozen_time: seconds(at) })
  // On the real Stripe a forgotten clock keeps its customers for a month.
  if (isReal) t.after(() => stripe.testHelpers.testClocks.del(id))
  return {
    id,
    customer: async (params = {}) => {
      const { id: customer } = await stripe.customers.create({ ...params, test_clock: id })
      const card = await stripe.paymentMethods.attach('pm_card_visa', { customer })
      return await stripe.customers.update(customer, { invoice_settings: { default_payment_method: card.id } })
    },
    advance: async (to) => {
      await stripe.testHelpers.testClocks.advance(id, { frozen_time: seconds(to) })
      await eventually(async () => {
        const { status } = await stripe.testHelpers.testClocks.retrieve(id)
        if (status !== 'ready') throw new Error(`The test clock is still ${status}.`)
      })
    },
  }
}

const PATIENCE_MS = isReal ? 120_000 : 5_000

async function eventually(check: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > deadline) throw error
      await wait(isReal ? 1000 : 10)
    }
  }
}

/** Unix seconds of an ISO instant. */
export function seconds(at: string): number {
  return Math.floor(Date.parse(at) / 1000)
}
