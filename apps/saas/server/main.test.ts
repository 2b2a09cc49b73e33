import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { buildPages } from './testing.ts'

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))
const UNSET = ['DATABASE_URL', 'STRIPE_SECRET', 'STRIPE_WEBHOOK_SECRET', 'STRIPE_PRODUCTION_MODE', 'PORT', 'NODE_ENV']

let directory: string
before(() => {
  buildPages()
  directory = mkdtempSync(join(tmpdir(), 'saas-main-'))
})
after(() => rmSync(directory, { recursive: true, force: true }))

interface Started {
  process: ChildProcess
  output: () => string
  /** Resolves once it has written this. @throws when it ends first */
  says: (pattern: RegExp) => Promise<RegExpExecArray>
  ended: Promise<number | null>
}

function start(environment: Record<string, string>): Started {
  const app = spawn(process.execPath, [MAIN], {
    env: {
      ...process.env,
      ...Object.fromEntries(UNSET.map((name) => [name, ''])),
      METERKIT_DATA_DIR: directory,
      LOG_LEVEL: 'warn',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let written = ''
  const heard = new EventTarget()
  for (const stream of [app.stdout!, app.stderr!])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      written += chunk
      heard.dispatchEvent(new Event('data'))
    })
  const ended = once(app, 'exit').then(([code]) => code as number | null)
  return {
    process: app,
    output: () => written,
    ended,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(written)
          if (found) resolve(found)
        }
        heard.addEventListener('data', look)
        ended.then((code) => reject(new Error(`ended with ${code} before it said ${pattern}:\n${written}`)))
        look()
      }),
  }
}

/** Waits for its end. @returns what it wrote, line by line */
async function refusal(environment: Record<string, string>): Promise<string[]> {
  const { process: app, output } = start(environment)
  const [code] = await once(app, 'close') // not only ended: everything it wrote was read
  assert.equal(code, 1, output())
  return output().trim().split('\n')
}

test('every problem of the configuration is one line, and the exit code is 1', async () => {
  const lines = await refusal({ PORT: 'http', LOG_LEVEL: 'loud' })
  assert.equal(lines.length, 2)
  for (const line of lines) assert.match(line, /^Meterkit did not start: /)
})

test('a database that does not answer is named without its password', async () => {
  const lines = await refusal({ PORT: '0', DATABASE_URL: 'postgresql://me:hunter2@127.0.0.1:1/app' })
  assert.equal(lines.length, 1)
  assert.match(lines[0]!, /^Meterkit did not start: DATABASE_URL .*app on 127\.0\.0\.1:1: connection refused/)
  assert.doesNotMatch(lines[0]!, /hunter2/)
})

test('a port that somebody named and another program has is refused', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const { port } = other.address() as AddressInfo

  const lines = await refusal({ PORT: String(port) })
  assert.deepEqual(lines, [
    `Meterkit did not start: PORT is ${port}, and another program listens there. End it, or set PORT to another number.`,
  ])
})

test('it starts, is alone on its data, stops on a signal, and finds everything again', async () => {
  const first = start({ PORT: '0' })
  const [, url] = await first.says(/Meterkit is ready: (\S+)/)
  await first.says(/Sign in as admin@example\.com \/ password/)
  const signIn = await fetch(`${url}/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: url! },
    body: new URLSearchParams({ email: 'admin@example.com', password: 'password' }),
  })
  assert.equal(signIn.status, 302)
  const cookie = signIn.headers.getSetCookie().map((line) => line.split(';')[0])

  const lines = await refusal({ PORT: '0' })
  assert.equal(lines.length, 1)
  assert.match(lines[0]!, new RegExp(`already runs at ${url} \\(process ${first.process.pid}\\)`))

  const { databaseUrl, pid } = JSON.parse(readFileSync(join(directory, 'running.json'), 'utf8'))
  assert.equal(pid, first.process.pid)
  assert.match(databaseUrl, /^postgresql:/)
  first.process.kill('SIGTERM')
  first.process.kill('SIGINT') // a terminal's Ctrl-C and its launcher's arrive both
  assert.equal(await first.ended, 0, first.output())
  assert.equal(existsSync(join(directory, 'running.json')), false)
  assert.equal(existsSync(join(directory, 'postgres', 'postmaster.pid')), false, 'PostgreSQL has ended')

  const { port } = new URL(url!)
  const second = start({ PORT: port })
  await second.says(/Meterkit is ready/)
  const page = await fetch(`${url}/app/org/acme`, { headers: { cookie: cookie.join('; ') } })
  assert.match(await page.text(), /<h1[^>]*>Acme/)

  second.process.disconnect() // the launcher was killed
  assert.equal(await second.ended, 0, second.output())
  assert.equal(existsSync(join(directory, 'postgres', 'postmaster.pid')), false, 'PostgreSQL has ended')
})
