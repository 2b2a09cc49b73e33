import assert from 'node:assert/strict'
import { test } from 'node:test'
import { billed, pass, type Subscriber, settled, subscriber, use, type World, world } from '../../test/world.ts'

const MINUTE_MS = 60_000

const HOUR_MS = 60 * 60 * 1000
const DAY_MS = 24 * HOUR_MS
const trace = { by: 'omar', reason: 'a mistake' }

/** The invoices at Stripe, oldest first: what each is for, and its total in cents. */
async function invoiced({ stripe }: World, { customer }: Subscriber): Promise<{ total: number; credits: number[] }[]> {
  const { data } = await stripe.invoices.list({ customer: customer.stripeId!, limit: 100 })
  return data.toReversed().map(({ total, lines }) => ({
    total,
    credits: lines.data.filter(({ amount }) => amount < 0).map(({ amount }) => amount),
  }))
}

async function current({ meterkit }: World, { customer }: Subscriber): Promise<Subscriber> {
  return { customer, subscription: (await meterkit.subscriptions.ofCustomer(customer.id))! }
}

test('usage taken back after its invoice is final is given back at the price it was billed at', async (t) => {
  const w = await world(t, { journal: false })
  const priya = await subscriber(w)
  use(w, priya, 12_000)
  const mistake = use(w, priya, 345)
  assert.deepEqual(await billed(w, priya), [65n]) // 12,345 tokens are 13 packages of 5 cents

  await w.meterkit.events.void(mistake.id, trace)
  const before = await w.meterkit.invoices.upcoming(priya.subscription.id)
  await w.meterkit.reports.sync()
  const after = await w.meterkit.invoices.upcoming(priya.subscription.id)

  // 12,000 tokens are 12 packages: 5 cents less, and known before Stripe is told
  for (const upcoming of [before!, after!]) {
    assert.equal(upcoming.amount, -5n)
    assert.deepEqual(
      upcoming.lines
        .filter(({ credit }) => credit)
        .map(({ quantity, amount, formula }) => ({ quantity, amount, formula })),
      [{ quantity: '-345', amount: -5n, formula: '345 tokens of 2026-11-24 taken back → -$0.05' }],
    )
  }
  assert.equal((await w.meterkit.invoices.stripePreview(priya.subscription.id))!.difference, 0n)

  use(w, priya, 1_001)
  await w.meterkit.events.drained()
  await billed(w, await current(w, priya))
  assert.deepEqual(await invoiced(w, priya), [
    { total: 65, credits: [] },
    { total: 5, credits: [-5] }, // 2 packages less the credit
  ])
})

test('a credit is not lost where nothing is used any more: it goes to the balance', async (t) => {
  const w = await world(t, { journal: false })
  const priya = await subscriber(w)
  const mistake = use(w, priya, 40_000)
  assert.deepEqual(await billed(w, priya), [200n])

  await w.meterkit.events.void(mistake.id, trace)
  await w.meterkit.reports.sync()
  await billed(w, await current(w, priya))

  assert.deepEqual((await invoiced(w, priya)).at(-1), { total: -200, credits: [-200] })
  const customer = await w.stripe.customers.retrieve(priya.customer.stripeId!)
  assert.equal(customer.deleted ? null : customer.balance, -200)
})

test('of usage taken back piece by piece, each piece is worth what the packages say', async (t) => {
  const w = await world(t, { journal: false })
  const priya = await subscriber(w)
  use(w, priya, 500)
  const pieces = [use(w, priya, 400), use(w, priya, 300), use(w, priya, 1_000)]
  assert.deepEqual(await billed(w, priya), [15n]) // 2,200 tokens: 3 packages

  for (const { id } of pieces) {
    await w.meterkit.events.void(id, trace)
    await w.meterkit.reports.sync()
  }

  const { rows } = await w.pool.query<{ value: string; amount: string; status: string }>(
    `select value, amount, status from billing.reports where kind = 'credit' order by id`,
  )
  assert.deepEqual(rows, [
    { value: '-400', amount: '-5', status: 'accepted' }, // 1,800 are left: 2 packages
    { value: '-300', amount: '0', status: 'accepted' }, // 1,500: still 2, and nobody to be told
    { value: '-1000', amount: '-5', status: 'accepted' }, // 500: 1
  ])
})

test('usage of before a plan switch is given back at the old price, on the same invoice', async (t) => {
  const w = await world(t, { journal: false })
  const priya = await subscriber(w)
  const mistake = use(w, priya, 2_000)
  use(w, priya, 3_000)
  await pass(w, DAY_MS)
  await w.meterkit.subscriptions.switchPlan({ subscriptionId: priya.subscription.id, plan: 'business' })
  await pass(w, HOUR_MS)
  use(w, priya, 1)
  await w.meterkit.events.drained()

  await w.meterkit.events.void(mistake.id, trace)
  await w.meterkit.reports.sync()

  // 5 packages of Essential, less 2 taken back, and one package of Business: 25 - 10 + 50
  assert.equal((await w.meterkit.invoices.upcoming(priya.subscription.id))!.amount, 65n)
  assert.deepEqual(await billed(w, await current(w, priya)), [65n])
  assert.deepEqual(await invoiced(w, priya), [{ total: 65, credits: [-10] }])
})

test('late usage is given back where it was billed: in the open period as usage, after it in money', async (t) => {
  const w = await world(t, { journal: false })
  const priya = await subscriber(w)
  const first = w.clock()
  use(w, priya, 1_000)
  assert.deepEqual(await billed(w, priya), [5n])
  const late = [use(w, priya, 3_000, first), use(w, priya, 5_000, first)]
  await w.meterkit.events.drained()
  await w.meterkit.reports.sync()

  await w.meterkit.events.void(late[0]!.id, trace) // the period it is billed in is open: usage
  await w.meterkit.reports.sync()
  assert.equal((await w.meterkit.invoices.upcoming(priya.subscription.id))!.amount, 25n)
  assert.deepEqual(await billed(w, await current(w, priya)), [25n, 5n])

  await w.meterkit.events.void(late[1]!.id, trace) // by now it is on a final invoice
  await w.meterkit.reports.sync()
  await billed(w, await current(w, priya))
  assert.deepEqual(await invoiced(w, priya), [
    { total: 5, credits: [] },
    { total: 25, credits: [] },
    { total: -25, credits: [-25] },
  ])
})

test('a credit whose answer was lost is given once, also when Stripe has forgotten its key', async (t) => {
  const w = await world(t, { journal: false, sdkRetries: 0 })
  const priya = await subscriber(w)
  const mistake = use(w, priya, 1_000)
  await billed(w, priya)
  await w.meterkit.events.void(mistake.id, trace)

  w.stripeLocal.faults.loseAnswers(2, '/v1/invoiceitems')
  assert.equal((await w.meterkit.reports.sync()).postponed, 1)
  await pass(w, 2 * DAY_MS)
  await w.meterkit.reports.sync({ urgent: true })

  const items = await w.stripe.invoiceItems.list({ customer: priya.customer.stripeId! })
  assert.deepEqual(
    items.data.map(({ amount }) => amount),
    [-5],
  )
  assert.equal((await w.meterkit.reports.counts()).pending, 0)
})

test('what Stripe never took is not given back', async (t) => {
  const w = await world(t, { journal: false })
  const priya = await subscriber(w)
  use(w, priya, 1_000)
  const refused = use(w, priya, 2_000, new Date(w.clock().getTime() + 1000))
  await w.meterkit.events.drained()
  w.stripeLocal.faults.rejectAsynchronously(1, 'meter_event_invalid_value')
  await w.meterkit.reports.sync()
  await settled(w)
  assert.equal((await w.meterkit.reports.counts()).failed, 1)

  await w.meterkit.events.void(refused.id, trace)
  await w.meterkit.reports.sync()

  // the report that failed carried all 3,000; the 1,000 that are left go out again
  assert.deepEqual(await billed(w, priya), [5n])
})

test('a subscription that has ended says which credit is due, and where to give it', async (t) => {
  const w = await world(t, { journal: false })
  const priya = await subscriber(w)
  const mistake = use(w, priya, 2_000)
  await w.meterkit.events.drained()
  await pass(w, HOUR_MS)
  await w.meterkit.subscriptions.cancel({ subscriptionId: priya.subscription.id, when: 'now' })
  await settled(w)
  await pass(w, 3 * HOUR_MS)

  await w.meterkit.events.void(mistake.id, trace)
  await w.meterkit.reports.sync()

  const [report] = (await w.meterkit.reports.list({ status: 'failed' })).rows
  assert.match(report!.error!, /A credit of \$0\.10 is due: .* Issue a credit note of \$0\.10/)
})

test('a void of before a plan switch and usage after it in one hour are no move: each is worth its own price', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const mistaken = use(w, acme, 100_000)
  await pass(w, 600_000)
  await w.meterkit.subscriptions.switchPlan({ subscriptionId: acme.subscription.id, plan: 'business' })
  await pass(w, 600_000)

  await w.meterkit.events.void(mistaken.id, trace)
  use(w, acme, 130_000)
  await w.meterkit.reports.sync()

  // 500 cents of Essential given back; 130,000 / 15,000 = 8.67: nine packages of Business
  assert.deepEqual(await billed(w, acme), [450n])
})

test('an ended subscription, a void and free usage in one hour: the credit that is due is told, less what was never billed', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const mistaken = use(w, acme, 50_000)
  await pass(w, 600_000)
  await w.meterkit.subscriptions.cancel({ subscriptionId: acme.subscription.id, when: 'now' })
  use(w, acme, 10_000, new Date(w.clock().getTime() - 60_000)) // too late for any invoice
  await w.meterkit.reports.sync()

  await w.meterkit.events.void(mistaken.id, trace)
  use(w, acme, 60_000) // after the end: free
  await w.meterkit.reports.sync()

  // 50,000 were billed, 250 cents, where 10,000 should have been, 50 cents
  const { rows } = await w.meterkit.reports.list({ status: 'failed' })
  assert.deepEqual(
    rows.map(({ value, error }) => [value, /^A credit of \S+ is due/.exec(error!)?.[0]]),
    [['-40000', 'A credit of $2.00 is due']],
  )
  for await (const check of w.meterkit.verify({})) assert.deepEqual(check.disagreements, [])
})

test('usage billed with a coupon is given back by hand: the sentence says what of', async (t) => {
  const w = await world(t, { journal: false })
  const priya = await subscriber(w)
  const coupon = await w.stripe.coupons.create({ percent_off: 50, duration: 'once' })
  await w.stripe.subscriptions.update(priya.subscription.stripeId, { discounts: [{ coupon: coupon.id }] })
  const mistake = use(w, priya, 40_000)
  assert.deepEqual(await billed(w, priya), [100n]) // forty packages of $0.05, half of it off

  await w.meterkit.events.void(mistake.id, { by: 'omar', reason: 'a mistake' })
  await w.meterkit.reports.sync()

  const [failed] = (await w.meterkit.reports.list({ status: 'failed' })).rows
  assert.match(failed!.error!, /A credit is due: \$2\.00 less the discount of invoice .* gave on it/)
})

test('usage Stripe had lost, voided within its period and mended after it, is billed to nobody', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const mistake = use(w, acme, 100_000)
  await w.meterkit.events.drained()
  w.webhooks.reach = false
  w.stripeLocal.faults.rejectAsynchronously(1, 'meter_event_invalid_value')
  await w.meterkit.reports.sync()
  await w.stripeLocal.idle()
  await pass(w, 20 * MINUTE_MS)
  await w.meterkit.events.void(mistake.id, { by: 'omar', reason: 'a test run' })
  await w.meterkit.reports.sync()
  await pass(w, 5 * 24 * 60 * MINUTE_MS) // Stripe gives up telling it
  w.webhooks.reach = true
  const { end } = acme.subscription.currentPeriod!
  await w.stripeLocal.advance(new Date(end.getTime() + 4 * 60 * MINUTE_MS))
  await settled(w)

  const found = await w.meterkit.reports.reconcile({ since: acme.subscription.startedAt })
  assert.deepEqual(
    found.differences.map(({ cause, quantity }) => [cause, quantity]),
    [['missing', '-100000']],
  )
  await w.meterkit.reports.mend(found)
  await w.meterkit.reports.sync()

  const next = (await w.meterkit.subscriptions.get(acme.subscription.id))!
  assert.deepEqual(await billed(w, { ...acme, subscription: next }), [0n, 0n])
})

test('usage of an invoice that was voided unpaid is given back by nothing', async (t) => {
  const w = await world(t, { journal: false })
  const priya = await subscriber(w)
  const mistake = use(w, priya, 100_000)
  w.stripeLocal.faults.declineCharges(100, 'insufficient_funds')
  assert.deepEqual(await billed(w, priya), [500n])
  const [invoice] = (await w.stripe.invoices.list({ customer: priya.customer.stripeId! })).data
  await w.stripe.invoices.voidInvoice(invoice!.id!)
  w.stripeLocal.faults.clear()
  await settled(w)

  await w.meterkit.events.void(mistake.id, { by: 'omar', reason: 'a load test' })
  await w.meterkit.reports.sync()

  assert.deepEqual((await w.stripe.invoiceItems.list({ customer: priya.customer.stripeId! })).data, [])
  const [credit] = (await w.meterkit.reports.list()).rows
  assert.deepEqual([credit!.kind, credit!.status, credit!.amount], ['credit', 'accepted', '0'])
})

test('usage of an invoice that a credit note has reduced is given back by hand', async (t) => {
  const w = await world(t, { journal: false })
  const priya = await subscriber(w)
  const mistake = use(w, priya, 100_000)
  await billed(w, priya)
  const [invoice] = (await w.stripe.invoices.list({ customer: priya.customer.stripeId! })).data
  await w.stripe.creditNotes.create({ invoice: invoice!.id!, amount: 200, credit_amount: 200 })

  await w.meterkit.events.void(mistake.id, { by: 'omar', reason: 'a load test' })
  await w.meterkit.reports.sync()

  const [failed] = (await w.meterkit.reports.list({ status: 'failed' })).rows
  assert.match(failed!.error!, /A credit is due: \$5\.00 less what the credit notes of invoice .* gave on it/)
})
