import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { after, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startApp } from '../test/faults/app.ts'
import { missingFrom } from '../test/faults/checker.ts'
import { ANSWER_DELAY_MS, type KillPoint, killWorkerAt, playRound } from '../test/faults/round.ts'
import { killWhileRecording, outage, poisonAmong } from '../test/faults/scenarios.ts'
import { type Server, startServer } from '../test/faults/server.ts'
import { openStage, type Payer, type Stage } from '../test/faults/stage.ts'
import { randomOf } from '../test/random.ts'

/*
 * Real processes, a PostgreSQL that is killed and a Stripe that fails: a little of each here, and by the thousand in
 * `npm run test:faults`.
 */

const SEED = Number(process.env.FAULTS_SEED ?? 1)
const STEPS = 40
const KILLS = Number(process.env.FAULTS_KILLS ?? 12)
const HOUR_MS = 3_600_000
const METER_EVENTS = '/v1/billing/meter_events'

let starting: Promise<Server> | null = null
function server(): Promise<Server> {
  starting ??= startServer()
  return starting
}
after(async () => (await starting)?.remove())

async function stageFor(t: TestContext, apps: number): Promise<{ stage: Stage; payer: Payer }> {
  const stage = await openStage(await server(), { apps })
  t.after(() => stage.close())
  return { stage, payer: await stage.subscribe('acme', 'essential') }
}

function uses({ customerId, subscriptionId }: Payer, count: number, quantity = '100') {
  return Array.from({ length: count }, (_, index) => {
    return { ref: `use ${index}`, customerId, subscriptionId, quantity, at: null, key: null }
  })
}

const counted = ({ stripeLocal }: Stage, { stripeCustomer }: Payer) => stripeLocal.usage(stripeCustomer, 'ai_tokens')

test(`whatever fails, in real processes: told, stored, reported and invoiced agree (round ${SEED})`, async () => {
  const { verdict, trail } = await playRound(await server(), SEED, STEPS)

  const told = `\n  ${verdict.findings.join('\n  ')}\nafter\n  ${trail.join('\n  ')}`
  assert.deepEqual(verdict.findings, [], told)
  assert.deepEqual([verdict.lost, verdict.doubled], [0, 0])
})

test('kill -9 again and again while recording: what was promised is stored once, rolled up, reported and invoiced', async () => {
  const { findings, promised, stored } = await killWhileRecording(await server(), randomOf(SEED), KILLS)

  assert.deepEqual(findings, [])
  assert.ok(promised > 100 && stored >= promised, `${promised} promised, ${stored} stored`)
})

test('PostgreSQL away for 5 s under 5,000 events a second: nothing is lost, nothing comes twice', async () => {
  const { findings, backlogEvents, recorded } = await outage(await server(), { seconds: 5, perSecond: 5_000 })

  assert.deepEqual(findings, [])
  assert.equal(recorded, 25_000)
  assert.ok(backlogEvents > 10_000, `only ${backlogEvents} waited for the database`)
})

const POINTS: [point: KillPoint, received: number][] = [
  ['before a report is written', 0],
  ['while a report is written', 0],
  ['before Stripe hears of it', 0],
  ['after Stripe accepted it', 1],
]
for (const [point, received] of POINTS) {
  // The hours Stripe knows an identifier matter once it may have been sent.
  for (const laterMs of point.endsWith('written') ? [60_000] : [60_000, 30 * HOUR_MS]) {
    test(`a worker killed ${point}: another counts its usage once, ${laterMs / 60_000} minutes later`, async (t) => {
      const { stage, payer } = await stageFor(t, 2)
      await stage.apps[0]!.ask('record', uses(payer, 3))
      await stage.apps[0]!.ask('drained')

      assert.equal(await killWorkerAt(stage, stage.apps[0]!, point), true)
      assert.equal(stage.stripeLocal.receivedMeterEvents().length, received)
      if (received > 0) await sleep(ANSWER_DELAY_MS)
      await stage.pass(laterMs)
      await stage.apps[1]!.ask('sync', {})

      assert.equal(counted(stage, payer), '300')
      const { rows } = await stage.pool.query(`select status from billing.reports where status <> 'cleared'`)
      assert.deepEqual(rows, [{ status: 'accepted' }])
      assert.equal(stage.stripeLocal.receivedMeterEvents().length, 1)
    })
  }
}

test('ten workers in three processes, and a manual run among them: each report is sent by one of them', async (t) => {
  const { stage, payer } = await stageFor(t, 3)
  const payers = [payer]
  for (const name of ['b', 'c', 'd', 'e']) payers.push(await stage.subscribe(name, 'business'))
  for (const each of payers) await stage.apps[0]!.ask('record', uses(each, 3))
  await stage.apps[0]!.ask('drained')
  stage.stripeLocal.faults.delay(30, 100, METER_EVENTS) // so that they meet

  const scopes = Array.from({ length: 10 }, (_, i) => (i === 4 ? { customerId: payer.customerId, urgent: true } : {}))
  await Promise.all(scopes.map((scope, index) => stage.apps[index % 3]!.ask('sync', scope)))
  await stage.apps[0]!.ask('sync', {})

  assert.equal(stage.stripeLocal.requestCount(METER_EVENTS), 5)
  assert.deepEqual(
    payers.map((each) => counted(stage, each)),
    Array(5).fill('300'),
  )
})

test('a second process is refused the journal of the first, and told whose it is', async (t) => {
  const { stage } = await stageFor(t, 1)
  const { settings } = stage.apps[0]!

  const second = startApp('second', settings, { durable: () => {}, crashed: () => {} })
  t.after(() => second.then((app) => app.kill()).catch(() => {}))

  await assert.rejects(second, new RegExp(`journal in ${settings.journalDirectory} is in use by another process`))
})

const prlimit = spawnSync('prlimit', ['--version']).status === 0

test('a full disk: nothing is promised that is not kept, the process lives, and goes on when there is room', {
  skip: prlimit ? false : 'there is no prlimit here to make a small disk of',
}, async (t) => {
  const { stage, payer } = await stageFor(t, 1)
  const [app] = stage.apps
  const limit = (bytes: string) => execFileSync('prlimit', ['--pid', String(app!.pid), `--fsize=${bytes}:`])
  const { customerId, subscriptionId } = payer
  await app!.ask('record', uses(payer, 1))
  await app!.ask('drained')

  limit('200000') // about 700 records
  await app!.ask('flood', { customerId, subscriptionId, events: 5_000, perSecond: 5_000 })
  const full = await app!.ask('pipeline')
  assert.equal(full.recorded, 5_001)
  assert.ok(full.durable < 5_001, `${full.durable} became durable on a disk for 700`)
  limit('unlimited')
  await app!.ask('drained')

  assert.equal(stage.durable.size, 5_001)
  assert.deepEqual(
    await missingFrom(
      stage.pool,
      [...stage.durable].filter((id) => !id.startsWith('use')),
    ),
    { stored: 5_001, lost: [] },
  )
  assert.deepEqual(stage.findings, [])
})

test('an error cleared by SQL and twice over while a sync runs: its usage is sent again once', async (t) => {
  const { stage, payer } = await stageFor(t, 2)
  const [meter] = (await stage.stripe.billing.meters.list()).data
  await stage.stripe.billing.meters.deactivate(meter!.id)
  await stage.apps[0]!.ask('record', uses(payer, 3))
  await stage.apps[0]!.ask('sync', {})
  await stage.stripe.billing.meters.reactivate(meter!.id)
  const { rows } = await stage.pool.query('select id from billing.billing_meter_events where error_message is not null')
  assert.equal(rows.length, 3)
  stage.stripeLocal.faults.delay(50, 10, METER_EVENTS)

  const eventIds = rows.map((row) => row.id as string)
  const cleared = await Promise.all([
    stage.apps[0]!.ask('sync', {}),
    stage.pool.query('update billing.billing_meter_events set error_message = null where error_message is not null'),
    stage.apps[1]!.ask('retry', { eventIds }),
    stage.apps[1]!.ask('sync', {}),
    stage.apps[0]!.ask('retry', 'all'),
  ])
  await stage.apps[1]!.ask('sync', {})

  assert.equal(counted(stage, payer), '300', JSON.stringify(cleared))
  const sent = await stage.pool.query(
    `select status, count(*)::int from billing.reports group by status order by status`,
  )
  assert.deepEqual(sent.rows, [
    { status: 'accepted', count: 1 },
    { status: 'cleared', count: 1 },
  ])
})

test('one poisoned event among a hundred thousand is set aside and shown, the others pass', async () => {
  const { findings, stored } = await poisonAmong(await server(), randomOf(SEED), 100_000)

  assert.deepEqual(findings, [])
  assert.equal(stored, 99_999)
})
