import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultSettings } from 'stripe-local'
import { type Random, randomOf } from '../random.ts'
import { type App, AppGone } from './app.ts'
import type { Use } from './app-process.ts'
import { type Verdict, verdictOf } from './checker.ts'
import { type Ledger, newLedger } from './ledger.ts'
import type { Server } from './server.ts'
import { comesTrue, openStage, type Payer, type PlanName, type Stage } from './stage.ts'

/*
 * One round: months of two or three subscriptions in as many real processes, with every action and every fault drawn
 * from a seed. What runs at the same time, and where a kill strikes, is up to the machine: a seed is played again with
 * the same draws, not with the same nanoseconds.
 */

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const METER_EVENTS = '/v1/billing/meter_events'
const PLANS: readonly PlanName[] = ['essential', 'business', 'enterprise']
/** Past the last time Stripe tries a webhook, and past the 24 hours it knows an identifier. */
const WEBHOOK_RETRIES_MS = 3 * DAY_MS

interface Recorded {
  ref: string
  id: string
  voided: boolean
}

interface Player {
  payer: Payer
  recorded: Recorded[]
  cancelled: boolean
  /** Instants at which something changes on an invoice. */
  boundaries: number[]
}

interface Round {
  stage: Stage
  random: Random
  ledger: Ledger
  players: Player[]
  /** What goes on meanwhile. */
  underWay: Set<Promise<unknown>>
  /** Since when webhooks go astray; milliseconds. */
  astraySince: number | null
  /** How many faults of a kind have struck. */
  struck: Map<string, number>
  refs: number
  say: (line: string) => void
}

export interface RoundResult {
  trail: string[]
  verdict: Verdict
  struck: Map<string, number>
}

/** What may happen in a step, and how often of a hundred times. Each tells what it did. */
const ACTIONS: readonly [percent: number, action: (round: Round) => Promise<string>][] = [
  [22, recordBurst],
  [5, sameKeyTwice],
  [5, recordInTransaction],
  [2, recordPoison],
  [10, letTimePass],
  [9, sync],
  [4, syncByMany],
  [6, killRecorder],
  [5, killWorker],
  [6, killAtPoint],
  [4, troublePostgres],
  [9, breakStripe],
  [1, mendStripe],
  [4, troubleWebhooks],
  [3, clearErrors],
  [4, switchPlan],
  [5, voidAnEvent],
  [1, cancel],
]

/** @param steps  how many actions; a hundred take about ten seconds */
export async function playRound(server: Server, seed: number, steps: number): Promise<RoundResult> {
  const random = randomOf(seed)
  const stage = await openStage(server, { apps: random.whole(2, 3) })
  const trail: string[] = []
  const say = (line: string) => {
    const told = `${new Date(stage.now()).toISOString()} ${line}`
    trail.push(told)
    if (process.env.FAULTS_TRAIL) process.stderr.write(`${told}\n`)
  }
  const round: Round = {
    stage,
    random,
    ledger: newLedger(),
    players: [],
    underWay: new Set(),
    astraySince: null,
    struck: new Map(),
    refs: 0,
    say,
  }
  try {
    for (let index = 0; index < random.whole(2, 3); index++) {
      const payer = await stage.subscribe(`organization-${index}`, random.pick(PLANS))
      round.players.push({ payer, recorded: [], cancelled: false, boundaries: [payer.startedAt] })
      await stage.pass(random.whole(1, 80 * MINUTE_MS))
    }
    const drum = ACTIONS.flatMap(([percent, action]) => Array.from({ length: percent }, () => action))
    for (let step = 0; step < steps; step++) say(await random.pick(drum)(round))
    await makePeace(round)
    const payers = round.players.map((player) => player.payer)
    const verdict = await verdictOf(stage, payers, round.ledger)
    verdict.findings.unshift(...stage.findings)
    return { trail, verdict, struck: round.struck }
  } finally {
    await stage.server.start()
    await stage.close()
  }
}

// What apps do

async function recordBurst(round: Round): Promise<string> {
  const { random } = round
  const app = await someApp(round)
  const uses = draw(round, random.whole(1, random.pick([3, 60])))
  later(round, record(round, app, uses))
  if (random.chance(0.4)) await calm(round)
  return `${app.name} records ${uses.map(shownUse).slice(0, 3).join(', ')}${uses.length > 3 ? ` … (${uses.length})` : ''}`
}

/** Notes what is offered before, and what was taken after: a kill between the two leaves it open. */
async function record(round: Round, app: App, uses: Use[]): Promise<void> {
  const { ledger } = round
  for (const use of uses) ledger.uses.set(use.ref, use)
  try {
    const answers = await app.ask('record', uses)
    for (const [index, answer] of answers.entries()) {
      const use = uses[index]!
      if (!('id' in answer)) {
        round.stage.findings.push(`recordEvent refused ${shownUse(use)}: ${answer.error}`)
        continue
      }
      ledger.taken.add(use.ref)
      const player = round.players.find(({ payer }) => payer.subscriptionId === use.subscriptionId)!
      // With a key, the event of another call may be the one that counts.
      if (use.key === null && !use.poisoned) player.recorded.push({ ref: use.ref, id: answer.id, voided: false })
    }
  } catch (error) {
    for (const use of uses) ledger.taken.add(use.ref)
    if (!(error instanceof AppGone)) throw error
  }
}

function draw(round: Round, count: number): Use[] {
  return Array.from({ length: count }, () => drawUse(round))
}

function drawUse(round: Round): Use {
  const { random, stage } = round
  const player = random.pick(round.players)
  const { customerId, subscriptionId } = player.payer
  round.refs += 1
  const use = { ref: `r${round.refs}`, customerId, subscriptionId, quantity: drawQuantity(random), key: null }
  return { ...use, at: drawTime(random, stage.now(), player) }
}

function drawQuantity(random: Random): string {
  return random.pick([
    () => random.pick(['0', '1', '999', '1000', '1001']), // at the edges of a package
    () => String(random.whole(1, 50_000)),
    () => String(random.whole(1, 50_000)),
    () => `${random.whole(0, 999)}.${random.whole(0, 9)}${random.whole(1, 9)}`,
  ])()
}

function drawTime(random: Random, now: number, { payer, boundaries }: Player): number | null {
  const boundary = random.pick(boundaries)
  const at = random.pick([
    () => null,
    () => null,
    () => null,
    () => boundary + random.pick([-SECOND_MS, -1, 0, 1, SECOND_MS]),
    () => boundary + random.pick([-SECOND_MS, -1, 0, 1, SECOND_MS]),
    () => now - random.whole(0, 3 * HOUR_MS),
    () => now - random.whole(0, 20 * DAY_MS),
    () => now - random.pick([34, 36, 40]) * DAY_MS, // around what Stripe takes
    () => now + random.whole(0, 240 * SECOND_MS), // a clock that is ahead
  ])()
  if (at === null) return null
  return Math.floor(Math.min(Math.max(at, payer.startedAt - HOUR_MS), now + 240 * SECOND_MS))
}

/** Two processes at once, and now and then a third time later; or another content, which must be shown. */
async function sameKeyTwice(round: Round): Promise<string> {
  const { random } = round
  const use = { ...drawUse(round), key: `key ${round.refs} "ü"` }
  const other = random.chance(0.5)
  const again = other ? { ...use, ref: `${use.ref}'`, quantity: `${use.quantity.split('.')[0]}7` } : use
  const apps = [await someApp(round), await someApp(round)]
  count(round, other ? 'same key, other content' : 'same key twice')
  const both = Promise.all([record(round, apps[0]!, [use]), record(round, apps[1]!, [again])])
  later(round, both)
  if (random.chance(0.3))
    later(
      round,
      both.then(() => record(round, apps[0]!, [use])),
    )
  return `${apps[0]!.name} and ${apps[1]!.name} record ${shownUse(use)} with one key, ${other ? 'another' : 'the same'} content`
}

async function recordInTransaction(round: Round): Promise<string> {
  const { random, ledger } = round
  const app = await someApp(round)
  const use = drawUse(round)
  const how = random.pick(['commit', 'rollback', 'die before commit', 'die at commit', 'die after commit'] as const)
  ledger.uses.set(use.ref, use)
  ledger.taken.add(use.ref)
  if (how !== 'commit') count(round, `transaction: ${how}`)
  const end = how === 'rollback' ? 'rollback' : how === 'die before commit' ? 'open' : 'commit'
  const asked = app.ask('recordInTransaction', use, end)
  if (how === 'die at commit')
    later(
      round,
      sleep(random.whole(0, 8)).then(() => app.kill()),
    )
  const [answer] = await Promise.allSettled([asked])
  if (answer.status === 'fulfilled') {
    if (end === 'commit') ledger.committed.add(use.ref)
    else ledger.rolledBack.add(use.ref)
  }
  if (how.startsWith('die')) await app.kill()
  const outcome = answer.status === 'fulfilled' ? 'answered' : (answer.reason as Error).message
  return `${app.name} records ${shownUse(use)} in a transaction (${how}): ${outcome}`
}

async function recordPoison(round: Round): Promise<string> {
  const app = await someApp(round)
  const uses = draw(round, 80)
  uses[round.random.whole(0, 79)]!.poisoned = true
  count(round, 'poisoned event')
  later(round, record(round, app, uses))
  return `${app.name} records 80, one of them poisoned`
}

async function sync(round: Round): Promise<string> {
  const app = await someApp(round)
  const syncing = askSync(round, app, round.random.chance(0.3))
  later(round, syncing)
  if (round.random.chance(0.5)) return `${app.name} syncs, and things go on`
  return `${app.name} syncs: ${await syncing}`
}

async function askSync({ random, players }: Round, app: App, manual: boolean): Promise<string> {
  const scope = manual ? { customerId: random.pick(players).payer.customerId, urgent: true } : {}
  try {
    const { created, accepted, failed, postponed, reason } = await app.ask('sync', scope)
    return `${created} written, ${accepted} accepted, ${failed} failed, ${postponed} postponed ${reason ?? ''}`
  } catch (error) {
    return outcomeOf(error)
  }
}

/** What may happen to a call; that it hangs may not. */
function outcomeOf(error: unknown): string {
  const { message } = error as Error
  if (message.startsWith('it hangs')) throw error
  return message
}

/** Ten at once over all processes, and a manual run among them. */
async function syncByMany(round: Round): Promise<string> {
  const apps = await allApps(round)
  count(round, 'ten workers at once')
  const runs = Array.from({ length: 10 }, (_, index) => askSync(round, apps[index % apps.length]!, index === 4))
  later(round, Promise.all(runs))
  if (round.random.chance(0.5)) await calm(round)
  return 'ten workers sync at once'
}

async function switchPlan(round: Round): Promise<string> {
  const { random, stage } = round
  await calm(round)
  const player = random.pick(round.players)
  const plan = random.pick(PLANS)
  const app = await someApp(round)
  const trouble = random.chance(0.5) ? await breakStripe(round) : 'Stripe as it is'
  const asking = app.ask('switchPlan', player.payer.subscriptionId, plan)
  const killed = random.chance(0.15)
  if (killed) {
    count(round, 'kill during a switch')
    await sleep(random.whole(0, 60))
    await app.kill()
  }
  const outcome = await asking.then(() => 'done', outcomeOf)
  player.boundaries.push(Math.floor(stage.now() / SECOND_MS) * SECOND_MS)
  await stage.pass(random.whole(1, 1_500))
  return `${player.payer.name} switches to ${plan} (${trouble}${killed ? ', killed' : ''}): ${outcome}`
}

/** Once in the life of a subscription. Its last events come a second before, at and after. */
async function cancel(round: Round): Promise<string> {
  const { random, stage } = round
  await calm(round)
  const player = random.pick(round.players)
  if (player.cancelled) return 'no cancellation: cancelled before'
  const app = await someApp(round)
  const when = random.pick(['now', 'period_end'] as const)
  const trouble = random.chance(0.5) ? await breakStripe(round) : 'Stripe as it is'
  const outcome = await app.ask('cancel', player.payer.subscriptionId, when).then(() => 'done', outcomeOf)
  player.cancelled = true
  player.boundaries.push(Math.floor(stage.now() / SECOND_MS) * SECOND_MS)
  return `${player.payer.name} cancels ${when} (${trouble}): ${outcome}`
}

/** Reported or not, invoiced or not. */
async function voidAnEvent(round: Round): Promise<string> {
  const { random, stage, ledger } = round
  await calm(round)
  const player = random.pick(round.players)
  const app = await someApp(round)
  await stage.server.start()
  const left = player.recorded.filter((event) => !event.voided)
  if (left.length === 0) return 'no void: nothing to void'
  const event = random.pick(left)
  ledger.voidsAsked.add(event.id)
  const outcome = await app.ask('void', event.id).then(() => {
    event.voided = true
    count(round, 'void')
    ledger.voidsDone.add(event.id)
    return 'done'
  }, outcomeOf)
  return `void of ${event.ref}: ${outcome}`
}

// What goes wrong

async function killRecorder(round: Round): Promise<string> {
  const { random } = round
  const app = await someApp(round)
  const uses = draw(round, random.whole(20, 120))
  count(round, 'kill while recording')
  later(round, record(round, app, uses))
  await sleep(random.whole(0, 40))
  await app.kill()
  return `${app.name} is killed while it records ${uses.length}`
}

async function killWorker(round: Round): Promise<string> {
  const { random } = round
  const app = await someApp(round)
  count(round, 'kill while syncing')
  later(round, askSync(round, app, random.chance(0.3)))
  await sleep(random.whole(0, 60))
  await app.kill()
  return `${app.name} is killed while it syncs`
}

const KILL_POINTS = [
  'before a report is written',
  'while a report is written',
  'before Stripe hears of it',
  'after Stripe accepted it',
] as const
export type KillPoint = (typeof KILL_POINTS)[number]

async function killAtPoint(round: Round): Promise<string> {
  const { random, stage } = round
  await calm(round)
  await stage.server.start()
  const point = random.pick(KILL_POINTS)
  const app = await someApp(round)
  await record(round, app, draw(round, 3))
  await app.ask('drained').catch(outcomeOf)
  settleFaults(round)
  const met = await killWorkerAt(stage, app, point)
  if (met) count(round, `kill ${point}`)
  return `${app.name} is killed ${point}${met ? '' : ' (which it did not come to)'}`
}

/** Time enough to kill whoever waits for the answer; for as long the local Stripe holds its idempotency key. */
export const ANSWER_DELAY_MS = 500

/** Kills a process that has usage to report at one point of its work. @returns false where it did not come to it */
export async function killWorkerAt(stage: Stage, app: App, point: KillPoint): Promise<boolean> {
  const { pool, stripeLocal } = stage
  const lock = LOCKS[point]
  const blocker = lock ? await pool.connect() : null
  await blocker?.query(`begin; ${lock!.taken}`)
  stripeLocal.faults.clear()
  if (point === 'before Stripe hears of it') stripeLocal.faults.hang(1, METER_EVENTS)
  if (point === 'after Stripe accepted it') stripeLocal.faults.delay(ANSWER_DELAY_MS, 1, METER_EVENTS)
  const requests = stripeLocal.requestCount(METER_EVENTS)
  const received = stripeLocal.receivedMeterEvents().length
  const syncing = app.ask('sync', {}).catch(outcomeOf)
  const met = await Promise.race([
    comesTrue(async () => {
      if (lock) return (await waiting(stage, lock.statement)) > 0
      if (point === 'before Stripe hears of it') return stripeLocal.requestCount(METER_EVENTS) > requests
      return stripeLocal.receivedMeterEvents().length > received
    }),
    syncing.then(() => false),
  ])
  await app.kill()
  await blocker?.query('rollback')
  blocker?.release()
  stripeLocal.faults.clear()
  return met
}

/** What is locked so that a worker waits at a point, and the statement it then waits in. */
const LOCKS: Partial<Record<KillPoint, { taken: string; statement: string }>> = {
  'before a report is written': {
    taken: 'select 1 from billing.rollups for update',
    statement: '%for update of rollup%',
  },
  'while a report is written': {
    taken: 'lock table billing.reports in exclusive mode',
    statement: '%insert into billing.reports%',
  },
}

async function waiting({ pool }: Stage, statement: string): Promise<number> {
  const { rows } = await pool.query<{ waiting: number }>(
    `select count(*)::int as waiting from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and query like $1`,
    [statement],
  )
  return rows[0]!.waiting
}

async function troublePostgres(round: Round): Promise<string> {
  const { random, stage } = round
  const how = random.pick(['stopped', 'killed', 'restarted', 'connections ended'] as const)
  const app = await someApp(round)
  count(round, `PostgreSQL ${how}`)
  const recording = record(round, app, draw(round, random.whole(1, 80)))
  later(round, recording)
  if (random.chance(0.5)) later(round, askSync(round, app, false))
  await sleep(random.whole(0, 20))
  if (how === 'connections ended') {
    await stage.pool.query(`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`)
    return 'PostgreSQL ends all connections'
  }
  if (how === 'killed') await stage.server.kill()
  else await stage.server.stop()
  if (how !== 'restarted') {
    later(round, record(round, app, draw(round, random.whole(1, 80))))
    await sleep(random.whole(50, 1_000))
  }
  await stage.server.start()
  return `PostgreSQL is ${how}`
}

async function breakStripe(round: Round): Promise<string> {
  const { random, stage } = round
  settleFaults(round)
  const path = random.pick([METER_EVENTS, METER_EVENTS, METER_EVENTS, '/v1/subscriptions', '/v1/invoices', undefined])
  const times = random.whole(1, 6)
  const kind = random.pick(['answer', 'answer', 'lose', 'drop', 'hang', 'delay', 'reject'] as const)
  const { faults } = stage.stripeLocal
  if (kind === 'answer') faults.answer(random.pick([409, 429, 500, 503] as const), times, path, random.chance(0.5))
  if (kind === 'lose') faults.loseAnswers(times, path)
  if (kind === 'drop') faults.dropRequests(times, path)
  if (kind === 'hang') faults.hang(random.whole(1, 2), path)
  if (kind === 'delay') faults.delay(random.whole(20, 1_200), random.whole(1, 2), path)
  if (kind === 'reject') faults.rejectAsynchronously(1, 'meter_event_invalid_value')
  planned.set(round, faults.read())
  return `fault: ${kind} ${times} times, ${path ?? 'all paths'}`
}

/** What was asked of the local Stripe and has not been counted yet. */
const planned = new WeakMap<Round, FaultSettings>()

/** Counts the faults that have struck since they were planned. */
function settleFaults(round: Round): void {
  const asked = planned.get(round) ?? {}
  const left = round.stage.stripeLocal.faults.read()
  for (const kind of ['answer', 'loseAnswers', 'dropRequests', 'hang', 'delay', 'rejections', 'webhooks'] as const) {
    const struck = (asked[kind]?.count ?? 0) - (left[kind]?.count ?? 0)
    const status =
      asked.answer && kind === 'answer' ? ` ${asked.answer.status}${asked.answer.afterWork ? ' after work' : ''}` : ''
    if (struck > 0) count(round, `Stripe: ${kind}${status}`, struck)
  }
  planned.set(round, left)
}

async function mendStripe(round: Round): Promise<string> {
  settleFaults(round)
  round.stage.stripeLocal.faults.clear()
  planned.set(round, {})
  return 'no more faults'
}

async function troubleWebhooks(round: Round): Promise<string> {
  const { random, stage } = round
  const how = random.pick(['duplicate', 'reorder', 'astray', 'lost', 'created twice'] as const)
  if (how === 'astray') return loseOrFindWebhooks(round)
  if (how === 'lost') {
    // Of invoices in draft and of refused usage nobody else would tell.
    const lost = ['customer.subscription.updated', 'invoice.finalized', 'invoice.paid']
    const on = random.chance(0.5)
    stage.webhooks.lost = (type) => {
      if (!on || !lost.includes(type)) return false
      count(round, 'webhook lost for good')
      return true
    }
    return on ? `webhooks are lost for good: ${lost.join(', ')}` : 'webhooks are lost no more'
  }
  if (how === 'created twice') {
    // Stripe sends it once more, long after
    const { rows } = await stage.pool.query<{ id: string }>(
      `select id from billing.webhooks where type = 'invoice.created' order by received_at desc limit 1`,
    )
    if (!rows[0]) return 'no invoice.created yet'
    await stage.pool.query(`update billing.webhooks set status = 'received' where id = $1`, [rows[0].id])
    count(round, 'invoice.created once more')
    return 'invoice.created comes once more'
  }
  settleFaults(round)
  const settings = stage.stripeLocal.faults.read()
  stage.stripeLocal.faults.write({ ...settings, webhooks: { mode: how, count: random.whole(3, 30) } })
  planned.set(round, stage.stripeLocal.faults.read())
  return `webhooks: ${how}`
}

/** For a day or so: Stripe tries for three, and then nobody would ever hear of what it refused later. */
async function loseOrFindWebhooks(round: Round): Promise<string> {
  const { stage } = round
  stage.webhooks.reach = !stage.webhooks.reach
  round.astraySince = stage.webhooks.reach ? null : stage.now()
  if (!stage.webhooks.reach) count(round, 'webhooks go astray')
  return stage.webhooks.reach ? 'webhooks arrive' : 'webhooks go astray'
}

/** By SQL alone or as the page and the CLI do; but for reports of which nobody knows whether Stripe has them. */
async function clearErrors(round: Round): Promise<string> {
  const { random, stage } = round
  const app = await someApp(round)
  await stage.server.start()
  if (random.chance(0.7)) later(round, askSync(round, app, false))
  await sleep(random.whole(0, 20))
  const bySql = random.chance(0.5)
  count(round, bySql ? 'errors cleared by SQL' : 'errors cleared by events.retry')
  if (bySql) {
    const { rowCount } = await stage.pool.query(`
      update billing.billing_meter_events set error_message = null
      where error_message is not null and error_message not like '%do not tell%'`)
    return `${rowCount} errors cleared by SQL`
  }
  const { rows } = await stage.pool.query<{ id: string }>(
    `select id from billing.billing_meter_events where error_message is not null and error_message not like '%do not tell%'`,
  )
  const outcome = await app.ask('retry', { eventIds: rows.map((row) => row.id) }).then(String, outcomeOf)
  return `${outcome} reports cleared by events.retry`
}

// Time

async function letTimePass(round: Round): Promise<string> {
  const { random, stage, players } = round
  const kind = random.pick(['short', 'hours', 'days', 'to a boundary', 'long'] as const)
  const milliseconds = await (async () => {
    if (kind === 'short') return random.whole(1, 5 * SECOND_MS)
    if (kind === 'hours') return random.whole(1, 10 * HOUR_MS)
    if (kind === 'days') return random.whole(1, 6 * DAY_MS)
    if (kind === 'long') return random.whole(10 * DAY_MS, 25 * DAY_MS)
    const end = await periodEnd(round, random.pick(players))
    return Math.max(end - stage.now() + random.pick([-2_000, -900, 100, 1_500]), 1)
  })()
  await live(round, milliseconds)
  return `${milliseconds} ms later (${kind})`
}

async function periodEnd({ stage }: Round, player: Player): Promise<number> {
  await stage.server.start()
  const { rows } = await stage.pool.query<{ period_end: Date }>(
    'select period_end from billing.subscriptions where id = $1',
    [player.payer.subscriptionId],
  )
  return rows[0]!.period_end.getTime()
}

/** Time passes as it does, with a sync on most days. */
async function live(round: Round, milliseconds: number): Promise<void> {
  const { stage, random, players, say } = round
  await calm(round)
  await stage.server.start()
  for (let left = milliseconds; left > 0; left -= DAY_MS) {
    const app = await someApp(round)
    await stage.pass(Math.min(left, DAY_MS))
    if (round.astraySince !== null && stage.now() - round.astraySince > DAY_MS) say(await loseOrFindWebhooks(round))
    if (random.chance(0.9)) say(await askSync(round, app, false))
    // Of a subscription that has ended, nobody can bill what is older than 35 days: somebody looks in time.
    if (random.chance(0.2)) await mendReports(round)
  }
  await (await someApp(round)).ask('housekeeping').catch(outcomeOf)
  for (const player of players) {
    const end = await periodEnd(round, player)
    if (!player.boundaries.includes(end)) player.boundaries.push(end)
  }
}

// Who is there

/** One that lives; a killed one comes back on its own journal. */
async function someApp(round: Round): Promise<App> {
  const { stage, random } = round
  const app = random.pick(stage.apps)
  if (app.alive()) return app
  const alive = stage.apps.find((other) => other.alive())
  if (alive && random.chance(0.3)) return alive
  await stage.server.start()
  return stage.revive(app)
}

async function allApps(round: Round): Promise<App[]> {
  await round.stage.server.start()
  for (const app of [...round.stage.apps]) await round.stage.revive(app)
  return round.stage.apps
}

function later(round: Round, work: Promise<unknown>): void {
  const guarded = work.catch((error: Error) => {
    if (!(error instanceof AppGone)) round.stage.findings.push(error.message)
  })
  round.underWay.add(guarded)
  void guarded.then(() => round.underWay.delete(guarded))
}

async function calm({ underWay }: Round): Promise<void> {
  while (underWay.size > 0) await Promise.all(underWay)
}

function count({ struck }: Round, kind: string, times = 1): void {
  struck.set(kind, (struck.get(kind) ?? 0) + times)
}

function shownUse({ ref, quantity, at, key }: Use): string {
  return `${ref} ${quantity}${at === null ? '' : ` at ${new Date(at).toISOString()}`}${key === null ? '' : ` (${key})`}`
}

// Peace

/** Nothing fails any more, time enough passes for what is in doubt, and an operator mends what was refused. */
async function makePeace(round: Round): Promise<void> {
  const { stage, say, players } = round
  await calm(round)
  say('peace')
  await mendStripe(round)
  stage.webhooks.lost = () => false
  if (!stage.webhooks.reach) say(await loseOrFindWebhooks(round))
  for (const app of await allApps(round)) await app.ask('drained')
  await live(round, WEBHOOK_RETRIES_MS)
  for (let period = 0; period < 2; period++) {
    await comeToRest(round)
    await mendReports(round)
    await comeToRest(round)
    const ends = await Promise.all(players.map((player) => periodEnd(round, player)))
    await stage.pass(Math.max(Math.max(...ends) + 3 * HOUR_MS - stage.now(), HOUR_MS))
  }
  await comeToRest(round)
  await webhooksAreProcessed(round)
}

/** As an operator who has looked at Stripe's dashboard: what is in doubt is sent again where it is not there. */
async function mendReports({ stage }: Round): Promise<void> {
  const { rows } = await stage.pool.query<{ customer_id: string; id: string; identifier: string }>(
    `select customer_id, id, identifier from billing.reports where status in ('failed', 'unsure')
    and error not like 'This usage cannot be billed by a meter any more%'`,
  )
  const unsure = new Set(stage.stripeLocal.receivedMeterEvents().map((event) => event.identifier))
  for (const { customer_id, id, identifier } of rows) {
    const { rows: found } = await stage.pool.query<{ status: string }>(
      'select status from billing.reports where customer_id = $1 and id = $2',
      [customer_id, id],
    )
    if (found[0]?.status === 'unsure' && unsure.has(identifier)) continue
    await stage.pool.query('select billing.clear_report($1, $2)', [customer_id, id])
  }
}

/** Past every back-off of reports. */
async function comeToRest(round: Round): Promise<void> {
  const { stage } = round
  for (let pause = 0; pause < 6; pause++) {
    await stage.pass(20 * MINUTE_MS)
    await stage.stripeLocal.idle()
    await askSync(round, stage.apps[0]!, false)
  }
}

async function webhooksAreProcessed({ stage }: Round): Promise<void> {
  for (let pause = 0; pause < 200; pause++) {
    if ((await stage.apps[0]!.ask('unprocessedWebhooks')).length === 0) return
    await sleep(20)
  }
  const { rows } = await stage.pool.query<{ type: string; error: string }>(
    `select type, error from billing.webhooks where status in ('received', 'failed')`,
  )
  stage.findings.push(`webhooks are never processed: ${rows.map((row) => `${row.type}: ${row.error}`).join(' | ')}`)
}
