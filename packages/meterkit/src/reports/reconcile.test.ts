import assert from 'node:assert/strict'
import { test } from 'node:test'
import { billed, pass, subscriber, use, type World, world } from '../../test/world.ts'
import type { Difference } from './reconciliation.ts'
import { verdicts } from './summaries.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/** Usage that Stripe accepts, refuses a moment later, and tells so by a webhook that never arrives. */
async function refusedLater(w: World, acme: Parameters<typeof use>[1], quantity: number): Promise<void> {
  use(w, acme, quantity)
  w.webhooks.reach = false
  w.stripeLocal.faults.rejectAsynchronously(1, 'meter_event_invalid_value')
  const { accepted } = await w.meterkit.reports.sync()
  assert.equal(accepted, 1)
  await w.stripeLocal.idle()
}

const told = (differences: Difference[]) =>
  differences.map(({ cause, ours, stripe, quantity, reports }) => [cause, ours, stripe, quantity, reports.length])

test('a report refused later, whose webhook was lost, is found, mended and billed once', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  use(w, acme, 1_000)
  await w.meterkit.reports.sync()
  await pass(w, MINUTE_MS)
  await refusedLater(w, acme, 2_345)

  const early = await w.meterkit.reports.reconcile()
  assert.deepEqual(told(early.differences), [['recent', '3345', '1000', '-2345', 1]])
  assert.deepEqual(await w.meterkit.reports.mend(early), { mended: [], left: [] })

  await pass(w, 11 * MINUTE_MS)
  const found = await w.meterkit.reports.reconcile()
  assert.deepEqual(told(found.differences), [['missing', '3345', '1000', '-2345', 1]])
  const [difference] = found.differences
  assert.equal(difference!.day, '2026-11-24')
  assert.match(
    difference!.explanation,
    /accepted 1 report and does not have it.*the webhook that says so never arrived/,
  )

  const { mended, left } = await w.meterkit.reports.mend(found)
  assert.deepEqual([mended.length, left.length], [1, 0])
  assert.deepEqual((await w.meterkit.reports.mend(found)).mended, [], 'a second time there is nothing to mend')
  const { created, accepted } = await w.meterkit.reports.sync()
  assert.deepEqual([created, accepted], [1, 1])
  await w.stripeLocal.idle()
  assert.equal(w.stripeLocal.usage(acme.customer.stripeId!, 'ai_tokens'), '3345')

  await pass(w, 11 * MINUTE_MS)
  assert.deepEqual((await w.meterkit.reports.reconcile()).differences, [])
  w.webhooks.reach = true
  assert.deepEqual(await billed(w, acme), [20n]) // 4 packages of 1,000 at 5 cents
})

test('after its period was invoiced, what was missing is billed with the next invoice', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  await refusedLater(w, acme, 5_000)
  // a draft waits three days for a webhook endpoint that does not answer
  await w.stripeLocal.advance(new Date(acme.subscription.currentPeriod!.end.getTime() + 4 * DAY_MS))

  const { differences } = await w.meterkit.reports.reconcile({ since: new Date(w.clock().getTime() - 40 * DAY_MS) })
  assert.deepEqual(told(differences), [['missing', '5000', '0', '-5000', 1]])
  await w.meterkit.reports.mend({ differences })
  await w.meterkit.reports.sync()

  const [again] = (await w.meterkit.reports.list()).rows
  assert.deepEqual([again!.status, again!.late, again!.value], ['accepted', true, '5000'])
})

test('usage that somebody else sent is shown, and nothing is changed', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  use(w, acme, 500)
  await w.meterkit.reports.sync()
  await w.stripe.billing.meterEvents.create({
    event_name: 'ai_tokens',
    timestamp: Math.floor(w.clock().getTime() / 1000),
    payload: { stripe_customer_id: acme.customer.stripeId!, value: '77' },
  })
  await w.stripeLocal.idle()
  await pass(w, 11 * MINUTE_MS)

  const found = await w.meterkit.reports.reconcile()
  assert.deepEqual(told(found.differences), [['foreign', '500', '577', '77', 0]])
  assert.equal(found.differences[0]!.mendable, false)
  assert.deepEqual(await w.meterkit.reports.mend(found), { mended: [], left: [] })
  assert.equal((await w.meterkit.reports.sync()).created, 0)
})

test('where either of two reports may be the missing one, nothing is sent again', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  use(w, acme, 100)
  await w.meterkit.reports.sync()
  await refusedLater(w, acme, 100)
  await pass(w, 11 * MINUTE_MS)

  const found = await w.meterkit.reports.reconcile()
  assert.deepEqual(told(found.differences), [['unclear', '200', '100', '-100', 2]])
  assert.deepEqual(await w.meterkit.reports.mend(found), { mended: [], left: [] })
})

test('a report that was cleared while Stripe had it is named as counted twice', async (t) => {
  const w = await world(t, { sdkRetries: 0 })
  const acme = await subscriber(w)
  const { id } = use(w, acme, 300)
  w.stripeLocal.faults.loseAnswers(2, '/v1/billing/meter_events')
  await w.meterkit.reports.sync()
  await w.pool.query(`update billing.reports set status = 'unsure', error = 'nobody knows'`)
  await w.meterkit.events.retry('all')
  assert.equal((await w.meterkit.reports.counts()).unsure, 1, 'what is in doubt is not among all')
  await w.meterkit.events.retry({ eventIds: [id] }) // by an operator who did not look
  await w.meterkit.reports.sync()
  await w.stripeLocal.idle()
  await pass(w, 11 * MINUTE_MS)

  const { differences } = await w.meterkit.reports.reconcile()
  assert.deepEqual(told(differences), [['cleared', '300', '600', '300', 1]])
  assert.match(differences[0]!.explanation, /it is counted twice/)
})

test('a report accepted without our hearing of it is left to the next sync', async (t) => {
  const w = await world(t, { sdkRetries: 0 })
  const acme = await subscriber(w)
  use(w, acme, 300)
  w.stripeLocal.faults.loseAnswers(2, '/v1/billing/meter_events')
  await w.meterkit.reports.sync()
  await w.stripeLocal.idle()

  assert.deepEqual(told((await w.meterkit.reports.reconcile()).differences), [['in_doubt', '0', '300', '300', 1]])
})

test('a customer that is gone at Stripe, and a busy Stripe, do not stop the comparison', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const other = await subscriber(w, { organization: 'other' })
  use(w, acme, 10)
  use(w, other, 20)
  await w.meterkit.reports.sync()
  await w.pool.query(`update billing.customers set stripe_id = 'cus_gone' where id = $1`, [acme.customer.id])
  w.stripeLocal.faults.answer(429, 2, '/v1/billing/meters')

  const progress: number[] = []
  const { differences, compared } = await w.meterkit.reports.reconcile({
    onProgress: ({ done }) => progress.push(done),
  })
  assert.equal(compared, 2)
  assert.deepEqual(progress, [1, 2])
  assert.deepEqual(told(differences), [['unreadable', '10', null, '0', 0]])
  assert.match(differences[0]!.explanation, /No such customer: 'cus_gone'/)
})

test('while syncs go on, nothing is taken for missing or foreign', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  use(w, acme, 10)
  await w.meterkit.reports.sync()
  await refusedLater(w, acme, 2_345) // so that there is a difference to look into
  await pass(w, 11 * MINUTE_MS)
  const { meters } = w.stripe.billing
  const list = meters.listEventSummaries.bind(meters)
  let asked = 0
  meters.listEventSummaries = ((...given: Parameters<typeof list>) => {
    const answer = list(...given)
    asked += 1
    if (asked !== 3) return answer // a day, its hours, the hour: before its minutes are read
    return answer.then(async (page) => {
      use(w, acme, 7)
      await w.meterkit.reports.sync()
      await w.stripeLocal.idle()
      return page
    })
  }) as typeof list

  const { differences } = await w.meterkit.reports.reconcile()
  assert.deepEqual(
    differences.map(({ cause, quantity }) => [cause, quantity]),
    [['missing', '-2345']],
  )
})

test('which of the values in doubt make a sum: all ways are tried', () => {
  const cases: [theirs: string, certain: string, inDoubt: string[], expected: string[] | null][] = [
    ['0', '0', [], []],
    ['5', '0', ['5'], ['delivered']],
    ['0', '0', ['5'], ['absent']],
    ['7', '0', ['5'], null],
    ['12.5', '10', ['2.5', '7'], ['delivered', 'absent']],
    ['100', '0', ['100', '100'], ['unclear', 'unclear']],
    ['200', '0', ['100', '100', '7'], ['delivered', 'delivered', 'absent']],
    ['3', '0', ['3', '5', '-5'], ['delivered', 'unclear', 'unclear']], // the last two cancel out
    ['0', '0', Array(40).fill('9'), Array(40).fill('absent')],
    ['360', '0', Array(40).fill('9'), Array(40).fill('delivered')],
    ['9', '0', Array(40).fill('9'), null], // too many ways to try
    [String(2 ** 31 - 1), '0', Array.from({ length: 31 }, (_, bit) => String(2 ** bit)), Array(31).fill('delivered')],
  ]
  for (const [theirs, certain, inDoubt, expected] of cases) {
    assert.deepEqual(verdicts({ theirs, certain, inDoubt }), expected, `${theirs} of ${certain} and ${inDoubt}`)
  }
})
