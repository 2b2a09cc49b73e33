import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../server/main.ts', import.meta.url))
const START_MS_MAX = 30_000
const STOP_MS_MAX = 15_000

/** What a developer's own `.env` must not bring into a test; empty counts as absent. */
const UNSET = [
  'APP_URL',
  'STRIPE_SECRET',
  'STRIPE_WEBHOOK_SECRET',
  'STRIPE_PRODUCTION_MODE',
  'BILLING_SOURCE',
  'BETTER_AUTH_SECRET',
  'ANTHROPIC_API_KEY',
  'OPENAI_API_KEY',
  'AI_MODEL',
  'SMTP_URL',
  'METERKIT_COLLECT',
  'TRUSTED_PROXIES',
  'HOST',
]

export interface RunningApp {
  url: string
  /** Of the local Stripe. */
  stripeUrl: string
  /** Everything it has written so far. */
  output: () => string
  /** As Ctrl-C does. @returns the exit code */
  stop: () => Promise<number | null>
}

/** A folder for an app's data, gone after the test. */
export async function dataDirectory(t: { after: (release: () => unknown) => void }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'meterkit-journey-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/**
 * The app as `npm start` runs it: a process of its own with the built pages. It ends with this process, however that
 * ends, since the app stops when its channel to us closes.
 *
 * @throws Error with all that was written, when it does not come up
 */
export async function startApp(environment: Record<string, string>): Promise<RunningApp> {
  const app = spawn(process.execPath, [MAIN], {
    env: {
      ...process.env,
      ...Object.fromEntries(UNSET.map((name) => [name, ''])),
      NODE_ENV: '',
      PORT: '0',
      LOG_LEVEL: 'warn',
      // By hand only: a schedule would change under a test what it is looking at.
      SYNC_SCHEDULE: '@yearly',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const exited = once(app, 'exit') as Promise<[code: number | null]>
  let output = ''
  const ready = new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => fail(`is not ready after ${START_MS_MAX / 1000} s`), START_MS_MAX)
    const fail = (how: string) => {
      clearTimeout(late)
      app.kill('SIGKILL')
      reject(new Error(`The app ${how}. It wrote:\n${output}`))
    }
    const hear = (chunk: string) => {
      output += chunk
      if (!/Stop with Ctrl-C/.test(output)) return
      clearTimeout(late)
      resolve()
    }
    app.stdout!.setEncoding('utf8').on('data', hear)
    app.stderr!.setEncoding('utf8').on('data', hear)
    exited.then(([code]) => fail(`ended with code ${code} before it was ready`))
  })
  await ready
  return {
    url: read(output, /Meterkit is ready: (\S+)/),
    stripeUrl: read(output, /dashboard at (\S+)/),
    output: () => output,
    stop: async () => {
      app.kill('SIGINT')
      const stuck = setTimeout(() => app.kill('SIGKILL'), STOP_MS_MAX)
      const [code] = await exited
      clearTimeout(stuck)
      return code
    },
  }
}

function read(output: string, pattern: RegExp): string {
  const found = pattern.exec(output)?.[1]
  if (!found) throw new Error(`The app did not say ${pattern}. It wrote:\n${output}`)
  return found
}
