import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { routeOf } from './metrics.ts'
import { type Readiness, unreportedSecondsLimit } from './readiness.ts'
import { startTestApp, type TestApp } from './testing.ts'

let app: TestApp
const releases: (() => unknown)[] = []
before(async () => {
  app = await startTestApp({ after: (release) => void releases.push(release) })
})
after(async () => {
  for (const release of releases.toReversed()) await release()
})

/** Values of the scrape by name and labels. */
async function scrape(from: TestApp, headers: Record<string, string> = {}): Promise<Map<string, number>> {
  const answer = await from.ask('/metrics', { headers })
  assert.equal(answer.status, 200)
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  const lines = (await answer.text()).split('\n').filter((line) => line && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]))
}

async function recordFor(to: TestApp, quantity: number, id?: string): Promise<void> {
  const { meterkit, pool } = to.services
  const customer = await meterkit.customers.ensure({ source: 'organization', sourceId: 'x', name: 'X', email: null })
  const subscriptionId = '0193a5b0-0000-7000-8000-000000000001'
  await pool.query(
    `insert into billing.subscriptions (customer_id, id, stripe_id, status, items, started_at, cancel_at_period_end)
     values ($1, $2, 'sub_x', 'active', '[]', '2020-01-01', false) on conflict do nothing`,
    [customer.id, subscriptionId],
  )
  await meterkit.subscriptions.ofCustomer(customer.id)
  meterkit.recordEvent({
    meter: 'ai_tokens',
    customerId: customer.id,
    subscriptionId,
    quantity,
    ...(id ? { id } : {}),
  })
  await meterkit.events.drained()
}

test('health says that the process lives, and what time it goes by', async () => {
  const health = (await (await app.ask('/healthz')).json()) as { status: string; time: string }
  assert.equal(health.status, 'ok')
  assert.ok(Math.abs(new Date(health.time).getTime() - app.services.clock().getTime()) < 10_000)
})

test('readiness tells each check with its limit', async () => {
  const answer = await app.ask('/readyz')
  const { status, stopping, checks } = (await answer.json()) as Readiness
  assert.deepEqual([answer.status, status, stopping], [200, 'ready', false])
  const { database, journal, queue, unreported } = checks
  assert.deepEqual([database.status, database.limitMilliseconds], ['ok', 2000])
  assert.deepEqual(journal, { status: 'ok', bytes: 0, limitBytes: 966_367_641 })
  assert.deepEqual([queue.status, queue.limitSeconds], ['ok', 300])
  assert.deepEqual(unreported, { status: 'ok', since: null, ageSeconds: 0, limitSeconds: 367 * 86_400 })
})

test('jobs that wait too long degrade it, and keep nobody from being served', async (t) => {
  const own = await startTestApp(t)
  await own.services.boss.offWork('default')
  await own.services.pool.query(
    `insert into pgboss.job (name, data, start_after) values ('default', '{}', now() - interval '6 minutes')`,
  )
  const answer = await own.ask('/readyz')
  const { status, checks } = (await answer.json()) as Readiness
  assert.deepEqual([answer.status, status, checks.queue.status, checks.queue.waiting], [200, 'degraded', 'failing', 1])
})

test('without its database it is alive and not ready, and tells no secret', async (t) => {
  const own = await startTestApp(t)
  const { pool } = own.services
  const query = pool.query
  Object.assign(pool, { query: () => Promise.reject(new Error('postgresql://me:hunter2@host is away')) })
  try {
    assert.equal((await own.ask('/healthz')).status, 200)
    const answer = await own.ask('/readyz')
    const text = await answer.text()
    const { status, checks } = JSON.parse(text) as Readiness
    assert.deepEqual([answer.status, status], [503, 'not ready'])
    assert.deepEqual(
      [checks.database.status, checks.queue.status, checks.unreported.status],
      ['failing', 'unknown', 'unknown'],
    )
    assert.doesNotMatch(text, /hunter2/)
    const figures = await scrape(own)
    assert.equal(figures.get('meterkit_database_up'), 0)
    assert.equal(figures.get('meterkit_events_recorded_total'), 0)
  } finally {
    Object.assign(pool, { query })
  }
})

test('metrics count what was recorded, stored, known already and reported, and time each route', async (t) => {
  const own = await startTestApp(t)
  await recordFor(own, 5, 'call-1')
  await recordFor(own, 5, 'call-1')
  await recordFor(own, 7)
  await own.ask('/app/org/acme')
  await own.ask('/app/org/another')
  await own.ask('/no/such/page')

  const figures = await scrape(own)
  const expected: [name: string, value: number][] = [
    ['meterkit_events_recorded_total', 3],
    ['meterkit_events_durable_total', 3],
    ['meterkit_events_stored_total', 2],
    ['meterkit_events_duplicates_total', 1],
    ['meterkit_events_set_aside_total', 0],
    ['meterkit_events_late', 0],
    ['meterkit_journal_bytes', 0],
    ['meterkit_database_up', 1],
    ['meterkit_rollups_due', 1],
    ['meterkit_reports_total{outcome="accepted"}', 0],
    ['meterkit_reports_open{status="failed"}', 0],
    ['meterkit_queue_jobs{queue="billing",state="ready"}', 0],
    ['meterkit_webhooks{status="failed"}', 0],
    ['http_request_duration_seconds_count{method="GET",route="/app/org/:slug",status="302"}', 2],
    ['http_request_duration_seconds_count{method="GET",route="none",status="404"}', 1],
  ]
  for (const [name, value] of expected) assert.equal(figures.get(name), value, name)
  assert.ok(figures.get('meterkit_oldest_unreported_age_seconds')! < 60)
  assert.ok(figures.has('process_resident_memory_bytes'))
})

test('a scrape asks the database once in a while, however often it comes', async (t) => {
  const own = await startTestApp(t)
  await scrape(own)
  const { pool } = own.services
  const query = pool.query
  let asked = 0
  Object.assign(pool, {
    query: (...given: Parameters<typeof query>) => {
      asked += 1
      return query.apply(pool, given)
    },
  })
  for (let round = 0; round < 5; round++) await scrape(own)
  Object.assign(pool, { query })
  assert.equal(asked, 0)
})

test('with a token only its bearer may scrape', async (t) => {
  const token = 'a-token-of-a-test-0123456789'
  const own = await startTestApp(t, { METRICS_TOKEN: token })
  for (const authorization of ['', 'Bearer wrong', `Basic ${token}`]) {
    const answer = await own.ask('/metrics', { headers: authorization ? { authorization } : {} })
    assert.equal(answer.status, 401, authorization)
    assert.doesNotMatch(await answer.text(), /meterkit_/)
  }
  assert.ok((await scrape(own, { authorization: `Bearer ${token}` })).size > 20)
})

test('routes are as many as pages, not as people', () => {
  const cases: [path: string, route: string][] = [
    ['/', '/'],
    ['/app/org/acme/settings/billing', '/app/org/:slug/settings/billing'],
    ['/app/org/acme/billing/switch/business.data', '/app/org/:slug/billing/switch/:plan'],
    ['/admin/meter-events/0193a5b0-0000-7000-8000-000000000001', '/admin/meter-events/:id'],
    ['/admin/webhooks/evt_123', '/admin/webhooks/:id'],
    ['/invitations/abc', '/invitations/:id'],
    ['/assets/entry-abc.js', '/assets/*'],
    ['/api/auth/sign-in/email', '/api/auth/*'],
  ]
  for (const [path, route] of cases) assert.equal(routeOf(path), route)
})

test('usage may wait somewhat longer than the schedule lets it', () => {
  assert.equal(unreportedSecondsLimit({ syncSchedule: '* * * * *' }), 15 * 60)
  assert.equal(unreportedSecondsLimit({ syncSchedule: '@daily' }), 26 * 3600)
  assert.equal(unreportedSecondsLimit({ syncSchedule: '0 3 * * *' }), 26 * 3600)
})
