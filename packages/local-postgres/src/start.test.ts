import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { commandLine } from './former.ts'
import { LocalPostgresError, type LocalPostgresOptions, startLocalPostgres } from './index.ts'

test('a database and what is in it survive a stop and a start', async (t) => {
  const dataDir = path.join(scratchFolder(t), 'data')
  const first = await start({ dataDir })
  await first.createDatabase('shop')
  await query(first.url('shop'), 'create table sold (tokens int)')
  await query(first.url('shop'), 'insert into sold values (12345)')
  await first.stop()
  await first.stop() // a terminal's Ctrl-C asks twice
  assert.equal(commandLine(first.pid), '')

  const second = await start({ dataDir })
  await second.createDatabase('shop') // it exists: no error

  assert.deepEqual(await query(second.url('shop'), 'select tokens from sold'), [{ tokens: 12345 }])
})

test('a database copied from a template is refused a name that is taken', async (t) => {
  const server = await start({ dataDir: path.join(scratchFolder(t), 'data') })
  await server.createDatabase('original')
  await query(server.url('original'), 'create table sold (tokens int)')

  await server.createDatabase('copy', { template: 'original' })

  assert.deepEqual(await query(server.url('copy'), 'select * from sold'), [])
  await assert.rejects(server.createDatabase('copy', { template: 'original' }), { code: '42P04' })
})

test('it listens on no port, keeps its files to us, takes settings, and ignores PGPORT', async (t) => {
  process.env.PGPORT = '1'
  t.after(() => delete process.env.PGPORT)
  const server = await start({
    dataDir: path.join(scratchFolder(t), 'data'),
    settings: { max_connections: '17' },
  })

  const [row] = await query(
    server.url('postgres'),
    `select current_setting('listen_addresses') as addresses, current_setting('max_connections') as connections,
       current_setting('data_directory_mode') as mode, current_setting('TimeZone') as zone,
       current_setting('server_encoding') as encoding`,
  )
  assert.deepEqual(row, { addresses: '', connections: '17', mode: '0700', zone: 'UTC', encoding: 'UTF8' })
})

test('a second start on the folder says who runs the first', async (t) => {
  const dataDir = path.join(scratchFolder(t), 'data')
  const other = await startElsewhere(dataDir)

  await assert.rejects(startLocalPostgres({ dataDir }), (error) => {
    assert.ok(error instanceof LocalPostgresError)
    assert.match(
      error.message,
      new RegExp(`in use: process ${other.child.pid} \\(.*node.*\\) runs PostgreSQL ${other.pid}`),
    )
    return true
  })
})

test('of two starts at once on a new folder one wins and the other names it', async (t) => {
  const dataDir = path.join(scratchFolder(t), 'data')

  const outcomes = await Promise.allSettled([startElsewhere(dataDir), startElsewhere(dataDir)])

  const [won] = outcomes.filter((outcome) => outcome.status === 'fulfilled')
  const [lost] = outcomes.filter((outcome) => outcome.status === 'rejected')
  assert.ok(won && lost)
  assert.match(String(lost.reason), new RegExp(`in use: process ${won.value.child.pid} `))
})

test('kill -9 of the process that started it leaves no process, and the data', async (t) => {
  const dataDir = path.join(scratchFolder(t), 'data')
  const other = await startElsewhere(dataDir)
  await query(other.url, 'create table sold (tokens int)')
  await query(other.url, 'insert into sold values (12345)')

  other.child.kill('SIGKILL')
  const again = await start({ dataDir }) // at once: the former server may still be shutting down

  assert.equal(commandLine(other.pid), '')
  assert.deepEqual(await query(again.url('postgres'), 'select tokens from sold'), [{ tokens: 12345 }])
  await again.stop()
  assert.deepEqual(processesOn(dataDir), [])
})

test('kill -9 of PostgreSQL itself loses nothing that was committed', async (t) => {
  const dataDir = path.join(scratchFolder(t), 'data')
  const server = await start({ dataDir })
  await query(server.url('postgres'), 'create table sold as select 12345 as tokens')

  server.kill()
  await server.stop()
  const again = await start({ dataDir })

  assert.deepEqual(await query(again.url('postgres'), 'select tokens from sold'), [{ tokens: 12345 }])
})

test('a lock file that names a process which is no PostgreSQL does not stand in the way', async (t) => {
  const dataDir = path.join(scratchFolder(t), 'data')
  await (await start({ dataDir })).stop()
  // As after a power failure, when the number was given out again: here, to this test.
  writeFileSync(path.join(dataDir, 'postmaster.pid'), `${process.pid}\n${dataDir}\n1700000000\n5432\n${dataDir}\n\n\n`)

  const server = await start({ dataDir })

  assert.notEqual(server.pid, process.pid)
})

test('a throwaway is gone with its folder, also when its process was killed', async (t) => {
  const folder = scratchFolder(t)
  const stopped = await start({ dataDir: path.join(folder, 'stopped'), throwaway: true })
  await stopped.stop()
  assert.deepEqual(readdirSync(folder), [])

  const killed = await startElsewhere(path.join(folder, 'killed'), { throwaway: true })
  killed.child.kill('SIGKILL')

  // the watchdog deletes the folder, and is gone itself a moment later
  await until(() => readdirSync(folder).length === 0 && processesOn(folder).length === 0)
})

test('a path too long for a socket gets a private folder for it, gone after the stop', async (t) => {
  const deep = path.join(scratchFolder(t), 'a'.repeat(60), 'b'.repeat(60))
  const server = await start({ dataDir: path.join(deep, 'data') })
  const socketFolder = new URLSearchParams(server.url('postgres').split('?')[1]).get('host') ?? ''
  assert.ok(socketFolder.startsWith(tmpdir()))
  assert.deepEqual(await query(server.url('postgres'), 'select 1 as one'), [{ one: 1 }])

  await server.stop()

  assert.equal(existsSync(socketFolder), false)
})

test('what it cannot run on it refuses in a sentence', async (t) => {
  const folder = scratchFolder(t)
  const otherVersion = path.join(folder, 'other-version')
  mkdirSync(otherVersion)
  writeFileSync(path.join(otherVersion, 'PG_VERSION'), '16\n')
  const photos = path.join(folder, 'photos')
  mkdirSync(photos)
  writeFileSync(path.join(photos, 'cat.jpg'), '')
  const file = path.join(folder, 'file')
  writeFileSync(file, '')

  const cases: [dataDir: string, message: RegExp][] = [
    [otherVersion, /was written by PostgreSQL 16, and this is PostgreSQL 18/],
    [photos, /holds files that are not a PostgreSQL database/],
    [path.join(file, 'data'), /cannot be written \((ENOTDIR|EEXIST)\)/],
  ]
  for (const [dataDir, message] of cases) {
    await assert.rejects(startLocalPostgres({ dataDir }), { name: 'LocalPostgresError', message })
  }
  assert.deepEqual(readdirSync(photos), ['cat.jpg'])
})

test('a setting PostgreSQL refuses is answered with what PostgreSQL said', async (t) => {
  const dataDir = path.join(scratchFolder(t), 'data')

  await assert.rejects(startLocalPostgres({ dataDir, settings: { shared_buffers: 'plenty' } }), {
    name: 'LocalPostgresError',
    message: /did not start .*invalid value for parameter "shared_buffers": "plenty"/s,
  })
})

/** A folder for one test; what runs in it is ended before it is removed, and must leave no process. */
function scratchFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'local-postgres-test-'))
  t.after(async () => {
    for (const end of running.splice(0)) await end()
    await until(() => processesOn(folder).length === 0)
    rmSync(folder, { recursive: true })
  })
  return folder
}

const running: (() => unknown)[] = []

async function start(options: LocalPostgresOptions) {
  const server = await startLocalPostgres(options)
  running.push(server.stop)
  return server
}

/** Starts a server in a process of its own, which can be killed. */
async function startElsewhere(dataDir: string, options: { throwaway?: boolean } = {}) {
  const program = `
    import { startLocalPostgres } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
    try {
      const server = await startLocalPostgres(${JSON.stringify({ dataDir, ...options })})
      console.log(JSON.stringify({ pid: server.pid, url: server.url('postgres') }))
      process.stdin.resume() // lives until it is killed or its parent ends
    } catch (error) {
      console.log(JSON.stringify({ error: error.message }))
    }`
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  running.push(() => child.kill('SIGKILL'))
  const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string]
  const answer = JSON.parse(line) as { pid: number; url: string; error?: string }
  if (answer.error) throw new Error(answer.error)
  return { child, ...answer }
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** Command lines that mention the folder: PostgreSQL's, its watchdog's. */
function processesOn(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => commandLine(Number(pid)))
    .filter((command) => command.includes(folder) && !command.includes('--input-type'))
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!condition()) {
    assert.ok(Date.now() < deadline, `still not true after 10 s: ${condition}`)
    await sleep(10)
  }
}
