import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Stripe } from 'stripe'
import { packagePrice, world } from './world.ts'

const BEGIN = Date.UTC(2026, 0, 10, 8) / 1000
const HOUR = 3600
const DAY = 24 * HOUR
const NAMES = ['paying', 'failing', 'busy'] as const
type Name = (typeof NAMES)[number]

/** A week before a boundary, at it, and an hour later: the life of a renewal's invoice (billing/invoices/subscription). */
const UPCOMING = ['invoice.upcoming invoice']
const RENEWED = ['invoice.created invoice', 'customer.subscription.updated subscription']
const PAID = [
  'invoice.finalized invoice',
  'payment_intent.created payment_intent',
  'charge.succeeded charge',
  'payment_intent.succeeded payment_intent',
  'invoice.updated invoice',
  'invoice.paid invoice',
  'invoice.payment_succeeded invoice',
  'invoice_payment.paid invoice_payment',
]
const REFUSED = [
  'charge.failed charge',
  'payment_intent.payment_failed payment_intent',
  'invoice.updated invoice',
  'invoice.payment_failed invoice',
]
/** The first refusal puts the subscription behind; the retries after 3, 5 and 7 days change nothing until the last ends it. */
const BEHIND = [
  ...['invoice.finalized invoice', 'payment_intent.created payment_intent', ...REFUSED],
  ...['customer.updated customer', 'customer.subscription.updated subscription'],
]
const GIVEN_UP = [...REFUSED, 'customer.subscription.deleted subscription']

/** What is told at each stop of the n-th month, and about whom, in the order it is told. */
function expected(month: number): [at: number, told: [Name, string[]][]][] {
  const boundary = Date.UTC(2026, month, 10, 8) / 1000
  const standing: Name[] = month === 1 ? ['paying', 'failing', 'busy'] : ['paying', 'busy']
  const all = (events: string[]): [Name, string[]][] => standing.map((name) => [name, events])
  return [
    [boundary - 7 * DAY, all(UPCOMING)],
    [boundary, all(RENEWED)],
    [boundary + HOUR, standing.map((name) => [name, name === 'failing' ? BEHIND : PAID])],
    ...(month === 1
      ? ([
          [boundary + HOUR + 3 * DAY, [['failing', REFUSED]]],
          [boundary + HOUR + 8 * DAY, [['failing', REFUSED]]],
          [boundary + HOUR + 15 * DAY, [['failing', GIVEN_UP]]],
        ] satisfies [number, [Name, string[]][]][])
      : []),
  ]
}

/** Three customers on a clock, each with $0.05 per 1,000 tokens and a flat $9; the second's card fails after the start. */
async function begin(t: TestContext) {
  const { stripe } = await world(t, new Date(BEGIN * 1000).toISOString())
  const meter = await stripe.billing.meters.create({
    display_name: 'Tokens',
    event_name: 'tokens',
    default_aggregation: { formula: 'sum' },
  })
  const metered = await packagePrice(stripe, meter.id, { name: 'Essential', unitAmount: 5, perUnits: 1000 })
  const flat = await stripe.prices.create({
    currency: 'usd',
    unit_amount: 900,
    recurring: { interval: 'month' },
    product_data: { name: 'Flat' },
  })
  const clock = await stripe.testHelpers.testClocks.create({ frozen_time: BEGIN })
  const customers = new Map<Name, string>()
  for (const name of NAMES) {
    const { id } = await stripe.customers.create({ test_clock: clock.id, email: `${name}@example.com` })
    await payWith(stripe, id, 'pm_card_visa')
    await stripe.subscriptions.create({ customer: id, items: [{ price: metered.id }, { price: flat.id }] })
    if (name === 'failing') await payWith(stripe, id, 'pm_card_chargeCustomerFail')
    customers.set(name, id)
  }
  const advance = async (at: number) => {
    await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: at })
    while ((await stripe.testHelpers.testClocks.retrieve(clock.id)).status !== 'ready') await wait(2)
  }
  return { stripe, customers, advance }
}

async function payWith(stripe: Stripe, customer: string, card: string) {
  const { id } = await stripe.paymentMethods.attach(card, { customer })
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: id } })
}

async function use(stripe: Stripe, customer: string, value: string, timestamp: number) {
  const payload = { stripe_customer_id: customer, value }
  await stripe.billing.meterEvents.create({ event_name: 'tokens', timestamp, payload })
}

test('a year of renewals tells the same events about the same objects in the same order', async (t) => {
  const { stripe, customers, advance } = await begin(t)
  const nameOf = new Map([...customers].map(([name, id]) => [id, name]))
  const owners = new Map<string, Name>()
  let seen = (await stripe.events.list({ limit: 1 })).data[0]!.id
  /** What was told since the last time, oldest first. */
  const news = async (): Promise<Stripe.Event[]> => {
    const { data } = await stripe.events.list({ limit: 100 })
    const fresh = data.slice(
      0,
      data.findIndex(({ id }) => id === seen),
    )
    seen = data[0]!.id
    return fresh.toReversed().filter(({ type }) => !type.startsWith('test_helpers.'))
  }
  for (let month = 1; month <= 12; month += 1) {
    const from = Date.UTC(2026, month - 1, 10, 10) / 1000
    const begun = month === 1 ? BEGIN : from
    await use(stripe, customers.get('paying')!, '123456', begun)
    for (let n = 0; n < 21; n += 1) await use(stripe, customers.get('busy')!, '1000', begun)
    for (const [at, told] of [...expected(month), [Date.UTC(2026, month, 10, 10) / 1000, []] as const].toSorted(
      ([a], [b]) => a - b,
    )) {
      await advance(at)
      const fresh = await news()
      const shown = fresh.map(({ type, created, data: { object } }) => {
        const { id, object: kind, customer, invoice } = object as unknown as { [key: string]: string }
        const owner = nameOf.get(customer ?? '') ?? nameOf.get(id!) ?? owners.get(invoice ?? '')
        if (kind === 'invoice') owners.set(id!, owner!)
        return `${owner} ${type} ${kind} ${created}`
      })
      const asTold = told.flatMap(([name, events]) => events.map((event) => `${name} ${event} ${BEGIN}`))
      assert.deepEqual(shown, asTold, new Date(at * 1000).toISOString())
      // What the last event of an object shows is the object.
      for (const { type, data } of fresh.filter(({ type }) => type === 'invoice.paid' || type === 'charge.succeeded')) {
        const { id } = data.object as { id: string }
        const now = type === 'invoice.paid' ? await stripe.invoices.retrieve(id) : await stripe.charges.retrieve(id)
        assert.deepEqual(data.object, JSON.parse(JSON.stringify(now)), type)
      }
    }
  }
  // 124 packages and 21 packages of five cents, and the flat $9, in each of twelve months.
  for (const [name, total] of [
    ['paying', 1520],
    ['busy', 1005],
  ] as const) {
    const { data } = await stripe.invoices.list({ customer: customers.get(name)!, limit: 100 })
    const renewals = data.filter(({ billing_reason: reason }) => reason === 'subscription_cycle')
    assert.deepEqual(
      renewals.map((invoice) => [invoice.status, invoice.total]),
      Array.from({ length: 12 }, () => ['paid', total]),
    )
  }
})
