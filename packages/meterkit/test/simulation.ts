import type { TestContext } from 'node:test'
import { invoiceDisagreements, type Recorded, usageDisagreements } from './agreement.ts'
import { type Random, randomOf } from './random.ts'
import { changePriceAtStripe, pass, type Subscriber, settled, subscriber, use, type World, world } from './world.ts'

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** Past the last time Stripe tries a webhook, and past the 24 hours it knows an identifier. */
const WEBHOOK_RETRIES_MS = 3 * DAY_MS

interface Used extends Recorded {
  at: number
}

interface Simulated {
  subscriber: Subscriber
  used: Used[]
}

interface Simulation {
  w: World
  random: Random
  all: Simulated[]
  /** Where the process that reports next dies: before Stripe has heard of it, or after. */
  death: { next: 'before' | 'after' | null }
  /** Since when webhooks go astray, and until when they last did; milliseconds. */
  astray: { since: number | null; until: number }
  say: (line: string) => void
}

/** What may happen in a step, and how often of a hundred times. Each tells what it did. */
const ACTIONS: readonly [percent: number, action: (simulation: Simulation) => Promise<string>][] = [
  [38, useTokens],
  [20, letTimePass],
  [10, sync],
  [5, switchPlan],
  [2, switchAtStripe],
  [5, voidAnEvent],
  [3, importEvents],
  [3, reconcile],
  [7, breakStripe],
  [2, mendStripe],
  [2, clearErrors],
  [3, loseOrFindWebhooks],
]

/**
 * A few months of one or two subscriptions under everything that can go wrong, drawn from a seed; then peace, and a
 * comparison of every number there is.
 * @returns what happened, and where numbers disagree
 */
export async function simulate(
  t: TestContext,
  seed: number,
  steps: number,
): Promise<{ trail: string[]; disagreements: string[] }> {
  const random = randomOf(seed)
  const w = await world(t, { journal: false, sdkRetries: random.pick([0, 0, 0, 2]) })
  const trail: string[] = []
  const say = (line: string) => trail.push(`${w.clock().toISOString()} ${line}`)
  const simulation: Simulation = { w, random, all: [], death: { next: null }, astray: { since: null, until: 0 }, say }
  for (let i = 0; i < random.whole(1, 2); i++) {
    const joined = await subscriber(w, { organization: `organization-${i}` })
    simulation.all.push({ subscriber: joined, used: [] })
    await pass(w, random.whole(1, 80 * MINUTE_MS))
  }
  letProcessesDie(simulation)
  const drum = ACTIONS.flatMap(([percent, action]) => Array.from({ length: percent }, () => action))
  for (let step = 0; step < steps; step++) say(await random.pick(drum)(simulation))
  await makePeace(simulation)
  return { trail, disagreements: await compareAll(simulation) }
}

async function useTokens({ w, random, all }: Simulation): Promise<string> {
  const each = random.pick(all)
  const now = w.clock().getTime()
  const quantity = random.pick([
    () => random.pick(['0', '1', '999', '1000', '1001']), // at the edges of a package
    () => String(random.whole(1, 50_000)),
    () => String(random.whole(1, 50_000)),
    () => `${random.whole(0, 999)}.${random.whole(0, 9)}${random.whole(1, 9)}`,
  ])()
  const offset = random.pick([
    () => 0,
    () => 0,
    () => -random.whole(0, 3 * HOUR_MS),
    () => -random.whole(0, 20 * DAY_MS),
    () => -random.pick([34, 36, 40]) * DAY_MS, // around what Stripe takes
    () => random.whole(0, 290 * SECOND_MS), // a clock that is ahead
  ])()
  const at = Math.max(now + offset, each.subscriber.subscription.startedAt.getTime())
  const { id } = use(w, each.subscriber, quantity, new Date(at))
  each.used.push({ id, at, quantity, void: false })
  await w.meterkit.events.drained()
  return `${each.subscriber.customer.name} uses ${quantity} at ${new Date(at).toISOString()}`
}

async function letTimePass(simulation: Simulation): Promise<string> {
  const { random } = simulation
  const milliseconds = random.whole(1, random.pick([5 * SECOND_MS, HOUR_MS, 10 * HOUR_MS, 6 * DAY_MS]))
  await live(simulation, milliseconds)
  return `${milliseconds} ms later`
}

/** Time passes as it does, with a sync on most days. */
async function live(simulation: Simulation, milliseconds: number): Promise<void> {
  const { w, random, astray, say } = simulation
  for (let left = milliseconds; left > 0; left -= DAY_MS) {
    await pass(w, Math.min(left, DAY_MS))
    if (astray.since !== null && w.clock().getTime() - astray.since > DAY_MS) say(await loseOrFindWebhooks(simulation))
    if (random.chance(0.9)) say(await sync(simulation))
  }
  await w.meterkit.housekeeping()
}

async function sync({ w, random, death }: Simulation): Promise<string> {
  if (random.chance(0.2)) death.next = random.pick(['before', 'after'])
  const dies = death.next ? ` (dies ${death.next} sending)` : ''
  const workers = random.chance(0.2) ? 3 : 1
  const results = await Promise.allSettled(Array.from({ length: workers }, () => w.meterkit.reports.sync()))
  death.next = null
  const shown = results.map((result) => {
    if (result.status === 'rejected') return (result.reason as Error).message
    const { created, accepted, failed, postponed, reason } = result.value
    return `${created} written, ${accepted} accepted, ${failed} failed, ${postponed} postponed ${reason ?? ''}`
  })
  return `sync${dies}: ${shown.join(' | ')}`
}

/** A process that dies while it sends leaves its report as it was written down before. */
function letProcessesDie({ w, death }: Simulation): void {
  const { meterEvents } = w.stripe.billing
  const create = meterEvents.create.bind(meterEvents)
  const die = (when: 'before' | 'after') => {
    if (death.next !== when) return
    death.next = null
    throw new Error(`killed ${when} sending`)
  }
  meterEvents.create = async (...given: Parameters<typeof create>) => {
    die('before')
    const answer = await create(...given)
    die('after')
    return answer
  }
}

async function switchPlan({ w, random, all }: Simulation): Promise<string> {
  const each = random.pick(all)
  const plan = random.pick(['essential', 'business', 'enterprise'] as const)
  const { subscription, customer } = each.subscriber
  const switching = w.meterkit.subscriptions.switchPlan({ subscriptionId: subscription.id, plan })
  const untilWholeSecond = SECOND_MS - (w.clock().getTime() % SECOND_MS)
  // a switch waits for the whole second, and the clock goes on meanwhile and afterwards
  const [answer] = await Promise.allSettled([switching, pass(w, untilWholeSecond)])
  await pass(w, random.whole(1, 1_500))
  if (answer.status === 'fulfilled') return `${customer.name} switches to ${plan}`
  return `${customer.name} cannot switch to ${plan}: ${(answer.reason as Error).message}`
}

/**
 * In Stripe's dashboard or portal; we hear of it at once. Not while usage of a clock that is ahead lies after it: Stripe
 * has priced that with the old plan, and of what makes up for it a tiny segment may say less than nothing.
 */
async function switchAtStripe({ w, random, all, astray }: Simulation): Promise<string> {
  if (astray.since !== null) return 'no switch at Stripe: nobody would hear of it'
  w.stripeLocal.faults.clear()
  const { subscriber, used } = random.pick(all)
  const { subscription, customer } = subscriber
  if (used.some((event) => event.at > w.clock().getTime())) return 'no switch at Stripe: a clock is ahead'
  const plan = random.pick(['essential', 'business', 'enterprise'] as const)
  await pass(w, SECOND_MS - (w.clock().getTime() % SECOND_MS))
  await changePriceAtStripe(w, subscription, plan)
  await settled(w).catch(() => null) // a webhook that failed before waits for its time
  await pass(w, random.whole(1, 1_500))
  return `${customer.name} switches to ${plan} at Stripe`
}

/** A batch of a few events, taken back again half the time. */
async function importEvents({ w, random, all }: Simulation): Promise<string> {
  const { subscriber, used } = random.pick(all)
  const { customer, subscription } = subscriber
  const from = Math.max(subscription.startedAt.getTime(), w.clock().getTime() - 3 * DAY_MS)
  const lines = Array.from({ length: random.whole(1, 5) }, () => ({
    meter: 'ai_tokens',
    customerId: customer.id,
    quantity: random.whole(0, 20_000),
    timestamp: new Date(random.whole(from, w.clock().getTime())).toISOString(),
    id: String(random.whole(1, 1e12)),
  }))
  const content = lines.map((line) => JSON.stringify(line)).join('\n')
  const { batch } = await w.meterkit.events.import({ content, format: 'jsonl', name: 'sold.jsonl', by: 'omar' })
  const isVoid = random.chance(0.5)
  if (isVoid) await w.meterkit.events.revertImport(batch!.id, { by: 'omar', reason: 'a mistake' })
  const { rows } = await w.pool.query<{ id: string; key: string }>(
    'select id, key from billing.meter_events where customer_id = $1 and key = any ($2)',
    [customer.id, lines.map((line) => line.id)],
  )
  for (const { id, key } of rows) {
    const { quantity, timestamp } = lines.find((line) => line.id === key)!
    used.push({ id, at: new Date(timestamp).getTime(), quantity: String(quantity), void: isVoid })
  }
  return `${customer.name} imports ${lines.map((line) => `${line.quantity} at ${line.timestamp}`).join(', ')}${isVoid ? ', and takes them back' : ''}`
}

/** At any time, whatever is under way: mending what Stripe lacks must never send anything twice. */
async function reconcile({ w }: Simulation): Promise<string> {
  try {
    const reconciliation = await w.meterkit.reports.reconcile()
    const { mended } = await w.meterkit.reports.mend(reconciliation)
    const causes = reconciliation.differences.map((difference) => difference.cause)
    return `reconcile: ${causes.join(', ') || 'all agrees'}; ${JSON.stringify(mended)} mended`
  } catch (error) {
    return `no reconcile: ${(error as Error).message}`
  }
}

/** Of any event, also of one whose invoice is final: it is given back in money then. */
async function voidAnEvent({ w, random, all }: Simulation): Promise<string> {
  const each = random.pick(all)
  const left = each.used.filter((event) => !event.void)
  if (left.length === 0) return 'no void: nothing to void'
  const event = random.pick(left)
  await w.meterkit.events.void(event.id, { by: 'omar', reason: 'a mistake' })
  event.void = true
  return `void of ${event.quantity} at ${new Date(event.at).toISOString()}`
}

async function breakStripe({ w, random }: Simulation): Promise<string> {
  const { faults } = w.stripeLocal
  const meterEvents = '/v1/billing/meter_events'
  const path = random.pick([meterEvents, meterEvents, meterEvents, '/v1/subscriptions', '/v1/invoices', undefined])
  const times = random.whole(1, 9)
  const fault = random.pick(['answer', 'lose', 'drop', 'reject'] as const)
  if (fault === 'answer') {
    faults.answer(random.pick([409, 429, 500, 503] as const), times, path, random.chance(0.5))
  }
  if (fault === 'lose') faults.loseAnswers(times, path)
  if (fault === 'drop') faults.dropRequests(times, path)
  if (fault === 'reject') faults.rejectAsynchronously(1, 'meter_event_invalid_value')
  return `fault: ${fault} ${times} times, ${path ?? 'all paths'}`
}

async function mendStripe({ w }: Simulation): Promise<string> {
  w.stripeLocal.faults.clear()
  return 'no more faults'
}

/** As an operator may, by SQL; but for reports of which nobody knows whether Stripe has them. */
async function clearErrors({ w }: Simulation): Promise<string> {
  const { rowCount } = await w.pool.query(`
    update billing.billing_meter_events set error_message = null
    where error_message is not null and error_message not like '%do not tell%'`)
  return `${rowCount} errors cleared`
}

/**
 * For a day or so in three: so long Stripe tries each, and where every try goes astray nobody hears of what it refused
 * later, but by reconciling.
 */
async function loseOrFindWebhooks({ w, astray }: Simulation): Promise<string> {
  const now = w.clock().getTime()
  if (w.webhooks.reach && now - astray.until < WEBHOOK_RETRIES_MS) return 'webhooks still arrive'
  w.webhooks.reach = !w.webhooks.reach
  if (w.webhooks.reach) astray.until = now
  astray.since = w.webhooks.reach ? null : now
  return w.webhooks.reach ? 'webhooks arrive' : 'webhooks go astray'
}

/** Nothing fails any more, time enough passes for what is in doubt, and an operator mends what was refused. */
async function makePeace(simulation: Simulation): Promise<void> {
  const { w, astray, say } = simulation
  say('peace')
  w.stripeLocal.faults.clear()
  if (astray.since !== null) say(await loseOrFindWebhooks(simulation))
  await live(simulation, WEBHOOK_RETRIES_MS)
  await comeToRest(w)
  await w.meterkit.events.retry('all')
  await comeToRest(w)
}

/** Past every back-off of reports. */
async function comeToRest(w: World): Promise<void> {
  for (let round = 0; round < 6; round++) {
    await pass(w, 20 * MINUTE_MS)
    await w.stripeLocal.idle()
    await w.meterkit.reports.sync()
  }
  await settled(w)
}

async function compareAll({ w, all }: Simulation): Promise<string[]> {
  const found: string[] = []
  for (const { subscriber, used } of all) {
    const { id } = subscriber.subscription
    const upcoming = (await w.meterkit.invoices.upcoming(id))?.amount
    const usage = await usageDisagreements(w, subscriber, used)
    const { currentPeriod } = (await w.meterkit.subscriptions.get(id))!
    await w.stripeLocal.advance(new Date(currentPeriod!.end.getTime() + 3 * HOUR_MS))
    await comeToRest(w)
    const invoices = await invoiceDisagreements(w, subscriber, used, upcoming)
    found.push(...[...usage, ...invoices].map((line) => `${subscriber.customer.name}: ${line}`))
  }
  return found
}
