import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { AppSettings, Report, Request, Verbs } from './app-process.ts'

const PROCESS = fileURLToPath(new URL('./app-process.ts', import.meta.url))
/** Far beyond every time limit of the engine's own: an answer this late is a hang. */
const PATIENCE_MS = 60_000
/** What takes long by its nature: events at a rate that was asked for. */
const PATIENCE_FOR_FLOOD_MS = 300_000

/** One process with the engine in it, seen from outside. */
export interface App {
  name: string
  settings: AppSettings
  pid: number
  /** Of its server for webhooks. */
  port: number
  alive: () => boolean
  /** @throws AppGone where the process was killed meanwhile; else what the engine has thrown */
  ask: <Verb extends keyof Verbs>(
    verb: Verb,
    ...given: Parameters<Verbs[Verb]>
  ) => Promise<Awaited<ReturnType<Verbs[Verb]>>>
  setClock: (offsetMs: number) => void
  /** kill -9; resolves when it is gone. */
  kill: () => Promise<void>
}

export class AppGone extends Error {}

export interface AppListener {
  durable: (refs: string[]) => void
  /** It has ended and nobody has killed it. */
  crashed: (app: string, why: string) => void
}

/** @throws Error with what the process has said where it does not start */
export async function startApp(name: string, settings: AppSettings, listener: AppListener): Promise<App> {
  const child = fork(PROCESS, [JSON.stringify(settings)], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, NODE_TEST_CONTEXT: '' },
  })
  let said = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    if (process.env.FAULTS_LOG) process.stderr.write(text)
    said = `${said}${text}`.slice(-4_000)
  })
  const calls = new Map<number, PromiseWithResolvers<unknown>>()
  const ready = Promise.withResolvers<number>()
  const gone = Promise.withResolvers<void>()
  let killed = false
  let alive = true
  let last = 0

  child.on('message', (report: Report) => {
    if ('ready' in report) ready.resolve(report.ready)
    else if ('durable' in report) listener.durable(report.durable)
    else if ('answer' in report) {
      const call = calls.get(report.answer)
      if ('error' in report) call?.reject(Object.assign(new Error(report.error.message), { code: report.error.code }))
      else call?.resolve(report.value)
    }
  })
  child.on('close', (code, signal) => {
    alive = false
    ready.reject(new Error(`${name} did not start (${signal ?? code}): ${said}`))
    for (const call of calls.values()) call.reject(new AppGone(`${name} is gone`))
    if (!killed && app.port > 0) listener.crashed(name, `${signal ?? code}: ${said}`)
    gone.resolve()
  })

  const app: App = {
    name,
    settings,
    pid: child.pid!,
    port: 0,
    alive: () => alive && !killed,
    setClock: (clockOffsetMs) => post(child, { clockOffsetMs }),
    kill: async () => {
      killed = true
      child.kill('SIGKILL')
      await gone.promise
    },
    ask: (verb, ...given) => {
      const asked = ask(verb, ...given)
      // Some are asked for and waited for only later.
      asked.catch(() => {})
      return asked as never
    },
  }

  async function ask(verb: keyof Verbs, ...given: unknown[]): Promise<unknown> {
    if (!app.alive()) throw new AppGone(`${name} is gone`)
    const call = Promise.withResolvers<unknown>()
    last += 1
    const number = last
    calls.set(number, call)
    post(child, { call: number, verb, given })
    const patienceMs = verb === 'flood' || verb === 'drain' ? PATIENCE_FOR_FLOOD_MS : PATIENCE_MS
    const timer = setTimeout(
      () => call.reject(new Error(`it hangs: ${name} has not answered ${verb} in ${patienceMs / 1000} s`)),
      patienceMs,
    )
    try {
      return await call.promise
    } finally {
      clearTimeout(timer)
      calls.delete(number)
    }
  }
  app.port = await ready.promise
  return app
}

function post(child: ChildProcess, request: Request): void {
  if (child.connected) child.send(request, () => {})
}
