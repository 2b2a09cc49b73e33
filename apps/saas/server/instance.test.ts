import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { StartupError } from './config.ts'
import { claimInstance } from './instance.ts'

test('of two starts on one data directory the second learns what runs', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'instance-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const first = await claimInstance(directory)

  await assert.rejects(claimInstance(directory), /it already runs and is still starting/)
  first.announce({
    url: 'http://localhost:4321',
    localUrl: 'http://127.0.0.1:4321',
    databaseUrl: 'postgresql://secret@host/db',
    stripe: { url: 'http://127.0.0.1:12111', secret: 'sk_test_secret' },
  })
  await assert.rejects(claimInstance(directory), (error) => {
    assert.ok(error instanceof StartupError)
    assert.match(error.message, /already runs at http:\/\/localhost:4321 \(process \d+\)/)
    assert.doesNotMatch(error.message, /secret/)
    return true
  })
  const file = join(directory, 'running.json')
  assert.equal(JSON.parse(readFileSync(file, 'utf8')).url, 'http://localhost:4321')
  assert.equal(statSync(file).mode & 0o777, 0o600)

  first.release()
  const second = await claimInstance(directory)
  second.release()
  assert.equal(existsSync(join(directory, 'running.json')), false)
})

test('another data directory is another app', async (t) => {
  const directories = ['a-', 'b-'].map((name) => mkdtempSync(join(tmpdir(), name)))
  for (const directory of directories) {
    const instance = await claimInstance(directory)
    t.after(() => {
      instance.release()
      rmSync(directory, { recursive: true })
    })
  }
})
