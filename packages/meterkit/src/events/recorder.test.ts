import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import pg from 'pg'
import { v7 as newUuid } from 'uuid'
import { database, METER_ID, subscribed } from '../../test/database.ts'
import type { Subscription } from '../subscriptions/subscription.ts'
import type { MeterEvent } from './event.ts'
import { openJournal } from './journal.ts'
import { createRecorder } from './recorder.ts'

const log = { info: () => {}, warn: () => {}, error: () => {} }
const journalBytesMax = 1_000_000

function use({ customerId, id }: Subscription): MeterEvent {
  return {
    id: newUuid(),
    key: null,
    customerId,
    subscriptionId: id,
    meterId: METER_ID,
    quantity: '1',
    occurredAt: Date.parse('2026-11-24T10:00:00Z'),
    properties: null,
  }
}

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'recorder-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function stored(pool: pg.Pool): Promise<number> {
  return (await pool.query('select count(*)::int as n from billing.meter_events')).rows[0].n
}

test('a database that is away costs nobody anything: durable at once, stored when it is back', async (t) => {
  const pool = await database(t)
  const subscription = await subscribed(pool)
  const away = new pg.Pool({ connectionString: 'postgresql://nobody@127.0.0.1:1/none' })
  const directory = directoryFor(t)
  const events = Array.from({ length: 50 }, () => use(subscription))

  const offline = createRecorder({ pool: away, journal: await openJournal({ directory, log }), journalBytesMax, log })
  await Promise.all(events.map((event) => offline.record(event)))
  await offline.stop(0)
  await away.end()
  assert.equal(await stored(pool), 0)

  const online = createRecorder({ pool, journal: await openJournal({ directory, log }), journalBytesMax, log })
  await online.drained()
  assert.equal(await stored(pool), 50)
  await online.stop(0)
})

test('a journal offered twice is counted once', async (t) => {
  const pool = await database(t)
  const subscription = await subscribed(pool)
  const event = use(subscription)
  for (const _ of [1, 2]) {
    const recorder = createRecorder({
      pool,
      journal: await openJournal({ directory: directoryFor(t), log }),
      journalBytesMax,
      log,
    })
    await recorder.record(event)
    await recorder.drained()
    await recorder.stop(0)
  }
  assert.equal(await stored(pool), 1)
})

test('past its limit the journal refuses, and takes events again once the database has caught up', async (t) => {
  const pool = await database(t)
  const subscription = await subscribed(pool)
  const recorder = createRecorder({
    pool,
    journal: await openJournal({ directory: directoryFor(t), log }),
    journalBytesMax: 2_000,
    log,
  })
  const blocker = await pool.connect()
  await blocker.query('begin; lock table billing.meter_events in access exclusive mode')
  let accepted = 0
  const fill = async () => {
    for (; accepted < 100; accepted++) await recorder.record(use(subscription))
  }
  await assert.rejects(fill(), { code: 'journal_full' })
  assert.ok(accepted > 0 && accepted < 100)

  await blocker.query('rollback')
  blocker.release()
  await recorder.drained()
  await recorder.record(use(subscription))
  await recorder.drained()
  assert.equal(await stored(pool), accepted + 1)
  await recorder.stop(0)
})

test('without a journal, durable means stored', async (t) => {
  const pool = await database(t)
  const subscription = await subscribed(pool)
  const recorder = createRecorder({ pool, journal: null, journalBytesMax, log })
  await recorder.record(use(subscription))
  assert.equal(await stored(pool), 1)
  await recorder.stop(0)
})

test('a stop drains what it can', async (t) => {
  const pool = await database(t)
  const subscription = await subscribed(pool)
  const recorder = createRecorder({
    pool,
    journal: await openJournal({ directory: directoryFor(t), log }),
    journalBytesMax,
    log,
  })
  for (let index = 0; index < 5_000; index++) void recorder.record(use(subscription))
  await recorder.stop(10_000)
  assert.equal(await stored(pool), 5_000)
})
