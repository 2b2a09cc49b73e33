import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { database, subscribed } from '../../test/database.ts'
import { openJournal } from './journal.ts'
import { createRecorder } from './recorder.ts'

const PROCESS = fileURLToPath(new URL('../../test/recording-process.ts', import.meta.url))
const log = { info: () => {}, warn: () => {}, error: () => {} }
const KILLS = 6

test('kill -9 while recording: every event whose promise resolved is stored, and stored once', async (t) => {
  const pool = await database(t)
  const { customerId, id } = await subscribed(pool)
  const directory = mkdtempSync(join(tmpdir(), 'durability-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const url = pool.options.connectionString!

  const promised: string[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    promised.push(...(await recordUntilKilled([url, directory, customerId, id], 20 + kill * 37)))
  }
  const last = createRecorder({ pool, journal: await openJournal({ directory, log }), journalBytesMax: 1e9, log })
  await last.drained()
  await last.stop(0)

  const { rows } = await pool.query<{ id: string }>('select id from billing.meter_events')
  const stored = new Set(rows.map((row) => row.id))
  assert.ok(promised.length > 100, `only ${promised.length} events were recorded`)
  assert.deepEqual(
    promised.filter((event) => !stored.has(event)),
    [],
  )
  assert.equal(rows.length, stored.size)
  const rolled = await pool.query('select sum(quantity)::int as quantity from billing.rollups')
  assert.equal(rolled.rows[0].quantity, stored.size * 3)
})

/** @returns the ids printed as durable before the end */
async function recordUntilKilled(args: string[], afterMs: number): Promise<string[]> {
  const child = spawn(process.execPath, [PROCESS, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (text: string) => {
    if (output === '') setTimeout(() => child.kill('SIGKILL'), afterMs)
    output += text
  })
  await new Promise((resolve) => child.stdout.on('close', resolve))
  // the last line may be torn, and only whole ones were promised
  return output.split('\n').slice(1, -1)
}
