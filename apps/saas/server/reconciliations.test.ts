import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { askMend, askReconciliation, getReconciliation, type ReconciliationRun } from './reconciliations.ts'
import { startTestApp, type TestApp } from './testing.ts'

let app: TestApp
const releases: (() => unknown)[] = []
before(async () => {
  app = await startTestApp({ after: (release) => void releases.push(release) })
  const { meterkit, pool, stripe } = app.services
  const customer = await meterkit.customers.ensure({ source: 'organization', sourceId: 'x', name: 'X', email: null })
  const { id } = await stripe.customers.create({ name: 'X' })
  await pool.query('update billing.customers set stripe_id = $2 where id = $1', [customer.id, id])
  await pool.query(
    `insert into billing.subscriptions (customer_id, id, stripe_id, status, items, started_at, cancel_at_period_end)
     values ($1, gen_random_uuid(), 'sub_x', 'active', '[{"meter": "ai_tokens"}]', '2020-01-01', false)`,
    [customer.id],
  )
})
after(async () => {
  for (const release of releases.toReversed()) await release()
})

async function compared(): Promise<ReconciliationRun> {
  const since = new Date(app.services.clock().getTime() - 86_400_000)
  const id = await askReconciliation(app.services, { by: 'omar', since, customer: null })
  for (let round = 0; round < 2_000; round++) {
    const run = await getReconciliation(app.services, id)
    if (run?.status === 'done' || run?.status === 'failed') return run
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('the job has not ended')
}

test('a comparison is a job, and how it ended stands in its row; it is mended once', async () => {
  const run = await compared()
  assert.deepEqual([run.status, run.done, run.total, run.found, run.askedBy], ['done', 1, 1, 0, 'omar'])
  assert.deepEqual([run.result!.compared, run.result!.calls, run.result!.differences], [1, 1, []])

  assert.equal(await askMend(app.services, run.id), true)
  assert.equal(await askMend(app.services, run.id), false)
})

test('where Stripe cannot be asked, that is what the row says', async () => {
  const { faults } = app.services.stripeLocal!
  faults.answer(500, 1_000, '/v1/billing/meters')
  const run = await compared()
  faults.clear()
  assert.equal(run.status, 'failed')
  assert.ok(run.error)
  assert.equal(run.result, null)
})

test('the last comparisons are kept, older ones go', async () => {
  await app.services.pool.query(
    `insert into app.reconciliations (id, asked_by, at, since, status)
     select gen_random_uuid(), 'omar', now() - interval '1 year', now(), 'done' from generate_series(1, 30)`,
  )
  await compared()
  const { rows } = await app.services.pool.query('select count(*)::int as count from app.reconciliations')
  assert.equal(rows[0].count, 20)
})
