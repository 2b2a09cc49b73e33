import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Readings } from '../src/readings.ts'
import { essential, packagePrice, world } from './world.ts'

/** 1,500 tokens at Essential (2 packages of 5 cents), a switch to packages of 50 cents, late usage, and 400 tokens more. */
async function switched(t: TestContext, readings: Partial<Readings>, late?: string): Promise<number[]> {
  const { local, stripe } = await world(t, '2026-01-10T08:00:00Z', { readings })
  const { meter, price, customer, use } = await essential(stripe, local)
  const business = await packagePrice(stripe, meter.id, { name: 'Business', unitAmount: 50, perUnits: 1000 })
  const { id, items } = await stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] })
  await local.advance(new Date('2026-01-20T08:00:00Z'))
  await use('1500', new Date('2026-01-20T07:00:00Z'))
  await stripe.subscriptions.update(id, { items: [{ id: items.data[0]!.id, price: business.id }] })
  if (late) await use(late, new Date('2026-01-20T07:30:00Z')) // arrives after the switch with a time before it
  await use('400', new Date('2026-01-20T08:00:00Z'))
  await local.advance(new Date('2026-02-10T10:00:00Z'))
  const [invoice] = (await stripe.invoices.list({ subscription: id })).data
  return invoice!.lines.data.map((line) => line.amount)
}

test('a switch leaves to the old price what has an earlier timestamp, or what arrived earlier', async (t) => {
  // By timestamp the late 700 are the old price's and lost: 400 open one package. By arrival 1,100 open two.
  assert.deepEqual(await switched(t, {}, '700'), [10, 50])
  assert.deepEqual(await switched(t, { switchSplitsUsageBy: 'arrival' }, '700'), [10, 100])
})

test('after a switch packages begin anew, or the one that is open is filled first', async (t) => {
  // 1,500 opened the second package, in which 400 more have room.
  assert.deepEqual(await switched(t, {}), [10, 50])
  assert.deepEqual(await switched(t, { switchTiers: 'continued' }), [10, 0])
})

test('the free usage of a trial can be printed', async (t) => {
  const lines = async (trialUsageLine: 'printed' | 'suppressed') => {
    const { local, stripe } = await world(t, '2026-01-10T08:00:00Z', { readings: { trialUsageLine } })
    const { price, customer, use } = await essential(stripe, local)
    const { id } = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      trial_period_days: 14,
    })
    await use('12345', new Date('2026-01-10T08:00:00Z'))
    await local.advance(new Date('2026-01-24T10:00:00Z'))
    const { data } = await stripe.invoices.list({ subscription: id })
    return data.flatMap((invoice) => invoice.lines.data.map((line) => `${line.amount} ${line.description}`))
  }
  assert.deepEqual(await lines('printed'), ['0 Free trial for 12345 x Essential'])
  assert.deepEqual(await lines('suppressed'), [])
})

test('a released schedule can be called completed', async (t) => {
  const ending = async (scheduleEndingInRelease: 'released' | 'completed') => {
    const { local, stripe } = await world(t, '2026-01-10T08:00:00Z', { readings: { scheduleEndingInRelease } })
    const { price, customer } = await essential(stripe, local)
    const { id } = await stripe.subscriptionSchedules.create({
      customer: customer.id,
      start_date: 'now',
      phases: [{ items: [{ price: price.id }], duration: { interval: 'month' } }],
    })
    await local.advance(new Date('2026-02-10T10:00:00Z'))
    const { status, released_at, completed_at } = await stripe.subscriptionSchedules.retrieve(id)
    return [status, released_at !== null, completed_at !== null]
  }
  assert.deepEqual(await ending('released'), ['released', true, false])
  assert.deepEqual(await ending('completed'), ['completed', false, true])
})
