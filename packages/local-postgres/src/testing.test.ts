import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { templateDatabase, testDatabase } from './testing.ts'

test('two tests do not see each other', async (t) => {
  const one = await connect(t, await testDatabase(t))
  const other = await connect(t, await testDatabase(t))

  await one.query('create table sold (tokens int)')

  await assert.rejects(other.query('select * from sold'), { code: '42P01' })
})

test('a template is prepared once, whoever asks, and each test has a copy of its own', async (t) => {
  let prepared = 0
  const seeded = () =>
    templateDatabase('testing_seeded', async (url) => {
      prepared += 1
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      await client.query('create table sold as select 12345 as tokens')
      await client.end()
    })

  const [template] = await Promise.all([seeded(), seeded(), seeded()])
  const one = await connect(t, await testDatabase(t, { template }))
  const other = await connect(t, await testDatabase(t, { template }))
  await one.query('delete from sold')

  assert.equal(prepared, 1)
  assert.deepEqual((await other.query('select tokens from sold')).rows, [{ tokens: 12345 }])
})

test('a database is dropped after its test, though the test closes its pool later', async (t) => {
  let address = ''
  await t.test('a test with a pool', async (inner) => {
    address = await testDatabase(inner)
    const pool = new pg.Pool({ connectionString: address })
    await pool.query('select 1')
    inner.after(() => pool.end())
  })

  const admin = await connect(t, await testDatabase(t))
  const name = /\/([^/?]+)\?/.exec(address)?.[1]
  const exists = async () => (await admin.query('select from pg_database where datname = $1', [name])).rowCount === 1
  const deadline = Date.now() + 10_000
  while (await exists()) {
    assert.ok(Date.now() < deadline, `${name} is still there`)
    await sleep(20)
  }
})

async function connect(t: TestContext, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.after(() => client.end())
  return client
}
