import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { MeterkitError } from '../errors.ts'
import type { MeterEvent } from './event.ts'
import { openJournal } from './journal.ts'

function event(number: number): MeterEvent {
  return {
    id: `0193a000-0000-7000-8000-${String(number).padStart(12, '0')}`,
    key: number % 2 ? `key "${number}" \\ ünïcode` : null,
    customerId: '00000000-0000-4000-8000-000000000001',
    subscriptionId: '00000000-0000-4000-8000-000000000002',
    meterId: 1,
    quantity: String(number),
    occurredAt: 1_764_000_000_000 + number,
    properties: number % 3 ? { model: 'demo\nmodel' } : null,
  }
}

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'journal-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A log whose lines a test can read. */
function lines() {
  const seen: { level: string; facts: Record<string, unknown>; message: string }[] = []
  const at = (level: string) => (facts: object, message: string) =>
    void seen.push({ level, facts: { ...facts }, message })
  return { seen, info: at('info'), warn: at('warn'), error: at('error') }
}

async function filled(directory: string, blocks: MeterEvent[][]): Promise<string> {
  const journal = await openJournal({ directory, log: lines() })
  for (const events of blocks) await journal.append(events)
  await journal.close()
  return join(directory, readdirSync(directory).find((name) => name.endsWith('.journal'))!)
}

async function recovered(directory: string, log = lines()): Promise<MeterEvent[]> {
  const journal = await openJournal({ directory, log })
  const events: MeterEvent[] = []
  for (const block of journal.backlog) events.push(...(await journal.read(block)))
  await journal.close()
  return events
}

test('what was appended is read back after a restart, in order', async (t) => {
  const directory = directoryFor(t)
  await filled(directory, [[event(1), event(2)], [event(3)]])

  assert.deepEqual(await recovered(directory), [event(1), event(2), event(3)])
})

test('what is done is not offered again; when all is done, nothing is left on disk', async (t) => {
  const directory = directoryFor(t)
  const journal = await openJournal({ directory, log: lines() })
  const first = await journal.append([event(1)])
  const second = await journal.append([event(2)])
  await journal.done(first)
  await journal.close()

  assert.deepEqual(await recovered(directory), [event(2)])

  const again = await openJournal({ directory, log: lines() })
  assert.equal(again.bytes(), second.length)
  for (const block of again.backlog) await again.done(block)
  assert.equal(again.bytes(), 0)
  await again.close()
  assert.deepEqual(readdirSync(directory), [])
})

test('blocks done out of order are kept until all before them are done', async (t) => {
  const directory = directoryFor(t)
  const journal = await openJournal({ directory, log: lines() })
  await journal.append([event(1)])
  const second = await journal.append([event(2)])
  await journal.done(second)
  await journal.close()

  assert.deepEqual(await recovered(directory), [event(1), event(2)])
})

test('a checkpoint that outlived its files does not swallow what is written next', async (t) => {
  const directory = directoryFor(t)
  writeFileSync(join(directory, 'checkpoint'), '7 0\n') // a kill between deleting the last file and making the next

  await filled(directory, [[event(1)]])

  assert.deepEqual(await recovered(directory), [event(1)])
})

test('a torn tail is cut and reported, and costs only itself', async (t) => {
  const directory = directoryFor(t)
  const file = await filled(directory, [[event(1), event(2)]])
  const whole = readFileSync(file)
  for (const torn of [1, 5, 40]) {
    writeFileSync(file, whole.subarray(0, whole.length - torn))
    const log = lines()
    assert.deepEqual(await recovered(directory, log), [event(1)], `${torn} bytes short`)
    assert.equal(log.seen[0]?.level, 'warn')
    assert.equal(log.seen[0]?.facts.file, file)
    assert.equal(readFileSync(file).length, log.seen[0]?.facts.offset)
  }
})

test('any flipped byte costs one record at most two, names file and offset, and is kept apart', async (t) => {
  const directory = directoryFor(t)
  const events = [event(1), event(2), event(3), event(4)]
  const file = await filled(directory, [events])
  const whole = readFileSync(file)
  for (let at = 0; at < whole.length; at += 7) {
    const flipped = Buffer.from(whole)
    flipped[at]! ^= 0x15
    writeFileSync(file, flipped)
    const log = lines()
    const kept = await recovered(directory, log)
    assert.ok(kept.length >= 2, `byte ${at}: ${kept.length} kept`)
    for (const one of kept)
      assert.deepEqual(
        one,
        events.find((original) => original.id === one.id),
      )
    const lost = events.length - kept.length
    const told = log.seen.filter((line) => line.level === 'error' || line.message.startsWith('cut a torn'))
    assert.ok(lost === 0 || told.length > 0, `byte ${at}: ${lost} lost in silence`)
    for (const line of told) assert.equal(line.facts.file, file)
  }
})

test('an empty file is no damage', async (t) => {
  const directory = directoryFor(t)
  writeFileSync(join(directory, '0000000001.journal'), '')
  const log = lines()
  assert.deepEqual(await recovered(directory, log), [])
  assert.deepEqual(log.seen, [])
})

test('a second opener is refused, until the first has closed', async (t) => {
  const directory = directoryFor(t)
  const first = await openJournal({ directory, log: lines() })

  await assert.rejects(openJournal({ directory, log: lines() }), (error: unknown) => {
    assert.ok(error instanceof MeterkitError)
    assert.equal(error.code, 'journal_in_use')
    assert.match(error.message, new RegExp(directory))
    return true
  })

  await first.close()
  await (await openJournal({ directory, log: lines() })).close()
})

test('a directory that cannot be written is named', async (t) => {
  const directory = directoryFor(t)
  writeFileSync(join(directory, 'file'), '')
  chmodSync(directory, 0o500)
  await assert.rejects(openJournal({ directory: join(directory, 'file'), log: lines() }), {
    code: 'journal_unwritable',
  })
})

// Two containers that share a volume are two network namespaces.
test('a process in another container is refused the same journal', async (t) => {
  const directory = directoryFor(t)
  const journal = await openJournal({ directory, log: lines() })
  t.after(() => journal.close())
  const program = `
    const { openJournal } = await import(${JSON.stringify(new URL('./journal.ts', import.meta.url).href)})
    const log = { info() {}, warn() {}, error() {} }
    await openJournal({ directory: ${JSON.stringify(directory)}, log }).then(() => console.log('opened'), (e) => console.log(e.code))`
  const { stdout, stderr, error } = spawnSync(
    'unshare',
    ['-rn', process.execPath, '--input-type=module', '-e', program],
    {
      encoding: 'utf8',
    },
  )
  if (error || /unshare/.test(stderr)) return t.skip('this machine makes no namespaces')
  assert.equal(stdout.trim(), 'journal_in_use')
})

test('the socket of a killed process is taken over, and removed at the end', async (t) => {
  const directory = directoryFor(t)
  writeFileSync(join(directory, 'lock'), '') // nobody answers at it
  const journal = await openJournal({ directory, log: lines() })
  assert.ok(lstatSync(join(directory, 'lock')).isSocket())
  await journal.close()
  assert.equal(existsSync(join(directory, 'lock')), false)
})

test('a file that somebody else has made meanwhile is not written over', async (t) => {
  const directory = directoryFor(t)
  const journal = await openJournal({ directory, log: lines() })
  const theirs = join(directory, '0000000001.journal')
  writeFileSync(theirs, 'theirs')
  await journal.append([event(1)])
  assert.equal(readFileSync(theirs, 'utf8'), 'theirs')
  assert.deepEqual(await journal.read(await journal.append([event(2)])), [event(2)])
  await journal.close()
})
