import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { meterkit } from '../../test/cli.ts'
import { pass, subscriber, use, type World, world } from '../../test/world.ts'

const MINUTE_MS = 60_000

/** The tools beside an app that tells of itself in `running.json`, as the one of this repository does. */
async function beside(t: TestContext, w: World) {
  const folder = mkdtempSync(join(tmpdir(), 'meterkit-tools-'))
  const health = createServer((_, response) => response.end(JSON.stringify({ status: 'ok', time: w.clock() })))
  await new Promise<void>((resolve) => health.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    health.closeAllConnections()
    health.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const { port } = health.address() as { port: number }
  const told = {
    pid: process.pid,
    localUrl: `http://127.0.0.1:${port}`,
    databaseUrl: w.pool.options.connectionString!,
    stripe: { url: w.stripeLocal.url, secret: w.stripeLocal.secretKey },
  }
  mkdirSync(join(folder, '.meterkit'))
  const running = join(folder, '.meterkit', 'running.json')
  writeFileSync(running, JSON.stringify(told))
  const run = async (...args: string[]) => meterkit(folder, args, {})
  const runJson = async (...args: string[]) => {
    const { code, out, err } = await run(...args, '--json')
    assert.equal(err, '')
    return { code, ...(JSON.parse(out) as Record<string, unknown>) } as Record<string, unknown> & { code: number }
  }
  return { folder, running, told, run, runJson }
}

test('verify: 0 where all agrees, 1 and a sentence where something does not', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  use(w, acme, 1_234)
  await w.meterkit.events.drained()
  const { run, runJson } = await beside(t, w)

  const well = await run('verify')
  assert.deepEqual([well.code, well.err], [0, ''])
  assert.match(well.out, /✓ 1 subscription: events, rollups and reports agree\. 1 subscription with usage that Stripe/)

  await w.pool.query('update billing.rollups set quantity = 1, due = true')
  const wrong = await run('verify', '--customer', 'organization:acme')
  assert.equal(wrong.code, 1)
  assert.match(
    wrong.out,
    /✗ acme, subscription .*1 disagreement\n.*come to 1234 in 1 events; the rollup holds 1 in 1 events/,
  )
  const { code, agrees, checked } = await runJson('verify')
  assert.deepEqual([code, agrees, checked], [1, false, 1])
  assert.match((await run('verify', '--customer', 'cus_nobody')).err, /--customer "cus_nobody" is no customer here/)
  assert.equal((await run('verify', '--customer', 'ACME')).code, 1, 'by its name')
  await w.meterkit.customers.ensure({ source: 'user', sourceId: 'a', name: 'Acme', email: 'a@example.com' })
  assert.match((await run('verify', '--customer', 'acme')).err, /"acme" is the name of more than one customer/)
})

test('reconcile of days that are still to come compares nothing, and says so', async (t) => {
  const w = await world(t)
  const { run } = await beside(t, w)
  const { code, err } = await run('reconcile', '--since', '2030-01-01')
  assert.equal(code, 2)
  assert.match(err, /--since is 2030-01-01; it must be before 2026-11-24 12:00:0/)
  assert.match((await run('reconcile', '--until', '2026-01-01')).err, /it must be before 2026-01-01/)
  assert.match((await run('reconcile', '--since', '2026-02-30')).err, /--since is "2026-02-30"; it must be a day/)
})

test('sync and reconcile: what is missing is shown, reported by --fix --yes, and then all agrees', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  use(w, acme, 2_000)
  await w.meterkit.events.drained()
  const { run, runJson } = await beside(t, w)

  const dry = await run('sync', '--dry-run')
  assert.match(dry.out, /ai_tokens +2,000 +1 .* new\n\n1 report would be written, 0 sent again, of 1 customer\./)
  w.webhooks.reach = false
  w.stripeLocal.faults.rejectAsynchronously(1, 'meter_event_invalid_value')
  const synced = await runJson('sync')
  assert.deepEqual([synced.code, synced.created, synced.accepted], [0, 1, 1])
  assert.match((await run('sync')).out, /✓ Stripe is in step/)

  await w.stripeLocal.idle()
  await pass(w, 11 * MINUTE_MS)
  const found = await run('reconcile', '--since', '2026-11-20')
  assert.equal(found.code, 1)
  assert.match(found.out, /2026-11-24 +acme +ai_tokens +2,000 +0 +-2,000 +missing/)
  assert.match(found.out, /missing: Stripe accepted 1 report .*\n {2}meterkit_\S+ \(2,000\)/)
  const unasked = await run('reconcile', '--fix')
  assert.equal(unasked.code, 2)
  assert.match(unasked.err, /Nobody can be asked here: say --yes/)

  const fixed = await run('reconcile', '--fix', '--yes')
  assert.equal(fixed.code, 0, fixed.err)
  assert.match(fixed.out, /1 report taken back; 1 written and 1 accepted by Stripe/)
  await w.stripeLocal.idle()
  assert.equal(w.stripeLocal.usage(acme.customer.stripeId!, 'ai_tokens'), '2000')
  const again = await runJson('reconcile', '--fix', '--yes')
  assert.deepEqual([again.code, again.differences], [0, []])
  assert.equal((await run('reconcile', '--since', 'yesterday')).code, 2)
})

test('events: listed, shown, retried and taken back', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const [first, second] = [use(w, acme, 10), use(w, acme, 20)]
  await w.meterkit.events.drained()
  const { run, runJson } = await beside(t, w)
  const [meter] = (await w.stripe.billing.meters.list()).data
  await w.stripe.billing.meters.deactivate(meter!.id)
  assert.equal((await run('sync')).code, 1)

  assert.match(
    (await run('events', 'list', '--status', 'failed')).out,
    new RegExp(`${first.id} .*failed +No active meter`),
  )
  assert.match((await run('events', 'show', first.id)).out, /Status +failed[\s\S]*reported +report meterkit_/)
  assert.equal((await run('events', 'show', 'x')).code, 1)
  assert.equal((await run('events', 'list', '--status', 'lost')).code, 2)
  assert.equal((await run('events', 'list', '--cursor', 'xyz')).code, 2)
  assert.match((await run('events', 'retry', crypto.randomUUID())).err, /unknown_event/)

  await w.stripe.billing.meters.reactivate(meter!.id)
  assert.equal((await run('events', 'retry')).code, 2)
  assert.deepEqual(await runJson('events', 'retry', first.id), { code: 0, cleared: 1 })
  assert.equal((await run('sync')).code, 0)

  assert.equal((await run('events', 'void', first.id, '--reason', 'a test')).code, 2)
  const voided = await runJson('events', 'void', first.id, second.id, '--reason', 'a test', '--by', 'omar', '--yes')
  assert.deepEqual(voided, { code: 0, voided: 2 })
  assert.match((await run('events', 'show', first.id)).out, /voided +by omar: a test/)
  assert.equal((await run('events', 'void', crypto.randomUUID(), '--reason', 'x', '--yes')).code, 1)
})

test('events import: checked, stored, listed, taken back', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const { folder, run, runJson } = await beside(t, w)
  const file = join(folder, 'november.csv')
  const header = 'meter,source,sourceId,quantity,timestamp\n'
  writeFileSync(
    file,
    `${header}ai_tokens,organization,acme,12345,2026-11-24T12:00:00Z\nai_tokens,organization,acme,-1,\n`,
  )

  const wrong = await run('events', 'import', file, '--dry-run')
  assert.equal(wrong.code, 1)
  assert.match(wrong.out, /^line 3: quantity "-1" is negative[\s\S]*✗ 1 line cannot be stored/)

  writeFileSync(file, `${header}ai_tokens,organization,acme,12345,2026-11-24T12:00:00Z\n`)
  const dry = await run('events', 'import', file, '--dry-run')
  assert.match(dry.out, /ai_tokens +1 +12,345 +\$0\.65\n\n1 new event in 1 line\./) // 13 packages at 5 cents
  assert.equal((await run('events', 'import', file)).code, 2)
  const stored = await runJson('events', 'import', file, '--yes')
  assert.deepEqual([stored.code, stored.applied, stored.events], [0, true, 1])
  const { id } = stored.batch as { id: string }
  assert.match((await run('events', 'import', file, '--yes')).out, /was imported before/)
  assert.match((await run('events', 'imports')).out, /november\.csv .* 1 +stored/)

  assert.deepEqual(await runJson('events', 'revert', id, '--reason', 'twice', '--yes'), { code: 0, voided: 1 })
  assert.equal((await w.meterkit.usage.current(acme.subscription.id))!.meters[0]!.quantity, '0')
})

test('journal status: who holds it and what waits, without disturbing anybody', async (t) => {
  const w = await world(t)
  const { run, folder } = await beside(t, w)
  const own = await w.meterkit.journal.status()

  const held = await run('journal', 'status', '--directory', own!.directory)
  assert.equal(held.code, 0, held.err)
  assert.match(held.out, new RegExp(`held by process ${process.pid}: 0 events \\(0 bytes\\) not known`))
  const none = await run('journal', 'status')
  assert.equal(none.code, 1)
  assert.match(none.out, new RegExp(`no journal in ${folder}/.meterkit/journal`))
})

test('what a process left behind is not believed, and a tool changes no schema', async (t) => {
  const w = await world(t)
  const { folder, run, running, told } = await beside(t, w)
  writeFileSync(running, JSON.stringify({ ...told, pid: 2 ** 22 + 1 }))
  assert.match((await run('verify')).err, /DATABASE_URL is not set, and no app runs here/)
  const { err } = await meterkit(folder, ['verify'], { DATABASE_URL: 'secret@nowhere' })
  assert.match(err, /DATABASE_URL is not an address PostgreSQL understands/)
  assert.doesNotMatch(err, /secret/)

  writeFileSync(running, JSON.stringify(told))
  await w.pool.query(`delete from billing.migrations where name like '0003%'`)
  const outdated = await run('verify')
  assert.equal(outdated.code, 1)
  assert.match(outdated.err, /the database has no 0003_event_imports\.sql yet.*schema_outdated/)
})

test('sync and reconcile --fix: usage that no invoice can carry any more is not well', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const at = w.clock()
  use(w, acme, 2_000)
  await w.meterkit.events.drained()
  w.webhooks.reach = false
  w.stripeLocal.faults.rejectAsynchronously(1, 'meter_event_invalid_value')
  await w.meterkit.reports.sync()
  await w.stripeLocal.idle()
  await pass(w, 180 * MINUTE_MS)
  await w.meterkit.subscriptions.cancel({ subscriptionId: acme.subscription.id, when: 'now' })
  await pass(w, 180 * MINUTE_MS)
  const { run } = await beside(t, w)

  assert.equal((await run('reconcile', '--fix', '--yes')).code, 1)
  use(w, acme, 1_000, at)
  await w.meterkit.events.drained()
  const synced = await run('sync')
  assert.equal(synced.code, 1)
  assert.match(synced.out, /1 written, 0 accepted, 1 failed/)
  assert.match((await run('sync')).out, /^Nothing was to be sent\. \d failed reports? waits? for you/)
  const verified = await run('verify')
  assert.equal(verified.code, 0)
  assert.match(verified.out, /reports agree\.\n! 1 subscription with usage whose report failed: meterkit events list/)
})

test('sync: usage kept back for a second subscription on the meter is said to be', async (t) => {
  const w = await world(t)
  const acme = await subscriber(w)
  const [price] = (await w.stripe.prices.list({ lookup_keys: ['essential_ai_tokens_month'] })).data
  await pass(w, 5_000)
  const second = await w.stripe.subscriptions.create({
    customer: acme.customer.stripeId!,
    items: [{ price: price!.id }],
    collection_method: 'send_invoice',
    days_until_due: 30,
  })
  const subscription = await w.meterkit.subscriptions.refresh(second.id)
  use(w, { ...acme, subscription }, 5_000)
  await w.meterkit.events.drained()
  const { run } = await beside(t, w)
  assert.match((await run('sync')).out, /Nothing could be reported\. 1 hour of usage is kept back/)
  const { code, err } = await run('verify', '--subscription', 'nonsense')
  assert.deepEqual([code, /--subscription is "nonsense"; it must be an id/.test(err)], [2, true])
  assert.equal((await run('verify', '--subscription', crypto.randomUUID())).code, 1)
})
