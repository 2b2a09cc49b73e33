import assert from 'node:assert/strict'
import { test } from 'node:test'
import { v7 as newUuid } from 'uuid'
import { database, METER_ID, subscribed } from '../../test/database.ts'
import { transaction } from '../database/database.ts'
import { insertEvents } from '../events/store.ts'
import { plannedReports, writeReports } from '../reports/write.ts'
import { segmentsOf } from '../subscriptions/store.ts'
import { usageCells } from './store.ts'

test('in a period of a year, usage too old for its own timestamp at Stripe is shown once', async (t) => {
  const pool = await database(t)
  const now = new Date('2026-11-24T12:00:00Z')
  const period = { start: new Date('2026-09-20T00:00:00Z'), end: new Date('2027-09-20T00:00:00Z') }
  const subscription = await subscribed(pool, { currentPeriod: period, startedAt: period.start })
  const event = {
    id: newUuid(),
    key: null,
    customerId: subscription.customerId,
    subscriptionId: subscription.id,
    meterId: METER_ID,
    quantity: '1000',
    occurredAt: Date.parse('2026-10-01T00:10:00Z'), // 54 days ago; Stripe takes 35
    properties: null,
  }
  await transaction(pool, (client) => insertEvents(client, [event]))
  const segments = (await segmentsOf(pool, subscription.customerId, [subscription.id])).get(subscription.id)!
  const shown = async () =>
    (
      await usageCells(pool, subscription, segments, period, await plannedReports(pool, subscription.customerId, now))
    ).map((cell) => [cell.date, cell.quantity, cell.late])

  const before = await shown()
  assert.equal((await writeReports(pool, subscription.customerId, now)).written, 1)

  // on its own day, in its own period: it was late for Stripe, not for the customer
  assert.deepEqual(before, [['2026-10-01', '1000', false]])
  assert.deepEqual(await shown(), [['2026-10-01', '1000', false]])
})
