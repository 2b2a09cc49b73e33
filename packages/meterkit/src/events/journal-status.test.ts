import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { v7 as newUuid } from 'uuid'
import type { MeterEvent } from './event.ts'
import { openJournal } from './journal.ts'
import { journalStatus } from './journal-status.ts'

const log = { info: () => {}, warn: () => {}, error: () => {} }

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'journal-status-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const event = (): MeterEvent => ({
  id: newUuid(),
  key: null,
  customerId: newUuid(),
  subscriptionId: newUuid(),
  meterId: 1,
  quantity: '5',
  occurredAt: 0,
  properties: null,
})

test('an open journal tells who holds it, and what is not in the database yet', async (t) => {
  const path = directory(t)
  const journal = await openJournal({ directory: path, log })
  const first = await journal.append([event(), event()])
  await journal.append([event(), event(), event()])
  await journal.done(first)

  const status = await journalStatus(path)
  assert.deepEqual(status.heldBy, { pid: process.pid })
  assert.equal(status.outstanding.events, 3)
  assert.equal(status.outstanding.bytes, status.bytes - first.length)
  assert.deepEqual([status.damaged, status.unfinished], [[], null])

  await journal.close()
  assert.equal((await journalStatus(path)).heldBy, null)
})

test('damage and a torn end are named with file and offset, and nothing is touched', async (t) => {
  const path = directory(t)
  const journal = await openJournal({ directory: path, log })
  const block = await journal.append([event(), event(), event()])
  await journal.close()
  const file = join(path, '0000000001.journal')
  const bytes = readFileSync(file)
  const second = bytes.indexOf('\n') + 1
  bytes[second + 20] = bytes[second + 20]! ^ 1
  writeFileSync(file, bytes)
  appendFileSync(file, '\x1e12345678["torn')
  const before = statSync(file).mtimeMs

  const status = await journalStatus(path)
  assert.equal(status.outstanding.events, 2)
  assert.deepEqual(
    status.damaged.map(({ file: at, offset }) => [at, offset]),
    [[file, second]],
  )
  assert.deepEqual(status.unfinished, { file, offset: block.length, bytes: 15 })
  assert.equal(statSync(file).mtimeMs, before)
})

test('a directory that is not there, or an empty one, is no error', async (t) => {
  const path = directory(t)
  assert.equal((await journalStatus(join(path, 'nowhere'))).exists, false)
  assert.deepEqual((await journalStatus(path)).files, [])
})
